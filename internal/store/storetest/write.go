package storetest

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/attempt"
	"github.com/orderhook/orderhook/internal/event"
	"github.com/orderhook/orderhook/internal/jsondoc"
	"github.com/orderhook/orderhook/internal/order"
	"github.com/orderhook/orderhook/internal/run"
	"github.com/orderhook/orderhook/internal/settings"
	"github.com/orderhook/orderhook/internal/store"
)

// settingsReader reads the current settings: of a store, or of a transaction.
type settingsReader func(ctx context.Context, tenant string) (*settings.Settings, error)

// errUndo is the error of a write that a test has fail.
var errUndo = errors.New("undo")

// testOwnChanges proves that a write reads the orders and endpoints that it has changed
// as it has changed them, since they are often changed twice in one write, and that
// nobody else sees that before the commit.
func testOwnChanges(t *testing.T, s *suite) {
	s.write(func(tx store.Tx) error {
		o := newOrder("o1", 1, `{}`)
		if err := tx.InsertOrder(ctx, acme, o); err != nil {
			return err
		}
		got, err := tx.Order(ctx, acme, "o1")
		same(t, got, o)
		second := next(o, "a", true)
		updateErr := tx.UpdateOrder(ctx, acme, second)
		again, againErr := tx.Order(ctx, acme, "o1")
		same(t, again, second)
		// OrderUnless compares the versions. The caller's is the older one, so it gets the
		// new order.
		newer, newerErr := tx.OrderUnless(ctx, acme, o)
		same(t, newer, second)
		e := endpoint("ep1")
		putErr := tx.PutEndpoint(ctx, acme, e)
		seen, endpointErr := tx.Endpoint(ctx, acme, "ep1")
		same(t, seen, referring(e, seen))
		// Nobody else may act on an order that may still be undone.
		_, outside := s.Order(ctx, acme, "o1")
		is(t, outside, apierr.NotFound)
		return errors.Join(err, updateErr, againErr, newerErr, putErr, endpointErr)
	})
	if o := ok[*order.Order](t)(s.Order(ctx, acme, "o1")); o.Version != 2 {
		t.Errorf("the order is of version %d", o.Version)
	}
	// The version that existed only within the write is stored, too.
	ok[*order.Order](t)(s.OrderVersion(ctx, acme, "o1", 1))
}

// testOvertaken proves, for each kind of thing that a write can read, that the write is
// decided again if somebody else changes that thing before the commit. Without it, two
// decisions on the same state would both be committed, and the second would undo what the
// first did.
func testOvertaken(t *testing.T, s *suite) {
	o := newOrder("o1", 1, `{}`)
	s.insert(o)
	s.write(func(tx store.Tx) error {
		r := newRun("run-1", "o1", 1)
		r.Status = run.RunRunning
		return errors.Join(tx.InsertRun(ctx, acme, r), tx.PutCart(ctx, acme, newCart(t, "c1", 1)), tx.PutStockItem(ctx, acme, stockItem("s1", "1")),
			tx.PutJob(ctx, acme, newJob(1)), tx.PutEndpoint(ctx, acme, endpoint("ep1")), tx.PutSettings(ctx, acme, someSettings("a"), 0, "", at(1)))
	})
	// note stores something that has nothing to do with what was read, so that only the
	// reading can make the write be decided again.
	note := func(tx store.Tx, what string) error {
		return tx.AddHistory(ctx, acme, "notes", order.HistoryEntry{ID: what, Timestamp: at(1)})
	}
	// read is what the write under test does, and change is what the other process commits
	// in between.
	for name, test := range map[string]struct {
		read   func(tx store.Tx) error
		change func(tx store.Tx) error
	}{
		"an order": {
			func(tx store.Tx) error { _, err := tx.Order(ctx, acme, "o1"); return err },
			func(tx store.Tx) error {
				was, err := tx.Order(ctx, acme, "o1")
				if err != nil {
					return err
				}
				return tx.UpdateOrder(ctx, acme, next(was, "a", true))
			},
		},
		"an order that was held": {
			func(tx store.Tx) error { _, err := tx.OrderUnless(ctx, acme, newOrder("o1", 99, `{}`)); return err },
			func(tx store.Tx) error {
				was, err := tx.Order(ctx, acme, "o1")
				if err != nil {
					return err
				}
				return tx.UpdateOrder(ctx, acme, next(was, "b", true))
			},
		},
		"a run": {
			func(tx store.Tx) error {
				r, err := tx.Run(ctx, acme, "run-1")
				if err != nil {
					return err
				}
				return tx.UpdateRun(ctx, acme, r)
			},
			func(tx store.Tx) error { return updateRun(tx, acme, newRun("run-1", "o1", 1)) },
		},
		// Here the write reads that there is nothing. That must be held against later
		// changes, too.
		"the next run": {
			func(tx store.Tx) error { _, err := tx.NextRun(ctx, acme, "o2"); return err },
			func(tx store.Tx) error { return tx.InsertRun(ctx, acme, newRun("run-2", "o2", 1)) },
		},
		// Two requests with the same key may come to two processes at once. Only one of
		// them may act.
		"an Idempotency-Key": {
			func(tx store.Tx) error {
				if stored, err := tx.Idempotency(ctx, acme, "once"); stored != nil || err != nil {
					return err
				}
				return tx.PutIdempotency(ctx, acme, store.Idempotency{Key: "once", Hash: []byte("1"), Created: s.now})
			},
			func(tx store.Tx) error {
				return tx.PutIdempotency(ctx, acme, store.Idempotency{Key: "once", Hash: []byte("1"), Created: s.now})
			},
		},
		"a cart": {
			func(tx store.Tx) error { _, err := tx.Cart(ctx, acme, "c1"); return err },
			func(tx store.Tx) error {
				c, err := tx.Cart(ctx, acme, "c1")
				if err != nil {
					return err
				}
				c.Version++
				return tx.PutCart(ctx, acme, c)
			},
		},
		"a new cart": {
			func(tx store.Tx) error {
				c, err := tx.Cart(ctx, acme, "c2")
				if apierr.KindOf(err) == apierr.NotFound {
					return tx.PutCart(ctx, acme, newCart(t, "c2", 1))
				}
				if err != nil {
					return err
				}
				c.Version++
				return tx.PutCart(ctx, acme, c)
			},
			func(tx store.Tx) error { return tx.PutCart(ctx, acme, newCart(t, "c2", 1)) },
		},
		"a stock item": {
			func(tx store.Tx) error {
				item, err := tx.StockItem(ctx, acme, "s1")
				if err != nil {
					return err
				}
				item.Version++
				return tx.PutStockItem(ctx, acme, item)
			},
			func(tx store.Tx) error {
				item, err := tx.StockItem(ctx, acme, "s1")
				if err != nil {
					return err
				}
				item.Version++
				return tx.PutStockItem(ctx, acme, item)
			},
		},
		"a job": {
			func(tx store.Tx) error {
				j, err := tx.Job(ctx, acme, newJob(1).ID)
				if err != nil {
					return err
				}
				return tx.PutJob(ctx, acme, j)
			},
			func(tx store.Tx) error {
				j, err := tx.Job(ctx, acme, newJob(1).ID)
				if err != nil {
					return err
				}
				return tx.PutJob(ctx, acme, j)
			},
		},
		// Both add to the same sums. A lost change would show as a number that is too
		// small.
		"an endpoint's health": {
			func(tx store.Tx) error {
				_, err := tx.AddHealth(ctx, acme, 1, store.HealthChange{Succeeded: 1})
				return err
			},
			func(tx store.Tx) error {
				_, err := tx.AddHealth(ctx, acme, 1, store.HealthChange{Succeeded: 1})
				return err
			},
		},
		// An endpoint that was stored before the event has to get the event, even if this
		// process did not know of it when it began.
		"the endpoints of an event": {
			func(tx store.Tx) error { return tx.AddEvents(ctx, acme, newEvent("e1", "o1")) },
			func(tx store.Tx) error { return tx.PutEndpoint(ctx, acme, endpoint("ep2")) },
		},
		"the settings": {
			func(tx store.Tx) error {
				was, err := tx.Settings(ctx, acme)
				if err != nil {
					return err
				}
				return tx.PutSettings(ctx, acme, someSettings("b"), was.Version, "", at(1))
			},
			func(tx store.Tx) error { return tx.PutSettings(ctx, acme, someSettings("c"), 1, "", at(1)) },
		},
	} {
		t.Run(name, func(t *testing.T) {
			// The function counts how often the store calls it.
			decided := 0
			s.write(func(tx store.Tx) error {
				if err := test.read(tx); err != nil {
					return err
				}
				// Another process is quicker, once.
				if decided++; decided == 1 {
					if err := s.beside(test.change); err != nil {
						return err
					}
				}
				return note(tx, name)
			})
			// Once would be a lost change. More would be a write that is decided again
			// for nothing.
			if decided != 2 {
				t.Errorf("it was decided %d times", decided)
			}
		})
	}
}

// testFailedWrite proves that a write which fails leaves nothing, and returns the error
// that it failed with. An error that a write is told of, and does not return, is not its
// failure: the rest of it is committed.
func testFailedWrite(t *testing.T, s *suite) {
	err := s.Write(ctx, func(tx store.Tx) error {
		return errors.Join(tx.InsertOrder(ctx, acme, newOrder("o1", 1, `{}`)), fill(tx, acme, "o1"), errUndo)
	})
	if !errors.Is(err, errUndo) {
		t.Errorf("the write failed with %v", err)
	}
	_, err = s.Order(ctx, acme, "o1")
	is(t, err, apierr.NotFound)
	_, err = s.Attempt(ctx, acme, "att-o1")
	is(t, err, apierr.NotFound)
	// The kind of an error has to pass through the store, since the API makes its status
	// of it.
	is(t, s.Write(ctx, func(tx store.Tx) error { return apierr.Errorf(apierr.Forbidden, "no") }), apierr.Forbidden)

	// What a write is told is wrong it may leave at that.
	s.write(func(tx store.Tx) error {
		_, err := tx.Order(ctx, acme, "o1")
		is(t, err, apierr.NotFound)
		if err := tx.InsertOrder(ctx, acme, newOrder("o1", 1, `{}`)); err != nil {
			return err
		}
		is(t, tx.InsertOrder(ctx, acme, newOrder("o1", 1, `{}`)), apierr.Conflict)
		return nil
	})
	ok[*order.Order](t)(s.Order(ctx, acme, "o1"))
}

// testFailedAmongOthers proves that a write which fails or panics takes none of the
// writes with it that an engine commits together with it. Every second write fails, in
// one of two ways.
func testFailedAmongOthers(t *testing.T, s *suite) {
	const writers = 64
	errs := concurrently(writers, func(i int) error {
		return s.Write(ctx, func(tx store.Tx) error {
			if err := tx.InsertOrder(ctx, acme, newOrder(fmt.Sprint("o", i), i, `{}`)); err != nil {
				return err
			}
			switch i % 4 {
			case 1:
				return errUndo
			// A panic has to be caught for its own write alone.
			case 3:
				panic("undo")
			}
			return nil
		})
	})
	for i, err := range errs {
		if (err != nil) != (i%2 == 1) {
			t.Errorf("write %d: %v", i, err)
		}
		_, err := s.Order(ctx, acme, fmt.Sprint("o", i))
		if (err != nil) != (i%2 == 1) {
			t.Errorf("order %d: %v", i, err)
		}
	}
}

// concurrently runs do so many times at the same moment, each with its number, and
// returns what each came to.
// It returns when all of them have ended. An error is at the place of its number.
func concurrently(n int, do func(i int) error) []error {
	errs := make([]error, n)
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() { errs[i] = do(i) })
	}
	all.Wait()
	return errs
}

// testPanic proves that a panic within a write comes out as an internal error that says
// what it was, with nothing written, and that the store works on. An error in one
// request must not end the server.
func testPanic(t *testing.T, s *suite) {
	err := s.Write(ctx, func(tx store.Tx) error {
		if err := tx.InsertOrder(ctx, acme, newOrder("o1", 1, `{}`)); err != nil {
			return err
		}
		panic("a bug")
	})
	if err == nil || !strings.Contains(err.Error(), "a bug") || apierr.KindOf(err) != apierr.Internal {
		t.Errorf("a panic came out as %v", err)
	}
	s.insert(newOrder("o1", 1, `{}`)) // nothing is left of the first, and the store works on
}

// testNoLostUpdate proves that no update is lost if many writers change the same order at
// the same time: each change counts, and each makes a version.
func testNoLostUpdate(t *testing.T, s *suite) {
	s.insert(newOrder("o1", 1, `{"count":0}`))
	const writers, each = 64, 5
	errs := concurrently(writers, func(int) error {
		for range each {
			if err := s.Write(ctx, count); err != nil {
				return err
			}
		}
		return nil
	})
	must(t, errors.Join(errs...))
	o := ok[*order.Order](t)(s.Order(ctx, acme, "o1"))
	// Each change makes one version, and the order began with version 1.
	if n, _ := o.Doc.Get("count"); n != jsondoc.Number(strconv.Itoa(writers*each)) || o.Version != writers*each+1 {
		t.Errorf("count %v at version %d", n, o.Version)
	}
}

// count adds one to the order's count.
// It returns each error instead of failing the test, because it may run more than once.
func count(tx store.Tx) error {
	o, err := tx.Order(ctx, acme, "o1")
	if err != nil {
		return err
	}
	v, _ := o.Doc.Get("count")
	n, err := strconv.Atoi(string(v.(jsondoc.Number)))
	if err != nil {
		return err
	}
	return tx.UpdateOrder(ctx, acme, next(o, "count", jsondoc.Number(strconv.Itoa(n+1))))
}

// testCanceledContext proves that a write or a read whose context has ended is not begun.
// If the context ends while a write is under way, its answer tells what became of it: a
// caller must never be told that it failed if it was committed.
func testCanceledContext(t *testing.T, s *suite) {
	over, cancel := context.WithCancel(ctx)
	cancel()
	// Nobody waits for the answer any more, so the work would be for nothing.
	err := s.Write(over, func(store.Tx) error { t.Error("a write ran whose context was over"); return nil })
	if !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	_, err = s.Order(over, acme, "o1")
	if !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	// One that ends while the write runs: whatever the answer, it is true.
	ends, cancel := context.WithCancel(ctx)
	err = s.Write(ends, func(tx store.Tx) error {
		cancel()
		return tx.InsertOrder(ends, acme, newOrder("o1", 1, `{}`))
	})
	if _, missing := s.Order(ctx, acme, "o1"); (err == nil) != (missing == nil) {
		t.Errorf("the write said %v, and its order: %v", err, missing)
	}
	// The store works on after that.
	s.insert(newOrder("o2", 2, `{}`))
}

// testReopened proves that everything is there after the database was closed and opened
// again, as it was, and can be changed as before.
func testReopened(t *testing.T, s *suite) {
	o := newOrder("o1", 1, `{"total":0.10}`)
	s.insert(o)
	s.write(func(tx store.Tx) error {
		return errors.Join(fill(tx, acme, "o1"), tx.PutSettings(ctx, acme, someSettings("kept"), 0, "", at(1)))
	})
	e, to := newEvent("evt-1", "o1"), s.ordered("ep-1")
	s.add(e, newEvent("evt-2", "o1"))
	s.complete(e, to, event.DeliveryPending)
	stored := s.deliveries(store.DeliveryFilter{})
	s.close()
	s.open()
	same(t, s.deliveries(store.DeliveryFilter{}), stored)
	same(t, ok[*event.Event](t)(s.Event(ctx, acme, "evt-1")), e)
	same(t, s.endpoint("ep-1"), to)
	same(t, ok[*order.Order](t)(s.Order(ctx, acme, "o1")), o)
	same(t, ok[*attempt.Attempt](t)(s.Attempt(ctx, acme, "att-o1")), newAttempt("att-o1", "o1", 1))
	wantSettings(t, s, 1, "kept", s.Settings)
	s.write(func(tx store.Tx) error { return tx.UpdateOrder(ctx, acme, next(o, "status", "Accepted")) })
}

// testClosed proves that a store that was closed answers every question and every write
// with [apierr.Unavailable], instead of a panic or no answer. Requests may still be under
// way when the server ends.
func testClosed(t *testing.T, s *suite) {
	// close sets the suite's store to nil, so the test keeps a reference of its own.
	closed := s.Store
	s.insert(newOrder("o1", 1, `{}`))
	s.close()
	is(t, closed.Write(ctx, func(store.Tx) error { t.Error("a write ran after Close"); return nil }), apierr.Unavailable)
	_, err := closed.Order(ctx, acme, "o1")
	is(t, err, apierr.Unavailable)
	_, err = closed.Orders(ctx, acme, store.OrderFilter{}, store.Page{})
	is(t, err, apierr.Unavailable)
	is(t, closed.Ping(ctx), apierr.Unavailable)
}

// testPing proves that an open database answers.
func testPing(t *testing.T, s *suite) { must(t, s.Ping(ctx)) }
