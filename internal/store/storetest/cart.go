package storetest

import (
	"fmt"
	"slices"
	"testing"

	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/cart"
	"github.com/orderhook/orderhook/internal/jsondoc"
	"github.com/orderhook/orderhook/internal/run"
	"github.com/orderhook/orderhook/internal/schema"
	"github.com/orderhook/orderhook/internal/store"
)

// newCart returns a cart that was created at a second. A number of its document ends in a
// zero, and one of its fields is unknown to orderhook: both have to come back as they
// are.
func newCart(t *testing.T, id string, created int) *cart.Cart {
	t.Helper()
	doc := ok[*jsondoc.Object](t)(schema.Parse([]byte(`{"marketId":"NOR","orderForm":{"total":0.10,"lineItems":[{"lineItemId":"a1","mine":{"Deep":[1.50]}}]}}`)))
	return ok[*cart.Cart](t)(cart.NewCart(id, doc, at(created)))
}

// testCarts proves that a cart comes back as it was stored, and that the list has the
// newest first and the stored text of each document. Some carts have the same time, so
// pages end between them.
func testCarts(t *testing.T, s *suite) {
	var want []*cart.Cart
	for i := range 5 {
		c := newCart(t, fmt.Sprintf("cart-%d", i), i/2)
		want = append(want, c)
		s.write(func(tx store.Tx) error { return tx.PutCart(ctx, acme, c) })
	}
	sameCart(t, ok[*cart.Cart](t)(s.Cart(ctx, acme, "cart-3")), want[3])
	slices.Reverse(want)
	for i, c := range pages(t, 2, func(p store.Page) (store.List[store.Document], error) { return s.Carts(ctx, acme, p) }) {
		same(t, c, store.Document{ID: want[i].ID, Created: want[i].Created, JSON: string(want[i].Doc.JSON())})
	}
	_, err := s.Carts(ctx, acme, store.Page{Cursor: "no cursor"})
	is(t, err, apierr.Invalid)
}

// sameCart compares two carts by their documents' JSON and by everything else that is
// stored of them.
func sameCart(t *testing.T, got, want *cart.Cart) {
	t.Helper()
	same(t, string(got.Doc.JSON()), string(want.Doc.JSON()))
	same(t, []any{got.ID, got.Version, got.Created, got.Modified}, []any{want.ID, want.Version, want.Created, want.Modified})
}

// testCartVersions proves that a cart is stored only as the version after the stored one,
// so that of two changes at the same time one is refused. A deleted cart is gone.
func testCartVersions(t *testing.T, s *suite) {
	first := newCart(t, "c", 1)
	s.write(func(tx store.Tx) error { return tx.PutCart(ctx, acme, first) })
	is(t, s.Write(ctx, func(tx store.Tx) error { return tx.PutCart(ctx, acme, newCart(t, "c", 2)) }), apierr.Stale)
	second := ok[*cart.Cart](t)(s.Cart(ctx, acme, "c"))
	// Advance makes it the next version.
	second.Advance(second.Doc, at(3))
	s.write(func(tx store.Tx) error { return tx.PutCart(ctx, acme, second) })
	sameCart(t, ok[*cart.Cart](t)(s.Cart(ctx, acme, "c")), second)
	s.write(func(tx store.Tx) error { return tx.DeleteCart(ctx, acme, "c") })
	_, err := s.Cart(ctx, acme, "c")
	is(t, err, apierr.NotFound)
	is(t, s.Write(ctx, func(tx store.Tx) error { return tx.DeleteCart(ctx, acme, "c") }), apierr.NotFound)
}

// testRequeuedRun proves that a run that begins again moves behind the other runs of its
// order. Without that, a run that is resumed would overtake those that were made since.
func testRequeuedRun(t *testing.T, s *suite) {
	s.insert(newOrder("o1", 1, `{}`))
	first, second := newRun("run-1", "o1", 1), newRun("run-2", "o1", 2)
	s.write(func(tx store.Tx) error {
		for _, r := range []*run.Run{first, second} {
			if err := tx.InsertRun(ctx, acme, r); err != nil {
				return err
			}
		}
		return nil
	})
	s.write(func(tx store.Tx) error { return requeueRun(tx, acme, first) })
	same(t, ok[*run.Run](t)(s.NextRun(ctx, acme, "o1")).ID, second.ID)
	is(t, s.Write(ctx, func(tx store.Tx) error { return requeueRun(tx, acme, newRun("none", "o1", 1)) }), apierr.NotFound)
}
