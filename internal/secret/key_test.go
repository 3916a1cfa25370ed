package secret

import (
	"errors"
	"strings"
	"sync"
	"testing"
)

// deriveOnce spares the tests the cost that makes guessing keys slow.
var deriveOnce = sync.OnceValues(func() (*Sealer, error) { return NewSealer("the operator's key", make([]byte, minSalt)) })

func testSealer(t testing.TB) *Sealer {
	t.Helper()
	s, err := deriveOnce()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestADocumentOpens(t *testing.T) {
	s := testSealer(t)
	for _, plain := range []string{"", "a", "whsec_c2VjcmV0", "sealed:v2:not", "ключ\x00\n", strings.Repeat("x", 100_000)} {
		sealed := s.SealDocument("acme", "endpoints/1", plain)
		if !strings.HasPrefix(sealed, "sealed:v2:") || len(plain) > 1 && strings.Contains(sealed, plain) {
			t.Errorf("sealed %.20q is %.60q", plain, sealed)
		}
		if got, err := s.OpenDocument("acme", "endpoints/1", sealed); err != nil || got != plain {
			t.Errorf("it opens as %.20q, %v, want %.20q", got, err, plain)
		}
		if s.SealDocument("acme", "endpoints/1", plain) == sealed {
			t.Errorf("%.20q looks the same twice", plain)
		}
	}
}

func TestADocumentOpensNowhereElse(t *testing.T) {
	s := testSealer(t)
	sealed := s.SealDocument("acme", "endpoints/1", "secret")
	otherKey, _ := NewSealer("the operator's Key", make([]byte, minSalt))
	otherSalt, _ := NewSealer("the operator's key", []byte("0123456789abcdef"))
	tampered := []byte(sealed)
	if at := &tampered[len(sealedPrefix)+3]; *at == 'A' { // another letter of base64
		*at = 'B'
	} else {
		*at = 'A'
	}
	for name, c := range map[string]struct {
		sealer        *Sealer
		tenant, place string
		text          string
		wrong         bool
	}{
		"another tenant":      {s, "acm", "endpoints/1", sealed, true},
		"another place":       {s, "acme", "endpoints/2", sealed, true},
		"a border that moved": {s, "acmee", "ndpoints/1", sealed, true},
		"a secret's":          {s, "acme", "endpoints/1", s.Seal("acme", "endpoints/1", nil, New("secret")).Text, true},
		"another key":         {otherKey, "acme", "endpoints/1", sealed, true},
		"another salt":        {otherSalt, "acme", "endpoints/1", sealed, true},
		"changed":             {s, "acme", "endpoints/1", string(tampered), true},
		"cut":                 {s, "acme", "endpoints/1", sealed[:len(sealed)-8], true},
		"nothing in it":       {s, "acme", "endpoints/1", sealedPrefix, true},
		"no prefix":           {s, "acme", "endpoints/1", strings.TrimPrefix(sealed, sealedPrefix), false},
		"an earlier version":  {s, "acme", "endpoints/1", s.Check(), false},
		"a later version":     {s, "acme", "endpoints/1", strings.Replace(sealed, "v2", "v3", 1), false},
		"no base64":           {s, "acme", "endpoints/1", sealedPrefix + "?", false},
		"nothing":             {s, "acme", "endpoints/1", "", false},
		"plain text is there": {s, "acme", "endpoints/1", "secret", false},
	} {
		plain, err := c.sealer.OpenDocument(c.tenant, c.place, c.text)
		if err == nil || plain != "" || errors.Is(err, ErrWrongKey) != c.wrong || strings.Contains(err.Error(), "secret\"") {
			t.Errorf("%s: %q, %v", name, plain, err)
		}
	}
}

func TestTheCheckValueFitsItsKey(t *testing.T) {
	again, err := NewSealer("the operator's key", make([]byte, minSalt))
	if err != nil || again.Fits(testSealer(t).Check()) != nil {
		t.Errorf("after a restart the key does not fit: %v", err)
	}
	other, _ := NewSealer("the operator's Key", make([]byte, minSalt))
	if err := other.Fits(testSealer(t).Check()); !errors.Is(err, ErrWrongKey) {
		t.Errorf("another key: %v", err)
	}
	if _, err := again.OpenUnbound(again.SealDocument("", "", "")); err == nil || errors.Is(err, ErrWrongKey) {
		t.Errorf("what is bound is taken for what is not: %v", err)
	}
}

func TestNewSealerRefuses(t *testing.T) {
	if _, err := NewSealer("", make([]byte, minSalt)); err == nil {
		t.Error("an empty key is accepted")
	}
	if _, err := NewSealer("key", make([]byte, minSalt-1)); err == nil {
		t.Error("a short salt is accepted")
	}
}

func TestNewKey(t *testing.T) {
	a, b := NewKey(), NewKey()
	if a == b || len(a) != len(generatedPrefix)+43 {
		t.Errorf("keys %q and %q", a, b)
	}
	salt := make([]byte, minSalt)
	one, _ := NewSealer(a, salt)
	again, _ := NewSealer(a, salt)
	other, _ := NewSealer(b, salt)
	if err := again.Fits(one.Check()); err != nil {
		t.Errorf("the same key: %v", err)
	}
	if err := other.Fits(one.Check()); !errors.Is(err, ErrWrongKey) {
		t.Errorf("another key: %v", err)
	}
}

// BenchmarkNewSealer is what each start waits for the key; it is to stay
// under 100 ms.
func BenchmarkNewSealer(b *testing.B) {
	for b.Loop() {
		if _, err := NewSealer("key", make([]byte, minSalt)); err != nil {
			b.Fatal(err)
		}
	}
}
