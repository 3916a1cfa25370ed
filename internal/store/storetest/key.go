package storetest

import (
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/orderhook/orderhook/internal/access"
	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/store"
)

// testKeys proves that a key is found by the hash of its secret, whoever asks, and by its
// id only for its tenant. The same secret cannot be stored twice, for another tenant
// neither. A deleted key is not found.
func testKeys(t *testing.T, s *suite) {
	// Where there is no key, serve makes the first one.
	same(t, ok[bool](t)(s.HasKeys(ctx)), false)
	s.write(func(tx store.Tx) error {
		return tx.InsertKey(ctx, access.Key{ID: "key-old", Tenant: other, Role: access.Admin, Created: at(1), ExpiresAt: s.now, Hash: access.HashKey("old")})
	})
	// A key that has expired opens nothing, so it does not count as one that there is.
	same(t, ok[bool](t)(s.HasKeys(ctx)), false)
	// Two keys each have the same time of creation, so the order of a list cannot come
	// from the time alone.
	var want []access.Key
	for i := range 5 {
		k := access.Key{ID: fmt.Sprintf("key-%d", i), Tenant: acme, Role: access.Operator, Name: "n", Created: at(i / 2), Hash: access.HashKey(fmt.Sprint(i))}
		want = append(want, k)
		s.write(func(tx store.Tx) error { return tx.InsertKey(ctx, k) })
	}
	same(t, ok[access.Key](t)(s.KeyByHash(ctx, access.HashKey("3"))), want[3])
	same(t, ok[bool](t)(s.HasKeys(ctx)), true)
	same(t, ok[access.Key](t)(s.Key(ctx, acme, "key-3")), want[3])
	_, err := s.Key(ctx, other, "key-3")
	is(t, err, apierr.NotFound)
	slices.Reverse(want)
	same(t, pages(t, 2, func(p store.Page) (store.List[access.Key], error) { return s.Keys(ctx, acme, p) }), want)

	_, err = s.KeyByHash(ctx, access.HashKey("9"))
	is(t, err, apierr.NotFound)
	// The hash has to be unique over all tenants, because a request has only the secret:
	// the key that is found by it says which tenant asks.
	again := access.Key{ID: "key-9", Tenant: other, Role: access.Admin, Created: at(9), Hash: access.HashKey("3")}
	is(t, s.Write(ctx, func(tx store.Tx) error { return tx.InsertKey(ctx, again) }), apierr.Conflict)

	s.write(func(tx store.Tx) error { return tx.DeleteKey(ctx, acme, "key-3") })
	_, err = s.KeyByHash(ctx, access.HashKey("3"))
	is(t, err, apierr.NotFound)
	is(t, s.Write(ctx, func(tx store.Tx) error { return tx.DeleteKey(ctx, acme, "key-3") }), apierr.NotFound)
}

// testKeyLimits: a limit and an expiry come back as they were stored, are changed without
// loss when two change a key at once, and the latest use of a key is kept.
func testKeyLimits(t *testing.T, s *suite) {
	k := access.Key{ID: "key-1", Tenant: acme, Role: access.Reader, Name: "till", Created: at(1), RateLimit: 0.5, ExpiresAt: at(90), Hash: access.HashKey("1")}
	s.write(func(tx store.Tx) error { return tx.InsertKey(ctx, k) })
	same(t, ok[access.Key](t)(s.Key(ctx, acme, "key-1")), k)

	update := func(tenant string, change func(k *access.Key)) error {
		return s.Write(ctx, func(tx store.Tx) error {
			_, err := tx.UpdateKey(ctx, tenant, "key-1", func(k *access.Key) ([]string, error) { change(k); return nil, nil })
			return err
		})
	}
	var all sync.WaitGroup
	all.Go(func() { must(t, update(acme, func(k *access.Key) { k.RateLimit = 20 })) })
	all.Go(func() { must(t, update(acme, func(k *access.Key) { k.ExpiresAt = time.Time{} })) })
	all.Go(func() { must(t, update(acme, func(k *access.Key) { k.Name = "kiosk" })) })
	all.Wait()
	k.RateLimit, k.ExpiresAt, k.Name = 20, time.Time{}, "kiosk"
	same(t, ok[access.Key](t)(s.KeyByHash(ctx, k.Hash)), k)
	is(t, update(other, func(*access.Key) {}), apierr.NotFound)

	// Nodes note the uses of a key at different times, so an older use may be stored after
	// a newer one. The newest use has to stay. A key that was deleted meanwhile is no
	// error.
	for _, second := range []int{5, 9, 7} { // as nodes store it
		s.write(func(tx store.Tx) error {
			return tx.NoteKeyUses(ctx, acme, map[string]time.Time{"key-1": at(second), "key-gone": at(second)})
		})
	}
	// Another tenant cannot change the last use of acme's key.
	s.write(func(tx store.Tx) error { return tx.NoteKeyUses(ctx, other, map[string]time.Time{"key-1": at(99)}) })
	k.LastUsed = at(9)
	same(t, ok[access.Key](t)(s.Key(ctx, acme, "key-1")), k)
	same(t, ok[store.List[access.Key]](t)(s.Keys(ctx, acme, store.Page{})).Items, []access.Key{k})
}

// testExpiredKeys: whoever signed in with a key is signed out when it expires, and an admin's
// key that has expired is not the other one that lets the last one go.
func testExpiredKeys(t *testing.T, s *suite) {
	// The key is valid for one minute more.
	expiring := access.Key{ID: "admin-1", Tenant: acme, Role: access.Admin, Created: at(1), ExpiresAt: s.now.Add(time.Minute), Hash: access.HashKey("1")}
	s.write(func(tx store.Tx) error { return tx.InsertKey(ctx, expiring) })
	s.write(func(tx store.Tx) error {
		return tx.InsertKey(ctx, access.Key{ID: "admin-2", Tenant: acme, Role: access.Admin, Created: at(1), Hash: access.HashKey("2")})
	})
	session := s.signIn(expiring)
	ok[access.Key](t)(s.Session(ctx, session.Hash))
	s.now = s.now.Add(time.Minute)
	_, err := s.Session(ctx, session.Hash)
	is(t, err, apierr.NotFound)
	// admin-1 has expired, so admin-2 is the last one that still opens the API.
	is(t, s.Write(ctx, func(tx store.Tx) error { return tx.DeleteKey(ctx, acme, "admin-2") }), apierr.Conflict)

	// An end that is given to the last key without one would lock the tenant out later on,
	// when nobody looks.
	end := func(id string, at time.Time) error {
		return s.Write(ctx, func(tx store.Tx) error {
			_, err := tx.UpdateKey(ctx, acme, id, func(k *access.Key) ([]string, error) { k.ExpiresAt = at; return nil, nil })
			return err
		})
	}
	later := s.now.Add(time.Hour)
	is(t, end("admin-2", later), apierr.Conflict) // no other lasts
	must(t, end("admin-1", later))
	is(t, end("admin-2", later), apierr.Conflict) // the other has an end, too
	must(t, end("admin-1", time.Time{}))
	var all sync.WaitGroup
	var refused atomic.Int64
	for _, id := range []string{"admin-1", "admin-2"} { // at once: one goes on without an end
		all.Go(func() {
			if apierr.KindOf(end(id, later)) == apierr.Conflict {
				refused.Add(1)
			}
		})
	}
	all.Wait()
	same(t, refused.Load(), 1)
	must(t, end("admin-1", time.Time{}))
	must(t, s.Write(ctx, func(tx store.Tx) error { return tx.DeleteKey(ctx, acme, "admin-1") }))
}

// testLastAdmin: an admin's key goes only while its tenant has another one's.
func testLastAdmin(t *testing.T, s *suite) {
	// The hash has the tenant in it, so that no two keys share a hash.
	insert := func(tenant, id string, role access.Role) {
		s.write(func(tx store.Tx) error {
			return tx.InsertKey(ctx, access.Key{ID: id, Tenant: tenant, Role: role, Created: at(1), Hash: access.HashKey(tenant + id)})
		})
	}
	remove := func(id string) error {
		return s.Write(ctx, func(tx store.Tx) error { return tx.DeleteKey(ctx, acme, id) })
	}
	insert(acme, "admin-1", access.Admin)
	insert(acme, "operator", access.Operator)
	insert(other, "admin-of-another", access.Admin)
	// Neither an operator's key nor an admin's key of another tenant makes up for it.
	is(t, remove("admin-1"), apierr.Conflict)
	must(t, remove("operator"))
	insert(acme, "admin-2", access.Admin)
	must(t, remove("admin-1"))
	is(t, remove("admin-2"), apierr.Conflict)
	is(t, remove("admin-of-another"), apierr.NotFound)
	// A refusal must not have deleted the key.
	ok[access.Key](t)(s.KeyByHash(ctx, access.HashKey(acme+"admin-2")))

	for i := range 8 { // at once: one is left
		insert(acme, fmt.Sprint("crowd-", i), access.Admin)
	}
	var all sync.WaitGroup
	// Each of these deletions would be allowed alone. Together they must not leave the
	// tenant without an admin.
	var left atomic.Int64
	for _, id := range append([]string{"admin-2"}, "crowd-0", "crowd-1", "crowd-2", "crowd-3", "crowd-4", "crowd-5", "crowd-6", "crowd-7") {
		all.Go(func() {
			if apierr.KindOf(remove(id)) == apierr.Conflict {
				left.Add(1)
			}
		})
	}
	all.Wait()
	same(t, left.Load(), 1)
}
