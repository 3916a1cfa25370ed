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

func testOwnChanges(t *testing.T, s *suite) {
	s.write(func(tx store.Tx) error {
		o := order("o1", 1, `{}`)
		if err := tx.InsertOrder(ctx, acme, o); err != nil {
			return err
		}
		if err := fill(tx, acme, "o1"); err != nil {
			return err
		}
		got, err := tx.Order(ctx, acme, "o1")
		same(t, got, o)
		r, runErr := tx.NextRun(ctx, acme, "o1")
		if r == nil {
			t.Error("the transaction does not see its run")
		}
		l, listErr := tx.Orders(ctx, acme, store.OrderFilter{Status: "new"}, store.Page{})
		if len(l.Items) != 1 {
			t.Error("the transaction does not see its order in a list")
		}
		_, attemptErr := tx.Attempt(ctx, acme, "att-o1")
		_, outside := s.Order(ctx, acme, "o1")
		is(t, outside, oms.NotFound)
		return errors.Join(err, runErr, listErr, attemptErr)
	})
	ok[*oms.Order](t)(s.Order(ctx, acme, "o1"))
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

	// An error of the store's does not end the transaction: do decides.
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
