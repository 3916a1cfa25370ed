package oms_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/orderhook/orderhook/internal/oms"
)

func TestARoleReachesItselfAndThoseBelow(t *testing.T) {
	for i, r := range oms.Roles {
		for j, needed := range oms.Roles {
			if got := r.Reaches(needed); got != (i >= j) {
				t.Errorf("%s reaches %s: %v", r, needed, got)
			}
		}
	}
}

func TestARoleThatThereIsNotReachesNothing(t *testing.T) {
	for _, r := range []oms.Role{"", "root", "Admin"} {
		for _, known := range oms.Roles {
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
	for _, want := range oms.Roles {
		for _, in := range []string{string(want), strings.ToUpper(string(want))} {
			if got, err := oms.ParseRole(in); err != nil || got != want {
				t.Errorf("ParseRole(%q) = %q, %v", in, got, err)
			}
		}
	}
	for _, in := range []string{"", "root", "admin "} {
		_, err := oms.ParseRole(in)
		refused(t, err, oms.Invalid, "role: must be one of")
	}
}

func TestKeysAreRandomAndKeptAsAHash(t *testing.T) {
	a, b := oms.NewSecret(), oms.NewSecret()
	if a == b || !strings.HasPrefix(a, "ohk_") || len(a) != len("ohk_")+43 {
		t.Errorf("keys %q and %q", a, b)
	}
	hash := oms.HashKey(a)
	if !bytes.Equal(hash, oms.HashKey(a)) || bytes.Equal(hash, oms.HashKey(b)) || bytes.Contains(hash, []byte(a)) {
		t.Error("the hash does not tell keys apart")
	}
}
