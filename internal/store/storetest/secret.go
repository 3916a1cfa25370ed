package storetest

import (
	"errors"
	"fmt"
	"testing"

	"github.com/orderhook/orderhook/internal/oms"
	"github.com/orderhook/orderhook/internal/secret"
	"github.com/orderhook/orderhook/internal/settings"
	"github.com/orderhook/orderhook/internal/store"
)

// revealed is what opens of a secret: its text and where it may go; or why not.
func (s *suite) revealed(tenant string, v secret.Value) string {
	opened, err := s.Secrets().Reveal(ctx, tenant, v)
	switch {
	case err != nil:
		return err.Error()
	case opened.Retired > 0:
		return fmt.Sprint("retired by ", opened.Retired)
	}
	return fmt.Sprint(opened.Text, opened.Origins)
}

// testSecretsOfSettings has the secrets that a version lacks be retired, and in use
// again once an earlier version is restored.
func testSecretsOfSettings(t *testing.T, s *suite) {
	put := func(base int64, next *settings.Settings) *settings.Settings {
		s.write(func(tx store.Tx) error { return tx.PutSettings(ctx, acme, next, base, "", at(1)) })
		return ok[*settings.Settings](t)(s.Settings(ctx, acme))
	}
	one := put(0, someSettings("one"))
	token := one.Connectors[0].BearerToken
	const opens = "secret of one[https://example.com:443]"
	same(t, s.revealed(acme, token), opens)
	same(t, s.revealed(other, token), secret.ErrGone.Error())
	same(t, s.revealed(acme, secret.Stored(token.ID(), "settings/connectors/name/two/bearerToken")), secret.ErrMoved.Error())
	same(t, []bool{s.SecretIs(ctx, acme, token, "secret of one"), s.SecretIs(ctx, acme, token, "secret of"), s.SecretIs(ctx, other, token, "secret of one")}, []bool{true, false, false})

	kept := put(1, ok[*settings.Settings](t)(parsed(one.Document())))
	same(t, kept.Connectors[0].BearerToken, token)
	changes := s.Secrets().Changes()
	put(2, someSettings("two"))
	same(t, s.revealed(acme, token), "retired by 3")
	if s.Secrets().Changes() == changes {
		t.Error("what was opened is not forgotten")
	}
	undo := errors.New("undo")
	if err := s.Write(ctx, func(tx store.Tx) error {
		return errors.Join(tx.PutSettings(ctx, acme, one, 3, "", at(1)), undo)
	}); !errors.Is(err, undo) {
		t.Fatal(err)
	}
	same(t, s.revealed(acme, token), "retired by 3")
	changes = s.Secrets().Changes()
	put(3, ok[*settings.Settings](t)(parsed(one.Document())))
	same(t, s.revealed(acme, token), opens)
	if s.Secrets().Changes() == changes {
		t.Error("that it was retired is not forgotten")
	}
	s.write(func(tx store.Tx) error { return tx.PutSettings(ctx, other, someSettings("theirs"), 0, "", at(1)) })
	same(t, s.revealed(acme, token), opens)
}

func parsed(doc *oms.Object) (*settings.Settings, error) {
	s, _, err := settings.Parse(doc)
	return s, err
}

// testSecretsOfEndpoints has those that an endpoint lacks from then on, and those of
// a deleted one, be gone.
func testSecretsOfEndpoints(t *testing.T, s *suite) {
	e := s.put(&oms.Endpoint{ID: "ep1", URL: "http://h/x", Headers: []oms.Header{{Name: "X-A", Value: secret.New("a")}, {Name: "X-B", Value: secret.New("b")}},
		TLS: &oms.EndpointTLS{Key: secret.New("key")}, Secrets: []oms.Secret{{Value: secret.New("whsec_1")}, {Value: secret.New("whsec_2"), Until: at(5)}}, SigningKey: secret.New("whsk_1")})
	open := func(e *oms.Endpoint) (out []string) {
		e.WithSecrets(func(_ string, _ []string, v secret.Value) secret.Value {
			out = append(out, s.revealed(acme, v))
			return v
		})
		return out
	}
	const gone = "it was removed"
	same(t, open(e), []string{"a[http://h:80]", "b[http://h:80]", "key[http://h:80]", "whsec_1[*]", "whsec_2[*]", "whsk_1[*]"})
	same(t, s.revealed(other, e.SigningKey), gone)
	same(t, s.revealed(acme, e.SigningKey.At("endpoints/ep2/signingKey")), secret.ErrMoved.Error())

	changes, next := s.Secrets().Changes(), *e
	next.Headers, next.Secrets = e.Headers[1:], []oms.Secret{{Value: secret.New("whsec_3")}, e.Secrets[0]}
	changed := s.put(&next)
	same(t, open(changed), []string{"b[http://h:80]", "key[http://h:80]", "whsec_3[*]", "whsec_1[*]", "whsk_1[*]"})
	same(t, open(e), []string{gone, "b[http://h:80]", "key[http://h:80]", "whsec_1[*]", gone, "whsk_1[*]"})
	if s.Secrets().Changes() == changes {
		t.Error("what was opened is not forgotten")
	}
	s.write(func(tx store.Tx) error { return tx.DeleteEndpoint(ctx, acme, "ep1") })
	same(t, open(changed), []string{gone, gone, gone, gone, gone})
}
