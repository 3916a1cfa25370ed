package postgres

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"math"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/orderhook/orderhook/internal/ids"
	"github.com/orderhook/orderhook/internal/store/core"
)

// partitions makes and drops the partitions of the tables of events and attempts
// (docs/design.md#partitions). It implements [core.Partitions]. Which partitions there are is
// asked of the database each time, since another node may make or drop one.
type partitions struct {
	config *config
	ask    asks // by the connections that there are
	log    *slog.Logger
	length atomic.Int64 // of those that are made next, a [time.Duration]
	// detachTime is as the constant.
	detachTime time.Duration
}

// asks is [core.Asker]'s QueryOnce.
type asks func(ctx context.Context, each func(core.Row) error, text string, args ...any) error

// newPartitions returns those of a database, whose maintenance has said nothing of them yet.
func newPartitions(c *config, ask asks, log *slog.Logger) *partitions {
	p := &partitions{config: c, ask: ask, log: log, detachTime: detachTime}
	p.length.Store(int64(firstLength))
	return p
}

// partitionsOf returns those of a database, or nil if its tables are whole: they had rows
// before there were partitions (migrations/00003_partitions.sql).
func partitionsOf(ctx context.Context, c *config, ask asks, log *slog.Logger) (*partitions, error) {
	var divided bool
	err := ask(ctx, func(r core.Row) error { return r.Scan(&divided) }, `SELECT EXISTS (SELECT FROM pg_class WHERE oid = to_regclass('events') AND relkind = 'p')`)
	if err != nil || !divided {
		return nil, err
	}
	return newPartitions(c, ask, log), nil
}

const (
	// partitionLock is the advisory lock of who makes, attaches or drops a partition, or has
	// the numbers of events jump.
	partitionLock = 0x6f72646572706172
	// partitionWait bounds how long a statement about partitions waits for a lock, and
	// detachTime how long it waits until all have ended that may still read a partition.
	partitionWait = `SET LOCAL lock_timeout = '1s'`
	detachTime    = 5 * time.Second
	// firstLength is the length of a partition until the maintenance has said another.
	firstLength = 14 * 24 * time.Hour
	// jumpLate is how long after the beginning of a partition the numbers of events jump to
	// it. The clocks of nodes differ: no attempt at an event may be in a partition before
	// that of its event.
	jumpLate = time.Minute
)

// partitioned are the tables that have partitions, by their column seq.
var partitioned = []string{"events", "attempts"}

// selectPartitions lists partitions, those that were taken off their table too, by their
// names alone.
const selectPartitions = `SELECT t.relname::text, i.inhrelid IS NOT NULL, coalesce(i.inhdetachpending, false)
	FROM pg_class AS t LEFT JOIN pg_inherits AS i ON i.inhrelid = t.oid
	WHERE t.relnamespace = current_schema()::regnamespace AND t.relkind = 'r' AND t.relname ~ '^(` + partitionNames + `)$'`

// partitionNames is what the names of partitions are like.
const partitionNames = `(events|attempts)_(until|[0-9]{8}t[0-9]{2})_[0-9]{8}t[0-9]{2}`

// hourName is an hour in the name of a partition, in UTC. Partitions begin and end with an
// hour.
const hourName = "20060102t15"

// nameOf returns the name of a partition, which says all that is known of it.
func nameOf(table string, from, to int64) string {
	begin := "until"
	if from > 0 {
		begin = ids.NumberTime(from).Format(hourName)
	}
	return table + "_" + begin + "_" + ids.NumberTime(to).Format(hourName)
}

// partitionOf reads a name. One that begins with the first number there is has no lower
// bound.
func partitionOf(name string) (p core.Partition, err error) {
	parts := strings.Split(name, "_")
	if len(parts) != 3 {
		return p, fmt.Errorf("no partition is called %s", name)
	}
	p = core.Partition{Table: parts[0], Name: name}
	to, err := time.Parse(hourName, parts[2])
	if err == nil && parts[1] != "until" {
		var from time.Time
		from, err = time.Parse(hourName, parts[1])
		p.From = ids.FirstNumber(from)
	}
	p.To = ids.FirstNumber(to)
	return p, err
}

// listPartitions returns all partitions, the oldest first.
func listPartitions(ctx context.Context, ask asks) (all []core.Partition, err error) {
	err = ask(ctx, func(r core.Row) error {
		var name string
		var attached, pending bool
		if err := r.Scan(&name, &attached, &pending); err != nil {
			return err
		}
		p, err := partitionOf(name)
		switch {
		case pending:
			p.State = core.PartitionLeaving
		case !attached:
			p.State = core.PartitionDetached
		}
		all = append(all, p)
		return err
	}, selectPartitions)
	slices.SortFunc(all, func(a, b core.Partition) int { return cmp.Compare(a.To, b.To) })
	return all, err
}

// endOf returns until when there are partitions of all tables.
func endOf(all []core.Partition) time.Time {
	end := int64(math.MaxInt64)
	for _, table := range partitioned {
		last := int64(0)
		for _, p := range all {
			if p.Table == table && p.State == core.PartitionAttached {
				last = max(last, p.To)
			}
		}
		end = min(end, last)
	}
	return ids.NumberTime(end)
}

// do runs statements about partitions in one transaction, alone of all nodes. Whoever holds
// a lock that is needed is waited for shortly: what waits behind would wait as long.
func (p *partitions) do(ctx context.Context, what func(tx pgx.Tx) error) error {
	return p.connected(ctx, func(conn *pgx.Conn) error {
		return pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
			_, err := tx.Exec(ctx, partitionWait)
			if err == nil {
				_, err = tx.Exec(ctx, `SELECT pg_advisory_xact_lock($1)`, int64(partitionLock))
			}
			if err != nil {
				return err
			}
			return what(tx)
		})
	})
}

// connected calls do with a connection for this one time.
func (p *partitions) connected(ctx context.Context, do func(conn *pgx.Conn) error) error {
	conn, err := p.config.connect(ctx)
	if err != nil {
		return failure(err)
	}
	defer conn.Close(context.WithoutCancel(ctx))
	return failure(do(conn))
}

// List implements [core.Partitions].
func (p *partitions) List(ctx context.Context) (all []core.Partition, err error) {
	return listPartitions(ctx, p.ask)
}

// Ahead implements [core.Partitions].
func (p *partitions) Ahead(ctx context.Context, now time.Time, length time.Duration) error {
	p.length.Store(int64(length))
	// The present one may be missing after a leap of the clock, whatever comes later.
	wanted := []int64{ids.FirstNumber(now), ids.FirstNumber(now.Add(length / 2))}
	all, err := p.List(ctx)
	if err != nil {
		return err
	}
	for _, table := range partitioned {
		missing := slices.ContainsFunc(wanted, func(n int64) bool { return !slices.ContainsFunc(all, covers(table, n)) })
		if missing && err == nil {
			err = p.Cover(ctx, table, wanted)
		}
	}
	if err != nil {
		return err
	}
	return p.jump(ctx, all, now.Add(-jumpLate))
}

// covers is true for the partition of a number that is attached.
func covers(table string, n int64) func(core.Partition) bool {
	return func(p core.Partition) bool { return p.Has(table, n) && p.State == core.PartitionAttached }
}

// jump has the numbers of events go on in the partition of a time, unless they are there
// already, or farther. They never go back: the lock keeps others from it meanwhile.
func (p *partitions) jump(ctx context.Context, all []core.Partition, now time.Time) error {
	at := slices.IndexFunc(all, covers("events", ids.FirstNumber(now)))
	if at < 0 {
		return nil
	}
	first, behind := ValueAbove(all[at].From), false
	if err := p.ask(ctx, func(r core.Row) error { return r.Scan(&behind) }, `SELECT last_value < $1 FROM event_numbers`, first); err != nil || !behind {
		return err
	}
	return p.do(ctx, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, `SELECT setval('event_numbers', $1, false) FROM event_numbers WHERE last_value < $1`, first)
		return err
	})
}

// Cover makes the partitions that some numbers of a table have none of. It is for what
// comes without notice: a clock that leaps, or rows that are copied from elsewhere.
func (p *partitions) Cover(ctx context.Context, table string, numbers []int64) error {
	return p.do(ctx, func(tx pgx.Tx) error {
		for _, n := range numbers {
			if err := p.cover(ctx, tx, table, n); err != nil {
				return err
			}
		}
		return nil
	})
}

// cover makes the partition of a number, if there is none. One that was taken off its table
// and is still there is attached again.
func (p *partitions) cover(ctx context.Context, tx pgx.Tx, table string, n int64) error {
	all, err := listPartitions(ctx, asker{tx.Conn()}.QueryOnce)
	if err != nil {
		return err
	}
	if at := slices.IndexFunc(all, func(p core.Partition) bool { return p.Has(table, n) }); at >= 0 {
		if all[at].State != core.PartitionDetached {
			return nil
		}
		return attach(ctx, tx, all[at])
	}
	from, to := boundsFor(all, table, n, time.Duration(p.length.Load()))
	made := core.Partition{Table: table, Name: nameOf(table, from, to), From: from, To: to}
	// To attach a table locks out nobody who reads or writes, to make one as a partition
	// would lock out everybody. The planner is not to know tenants (migrations/00001_schema.sql).
	for _, text := range []string{
		`CREATE TABLE ` + made.Name + ` (LIKE ` + table + ` INCLUDING DEFAULTS)`,
		`ALTER TABLE ` + made.Name + ` ALTER COLUMN tenant SET STATISTICS 0`,
	} {
		if _, err := tx.Exec(ctx, text); err != nil {
			return err
		}
	}
	return attach(ctx, tx, made)
}

// attach makes a table a partition. One that was detached has a constraint that saves the
// server from reading it.
func attach(ctx context.Context, tx pgx.Tx, p core.Partition) error {
	from := "MINVALUE"
	if p.From > 0 {
		from = fmt.Sprint(p.From)
	}
	_, err := tx.Exec(ctx, fmt.Sprintf(`ALTER TABLE %s ATTACH PARTITION %s FOR VALUES FROM (%s) TO (%d)`, p.Table, p.Name, from, p.To))
	return err
}

// boundsFor returns the bounds of a partition for a number that has none. The first one
// begins with the lowest number there is. All others follow each other, except behind a leap
// of more than a partition: so a clock that is wrong once costs one partition.
func boundsFor(all []core.Partition, table string, n int64, length time.Duration) (from, to int64) {
	before, next := int64(-1), int64(math.MaxInt64)
	for _, p := range all {
		switch {
		case p.Table != table:
		case p.To <= n:
			before = max(before, p.To)
		default:
			next = min(next, p.From)
		}
	}
	hour := ids.NumberTime(n).Truncate(time.Hour)
	end := func(from time.Time) int64 {
		return ids.FirstNumber(from.Add(max(length, time.Hour)).Truncate(time.Hour))
	}
	switch from = ids.FirstNumber(hour); {
	case before < 0 && next < math.MaxInt64:
		return 0, next
	case before < 0:
		return 0, end(hour)
	case n < end(ids.NumberTime(before)):
		from = before
	}
	return from, min(next, end(ids.NumberTime(from)))
}

// Detach implements [core.Partitions]. It waits for those who may still read the partition,
// and holds no lock meanwhile that anybody waits for.
func (p *partitions) Detach(ctx context.Context, part core.Partition) error {
	how := " CONCURRENTLY"
	if part.State == core.PartitionLeaving {
		how = " FINALIZE"
	}
	return p.connected(ctx, func(conn *pgx.Conn) error {
		// A pooler knows no settings of a connection, and this statement no transaction
		// around it: so the caller gives up instead of the server.
		waits, cancel := context.WithTimeout(ctx, p.detachTime)
		defer cancel()
		_, err := conn.Exec(waits, `ALTER TABLE `+part.Table+` DETACH PARTITION `+part.Name+how)
		if err != nil && waits.Err() != nil && ctx.Err() == nil {
			return unavailable(fmt.Sprintf("a transaction that began before is still open, so the partition %s cannot be dropped yet", part.Name), err)
		}
		return err
	})
}

// Attach implements [core.Partitions].
func (p *partitions) Attach(ctx context.Context, part core.Partition) error {
	return p.ifDetached(ctx, part, func(tx pgx.Tx) error { return attach(ctx, tx, part) })
}

// idsAtOnce is how many ids of events one statement forgets.
const idsAtOnce = 1000

// Drop implements [core.Partitions].
func (p *partitions) Drop(ctx context.Context, part core.Partition, tenants []string) error {
	if part.Table == "events" {
		for _, tenant := range tenants {
			if err := p.forgetIDs(ctx, tenant, part); err != nil {
				return err
			}
		}
	}
	return p.ifDetached(ctx, part, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, `DROP TABLE `+part.Name)
		return err
	})
}

// forgetIDs removes the ids of the events of a partition, some at a time.
func (p *partitions) forgetIDs(ctx context.Context, tenant string, part core.Partition) error {
	return p.connected(ctx, func(conn *pgx.Conn) error {
		for {
			gone, err := conn.Exec(ctx, `DELETE FROM event_ids WHERE tenant = $1 AND id IN (SELECT id FROM event_ids WHERE tenant = $1 AND seq >= $2 AND seq < $3 ORDER BY seq LIMIT $4)`,
				tenant, part.From, part.To, idsAtOnce)
			if err != nil || gone.RowsAffected() < idsAtOnce {
				return err
			}
		}
	})
}

// ifDetached does something with a partition that is off its table; nothing if it is not
// any more, since another node has attached or dropped it.
func (p *partitions) ifDetached(ctx context.Context, part core.Partition, do func(tx pgx.Tx) error) error {
	return p.do(ctx, func(tx pgx.Tx) error {
		all, err := listPartitions(ctx, asker{tx.Conn()}.QueryOnce)
		if err != nil || !slices.ContainsFunc(all, func(is core.Partition) bool {
			return is.Name == part.Name && is.State == core.PartitionDetached
		}) {
			return err
		}
		return do(tx)
	})
}

// analyzeEvery is how often the tables as a whole are analysed: the server does so by itself
// with each partition alone.
const analyzeEvery = `'1 day'`

// Analyze implements [core.Partitions].
func (p *partitions) Analyze(ctx context.Context) error {
	var due []string
	err := p.ask(ctx, func(r core.Row) error {
		due = append(due, "")
		return r.Scan(&due[len(due)-1])
	}, `SELECT relname::text FROM pg_stat_user_tables WHERE schemaname = current_schema() AND relname = ANY ($1)
		AND coalesce(last_analyze, '-infinity') < now() - interval `+analyzeEvery, partitioned)
	if err != nil || len(due) == 0 {
		return err
	}
	return p.do(ctx, func(tx pgx.Tx) error {
		for _, table := range due {
			if _, err := tx.Exec(ctx, `ANALYZE `+table); err != nil {
				return err
			}
		}
		return nil
	})
}

// isUncovered reports whether a row was refused since there is no partition for its number.
func isUncovered(err error) bool { return code(err) == checkViolation && constraint(err) == "" }

// coverAll makes the partitions that the rows of some units have none of.
func (p *partitions) coverAll(ctx context.Context, units []*unit) error {
	numbers := map[string][]int64{}
	for _, u := range units {
		for _, c := range u.batch.Changes {
			if c.Insertion == nil || !slices.Contains(partitioned, c.Insertion.Table) {
				continue
			}
			at := slices.Index(c.Insertion.Often, "seq")
			for _, row := range c.Values {
				numbers[c.Insertion.Table] = append(numbers[c.Insertion.Table], row.Often[at].(int64))
			}
		}
	}
	for table, all := range numbers {
		p.log.Warn("a partition was missing, and is made", "table", table, "from", ids.NumberTime(slices.Min(all)), "until", ids.NumberTime(slices.Max(all)))
		if err := p.Cover(ctx, table, all); err != nil {
			return err
		}
	}
	return nil
}
