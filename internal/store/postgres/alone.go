package postgres

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/orderhook/orderhook/internal/ids"
	"github.com/orderhook/orderhook/internal/nodes"
)

// alone is a process that has a database for itself: it is the only node, and does none of
// the work of one. A command that changes what nodes have in memory needs it, such as the
// one that replaces the encryption key. Close ends it.
type alone struct {
	// A connection of its own, whose end others take for that of the process.
	meeting *meeting
	id      string
	// lost gets one error at most, once others may have the database.
	lost  chan error
	ctx   context.Context // of being alone; stop ends it
	stop  context.CancelFunc
	ended sync.WaitGroup
}

var (
	// ErrInUse is in the error of what needs a database for itself that a node works with.
	ErrInUse = errors.New("is in use by another orderhook: stop all nodes first")
	// ErrTaken is the error of a node that joins while somebody needs the database alone.
	ErrTaken = errors.New("a command has the database for itself, as `orderhook migrate --from … --to …` and `orderhook keys rotate-encryption` do: start this again when that has ended")
	// ErrReplaced is the error of a process that others took for dead.
	ErrReplaced = errors.New("this process was silent for too long: another may have the database by now")
)

// OpenAlone is [Open] for who needs the database for itself: no node may work with it
// ([ErrInUse]), and one that is started before Close is refused ([ErrTaken]). The process
// is alone before the store is opened, so the store reads nothing that a node still
// changes.
func OpenAlone(ctx context.Context, url string, o Options) (*DB, error) {
	config, err := parse(url)
	if err != nil {
		return nil, err
	}
	if err := migrate(ctx, config); err != nil {
		return nil, err
	}
	alone, err := takeAlone(ctx, config)
	if err != nil {
		return nil, err
	}
	db, err := Open(ctx, url, o)
	if err != nil {
		alone.Close()
		return nil, err
	}
	db.alone = alone
	return db, nil
}

// Close ends all work with the database, and lets others have it. It must be called once.
func (db *DB) Close() error {
	err := db.Store.Close()
	if db.alone != nil {
		db.alone.Close()
	}
	return err
}

// inUseAfter is how long a node that has just died may take to be gone.
const inUseAfter = 3 * time.Second

// takeAlone makes this process the only node of a database. It is [ErrInUse] if another
// node stays. A node that has just died may still be in the table: so it looks several
// times, until that one is known to be dead. A node that is started meanwhile is refused
// ([ErrTaken]).
func takeAlone(ctx context.Context, c *config) (*alone, error) {
	r := &alone{meeting: &meeting{engine: &engine{config: c}, config: c}, id: ids.New(ids.Node), lost: make(chan error, 1)}
	gone := []string{}
	for began := time.Now(); ; {
		var alone bool
		var err error
		switch alone, gone, err = r.meeting.joinAlone(ctx, r.id, gone); {
		case err != nil:
			return nil, errors.Join(err, r.meeting.Close())
		case alone:
			if _, err := r.meeting.renew(ctx, r.id); err != nil { // its connection says from now on that it is alive
				return nil, errors.Join(err, r.meeting.Leave(ctx, r.id), r.meeting.Close())
			}
			r.ctx, r.stop = context.WithCancel(context.WithoutCancel(ctx))
			r.ended.Go(func() { r.keep(r.ctx) })
			return r, nil
		case time.Since(began) > inUseAfter:
			return nil, errors.Join(fmt.Errorf("the database %w", ErrInUse), r.meeting.Close())
		}
		select {
		case <-ctx.Done():
			return nil, errors.Join(ctx.Err(), r.meeting.Close())
		case <-time.After(goneEvery):
		}
	}
}

// joinAlone joins if there is no other node that is alive. One whose connection is gone is
// dead if it was at the look before, too: one that is alive makes another.
func (m *meeting) joinAlone(ctx context.Context, id string, before []string) (alone bool, gone []string, err error) {
	var b pgx.Batch
	// Whoever joins at the same time waits until this is decided.
	b.Queue(lockJoin, int64(joinLock))
	b.Queue(selectGone).Query(func(rows pgx.Rows) error {
		gone, err = pgx.CollectRows(rows, pgx.RowTo[string])
		return err
	})
	b.Queue(dropDead, before)
	b.Queue(insertAlone, id, soleName, "", "", time.Now().UTC(), nodes.DefaultLasts.Milliseconds(), newestSchema).Exec(func(added pgconn.CommandTag) error {
		alone = added.RowsAffected() == 1
		return nil
	})
	err = m.batch(ctx, &b)
	return alone, gone, err
}

// goneEvery is how often a database is looked at again that a node has which may be dead,
// renewEvery how often this process says that it is alive.
const (
	goneEvery  = 500 * time.Millisecond
	renewEvery = 5 * time.Second
)

// keep says that this process is alive, until it ends, or is taken for dead. If the
// database does not answer for as long as a node may be silent, it gives up as well:
// another process may have joined.
func (r *alone) keep(ctx context.Context) {
	for said := time.Now(); ; {
		r.meeting.rest(ctx, renewEvery)
		there, err := r.meeting.renew(ctx, r.id)
		switch {
		case ctx.Err() != nil:
			return
		case err == nil && there:
			said = time.Now()
		case err == nil || time.Since(said) > nodes.DefaultLasts:
			r.lost <- ErrReplaced
			return
		}
	}
}

// rest waits for a time, but no longer than the connection lasts: others take its end for
// that of the process, so that another one must be made at once.
func (m *meeting) rest(ctx context.Context, wait time.Duration) {
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	for m.conn != nil && !m.conn.IsClosed() && ctx.Err() == nil {
		_, _ = m.conn.WaitForNotification(ctx) // what others say is nothing to this one
	}
	if m.conn == nil {
		<-ctx.Done()
	}
}

// renew says that a node is alive; it is not there where others took it for dead.
func (m *meeting) renew(ctx context.Context, id string) (there bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, renewEvery)
	defer cancel()
	conn, err := m.connected(ctx)
	if err != nil {
		return false, err
	}
	said, err := conn.Exec(ctx, renewNode, id, nodes.DefaultLasts.Milliseconds(), int64(conn.PgConn().PID()))
	return said.RowsAffected() == 1, failure(err)
}

// Lost gets an error once another node may work with the database. Whoever works with it
// must stop then.
func (r *alone) Lost() <-chan error { return r.lost }

// Close lets others have the database. If the database cannot be reached, others notice by
// the end of the connection.
func (r *alone) Close() {
	r.stop()
	r.ended.Wait()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.ctx), renewEvery)
	defer cancel()
	_ = r.meeting.Leave(ctx, r.id) // else it is gone with the connection
	_ = r.meeting.Close()
}
