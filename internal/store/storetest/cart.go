package storetest

import (
	"fmt"
	"slices"
	"testing"

	"github.com/orderhook/orderhook/internal/oms"
	"github.com/orderhook/orderhook/internal/store"
)

// cart is a cart that was made at a time.
func cart(t *testing.T, id string, created int) *oms.Cart {
	t.Helper()
	doc := ok[*oms.Object](t)(oms.Parse([]byte(`{"marketId":"NOR","orderForm":{"total":0.10,"lineItems":[{"lineItemId":"a1","mine":{"Deep":[1.50]}}]}}`)))
	return ok[*oms.Cart](t)(oms.NewCart(id, doc, at(created)))
}

func testCarts(t *testing.T, s *suite) {
	var want []*oms.Cart
	for i := range 5 {
		c := cart(t, fmt.Sprintf("cart-%d", i), i/2)
		want = append(want, c)
		s.write(func(tx store.Tx) error { return tx.PutCart(ctx, acme, c) })
	}
	sameCart(t, ok[*oms.Cart](t)(s.Cart(ctx, acme, "cart-3")), want[3])
	slices.Reverse(want)
	for i, c := range pages(t, 2, func(p store.Page) (store.List[store.Document], error) { return s.Carts(ctx, acme, p) }) {
		same(t, c, store.Document{ID: want[i].ID, Created: want[i].Created, JSON: string(want[i].Doc.JSON())})
	}
	_, err := s.Carts(ctx, acme, store.Page{Cursor: "no cursor"})
	is(t, err, oms.Invalid)
}

func sameCart(t *testing.T, got, want *oms.Cart) {
	t.Helper()
	same(t, string(got.Doc.JSON()), string(want.Doc.JSON()))
	same(t, []any{got.ID, got.Version, got.Created, got.Modified}, []any{want.ID, want.Version, want.Created, want.Modified})
}

func testCartVersions(t *testing.T, s *suite) {
	first := cart(t, "c", 1)
	s.write(func(tx store.Tx) error { return tx.PutCart(ctx, acme, first) })
	is(t, s.Write(ctx, func(tx store.Tx) error { return tx.PutCart(ctx, acme, cart(t, "c", 2)) }), oms.Stale)
	second := ok[*oms.Cart](t)(s.Cart(ctx, acme, "c"))
	second.Advance(second.Doc, at(3))
	s.write(func(tx store.Tx) error { return tx.PutCart(ctx, acme, second) })
	sameCart(t, ok[*oms.Cart](t)(s.Cart(ctx, acme, "c")), second)
	s.write(func(tx store.Tx) error { return tx.DeleteCart(ctx, acme, "c") })
	_, err := s.Cart(ctx, acme, "c")
	is(t, err, oms.NotFound)
	is(t, s.Write(ctx, func(tx store.Tx) error { return tx.DeleteCart(ctx, acme, "c") }), oms.NotFound)
}

// testRequeuedRun proves that a run that begins anew comes after those that
// were behind it.
func testRequeuedRun(t *testing.T, s *suite) {
	s.insert(order("o1", 1, `{}`))
	first, second := run("run-1", "o1", 1), run("run-2", "o1", 2)
	s.write(func(tx store.Tx) error {
		for _, r := range []*oms.Run{first, second} {
			if err := tx.InsertRun(ctx, acme, r); err != nil {
				return err
			}
		}
		return nil
	})
	s.write(func(tx store.Tx) error { return requeueRun(tx, acme, first) })
	same(t, ok[*oms.Run](t)(s.NextRun(ctx, acme, "o1")).ID, second.ID)
	is(t, s.Write(ctx, func(tx store.Tx) error { return requeueRun(tx, acme, run("none", "o1", 1)) }), oms.NotFound)
}
