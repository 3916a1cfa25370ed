package access_test

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/orderhook/orderhook/internal/access"
	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/jsondoc"
	"github.com/orderhook/orderhook/internal/order/ordertest"
	"github.com/orderhook/orderhook/internal/schema"
)

func TestARoleReachesItselfAndThoseBelow(t *testing.T) {
	for i, r := range access.Roles {
		for j, needed := range access.Roles {
			if got := r.Reaches(needed); got != (i >= j) {
				t.Errorf("%s reaches %s: %v", r, needed, got)
			}
		}
	}
}

func TestARoleThatThereIsNotReachesNothing(t *testing.T) {
	for _, r := range []access.Role{"", "root", "Admin"} {
		for _, known := range access.Roles {
			if r.Reaches(known) || known.Reaches(r) {
				t.Errorf("%q and %s reach each other", r, known)
			}
		}
		if r.Reaches(r) {
			t.Errorf("%q reaches itself", r)
		}
	}
}

func TestParseRole(t *testing.T) {
	for _, want := range access.Roles {
		for _, in := range []string{string(want), strings.ToUpper(string(want))} {
			if got, err := access.ParseRole(in); err != nil || got != want {
				t.Errorf("ParseRole(%q) = %q, %v", in, got, err)
			}
		}
	}
	for _, in := range []string{"", "root", "admin "} {
		_, err := access.ParseRole(in)
		ordertest.Refused(t, err, apierr.Invalid, "role: must be one of")
	}
}

func TestKeysAreRandomAndStoredAsAHash(t *testing.T) {
	a, b := access.NewSecret(), access.NewSecret()
	if a == b || !strings.HasPrefix(a, "ohk_") || len(a) != len("ohk_")+43 {
		t.Errorf("keys %q and %q", a, b)
	}
	hash := access.HashKey(a)
	if !bytes.Equal(hash, access.HashKey(a)) || bytes.Equal(hash, access.HashKey(b)) || bytes.Contains(hash, []byte(a)) {
		t.Error("the hash does not tell keys apart")
	}
}

// TestWhatARoleMay: each may do one thing more than the one below it.
func TestWhatARoleMay(t *testing.T) {
	var below []string
	for i, r := range access.Roles {
		may := r.May()
		if len(may) != i+1 || !slices.Equal(may[:i], below) {
			t.Errorf("%s may %q, and the one below it %q", r, may, below)
		}
		below = may
	}
}

// TestWhenAKeyExpires: at the moment itself it is over, and two weeks before it is soon.
func TestWhenAKeyExpires(t *testing.T) {
	now := time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		at         time.Time
		over, soon bool
	}{
		{time.Time{}, false, false},
		{now.Add(-time.Second), true, true},
		{now, true, true},
		{now.Add(time.Nanosecond), false, true},
		{now.Add(access.ExpirySoon), false, true},
		{now.Add(access.ExpirySoon + time.Nanosecond), false, false},
	} {
		k := access.Key{ExpiresAt: c.at}
		if k.Expired(now) != c.over || k.ExpiresSoon(now) != c.soon {
			t.Errorf("%v: over %v, soon %v", c.at, k.Expired(now), k.ExpiresSoon(now))
		}
	}
}

// TestAKeyIsGivenATimeToCome, and what is not given stays.
func TestAKeyIsGivenATimeToCome(t *testing.T) {
	now := time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)
	for at, wrong := range map[time.Time]bool{now.Add(-time.Hour): true, now: true, now.Add(time.Hour): false} {
		doc, err := jsondoc.Read(fmt.Appendf(nil, `{"expiresAt":%q}`, at.Format(time.RFC3339)), jsondoc.Reading{Levels: 1})
		if err != nil {
			t.Fatal(err)
		}
		k := access.Key{Name: "shop", RateLimit: 5}
		r := schema.Read(doc, access.KeyPatchShape)
		given := k.Take(r, now)
		if r.OK() == wrong || !slices.Equal(given, []string{"expiresAt"}) || k.Name != "shop" || k.RateLimit != 5 {
			t.Errorf("%v: wrong %v; given %q, the key is %+v", at, !r.OK(), given, k)
		}
	}
}
