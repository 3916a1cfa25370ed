package storetest

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/orderhook/orderhook/internal/oms"
	"github.com/orderhook/orderhook/internal/settings"
	"github.com/orderhook/orderhook/internal/store"
)

type settingsReader func(ctx context.Context, tenant string) (*settings.Settings, error)

var errUndo = errors.New("undo")

// testOwnChanges: a write sees what is committed, and of its own changes those of
// orders and endpoints, which are often changed twice.
func testOwnChanges(t *testing.T, s *suite) {
	s.write(func(tx store.Tx) error {
		o := order("o1", 1, `{}`)
		if err := tx.InsertOrder(ctx, acme, o); err != nil {
			return err
		}
		got, err := tx.Order(ctx, acme, "o1")
		same(t, got, o)
		second := next(o, "a", true)
		updateErr := tx.UpdateOrder(ctx, acme, second)
		again, againErr := tx.Order(ctx, acme, "o1")
		same(t, again, second)
		newer, newerErr := tx.OrderUnless(ctx, acme, o)
		same(t, newer, second)
		e := endpoint("ep1")
		putErr := tx.PutEndpoint(ctx, acme, e)
		seen, endpointErr := tx.Endpoint(ctx, acme, "ep1")
		same(t, seen, referring(e, seen))
		_, outside := s.Order(ctx, acme, "o1")
		is(t, outside, oms.NotFound)
		return errors.Join(err, updateErr, againErr, newerErr, putErr, endpointErr)
	})
	if o := ok[*oms.Order](t)(s.Order(ctx, acme, "o1")); o.Version != 2 {
		t.Errorf("the order is of version %d", o.Version)
	}
	ok[*oms.Order](t)(s.OrderVersion(ctx, acme, "o1", 1))
}

// testOvertaken: what a write has read is as it was read when it is committed, or
// the write is decided again. Another one changes it between the two.
func testOvertaken(t *testing.T, s *suite) {
	o := order("o1", 1, `{}`)
	s.insert(o)
	s.write(func(tx store.Tx) error {
		r := run("run-1", "o1", 1)
		r.Status = oms.RunRunning
		return errors.Join(tx.InsertRun(ctx, acme, r), tx.PutCart(ctx, acme, cart(t, "c1", 1)), tx.PutStockItem(ctx, acme, stockItem("s1", "1")),
			tx.PutJob(ctx, acme, job(1)), tx.PutEndpoint(ctx, acme, endpoint("ep1")), tx.PutSettings(ctx, acme, someSettings("a"), 0, "", at(1)))
	})
	note := func(tx store.Tx, what string) error {
		return tx.AddHistory(ctx, acme, "notes", oms.HistoryEntry{ID: what, Timestamp: at(1)})
	}
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
			func(tx store.Tx) error { _, err := tx.OrderUnless(ctx, acme, order("o1", 99, `{}`)); return err },
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
			func(tx store.Tx) error { return updateRun(tx, acme, run("run-1", "o1", 1)) },
		},
		"the next run": {
			func(tx store.Tx) error { _, err := tx.NextRun(ctx, acme, "o2"); return err },
			func(tx store.Tx) error { return tx.InsertRun(ctx, acme, run("run-2", "o2", 1)) },
		},
		"an Idempotency-Key": {
			func(tx store.Tx) error {
				if kept, err := tx.Idempotency(ctx, acme, "once"); kept != nil || err != nil {
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
				if oms.KindOf(err) == oms.NotFound {
					return tx.PutCart(ctx, acme, cart(t, "c2", 1))
				}
				if err != nil {
					return err
				}
				c.Version++
				return tx.PutCart(ctx, acme, c)
			},
			func(tx store.Tx) error { return tx.PutCart(ctx, acme, cart(t, "c2", 1)) },
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
				j, err := tx.Job(ctx, acme, job(1).ID)
				if err != nil {
					return err
				}
				return tx.PutJob(ctx, acme, j)
			},
			func(tx store.Tx) error {
				j, err := tx.Job(ctx, acme, job(1).ID)
				if err != nil {
					return err
				}
				return tx.PutJob(ctx, acme, j)
			},
		},
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
		"the endpoints of an event": {
			func(tx store.Tx) error { return tx.AddEvents(ctx, acme, event("e1", "o1")) },
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
			decided := 0
			s.write(func(tx store.Tx) error {
				if err := test.read(tx); err != nil {
					return err
				}
				if decided++; decided == 1 {
					if err := s.beside(test.change); err != nil {
						return err
					}
				}
				return note(tx, name)
			})
			if decided != 2 {
				t.Errorf("it was decided %d times", decided)
			}
		})
	}
}

func testFailedWrite(t *testing.T, s *suite) {
	err := s.Write(ctx, func(tx store.Tx) error {
		return errors.Join(tx.InsertOrder(ctx, acme, order("o1", 1, `{}`)), fill(tx, acme, "o1"), errUndo)
	})
	if !errors.Is(err, errUndo) {
		t.Errorf("the write failed with %v", err)
	}
	_, err = s.Order(ctx, acme, "o1")
	is(t, err, oms.NotFound)
	_, err = s.Attempt(ctx, acme, "att-o1")
	is(t, err, oms.NotFound)
	is(t, s.Write(ctx, func(tx store.Tx) error { return oms.Errorf(oms.Forbidden, "no") }), oms.Forbidden)

	// What a write is told is wrong it may leave at that.
	s.write(func(tx store.Tx) error {
		_, err := tx.Order(ctx, acme, "o1")
		is(t, err, oms.NotFound)
		if err := tx.InsertOrder(ctx, acme, order("o1", 1, `{}`)); err != nil {
			return err
		}
		is(t, tx.InsertOrder(ctx, acme, order("o1", 1, `{}`)), oms.Conflict)
		return nil
	})
	ok[*oms.Order](t)(s.Order(ctx, acme, "o1"))
}

func testFailedAmongOthers(t *testing.T, s *suite) {
	const writers = 64
	errs := concurrently(writers, func(i int) error {
		return s.Write(ctx, func(tx store.Tx) error {
			if err := tx.InsertOrder(ctx, acme, order(fmt.Sprint("o", i), i, `{}`)); err != nil {
				return err
			}
			switch i % 4 {
			case 1:
				return errUndo
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

// concurrently runs do so many times at once and returns what each came to.
func concurrently(n int, do func(i int) error) []error {
	errs := make([]error, n)
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() { errs[i] = do(i) })
	}
	all.Wait()
	return errs
}

func testPanic(t *testing.T, s *suite) {
	err := s.Write(ctx, func(tx store.Tx) error {
		if err := tx.InsertOrder(ctx, acme, order("o1", 1, `{}`)); err != nil {
			return err
		}
		panic("a bug")
	})
	if err == nil || !strings.Contains(err.Error(), "a bug") || oms.KindOf(err) != oms.Internal {
		t.Errorf("a panic came out as %v", err)
	}
	s.insert(order("o1", 1, `{}`)) // nothing is left of the first, and the store works on
}

func testNoLostUpdate(t *testing.T, s *suite) {
	s.insert(order("o1", 1, `{"count":0}`))
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
	o := ok[*oms.Order](t)(s.Order(ctx, acme, "o1"))
	if n, _ := o.Doc.Get("count"); n != oms.Number(strconv.Itoa(writers*each)) || o.Version != writers*each+1 {
		t.Errorf("count %v at version %d", n, o.Version)
	}
}

// count adds one to the order's count.
func count(tx store.Tx) error {
	o, err := tx.Order(ctx, acme, "o1")
	if err != nil {
		return err
	}
	v, _ := o.Doc.Get("count")
	n, err := strconv.Atoi(string(v.(oms.Number)))
	if err != nil {
		return err
	}
	return tx.UpdateOrder(ctx, acme, next(o, "count", oms.Number(strconv.Itoa(n+1))))
}

func testCanceledContext(t *testing.T, s *suite) {
	over, cancel := context.WithCancel(ctx)
	cancel()
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
		return tx.InsertOrder(ends, acme, order("o1", 1, `{}`))
	})
	if _, missing := s.Order(ctx, acme, "o1"); (err == nil) != (missing == nil) {
		t.Errorf("the write said %v, and its order: %v", err, missing)
	}
	s.insert(order("o2", 2, `{}`))
}

func testReopened(t *testing.T, s *suite) {
	o := order("o1", 1, `{"total":0.10}`)
	s.insert(o)
	s.write(func(tx store.Tx) error {
		return errors.Join(fill(tx, acme, "o1"), tx.PutSettings(ctx, acme, someSettings("kept"), 0, "", at(1)))
	})
	e, to := event("evt-1", "o1"), s.ordered("ep-1")
	s.add(e, event("evt-2", "o1"))
	s.settle(e, to, oms.DeliveryPending)
	kept := s.deliveries(store.DeliveryFilter{})
	s.close()
	s.open()
	same(t, s.deliveries(store.DeliveryFilter{}), kept)
	same(t, ok[*oms.Event](t)(s.Event(ctx, acme, "evt-1")), e)
	same(t, s.endpoint("ep-1"), to)
	same(t, ok[*oms.Order](t)(s.Order(ctx, acme, "o1")), o)
	same(t, ok[*oms.Attempt](t)(s.Attempt(ctx, acme, "att-o1")), attempt("att-o1", "o1", 1))
	wantSettings(t, s, 1, "kept", s.Settings)
	s.write(func(tx store.Tx) error { return tx.UpdateOrder(ctx, acme, next(o, "status", "Accepted")) })
}

func testClosed(t *testing.T, s *suite) {
	closed := s.Store
	s.insert(order("o1", 1, `{}`))
	s.close()
	is(t, closed.Write(ctx, func(store.Tx) error { t.Error("a write ran after Close"); return nil }), oms.Unavailable)
	_, err := closed.Order(ctx, acme, "o1")
	is(t, err, oms.Unavailable)
	_, err = closed.Orders(ctx, acme, store.OrderFilter{}, store.Page{})
	is(t, err, oms.Unavailable)
	is(t, closed.Ping(ctx), oms.Unavailable)
}

func testPing(t *testing.T, s *suite) { must(t, s.Ping(ctx)) }
