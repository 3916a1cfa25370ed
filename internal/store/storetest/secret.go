package storetest

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/orderhook/orderhook/internal/event"
	"github.com/orderhook/orderhook/internal/jsondoc"
	"github.com/orderhook/orderhook/internal/run"
	"github.com/orderhook/orderhook/internal/secret"
	"github.com/orderhook/orderhook/internal/settings"
	"github.com/orderhook/orderhook/internal/store"
)

// revealed returns what opening a secret gives: its text and the hosts that it may be
// sent to, or else why it does not open. So a test can compare all of that in one line.
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

// tokens returns settings with a connector for each argument. An argument as `erp=one`
// names the connector and its token.
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

// putSettings stores the next version of a tenant's settings, and returns it as it is
// read back: with references in place of the secrets.
func (s *suite) putSettings(tenant string, next *settings.Settings) *settings.Settings {
	s.t.Helper()
	base := ok[*settings.Settings](s.t)(s.Settings(ctx, tenant)).Version
	s.write(func(tx store.Tx) error { return tx.PutSettings(ctx, tenant, next, base, "", at(1)) })
	return ok[*settings.Settings](s.t)(s.Settings(ctx, tenant))
}

// again returns settings that are to be stored once more, made from the document of those
// that were stored. The document has references, as it has when somebody saves the
// settings without changing the secrets.
func again(t *testing.T, s *settings.Settings) *settings.Settings {
	t.Helper()
	return ok[*settings.Settings](t)(parsed(s.Document()))
}

// testSecretsOfSettings proves what becomes of the secrets of settings: each opens for
// its tenant and at its own place only. A secret that a later version replaces is
// retired, and is in use again if an earlier version is restored. A write that is undone
// changes none of that. Who has opened a secret is told when it has to be forgotten.
func testSecretsOfSettings(t *testing.T, s *suite) {
	one := s.putSettings(acme, tokens("erp=one"))
	token := one.Connectors[0].BearerToken
	const opens = "one[https://erp.example:443]"
	same(t, s.revealed(acme, token), opens)
	same(t, s.revealed(other, token), secret.ErrGone.Error())
	// A reference that is copied to another place of the settings does not open there, or
	// the token could be sent to another host.
	same(t, s.revealed(acme, secret.Stored(token.ID(), "settings/connectors/name/two/bearerToken")), secret.ErrMoved.Error())
	same(t, []bool{s.SecretIs(ctx, acme, token, "one"), s.SecretIs(ctx, acme, token, "on"), s.SecretIs(ctx, other, token, "one")}, []bool{true, false, false})

	// To store the same again is to refer to the same secret.
	stored := s.putSettings(acme, again(t, one))
	same(t, stored.Connectors[0].BearerToken, token)
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
	// A secret that was only replaced is not destroyed: an earlier version may be
	// restored.
	s.destroy()
	changes = s.Secrets().Changes()
	s.putSettings(acme, again(t, one))
	same(t, s.revealed(acme, token), opens)
	if s.Secrets().Changes() == changes {
		t.Error("that it was retired is not forgotten")
	}
	// The same place of another tenant is another place.
	s.putSettings(other, tokens("erp=theirs"))
	same(t, s.revealed(acme, token), opens)
}

// destroy destroys all secrets that may be destroyed by now, as the maintenance does it.
func (s *suite) destroy() {
	s.t.Helper()
	if err := s.DestroySecrets(ctx, noYield); err != nil {
		s.t.Error(err)
	}
}

// testSecretsDestroyed proves that with a connector all secrets that it ever had are
// destroyed, at once if no run needs them, and none of another connector or tenant.
// Secrets that somebody removed must not be kept anywhere.
func testSecretsDestroyed(t *testing.T, s *suite) {
	first := s.putSettings(acme, tokens("erp=one", "shop=shop"))
	theirs := s.putSettings(other, tokens("erp=theirs"))
	second := s.putSettings(acme, tokens("erp=two", "shop=again"))
	same(t, s.revealed(acme, first.Connectors[0].BearerToken), "retired by 2")

	// The connector erp is removed, and shop gets a new token.
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

// testNeededSecrets proves that a secret which was removed stays as long as a run is
// under way that began, or was resumed last, while the settings had it. It is open for
// those runs alone, as a retired one, and is gone when the last of them has ended. A new
// run cannot begin with settings that were replaced.
func testNeededSecrets(t *testing.T, s *suite) {
	runOf := func(id string, began, resumed int64) *run.Run {
		r := newRun(id, "o-"+id, 1)
		r.SettingsVersion, r.Since = began, resumed
		return r
	}
	insert := func(tenant string, all ...*run.Run) {
		s.write(func(tx store.Tx) error {
			for _, r := range all {
				if err := tx.InsertRun(ctx, tenant, r); err != nil {
					return err
				}
			}
			return nil
		})
	}
	end := func(tenant string, r *run.Run) {
		s.write(func(tx store.Tx) error { return updateRun(tx, tenant, ended(r, run.RunAborted)) })
	}
	// A run without settings needs no secret, so it must not keep any.
	old := runOf("old", 0, 0) // from before there were settings
	insert(acme, old)
	one := s.putSettings(acme, tokens("erp=one"))
	first := runOf("first", 1, 0)
	insert(acme, first, ended(runOf("over", 1, 0), run.RunSucceeded))
	// A run that has ended needs none either, and one of another tenant none of these.
	two := s.putSettings(acme, tokens("erp=two", "shop=shop"))
	second, theirs := runOf("second", 1, 2), runOf("theirs", 2, 0)
	insert(acme, second)
	insert(other, theirs)
	s.putSettings(acme, tokens())
	// want compares what the three tokens give: the first of erp, the second of erp, and
	// that of shop.
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
	// A run that was resumed after the removal may use only what the settings had then,
	// so it needs none of these.
	resumed := *second
	resumed.Since = 3 // it was resumed after the removal
	s.write(func(tx store.Tx) error { return updateRun(tx, acme, &resumed) })
	want(gone, gone, gone)
}

// testRestoredSecrets proves that a secret which is in use again is not destroyed,
// although its place was removed for some time and a run kept it alive until then.
// Whoever is about to restore settings whose secrets are destroyed at that moment is told
// so before the commit.
func testRestoredSecrets(t *testing.T, s *suite) {
	one := s.putSettings(acme, tokens("erp=one", "shop=shop"))
	r := newRun("r", "o", 1)
	r.SettingsVersion, r.Since = 1, 0
	s.write(func(tx store.Tx) error { return tx.InsertRun(ctx, acme, r) })
	s.putSettings(acme, tokens())
	s.destroy()
	// Only the first of the two connectors is restored.
	doc := one.Document()
	doc.Set("connectors", doc.List("connectors")[:1])
	s.putSettings(acme, ok[*settings.Settings](t)(parsed(doc)))
	s.destroy()
	s.write(func(tx store.Tx) error { return updateRun(tx, acme, ended(r, run.RunSucceeded)) })
	s.destroy()
	same(t, s.revealed(acme, one.Connectors[0].BearerToken), "one[https://erp.example:443]")
	same(t, s.revealed(acme, one.Connectors[1].BearerToken), secret.ErrGone.Error())
	s.putSettings(acme, tokens("erp=two"))
	s.destroy()
	same(t, s.revealed(acme, one.Connectors[0].BearerToken), "retired by 4") // replaced, and not removed

	// Between the question and the commit, another process removes the place. The write
	// is decided again, and the second answer has that secret, too.
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
		return errors.Join(err, tx.InsertOrder(ctx, acme, newOrder(fmt.Sprint("o", tries), 1, `{}`)))
	})
	same(t, tries, 2)
}

// testReplacedSecrets proves that a place which was removed and then given again begins
// anew: what is replaced there later is retired and not destroyed, although a run still
// needs what was there before the removal.
func testReplacedSecrets(t *testing.T, s *suite) {
	one := s.putSettings(acme, tokens("erp=one"))
	r := newRun("r", "o", 1)
	r.SettingsVersion, r.Since = 1, 0
	s.write(func(tx store.Tx) error { return tx.InsertRun(ctx, acme, r) })
	s.putSettings(acme, tokens())
	again := s.putSettings(acme, tokens("erp=again"))
	s.putSettings(acme, tokens("erp=new"))
	for _, want := range []string{"retired by 2", secret.ErrGone.Error()} {
		s.destroy()
		same(t, []string{s.revealed(acme, one.Connectors[0].BearerToken), s.revealed(acme, again.Connectors[0].BearerToken)}, []string{want, "retired by 4"})
		s.write(func(tx store.Tx) error { return updateRun(tx, acme, ended(r, run.RunSucceeded)) })
	}
}

// testManySecretsDestroyed proves that any number of secrets is destroyed, of many places
// and many of each, more than an engine destroys or asks for in one step. The secrets of
// a place that is still there are all left.
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
	// Some may be destroyed by now, and none of those that are still in use.
	for version := int64(1); version <= values; version++ {
		was := ok[*settings.Settings](t)(s.SettingsVersion(ctx, acme, version))
		if n := len(ok[[]string](t)(s.DestroyedSecrets(ctx, acme, was))); n > places {
			t.Errorf("of version %d %d are destroyed", version, n)
		}
	}
	// Then all of the removed places are, and only those.
	s.destroy()
	for version := int64(1); version <= values; version++ {
		was := ok[*settings.Settings](t)(s.SettingsVersion(ctx, acme, version))
		same(t, len(ok[[]string](t)(s.DestroyedSecrets(ctx, acme, was))), places)
	}
	same(t, s.revealed(acme, last.Connectors[0].BearerToken), "retired by 7")
}

// parsed reads settings from a document.
func parsed(doc *jsondoc.Object) (*settings.Settings, error) {
	s, _, err := settings.Parse(doc)
	return s, err
}

// testSecretsOfEndpoints proves that a secret of an endpoint opens for its tenant and at
// its place only, that one which the endpoint does not have any more is gone at once, and
// that all are gone with the endpoint. Secrets of requests open for the host of the
// endpoint alone; those that sign are sent to nobody, so they are bound to none.
func testSecretsOfEndpoints(t *testing.T, s *suite) {
	e := s.put(&event.Endpoint{ID: "ep1", URL: "http://h/x", Headers: []event.Header{{Name: "X-A", Value: secret.New("a")}, {Name: "X-B", Value: secret.New("b")}},
		TLS: &event.EndpointTLS{Key: secret.New("key")}, Secrets: []event.Secret{{Value: secret.New("whsec_1")}, {Value: secret.New("whsec_2"), Until: at(5)}}, SigningKey: secret.New("whsk_1")})
	open := func(e *event.Endpoint) (out []string) {
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

	// One header and one of the signing secrets are left out, and a new signing secret
	// comes first.
	changes, next := s.Secrets().Changes(), *e
	next.Headers, next.Secrets = e.Headers[1:], []event.Secret{{Value: secret.New("whsec_3")}, e.Secrets[0]}
	changed := s.put(&next)
	same(t, open(changed), []string{"b[http://h:80]", "key[http://h:80]", "whsec_3[*]", "whsec_1[*]", "whsk_1[*]"})
	// By the references of before, what stayed still opens.
	same(t, open(e), []string{gone, "b[http://h:80]", "key[http://h:80]", "whsec_1[*]", gone, "whsk_1[*]"})
	if s.Secrets().Changes() == changes {
		t.Error("what was opened is not forgotten")
	}
	s.write(func(tx store.Tx) error { return tx.DeleteEndpoint(ctx, acme, "ep1") })
	same(t, open(changed), []string{gone, gone, gone, gone, gone})
}
