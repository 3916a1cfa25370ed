package storetest

import (
	"fmt"
	"testing"
	"time"

	"github.com/orderhook/orderhook/internal/oms"
	"github.com/orderhook/orderhook/internal/store"
)

func testIdempotency(t *testing.T, s *suite) {
	put := func(key, resource string) error {
		return s.Write(ctx, func(tx store.Tx) error {
			return tx.PutIdempotency(ctx, acme, store.Idempotency{Key: key, Hash: []byte(resource), Resource: resource, Created: s.now})
		})
	}
	is := func(key, resource string) {
		t.Helper()
		i, err := s.Idempotency(ctx, acme, key)
		if err != nil {
			t.Fatal(err)
		}
		if got := ""; i != nil || resource != "" {
			if i != nil {
				got = i.Resource
			}
			if got != resource {
				t.Errorf("%s: %q, want %q", key, got, resource)
			}
		}
	}
	is("k1", "")
	must(t, put("k1", "o1"))
	want := &store.Idempotency{Key: "k1", Hash: []byte("o1"), Resource: "o1", Created: s.now}
	same(t, ok[*store.Idempotency](t)(s.Idempotency(ctx, acme, "k1")), want)
	if err := put("k1", "o2"); oms.KindOf(err) != oms.Conflict {
		t.Errorf("a key in use: %v", err)
	}
	is("k1", "o1")

	s.now = s.now.Add(store.IdempotencyTTL)
	is("k1", "o1")
	s.now = s.now.Add(time.Microsecond)
	is("k1", "")
	must(t, put("k1", "o3"))
	is("k1", "o3")

	for i := range 30 { // old keys go when new ones come, and none that is not old
		must(t, put(fmt.Sprintf("old-%d", i), "o4"))
	}
	s.now = s.now.Add(store.IdempotencyTTL)
	must(t, put("live", "o5"))
	s.now = s.now.Add(time.Minute)
	for i := range 10 {
		must(t, put(fmt.Sprintf("new-%d", i), "o6"))
	}
	is("live", "o5")
	is("old-1", "")
}

// testTwin: what is refused after a request with the same Idempotency-Key was
// carried out meanwhile is decided again, for what is refused may be what that
// one did. Without such a request it is refused at once.
func testTwin(t *testing.T, s *suite) {
	for name, carriedOut := range map[string]bool{"carried out": true, "not there": false} {
		decided, found := 0, false
		err := s.Write(ctx, func(tx store.Tx) error {
			decided++
			kept, err := tx.Idempotency(ctx, acme, "twin")
			if found = kept != nil; found || err != nil {
				return err
			}
			if carriedOut && decided == 1 {
				if err := s.beside(func(tx store.Tx) error {
					return tx.PutIdempotency(ctx, acme, store.Idempotency{Key: "twin", Hash: []byte("1"), Resource: "o1", Created: s.now})
				}); err != nil {
					return err
				}
			}
			return oms.Errorf(oms.Conflict, "it exists already")
		})
		switch {
		case carriedOut && (err != nil || !found || decided != 2):
			t.Errorf("%s: decided %d times, found it: %v, and ended with %v", name, decided, found, err)
		case !carriedOut && (oms.KindOf(err) != oms.Conflict || decided != 1):
			t.Errorf("%s: decided %d times, and ended with %v", name, decided, err)
		}
		s.now = s.now.Add(store.IdempotencyTTL + time.Second)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
