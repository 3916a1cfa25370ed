package postgres

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"maps"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/orderhook/orderhook/internal/nodes"
	"github.com/orderhook/orderhook/internal/store/core"
)

// transaction makes the changes of some units. Its statements are sent without waiting for
// the answers of those before, so that a group costs one way to the server and one back; a
// second way commits (docs/design.md#postgresql).
type transaction struct {
	conn    *pgx.Conn
	texts   map[*core.Insertion]insertTexts
	types   columns
	divided bool // whether the tables of events and attempts have partitions

	writer, number int64       // that tell it from all others
	feeds          *core.Feeds // where the feeds end, as far as the writer knows
	now            time.Time   // that positions of feeds are made of

	sent  pgx.Batch
	wants []want         // of what was sent
	into  []func() error // what is done with the rows that were returned, in the end
}

// want is what an answer must be, so that its unit is not refused.
type want struct {
	unit *unit                // whose it is; nil: of all
	rows int64                // core.AnyRows: any number
	lost bool                 // whether other rows say that a lease is lost, not that the unit was overtaken
	into func(core.Row) error // nil: it returns none
}

// markCommit leaves the mark of a transaction, in place of that of the one before: a writer
// leaves one row, however many transactions it makes.
const markCommit = `WITH before AS (DELETE FROM commits WHERE writer = $1 AND number < $2) INSERT INTO commits (writer, number) VALUES ($1, $2)`

// writtenBy returns the batches of the writes of units, each by itself.
func writtenBy(units []*unit) (all []*core.Batch) {
	for _, u := range units {
		for _, one := range u.writes {
			all = append(all, one.Batch)
		}
	}
	return all
}

// batchesOf returns the batches of units.
func batchesOf(units []*unit) []*core.Batch {
	all := make([]*core.Batch, len(units))
	for i, u := range units {
		all[i] = u.batch
	}
	return all
}

// errRefused says that a unit cannot be committed, which has its own error.
var errRefused = errors.New("a write was refused")

// make makes the changes, up to the commit. If the error is errRefused, some of the units
// have an error of their own; after any error the transaction is to be rolled back. The
// order is this: the mark, the locks, then for each unit its leases, its checks and its
// changes, then the counts of calls of all units, and last their places in the feeds.
func (t *transaction) make(ctx context.Context, units []*unit) error {
	// The places in the feeds are read behind a lock, so each statement must see what was
	// committed before it, whatever the default of the server is.
	t.queue(want{rows: core.AnyRows}, "BEGIN ISOLATION LEVEL READ COMMITTED")
	// Where the connection is lost, this says what became of the transaction. It is the
	// first that is written: so the server gives the transaction its id before any attempt
	// gets a number in it (numbers.go).
	t.queue(want{rows: core.AnyRows}, markCommit, t.writer, t.number)
	t.lock(units)
	for _, u := range units {
		// The leases come first: a write by a lost lease must not be decided again, as an
		// overtaken one is.
		if leases := u.batch.Leases; len(leases) > 0 {
			names, epochs := split(leases)
			t.queue(want{unit: u, rows: holds, lost: true}, checkLeases, names, epochs, len(leases))
		}
		for _, c := range u.batch.Checks {
			t.queue(want{unit: u, rows: holds}, c.Text, values(c.Args)...)
		}
		for i := range u.batch.Changes {
			// Only a copy is sent at once and can fail here; the rest fails where its
			// answer is read.
			if err := t.change(ctx, u, &u.batch.Changes[i]); err != nil {
				return err
			}
		}
	}
	for _, c := range core.CountCalls(dialect, batchesOf(units)) {
		t.queue(want{rows: core.AnyRows}, c.Text, values(c.Args)...)
	}
	if err := t.flush(ctx); err != nil {
		return err
	}
	for _, u := range units {
		if u.err != nil {
			return errRefused
		}
	}
	if err := t.extendFeeds(ctx, units); err != nil {
		return err
	}
	// This is done only now, when nothing can fail any more but the commit: what these
	// functions note must not come from a transaction that is rolled back and made again.
	for _, into := range t.into {
		if err := into(); err != nil {
			return err
		}
	}
	return nil
}

// extendFeeds gives the events of the transaction their places in the feeds. The locks are
// taken last and held until the commit, so that the order of places is that of the commits,
// whichever node makes them, and that nobody waits for more than that commit: what writes
// depend on has its own locks, which all have taken before these.
func (t *transaction) extendFeeds(ctx context.Context, units []*unit) error {
	batches := writtenBy(units)
	locks := core.FeedLocks(batches)
	if len(locks) == 0 {
		return nil
	}
	numbers := make([]int64, len(locks))
	for i, l := range locks {
		numbers[i] = lockNumber(l)
	}
	slices.Sort(numbers)
	t.queue(want{rows: core.AnyRows}, `SELECT count(pg_advisory_xact_lock(number)::text) FROM unnest($1::bigint[]) AS number`, numbers)
	if err := t.flush(ctx); err != nil {
		return err
	}
	changes, err := t.feeds.Extend(dialect, batches, t.now, func(each func(core.Row) error, text string, args ...any) error {
		rows, err := t.conn.Query(ctx, text, values(args)...)
		if err != nil {
			return err
		}
		return core.EachRow(&answer{Rows: rows}, each)
	})
	if err != nil {
		return err
	}
	// They are of no unit: if they fail, so does the transaction.
	for i := 0; i < len(changes) && err == nil; i++ {
		err = t.change(ctx, nil, &changes[i])
	}
	if err == nil {
		err = t.flush(ctx)
	}
	return err
}

// holds is as rows of a want: one, or more. A check counts as holding, however many rows it
// returns.
const holds = -2

// queue adds a statement to what is sent next, and what its answer must be.
func (t *transaction) queue(w want, text string, args ...any) {
	t.sent.Queue(text, args...)
	t.wants = append(t.wants, w)
}

// lock takes the locks of all units by one statement. All who take locks do so in the same
// order, that of their numbers: so none waits for another that waits for it. The locks end
// with the transaction. A lock that one unit shares and another does not is not shared.
func (t *transaction) lock(units []*unit) {
	shared := map[int64]bool{}
	add := func(l core.Lock) {
		number := lockNumber(l)
		// A lease is shared by all who write by it; only who takes it locks it alone.
		others, there := shared[number]
		shared[number] = l.Shared && (others || !there)
	}
	for _, u := range units {
		for _, l := range u.batch.Locks {
			add(l)
		}
		for _, l := range u.batch.Leases {
			add(leaseLock(l.Name, true))
		}
	}
	if len(shared) == 0 {
		return
	}
	numbers := slices.Sorted(maps.Keys(shared))
	ways := make([]bool, len(numbers))
	for i, n := range numbers {
		ways[i] = shared[n]
	}
	t.queue(want{rows: core.AnyRows}, `SELECT count(CASE WHEN shared THEN pg_advisory_xact_lock_shared(number)::text ELSE pg_advisory_xact_lock(number)::text END)
		FROM unnest($1::bigint[], $2::bool[]) AS l (number, shared)`, numbers, ways)
}

// lockNumber is what a lock is called on the server. All nodes of all versions must make
// the same number of the same name. Where two names come to the same number, one waits for
// the other without need, which does no harm.
func lockNumber(l core.Lock) int64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(l.Tenant + "\x00" + l.Name)) // never fails
	return int64(h.Sum64())
}

// change queues one change of a unit.
func (t *transaction) change(ctx context.Context, u *unit, c *core.Change) error {
	if c.Insertion != nil {
		return t.insert(ctx, u, c.Insertion, c.Values)
	}
	t.queue(want{unit: u, rows: c.Rows, into: c.Into}, c.Text, values(c.Args)...)
	return nil
}

// insert adds rows, in their order, all of which must be new. Up to mostInStatement of them
// go by one statement that takes a list for each column; more are copied.
func (t *transaction) insert(ctx context.Context, u *unit, in *core.Insertion, rows []core.Tuple) error {
	texts, known := t.texts[in]
	if !known {
		texts = t.types.insertTextsOf(in)
		t.texts[in] = texts
	}
	if t.divided && in.Table == "events" {
		t.insertIDs(u, in, rows)
	}
	for len(rows) > 0 {
		n := alike(rows)
		some, whole := rows[:n], rows[0].Rare != nil
		rows = rows[n:]
		// To begin a COPY costs more than a statement, and each of its rows costs less.
		if n > mostInStatement {
			if err := t.copy(ctx, u, in, some, whole); err != nil {
				return err
			}
			continue
		}
		text := texts.lean
		if whole {
			text = texts.whole
		}
		t.queue(want{unit: u, rows: int64(n)}, text, lists(some)...)
	}
	return nil
}

// copy copies rows into a table. COPY cannot be sent together with other statements, so all
// that is queued is sent first, and answered. A row whose key exists is an error of the
// server here, by which the unit was overtaken.
func (t *transaction) copy(ctx context.Context, u *unit, in *core.Insertion, rows []core.Tuple, whole bool) error {
	if err := t.flush(ctx); err != nil {
		return err
	}
	_, err := t.conn.CopyFrom(ctx, pgx.Identifier{in.Table}, insertColumns(in, whole), &copied{rows: rows})
	return t.refused(u, err)
}

// refused notes why a unit cannot be committed, and returns errRefused. An error that is
// not the unit's own, as that of a lost connection or a deadlock, is returned as it is: all
// units share it.
func (t *transaction) refused(u *unit, err error) error {
	if err == nil {
		return nil
	}
	if u == nil || code(err) == "" || isLost(err) || mayPass(err) || isUncovered(err) || isUnavailable(err) {
		return err
	}
	if u.err = failure(err); isDuplicate(err) {
		u.err = errors.Join(core.ErrOvertaken, err)
	}
	return errRefused
}

// flush sends what is queued and reads the answers. What is not as it must be is noted with
// its unit, and the rest is still read: so one try finds all units that are overtaken.
// After an error of the server itself the transaction is of no use, and the rest says
// nothing.
func (t *transaction) flush(ctx context.Context) (err error) {
	if len(t.wants) == 0 {
		return nil
	}
	results := t.conn.SendBatch(ctx, &t.sent)
	// The answers come in the order of the statements.
	for _, w := range t.wants {
		if err = t.refused(w.unit, t.read(results, w)); err != nil {
			break
		}
	}
	t.sent, t.wants = pgx.Batch{}, nil
	if closed := results.Close(); err == nil {
		err = closed
	}
	return err
}

// read reads an answer and compares it with what it must be. Rows that a unit wants are
// copied, and given to it only when no unit is refused (see make).
func (t *transaction) read(results pgx.BatchResults, w want) error {
	rows, err := results.Query()
	if err != nil {
		return err
	}
	a := &answer{Rows: rows}
	n := int64(0)
	for a.Next() {
		if n++; w.into != nil {
			t.into = append(t.into, later(a, w.into))
		}
	}
	rows.Close()
	if err := rows.Err(); err != nil {
		return err
	}
	// A statement that returns no rows says how many it has changed.
	if w.into == nil && w.rows >= 0 {
		n = rows.CommandTag().RowsAffected()
	}
	if w.unit == nil && w.rows >= 0 && n != w.rows {
		return fmt.Errorf("a statement of the transaction itself has changed %d rows, and must change %d", n, w.rows)
	}
	if w.unit != nil && w.unit.err == nil && (w.rows == holds && n == 0 || w.rows >= 0 && n != w.rows) {
		if w.unit.err = core.ErrOvertaken; w.lost {
			w.unit.err = nodes.ErrLost
		}
	}
	return nil
}

// retained is a row that was read, for later. It implements [core.Row].
type retained struct {
	fields []pgconn.FieldDescription
	values [][]byte
	types  *pgtype.Map
}

// later copies the row that is being read, for who reads it once nothing can refuse it. The
// values belong to the connection, which uses their memory for the next row.
func later(a *answer, into func(core.Row) error) func() error {
	raw := a.RawValues()
	k := &retained{fields: slices.Clone(a.FieldDescriptions()), values: make([][]byte, len(raw)), types: a.Conn().TypeMap()}
	for i, v := range raw {
		k.values[i] = slices.Clone(v)
	}
	return func() error { return into(k) }
}

// Scan implements [core.Row].
func (k *retained) Scan(into ...any) error {
	return pgx.ScanRow(k.types, k.fields, k.values, targets(nil, into)...)
}
