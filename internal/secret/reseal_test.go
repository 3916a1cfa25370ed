package secret

import (
	"errors"
	"strings"
	"testing"
)

func otherSealer(t *testing.T) *Sealer {
	t.Helper()
	s, err := NewSealer(generatedPrefix+strings.Repeat("A", 43), make([]byte, minSalt))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestAResealedSecretOpensWithTheOtherKeyAlone(t *testing.T) {
	from, to := testSealer(t), otherSealer(t)
	one := from.Seal("acme", "endpoints/1/key", []string{"https://a.example"}, New("s3cret"))
	text, err := from.Reseal(to, "acme", one)
	if err != nil || strings.Contains(text, "s3cret") {
		t.Fatalf("%q, %v", text, err)
	}
	if _, err := from.open(sealedPrefix, one.boundTo("acme", one.Place), text); !errors.Is(err, ErrWrongKey) {
		t.Errorf("it opens with the key of before: %v", err)
	}
	if plain, err := to.open(sealedPrefix, one.boundTo("acme", one.Place), text); err != nil || plain != "s3cret" {
		t.Errorf("with the other key it is %q, %v", plain, err)
	}
	if _, err := to.open(sealedPrefix, one.boundTo("other", one.Place), text); !errors.Is(err, ErrWrongKey) {
		t.Errorf("it opens for another tenant: %v", err)
	}
	for name, wrong := range map[string]func() (string, error){
		"the key":    func() (string, error) { return to.Reseal(from, "acme", one) },
		"the tenant": func() (string, error) { return from.Reseal(to, "other", one) },
		"document":   func() (string, error) { return from.ResealDocument(to, "acme", "endpoints/1/key", one.Text) },
	} {
		if text, err := wrong(); !errors.Is(err, ErrMoved) || text != "" {
			t.Errorf("%s is wrong, and it is resealed: %q, %v", name, text, err)
		}
	}
}

func TestAResealedDocument(t *testing.T) {
	from, to := testSealer(t), otherSealer(t)
	text, err := from.ResealDocument(to, "acme", "endpoints/1", from.SealDocument("acme", "endpoints/1", "{}"))
	if err != nil {
		t.Fatal(err)
	}
	if plain, err := to.OpenDocument("acme", "endpoints/1", text); err != nil || plain != "{}" {
		t.Errorf("it opens as %q, %v", plain, err)
	}
	if _, err := to.OpenDocument("acme", "endpoints/2", text); !errors.Is(err, ErrWrongKey) {
		t.Errorf("it opens in another place: %v", err)
	}
}

func TestADigestTellsOnlyWhetherSecretsAreTheSame(t *testing.T) {
	s, other, d := testSealer(t), otherSealer(t), NewDigest()
	digest := func(s *Sealer, d *Digest, tenant, plain string) string {
		one := s.Seal(tenant, "place", nil, New(plain))
		one.ID = "sec_1"
		one.Text = s.seal(sealedPrefix, one.boundTo(tenant, one.Place), plain)
		text, err := s.Reseal(d, tenant, one)
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	first := digest(s, d, "acme", "s3cret")
	if digest(other, d, "acme", "s3cret") != first {
		t.Error("the same secret, sealed with two keys, has two digests")
	}
	if strings.Contains(first, "s3cret") {
		t.Error("the digest holds the secret")
	}
	for name, other := range map[string]string{"text": digest(s, d, "acme", "s3cre7"), "tenant": digest(s, d, "other", "s3cret"), "key of the digest": digest(s, NewDigest(), "acme", "s3cret")} {
		if other == first {
			t.Errorf("another %s has the same digest", name)
		}
	}
}
