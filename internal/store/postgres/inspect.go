package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/orderhook/orderhook/internal/store/core"
)

// Inspect looks for what does not fit together in the database of a URL, and tells found
// of it. It changes nothing, and may be called beside a server. Damage to the files is not
// looked for: that is what PostgreSQL's data checksums and amcheck are for. It is an error
// if the schema is that of another version.
func Inspect(ctx context.Context, url string, found func(core.Finding)) error {
	conn, err := openCurrent(ctx, url)
	if err != nil {
		return err
	}
	err = inspectNumbers(ctx, conn, found)
	if err == nil {
		err = inspectPartitions(ctx, conn, time.Now(), found)
	}
	if err == nil {
		err = core.Inspect(ctx, asker{conn}, dialect, found)
	}
	return errors.Join(failure(err), conn.Close(context.WithoutCancel(ctx)))
}

// Rebuild has segments of the index of bodies built again. It only removes them; the
// maintenance of a node builds them.
func Rebuild(ctx context.Context, url string, segments []int64) error {
	conn, err := openCurrent(ctx, url)
	if err != nil {
		return err
	}
	for _, segment := range segments {
		if err == nil {
			err = pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
				for _, c := range core.RebuildSegment(segment) {
					if _, err := tx.Exec(ctx, dialect.Text(c.Text), c.Args...); err != nil {
						return err
					}
				}
				return nil
			})
		}
	}
	return errors.Join(failure(err), conn.Close(context.WithoutCancel(ctx)))
}

// openCurrent opens a connection to a database that has the newest schema. It brings no
// schema up to date: who inspects a database must not change it.
func openCurrent(ctx context.Context, url string) (*pgx.Conn, error) {
	config, err := parse(url)
	if err != nil {
		return nil, err
	}
	conn, err := config.connect(ctx)
	if err != nil {
		return nil, failure(err)
	}
	current, err := migrated(ctx, conn)
	if err == nil && !current {
		err = errors.New("the database has no schema of orderhook, or that of an earlier version: orderhook migrate brings it up to date")
	}
	if err != nil {
		return nil, errors.Join(failure(err), conn.Close(context.WithoutCancel(ctx)))
	}
	return conn, nil
}

// asker is a connection that is asked by itself. It implements [core.Asker].
type asker struct{ conn *pgx.Conn }

// QueryOnce implements [core.Asker].
func (a asker) QueryOnce(ctx context.Context, each func(core.Row) error, text string, args ...any) error {
	rows, err := a.conn.Query(ctx, text, args...)
	if err != nil {
		return err
	}
	return core.EachRow(&answer{Rows: rows}, each)
}

// inspectPartitions looks whether there are partitions for the present. Those that are
// detached are left out: somebody may be about to drop them.
func inspectPartitions(ctx context.Context, conn *pgx.Conn, now time.Time, found func(core.Finding)) error {
	all, err := listPartitions(ctx, asker{conn}.QueryOnce)
	if err != nil {
		return fmt.Errorf("the partitions cannot be read: %w", err)
	}
	if end := endOf(all); end.Before(now) {
		found(core.Finding{Text: fmt.Sprintf("the partitions of events or attempts end at %s, and a server makes the next ones ahead: if one runs, its log says why it does not", end.Format(time.RFC3339))})
	}
	return nil
}

// sequences are the numbers that the database gives out, and where they are used.
var sequences = []struct{ sequence, table, column string }{
	{"event_numbers", "events", "seq"},
	{"body_segments_id_seq", "body_segments", "id"},
}

// inspectNumbers looks for numbers that would be given out a second time. The sequence is
// read last: it goes up meanwhile, and never down.
func inspectNumbers(ctx context.Context, conn *pgx.Conn, found func(core.Finding)) error {
	for _, s := range sequences {
		var used, given int64
		// Numbers are given before they are used: so what is used is read before what was
		// given.
		err := conn.QueryRow(ctx, fmt.Sprintf(`SELECT coalesce(max(%s), 0) FROM %s`, s.column, s.table)).Scan(&used)
		if err == nil {
			err = conn.QueryRow(ctx, `SELECT last_value FROM `+s.sequence).Scan(&given)
		}
		if err != nil {
			return fmt.Errorf("the numbers of %s cannot be read: %w", s.table, err)
		}
		// One value stands for a block of numbers (numbers.go).
		if s.sequence == "event_numbers" {
			// The block of the value n has the numbers from n * blockOf + 1 on.
			given = (given + 1) * blockOf
		}
		if used > given {
			found(core.Finding{Text: fmt.Sprintf("the numbers of %s: %d is used, but only those up to %d were given out", s.table, used, given)})
		}
	}
	return nil
}
