package postgres

import (
	"context"
	"fmt"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/event"
	"github.com/orderhook/orderhook/internal/store"
	"github.com/orderhook/orderhook/internal/store/core"
	"github.com/orderhook/orderhook/internal/store/pgtest"
)

// cutting is a connection that breaks at a commit: before the server gets it, or behind.
type cutting struct {
	net.Conn
	cut       *atomic.Int32
	committed func() // returns once the server has done it
}

const (
	cutNever = iota
	cutBefore
	cutBehind
)

func (c cutting) Write(b []byte) (int, error) {
	if !strings.Contains(string(b), "COMMIT\x00") {
		return c.Conn.Write(b)
	}
	switch c.cut.Swap(cutNever) {
	case cutBefore:
		c.Conn.Close()
	case cutBehind:
		n, err := c.Conn.Write(b)
		c.committed()
		c.Conn.Close()
		return n, err
	}
	return c.Conn.Write(b)
}

func cuttingConns(cut *atomic.Int32, committed func()) func(*config) {
	return func(c *config) {
		dial := c.pool.ConnConfig.DialFunc
		c.pool.ConnConfig.DialFunc = func(ctx context.Context, network, address string) (net.Conn, error) {
			conn, err := dial(ctx, network, address)
			return cutting{conn, cut, committed}, err
		}
	}
}

// TestACommitWithoutAnAnswer: what became of it the server says, and it is done once.
func TestACommitWithoutAnAnswer(t *testing.T) {
	for name, when := range map[string]int32{"before": cutBefore, "behind": cutBehind} {
		t.Run(name, func(t *testing.T) {
			var cut atomic.Int32
			url := pgtest.Database(t, Migrate)
			conn, err := pgx.Connect(ctx, url)
			must(t, err)
			defer conn.Close(ctx)
			committed := func() {
				for there := false; !there; {
					if err := conn.QueryRow(ctx, `SELECT EXISTS (SELECT FROM orders WHERE id = 'o1')`).Scan(&there); err != nil {
						t.Error(err)
						return
					}
				}
			}
			db := openAt(t, url, cuttingConns(&cut, committed), Options{})
			must(t, db.Write(ctx, insert("first")))
			cut.Store(when)
			must(t, db.Write(ctx, insert("o1")))
			if cut.Load() != cutNever {
				t.Error("nothing was cut")
			}
			if !has(t, db, "o1") || number(t, db, `SELECT count(*) FROM orders`) != 2 {
				t.Error("the order is not there once")
			}
		})
	}
}

// TestAfterTheServerEndsConnections everything goes on with others.
func TestAfterTheServerEndsConnections(t *testing.T) {
	url := pgtest.Database(t, Migrate)
	db := openAt(t, url, nil, Options{})
	must(t, db.Write(ctx, insert("o1")))
	conn, err := pgx.Connect(ctx, url)
	must(t, err)
	defer conn.Close(ctx)
	for range 3 {
		_, err = conn.Exec(ctx, `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`)
		must(t, err)
		if !has(t, db, "o1") {
			t.Error("the order is gone")
		}
		must(t, db.Write(ctx, func(tx store.Tx) error {
			o, err := tx.Order(ctx, acme, "o1")
			if err != nil {
				return err
			}
			o.Version++
			return tx.UpdateOrder(ctx, acme, o)
		}))
	}
}

// TestOneWriterWaitsAndAnotherWrites: who waits for a lock holds up nobody else.
func TestOneWriterWaitsAndAnotherWrites(t *testing.T) {
	url := pgtest.Database(t, Migrate)
	db := openAt(t, url, nil, Options{Writers: 2})
	conn, err := pgx.Connect(ctx, url)
	must(t, err)
	defer conn.Close(ctx)
	tx, err := conn.Begin(ctx)
	must(t, err)
	_, err = tx.Exec(ctx, `INSERT INTO orders (tenant, id, version, status_version, created, modified, status, order_type, market_id, customer_email, subscription_id, doc)
		VALUES ('acme', 'held', 1, 1, 1, 1, '', '', '', '', '', '{}')`)
	must(t, err)
	held := make(chan error, 1)
	go func() { held <- db.Write(ctx, insert("held")) }()
	for number(t, db, `SELECT count(*) FROM pg_locks WHERE NOT granted`) == 0 {
		time.Sleep(time.Millisecond) // until the server says that it waits
	}
	must(t, db.Write(ctx, insert("free")))
	must(t, db.Write(ctx, insert("free too")))
	select {
	case err := <-held:
		t.Errorf("nobody held it: %v", err)
	default:
	}
	must(t, tx.Rollback(ctx))
	must(t, <-held)
}

// TestManyRowsAreCopied: what is copied is refused as what is not is, if one of the rows
// was there.
func TestManyRowsAreCopied(t *testing.T) {
	db := openTemp(t)
	putEndpoint(t, db, event.OrderingNone)
	publish := func(from, to int) (fresh int) {
		t.Helper()
		var events []*event.Event
		must(t, db.Write(ctx, func(tx store.Tx) error {
			events = nil
			for i := from; i < to; i++ {
				events = append(events, newEvent(fmt.Sprint("e", i), ""))
			}
			return tx.AddEvents(ctx, acme, events...)
		}))
		for _, e := range events {
			if e.Seq > 0 {
				fresh++
			}
		}
		return fresh
	}
	if n := publish(0, mostInStatement+10); n != mostInStatement+10 {
		t.Errorf("%d events are new", n)
	}
	if n := publish(mostInStatement, 3*mostInStatement); n != 2*mostInStatement-10 {
		t.Errorf("%d events are new of those of which some were there", n)
	}
	if n, due := number(t, db, `SELECT count(*) FROM events`), number(t, db, `SELECT count(*) FROM deliveries WHERE due > 0`); n != 3*mostInStatement || due != n {
		t.Errorf("%d events, %d deliveries", n, due)
	}
}

// TestTheServerCrashes while it is written to: what was acknowledged is there, and what was
// not is there at most once.
func TestTheServerCrashes(t *testing.T) {
	db := openAt(t, pgtest.Database(t, Migrate), nil, Options{})
	const writers = 8
	var wg sync.WaitGroup
	var acknowledged [writers]int
	var refused atomic.Int64
	stop := make(chan struct{})
	for w := range writers {
		must(t, db.Write(ctx, insert(fmt.Sprint("o", w))))
		acknowledged[w] = 1
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				version := 0
				err := db.Write(ctx, func(tx store.Tx) error {
					o, err := tx.Order(ctx, acme, fmt.Sprint("o", w))
					if err != nil {
						return err
					}
					o.Version++
					version = int(o.Version)
					return tx.UpdateOrder(ctx, acme, o)
				})
				switch {
				case err == nil && version == acknowledged[w]+1:
					acknowledged[w] = version
				case err == nil:
					t.Errorf("version %d behind %d was acknowledged", version, acknowledged[w])
					return
				case apierr.KindOf(err) != apierr.Unavailable:
					t.Errorf("%v", err)
					return
				case strings.Contains(err.Error(), "not known"): // then it may be there
					return
				default:
					refused.Add(1)
				}
			}
		})
	}
	for range 3 {
		before := number(t, db, `SELECT sum(version)::bigint FROM orders`)
		for number(t, db, `SELECT sum(version)::bigint FROM orders`) < before+100 {
			time.Sleep(time.Millisecond) // until the writers are at it
		}
		must(t, pgtest.Server(t).Restart())
	}
	close(stop)
	wg.Wait()
	for w, last := range acknowledged {
		o, err := db.Order(ctx, acme, fmt.Sprint("o", w))
		must(t, err)
		if int(o.Version) < last || int(o.Version) > last+1 {
			t.Errorf("order %d is at version %d, and %d was acknowledged last", w, o.Version, last)
		}
	}
	if n, versions := number(t, db, `SELECT count(*) FROM order_versions`), number(t, db, `SELECT sum(version - 1)::bigint FROM orders`); n != versions {
		t.Errorf("%d earlier versions of %d", n, versions)
	}
}

// TestADeadlockIsNoError: of two that wait for each other the server ends one, which is
// done again.
func TestADeadlockIsNoError(t *testing.T) {
	url := pgtest.Database(t, Migrate)
	db := openAt(t, url, nil, Options{})
	conn, err := pgx.Connect(ctx, url)
	must(t, err)
	defer conn.Close(ctx)
	_, err = conn.Exec(ctx, `INSERT INTO meta (name, value) VALUES ('a', ''), ('b', ''); SET deadlock_timeout = '1min'`)
	must(t, err)
	tx, err := conn.Begin(ctx)
	must(t, err)
	_, err = tx.Exec(ctx, `UPDATE meta SET value = 'other' WHERE name = 'a'`)
	must(t, err)
	written := make(chan error, 1)
	go func() {
		set := func(name string) core.Change {
			return core.Change{Text: `UPDATE meta SET value = value || 'own' WHERE name = $1`, Args: []any{name}, Rows: 1}
		}
		written <- db.engine.Commit(ctx, &core.Batch{Changes: []core.Change{set("b"), set("a")}})
	}()
	for number(t, db, `SELECT count(*) FROM pg_locks WHERE NOT granted`) == 0 {
		time.Sleep(time.Millisecond) // until the server says that it waits
	}
	_, err = tx.Exec(ctx, `UPDATE meta SET value = 'other' WHERE name = 'b'`)
	must(t, err)
	must(t, tx.Commit(ctx))
	must(t, <-written)
	if n := number(t, db, `SELECT count(*) FROM meta WHERE name IN ('a', 'b') AND value = 'otherown'`); n != 2 {
		t.Errorf("%d of 2 rows are as both left them", n)
	}
}
