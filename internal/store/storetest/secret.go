package storetest

import (
	"errors"
	"fmt"
	"strings"
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

// tokens returns settings with a connector of each name, as `erp=one`, whose token that is.
func tokens(all ...string) *settings.Settings {
	var connectors []string
	for _, one := range all {
		name, token, _ := strings.Cut(one, "=")
		connectors = append(connectors, fmt.Sprintf(`{"name":%q,"host":"https://%s.example","bearerToken":%q}`, name, name, token))
	}
	s, _, err := settings.Parse(object(`{"connectors":[` + strings.Join(connectors, ",") + `]}`))
	if err != nil {
		panic(err)
	}
	return s
}

// putSettings stores the next version of a tenant's settings.
func (s *suite) putSettings(tenant string, next *settings.Settings) *settings.Settings {
	s.t.Helper()
	base := ok[*settings.Settings](s.t)(s.Settings(ctx, tenant)).Version
	s.write(func(tx store.Tx) error { return tx.PutSettings(ctx, tenant, next, base, "", at(1)) })
	return ok[*settings.Settings](s.t)(s.Settings(ctx, tenant))
}

// again returns settings that are to be stored once more.
func again(t *testing.T, s *settings.Settings) *settings.Settings {
	t.Helper()
	return ok[*settings.Settings](t)(parsed(s.Document()))
}

// testSecretsOfSettings has the secrets that a version replaces be retired, and in use
// again once an earlier version is restored.
func testSecretsOfSettings(t *testing.T, s *suite) {
	one := s.putSettings(acme, tokens("erp=one"))
	token := one.Connectors[0].BearerToken
	const opens = "one[https://erp.example:443]"
	same(t, s.revealed(acme, token), opens)
	same(t, s.revealed(other, token), secret.ErrGone.Error())
	same(t, s.revealed(acme, secret.Stored(token.ID(), "settings/connectors/name/two/bearerToken")), secret.ErrMoved.Error())
	same(t, []bool{s.SecretIs(ctx, acme, token, "one"), s.SecretIs(ctx, acme, token, "on"), s.SecretIs(ctx, other, token, "one")}, []bool{true, false, false})

	kept := s.putSettings(acme, again(t, one))
	same(t, kept.Connectors[0].BearerToken, token)
	changes := s.Secrets().Changes()
	s.putSettings(acme, tokens("erp=two"))
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
	s.destroy()
	changes = s.Secrets().Changes()
	s.putSettings(acme, again(t, one))
	same(t, s.revealed(acme, token), opens)
	if s.Secrets().Changes() == changes {
		t.Error("that it was retired is not forgotten")
	}
	s.putSettings(other, tokens("erp=theirs"))
	same(t, s.revealed(acme, token), opens)
}

// destroy destroys what is to be destroyed now.
func (s *suite) destroy() {
	s.t.Helper()
	if err := s.DestroySecrets(ctx, noRest); err != nil {
		s.t.Error(err)
	}
}

// testSecretsDestroyed removes connectors, and their secrets with them: all that they
// ever had, and nothing of another connector or another tenant.
func testSecretsDestroyed(t *testing.T, s *suite) {
	first := s.putSettings(acme, tokens("erp=one", "shop=shop"))
	theirs := s.putSettings(other, tokens("erp=theirs"))
	second := s.putSettings(acme, tokens("erp=two", "shop=again"))
	same(t, s.revealed(acme, first.Connectors[0].BearerToken), "retired by 2")

	changes := s.Secrets().Changes()
	third := s.putSettings(acme, tokens("shop=new"))
	gone := secret.ErrGone.Error()
	for _, v := range []secret.Value{first.Connectors[0].BearerToken, second.Connectors[0].BearerToken} {
		same(t, s.revealed(acme, v), gone)
	}
	if s.Secrets().Changes() == changes {
		t.Error("what was opened is not forgotten")
	}
	same(t, s.revealed(acme, first.Connectors[1].BearerToken), "retired by 2")
	same(t, s.revealed(acme, third.Connectors[0].BearerToken), "new[https://shop.example:443]")
	same(t, s.revealed(other, theirs.Connectors[0].BearerToken), "theirs[https://erp.example:443]")
	s.destroy()
	same(t, s.revealed(acme, first.Connectors[1].BearerToken), "retired by 2")
	same(t, ok[[]string](t)(s.DestroyedSecrets(ctx, acme, first)), []string{first.Connectors[0].BearerToken.ID()})
	same(t, ok[[]string](t)(s.DestroyedSecrets(ctx, acme, third)), []string(nil))
	same(t, ok[[]string](t)(s.DestroyedSecrets(ctx, other, third)), third.SecretIDs())
}

// testNeededSecrets has secrets that are removed while runs that began with them are
// under way: they are there until the last of those has ended, and open for them alone.
func testNeededSecrets(t *testing.T, s *suite) {
	runOf := func(id string, began, resumed int64) *oms.Run {
		r := run(id, "o-"+id, 1)
		r.SettingsVersion, r.Since = began, resumed
		return r
	}
	insert := func(tenant string, all ...*oms.Run) {
		s.write(func(tx store.Tx) error {
			for _, r := range all {
				if err := tx.InsertRun(ctx, tenant, r); err != nil {
					return err
				}
			}
			return nil
		})
	}
	end := func(tenant string, r *oms.Run) {
		s.write(func(tx store.Tx) error { return updateRun(tx, tenant, ended(r, oms.RunAborted)) })
	}
	old := runOf("old", 0, 0) // from before there were settings
	insert(acme, old)
	one := s.putSettings(acme, tokens("erp=one"))
	first := runOf("first", 1, 0)
	insert(acme, first, ended(runOf("over", 1, 0), oms.RunSucceeded))
	two := s.putSettings(acme, tokens("erp=two", "shop=shop"))
	second, theirs := runOf("second", 1, 2), runOf("theirs", 2, 0)
	insert(acme, second)
	insert(other, theirs)
	s.putSettings(acme, tokens())
	want := func(first, second, third string) {
		t.Helper()
		s.destroy()
		same(t, []string{s.revealed(acme, one.Connectors[0].BearerToken), s.revealed(acme, two.Connectors[0].BearerToken), s.revealed(acme, two.Connectors[1].BearerToken)},
			[]string{first, second, third})
	}
	gone := secret.ErrGone.Error()
	want("retired by 2", "retired by 3", "retired by 3")
	if err := s.Write(ctx, func(tx store.Tx) error { return tx.InsertRun(ctx, acme, runOf("late", 2, 0)) }); err == nil {
		t.Error("a run begins with settings that were replaced")
	}
	s.write(func(tx store.Tx) error { return errors.Join(updateRun(tx, acme, first), updateRun(tx, acme, second)) }) // they go on
	want("retired by 2", "retired by 3", "retired by 3")
	end(acme, first)
	changes := s.Secrets().Changes()
	want(gone, "retired by 3", "retired by 3")
	if s.Secrets().Changes() == changes {
		t.Error("what was opened is not forgotten")
	}
	resumed := *second
	resumed.Since = 3 // it was resumed after the removal
	s.write(func(tx store.Tx) error { return updateRun(tx, acme, &resumed) })
	want(gone, gone, gone)
}

// testRestoredSecrets has a place removed while a run needs its secret, and given
// again: what is in use once more is not destroyed.
func testRestoredSecrets(t *testing.T, s *suite) {
	one := s.putSettings(acme, tokens("erp=one", "shop=shop"))
	r := run("r", "o", 1)
	r.SettingsVersion, r.Since = 1, 0
	s.write(func(tx store.Tx) error { return tx.InsertRun(ctx, acme, r) })
	s.putSettings(acme, tokens())
	s.destroy()
	doc := one.Document()
	doc.Set("connectors", doc.List("connectors")[:1])
	s.putSettings(acme, ok[*settings.Settings](t)(parsed(doc)))
	s.destroy()
	s.write(func(tx store.Tx) error { return updateRun(tx, acme, ended(r, oms.RunSucceeded)) })
	s.destroy()
	same(t, s.revealed(acme, one.Connectors[0].BearerToken), "one[https://erp.example:443]")
	same(t, s.revealed(acme, one.Connectors[1].BearerToken), secret.ErrGone.Error())
	s.putSettings(acme, tokens("erp=two"))
	s.destroy()
	same(t, s.revealed(acme, one.Connectors[0].BearerToken), "retired by 4") // replaced, and not removed

	// Who was about to restore what was destroyed meanwhile finds out.
	tries := 0
	s.write(func(tx store.Tx) error {
		tries++
		destroyed, err := tx.DestroyedSecrets(ctx, acme, one)
		if err == nil && tries == 1 {
			same(t, len(destroyed), 1)
			err = s.beside(func(tx store.Tx) error { return tx.PutSettings(ctx, acme, tokens(), 4, "", at(1)) })
		}
		if tries == 2 {
			same(t, len(destroyed), 2)
		}
		return errors.Join(err, tx.InsertOrder(ctx, acme, order(fmt.Sprint("o", tries), 1, `{}`)))
	})
	same(t, tries, 2)
}

// testReplacedSecrets has a place removed, and while a run needs what was there then, given
// again and replaced: that is not of what was removed.
func testReplacedSecrets(t *testing.T, s *suite) {
	one := s.putSettings(acme, tokens("erp=one"))
	r := run("r", "o", 1)
	r.SettingsVersion, r.Since = 1, 0
	s.write(func(tx store.Tx) error { return tx.InsertRun(ctx, acme, r) })
	s.putSettings(acme, tokens())
	again := s.putSettings(acme, tokens("erp=again"))
	s.putSettings(acme, tokens("erp=new"))
	for _, want := range []string{"retired by 2", secret.ErrGone.Error()} {
		s.destroy()
		same(t, []string{s.revealed(acme, one.Connectors[0].BearerToken), s.revealed(acme, again.Connectors[0].BearerToken)}, []string{want, "retired by 4"})
		s.write(func(tx store.Tx) error { return updateRun(tx, acme, ended(r, oms.RunSucceeded)) })
	}
}

// testManySecretsDestroyed removes more than are destroyed at once, and more than are
// asked for at once, of one place and of many.
func testManySecretsDestroyed(t *testing.T, s *suite) {
	const places, values = 250, 6
	var last *settings.Settings
	for value := range values {
		all := []string{fmt.Sprint("kept=", value)}
		for place := range places {
			all = append(all, fmt.Sprintf("c%d=%d", place, value))
		}
		last = s.putSettings(acme, tokens(all...))
	}
	s.putSettings(acme, tokens("kept=new"))
	for version := int64(1); version <= values; version++ {
		was := ok[*settings.Settings](t)(s.SettingsVersion(ctx, acme, version))
		if n := len(ok[[]string](t)(s.DestroyedSecrets(ctx, acme, was))); n > places {
			t.Errorf("of version %d %d are destroyed", version, n)
		}
	}
	s.destroy()
	for version := int64(1); version <= values; version++ {
		was := ok[*settings.Settings](t)(s.SettingsVersion(ctx, acme, version))
		same(t, len(ok[[]string](t)(s.DestroyedSecrets(ctx, acme, was))), places)
	}
	same(t, s.revealed(acme, last.Connectors[0].BearerToken), "retired by 7")
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
