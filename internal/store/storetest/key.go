package storetest

import (
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
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

// testLastAdmin: an admin's key goes only while its tenant has another one's.
func testLastAdmin(t *testing.T, s *suite) {
	insert := func(tenant, id string, role oms.Role) {
		s.write(func(tx store.Tx) error {
			return tx.InsertKey(ctx, oms.Key{ID: id, Tenant: tenant, Role: role, Created: at(1), Hash: oms.HashKey(tenant + id)})
		})
	}
	remove := func(id string) error {
		return s.Write(ctx, func(tx store.Tx) error { return tx.DeleteKey(ctx, acme, id) })
	}
	insert(acme, "admin-1", oms.Admin)
	insert(acme, "operator", oms.Operator)
	insert(other, "admin-of-another", oms.Admin)
	is(t, remove("admin-1"), oms.Conflict)
	must(t, remove("operator"))
	insert(acme, "admin-2", oms.Admin)
	must(t, remove("admin-1"))
	is(t, remove("admin-2"), oms.Conflict)
	is(t, remove("admin-of-another"), oms.NotFound)
	ok[oms.Key](t)(s.KeyByHash(ctx, oms.HashKey(acme+"admin-2")))

	for i := range 8 { // at once: one is left
		insert(acme, fmt.Sprint("crowd-", i), oms.Admin)
	}
	var all sync.WaitGroup
	var left atomic.Int64
	for _, id := range append([]string{"admin-2"}, "crowd-0", "crowd-1", "crowd-2", "crowd-3", "crowd-4", "crowd-5", "crowd-6", "crowd-7") {
		all.Go(func() {
			if oms.KindOf(remove(id)) == oms.Conflict {
				left.Add(1)
			}
		})
	}
	all.Wait()
	same(t, left.Load(), 1)
}
