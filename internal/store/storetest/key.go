package storetest

import (
	"fmt"
	"slices"
	"testing"

	"github.com/orderhook/orderhook/internal/oms"
	"github.com/orderhook/orderhook/internal/store"
)

func testKeys(t *testing.T, s *suite) {
	same(t, ok[bool](t)(s.HasKeys(ctx)), false)
	var want []oms.Key
	for i := range 5 {
		k := oms.Key{ID: fmt.Sprintf("key-%d", i), Tenant: acme, Role: oms.Operator, Name: "n", Created: at(i / 2), Hash: oms.HashKey(fmt.Sprint(i))}
		want = append(want, k)
		s.write(func(tx store.Tx) error { return tx.InsertKey(ctx, k) })
	}
	same(t, ok[oms.Key](t)(s.KeyByHash(ctx, oms.HashKey("3"))), want[3])
	same(t, ok[bool](t)(s.HasKeys(ctx)), true)
	slices.Reverse(want)
	same(t, pages(t, 2, func(p store.Page) (store.List[oms.Key], error) { return s.Keys(ctx, acme, p) }), want)

	_, err := s.KeyByHash(ctx, oms.HashKey("9"))
	is(t, err, oms.NotFound)
	again := oms.Key{ID: "key-9", Tenant: other, Role: oms.Admin, Created: at(9), Hash: oms.HashKey("3")}
	is(t, s.Write(ctx, func(tx store.Tx) error { return tx.InsertKey(ctx, again) }), oms.Conflict)

	s.write(func(tx store.Tx) error { return tx.DeleteKey(ctx, acme, "key-3") })
	_, err = s.KeyByHash(ctx, oms.HashKey("3"))
	is(t, err, oms.NotFound)
	is(t, s.Write(ctx, func(tx store.Tx) error { return tx.DeleteKey(ctx, acme, "key-3") }), oms.NotFound)
}
