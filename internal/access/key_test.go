package access_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/orderhook/orderhook/internal/access"
	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/order/ordertest"
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
