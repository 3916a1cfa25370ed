package storetest

import (
	"fmt"
	"testing"
	"time"

	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/store"
)

// testIdempotency proves that what a POST made is found under its key for a day, that a
// key in use is refused, and that it can be used again after that. An engine may remove
// old keys when new ones come, and must not remove one that is not old.
func testIdempotency(t *testing.T, s *suite) {
	put := func(key, resource string) error {
		return s.Write(ctx, func(tx store.Tx) error {
			return tx.PutIdempotency(ctx, acme, store.Idempotency{Key: key, Hash: []byte(resource), Resource: resource, Created: s.now})
		})
	}
	// An empty resource means that the key must not be found.
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
	// The hash is that of the request, by which another request with the same key is told
	// apart.
	want := &store.Idempotency{Key: "k1", Hash: []byte("o1"), Resource: "o1", Created: s.now}
	same(t, ok[*store.Idempotency](t)(s.Idempotency(ctx, acme, "k1")), want)
	if err := put("k1", "o2"); apierr.KindOf(err) != apierr.Conflict {
		t.Errorf("a key in use: %v", err)
	}
	is("k1", "o1")

	// It is found up to the last moment of the day, and not a microsecond longer.
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
	// A minute later all keys but this one will have expired.
	must(t, put("live", "o5"))
	s.now = s.now.Add(time.Minute)
	for i := range 10 {
		must(t, put(fmt.Sprintf("new-%d", i), "o6"))
	}
	is("live", "o5")
	is("old-1", "")
}

// testTwin proves that a request which is refused is decided again if a request with the
// same Idempotency-Key was carried out in the meantime. What refuses it may be what that
// one did, and then it has to get the same answer as that one. If there was none, it is
// refused at once.
func testTwin(t *testing.T, s *suite) {
	for name, applied := range map[string]bool{"carried out": true, "not there": false} {
		// decided counts the calls of the function, and found says what the last call has
		// seen.
		decided, found := 0, false
		err := s.Write(ctx, func(tx store.Tx) error {
			decided++
			stored, err := tx.Idempotency(ctx, acme, "twin")
			if found = stored != nil; found || err != nil {
				return err
			}
			// The twin is carried out between the question for the key and the decision.
			if applied && decided == 1 {
				if err := s.beside(func(tx store.Tx) error {
					return tx.PutIdempotency(ctx, acme, store.Idempotency{Key: "twin", Hash: []byte("1"), Resource: "o1", Created: s.now})
				}); err != nil {
					return err
				}
			}
			return apierr.Errorf(apierr.Conflict, "it exists already")
		})
		switch {
		case applied && (err != nil || !found || decided != 2):
			t.Errorf("%s: decided %d times, found it: %v, and ended with %v", name, decided, found, err)
		case !applied && (apierr.KindOf(err) != apierr.Conflict || decided != 1):
			t.Errorf("%s: decided %d times, and ended with %v", name, decided, err)
		}
		// The next case begins without the key, because it has expired.
		s.now = s.now.Add(store.IdempotencyTTL + time.Second)
	}
}

// must ends the test if there is an error.
func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
