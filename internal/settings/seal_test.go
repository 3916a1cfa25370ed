package settings

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

func TestSealOpens(t *testing.T) {
	s := testSealer(t)
	for _, plain := range []string{"", "a", "whsec_c2VjcmV0", "sealed:v1:not", "ключ\x00\n", strings.Repeat("x", 100_000)} {
		sealed := s.Seal(plain)
		if !strings.HasPrefix(sealed, "sealed:v1:") || len(plain) > 1 && strings.Contains(sealed, plain) {
			t.Errorf("sealed %.20q is %.60q", plain, sealed)
		}
		if got, err := s.Open(sealed); err != nil || got != plain {
			t.Errorf("Open gives %.20q, %v, want %.20q", got, err, plain)
		}
		if s.Seal(plain) == sealed {
			t.Errorf("%.20q looks the same twice", plain)
		}
	}
}

func TestOpenRefuses(t *testing.T) {
	s := testSealer(t)
	sealed := s.Seal("secret")
	otherKey, _ := NewSealer("the operator's Key", make([]byte, minSalt))
	otherSalt, _ := NewSealer("the operator's key", []byte("0123456789abcdef"))
	tampered := []byte(sealed)
	if at := &tampered[len(sealedPrefix)+3]; *at == 'A' { // another letter of base64
		*at = 'B'
	} else {
		*at = 'A'
	}
	for name, c := range map[string]struct {
		sealer *Sealer
		text   string
		wrong  bool
	}{
		"another key":      {otherKey, sealed, true},
		"another salt":     {otherSalt, sealed, true},
		"changed":          {s, string(tampered), true},
		"cut":              {s, sealed[:len(sealed)-8], true},
		"nothing in it":    {s, sealedPrefix, true},
		"no prefix":        {s, strings.TrimPrefix(sealed, sealedPrefix), false},
		"a later version":  {s, strings.Replace(sealed, "v1", "v2", 1), false},
		"no base64":        {s, sealedPrefix + "?", false},
		"nothing":          {s, "", false},
		"plain text there": {s, "secret", false},
	} {
		plain, err := c.sealer.Open(c.text)
		if err == nil || plain != "" || errors.Is(err, ErrWrongKey) != c.wrong || strings.Contains(err.Error(), "secret\"") {
			t.Errorf("%s: %q, %v", name, plain, err)
		}
	}
}

func TestSameKeyAndSaltOpenAfterRestart(t *testing.T) {
	again, err := NewSealer("the operator's key", make([]byte, minSalt))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := again.Open(testSealer(t).Seal("secret")); err != nil || got != "secret" {
		t.Errorf("Open gives %q, %v", got, err)
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
	if got, err := again.Open(one.Seal("secret")); got != "secret" || err != nil {
		t.Errorf("the same key opens %q, %v", got, err)
	}
	if _, err := other.Open(one.Seal("secret")); !errors.Is(err, ErrWrongKey) {
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
