package storetest

import (
	"errors"
	"sync"
	"testing"

	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/attempt"
	"github.com/orderhook/orderhook/internal/store"
)

// agreement returns an agreement with every field set.
func agreement(id string) *attempt.Agreement {
	a := withEveryField(attempt.Agreement{ID: id, Since: at(1), Updated: at(2)})
	a.Revision = 0
	return &a
}

// testAgreements proves that an agreement comes back with every field, that all who count at
// the same time are counted, and that one that was dropped is gone.
func testAgreements(t *testing.T, s *suite) {
	want := agreement("shadow-1")
	s.write(func(tx store.Tx) error {
		if found, err := tx.Agreement(ctx, acme, "shadow-1"); found != nil || err != nil {
			return errors.Join(err, errors.New("there is one already"))
		}
		first := *want
		return errors.Join(tx.PutAgreement(ctx, acme, &first), tx.PutAgreement(ctx, acme, agreement("shadow-2")))
	})
	read := func() []*attempt.Agreement { return ok[[]*attempt.Agreement](t)(s.Agreements(ctx, acme)) }
	want.Revision = 1
	same(t, read()[0], want)
	// Each reads the one before: none is lost, and none is counted twice.
	const many = 20
	var all sync.WaitGroup
	for range many {
		all.Go(func() {
			err := s.Write(ctx, func(tx store.Tx) error {
				a, err := tx.Agreement(ctx, acme, "shadow-1")
				if err != nil {
					return err
				}
				a.Same++
				return tx.PutAgreement(ctx, acme, a)
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	same(t, read()[0].Same, want.Same+many)
	s.write(func(tx store.Tx) error { return tx.DropAgreement(ctx, acme, "shadow-1") })
	if left := read(); len(left) != 1 || left[0].ID != "shadow-2" {
		t.Errorf("left are %v", left)
	}
}

// testShadowErased proves that the attempt of a shadow loses its comparison with its order,
// which has values of that, and that one that ends after the order was erased is not recorded.
func testShadowErased(t *testing.T, s *suite) {
	shadow := func(id string, started int) *attempt.Attempt {
		a := newAttempt(id, "o1", started)
		a.Kind = attempt.KindShadow
		return a
	}
	s.insert(newOrder("o1", 1, `{}`))
	s.write(func(tx store.Tx) error { return tx.AddAttempt(ctx, acme, shadow("att-1", 1)) })
	if a := ok[*attempt.Attempt](t)(s.Attempt(ctx, acme, "att-1")); a.Detail.Comparison == nil {
		t.Fatal("the comparison is not recorded")
	}
	s.erase(acme, "o1")
	if a := ok[*attempt.Attempt](t)(s.Attempt(ctx, acme, "att-1")); a.Detail.Comparison != nil || a.Detail.Request.Body != nil {
		t.Errorf("after its order was erased, the attempt has %v", a.Detail)
	}
	late := shadow("att-2", 2)
	is(t, s.Write(ctx, func(tx store.Tx) error { return tx.AddAttempt(ctx, acme, late) }), apierr.NotFound)
	_, err := s.Attempt(ctx, acme, "att-2")
	is(t, err, apierr.NotFound)
}
