package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/orderhook/orderhook/internal/event"
	"github.com/orderhook/orderhook/internal/secret"
	"github.com/orderhook/orderhook/internal/store/core"
)

// unbound makes a database that the orderhook before migration 00020 has left, with
// the key beside it.
func unbound(t *testing.T) string {
	t.Helper()
	path := tempPath(t)
	migrateTo(t, path, 15)
	rows, err := os.ReadFile("testdata/unbound.sql")
	must(t, err)
	runSQL(t, path, string(rows))
	must(t, os.WriteFile(path+".key", []byte("ohe_E76HXrZktMNnNY4ON9esXD_jlFhGG4sJoid-KQ65D9I\n"), 0o600))
	return path
}

// opens is what opens of a secret, where it may go, and whether it is retired.
func opens(t *testing.T, db *DB, tenant string, v secret.Value) string {
	t.Helper()
	o, err := db.Secrets().Reveal(ctx, tenant, v)
	if err != nil {
		return err.Error()
	}
	return fmt.Sprintf("%.30q %v %d", o.Text, o.Origins, o.Retired)
}

// TestSecretsOfAnEarlierVersionAreBound: what an orderhook stored that bound them to
// nothing opens after an update, for the places and origins that it has; and an
// export finds the headers of its step.
func TestSecretsOfAnEarlierVersionAreBound(t *testing.T) {
	path := unbound(t)
	db := openAt(t, path, Options{})
	one, err := db.SettingsVersion(ctx, "default", 1)
	must(t, err)
	two, err := db.Settings(ctx, "default")
	must(t, err)
	api, err := db.Endpoint(ctx, "default", "ep_01a2237db9bb73558d0aaa2861b45b12")
	must(t, err)
	steps, before := two.OrderTypes[0].Statuses, one.OrderTypes[0].Statuses
	for _, c := range []struct {
		v    secret.Value
		want string
	}{
		{two.Connectors[0].BearerToken, `"erp-token-new" [http://127.0.0.1:1] 0`},
		{two.Connectors[0].CustomHeaders[0].Value, `"shop-secret" [http://127.0.0.1:1] 0`},
		{two.Connectors[1].Password, `"pass-word" [https://hook.example:443] 0`},
		{two.Connectors[1].SigningSecret, `"any text" [https://hook.example:443] 0`},
		{steps[0].Steps[0].RequestHeaders[0].Value, `"company-secret" [http://127.0.0.1:1] 0`},
		{one.Connectors[0].BearerToken, `"erp-token-old" [http://127.0.0.1:1] 2`},
		{before[1].Steps[0].RequestHeaders[0].Value, `"gone-secret" [https://hook.example:443] 2`},
		{api.Headers[0].Value, `"header-secret" [http://127.0.0.1:1] 0`},
		{api.TLS.Key, `"-----BEGIN PRIVATE KEY-----\nMI" [http://127.0.0.1:1] 0`},
		{api.Secrets[0].Value, `"whsec_bmV3IHNlY3JldCBuZXcgc2Vj" [*] 0`},
		{api.Secrets[1].Value, `"whsec_c2VjcmV0IHNlY3JldCBzZWNy" [*] 0`},
	} {
		if got := opens(t, db, "default", c.v); got != c.want {
			t.Errorf("%s opens as %s, want %s", c.v.Place(), got, c.want)
		}
		if got := opens(t, db, "other", c.v); got != secret.ErrGone.Error() {
			t.Errorf("%s is another tenant's, too: %s", c.v.Place(), got)
		}
	}
	if got := opens(t, db, "default", api.SigningKey); !strings.HasPrefix(got, `"whsk_`) {
		t.Errorf("the signing key opens as %s", got)
	}
	if one.Connectors[1].Password != two.Connectors[1].Password {
		t.Error("a secret that stayed the same is two")
	}
	if api.URL != "http://127.0.0.1:1/in?token=query-secret" || api.Secrets[1].Until.IsZero() || !strings.Contains(api.TLS.Certificate, "BEGIN CERTIFICATE") {
		t.Errorf("%+v", api)
	}
	export, err := db.Endpoint(ctx, "default", "ep_export_d40ecc202c520e170f60dae1c9f8f63e")
	must(t, err)
	if want := (event.StepRef{OrderType: "Online", Status: "New"}); export.Headers != nil || export.Step == nil || *export.Step != want || two.ExportStep(*export.Step) == nil {
		t.Errorf("the export's step is %+v", export.Step)
	}
	if tomb, err := db.EndpointByNo(ctx, "default", 2); err != nil || tomb.URL != "http://127.0.0.1:1/deleted" || tomb.Disabled != "" {
		t.Errorf("the deleted endpoint: %+v, %v", tomb, err)
	}
	if got := rowsOf(t, db, `SELECT count(*) FROM settings WHERE doc LIKE '%sealed:%' UNION ALL SELECT count(*) FROM endpoints WHERE doc LIKE 'sealed:v1:%'
		UNION ALL SELECT count(*) FROM secrets`); !slices.Equal(got, []string{"0", "0", "12"}) {
		t.Errorf("unbound, and rows of secrets: %v", got)
	}
	// A value that was replaced can be restored from the earlier version; a step that was
	// removed since has no secret any more.
	must(t, db.DestroySecrets(ctx, func(context.Context) error { return nil }))
	if got := opens(t, db, "default", one.Connectors[0].BearerToken); got != `"erp-token-old" [http://127.0.0.1:1] 2` {
		t.Errorf("what was replaced opens as %s", got)
	}
	if got := opens(t, db, "default", before[1].Steps[0].RequestHeaders[0].Value); got != secret.ErrGone.Error() {
		t.Errorf("what was removed opens as %s", got)
	}
	// Another start has nothing to do.
	const all = `SELECT tenant || id || place || origins || sealed || retired FROM secrets UNION ALL SELECT doc FROM settings UNION ALL SELECT doc FROM endpoints`
	stored := rowsOf(t, db, all)
	must(t, db.Close())
	if diff := cmp.Diff(stored, rowsOf(t, openAt(t, path, Options{}), all)); diff != "" {
		t.Error(diff)
	}
}

// TestBindingSecretsIsWholeOrNot: a start that fails in the midst of it leaves all
// as it was, and the next one begins again.
func TestBindingSecretsIsWholeOrNot(t *testing.T) {
	path := unbound(t)
	const stored = `SELECT doc FROM settings UNION ALL SELECT doc FROM endpoints`
	runSQL(t, path, `CREATE TRIGGER full BEFORE UPDATE ON endpoints WHEN new.no = 3 BEGIN SELECT RAISE(ABORT, 'the disk is full'); END`)
	before := rowsAt(t, path, stored)
	if _, err := Open(ctx, path, Options{}); err == nil || !strings.Contains(err.Error(), "cannot be sealed anew") || strings.Contains(err.Error(), "secret-") {
		t.Fatalf("%v", err)
	}
	if diff := cmp.Diff(before, rowsAt(t, path, stored)); diff != "" || len(rowsAt(t, path, `SELECT id FROM secrets`)) > 0 {
		t.Errorf("something was left: %s", diff)
	}
	runSQL(t, path, `DROP TRIGGER full`)
	s, err := openAt(t, path, Options{}).Settings(ctx, "default")
	if err != nil || reflect.DeepEqual(before, rowsAt(t, path, stored)) || s.Connectors[0].BearerToken.ID() == "" {
		t.Errorf("the next start: %v", err)
	}
}

// TestBindingGoesOnWhereItStopped: of settings of many megabytes a part is sealed anew
// before the rest, and what was is not once more.
func TestBindingGoesOnWhereItStopped(t *testing.T) {
	path := unbound(t)
	runSQL(t, path, `
		WITH RECURSIVE n(i) AS (SELECT 3 UNION ALL SELECT i + 1 FROM n WHERE i < 14)
		INSERT INTO settings (tenant, version, at, by, doc) SELECT tenant, i, at, by, replace(doc, '{"connectors"', '{"note":"' || printf('%.*c', 1000000, 'x') || '","connectors"') FROM settings, n WHERE version = 2;
		CREATE TRIGGER full BEFORE UPDATE ON endpoints WHEN new.no = 3 BEGIN SELECT RAISE(ABORT, 'the disk is full'); END`)
	if _, err := Open(ctx, path, Options{}); err == nil {
		t.Fatal("it was opened")
	}
	const bound = `SELECT version || doc FROM settings WHERE doc NOT LIKE '%sealed:v1:%'`
	half := rowsAt(t, path, bound)
	if len(half) == 0 || len(half) == 14 {
		t.Fatalf("%d versions are bound", len(half))
	}
	runSQL(t, path, `DROP TRIGGER full`)
	db := openAt(t, path, Options{})
	after := rowsOf(t, db, bound)
	if len(after) != 14 || !slices.Equal(after[:len(half)], half) {
		t.Errorf("%d versions are bound then, or some are not as they were", len(after))
	}
	s, err := db.Settings(ctx, "default")
	must(t, err)
	if got := opens(t, db, "default", s.Connectors[0].BearerToken); got != `"erp-token-new" [http://127.0.0.1:1] 0` {
		t.Errorf("it opens as %s", got)
	}
}

// TestWhatCouldNotBeReadBeforeStaysSo, and keeps nothing else from being bound.
func TestWhatCouldNotBeReadBeforeStaysSo(t *testing.T) {
	path := unbound(t)
	runSQL(t, path, `
		UPDATE settings SET doc = 'no JSON' WHERE version = 1;
		UPDATE settings SET doc = replace(doc, '"bearerToken":"sealed:v1:', '"bearerToken":"sealed:v1:x') WHERE version = 2;
		UPDATE endpoints SET doc = 'sealed:v1:AAAA' WHERE no = 1`)
	db := openAt(t, path, Options{})
	two, err := db.Settings(ctx, "default")
	must(t, err)
	if got := opens(t, db, "default", two.Connectors[0].BearerToken); got != secret.ErrGone.Error() {
		t.Errorf("a broken secret: %s", got)
	}
	if got := opens(t, db, "default", two.Connectors[1].Password); !strings.HasPrefix(got, `"pass-word"`) {
		t.Errorf("the one beside it: %s", got)
	}
	if e, err := db.Endpoint(ctx, "default", "ep_01a2237db9bb73558d0aaa2861b45b12"); err != nil || e.Enabled || !strings.Contains(e.Disabled, "cannot be opened") {
		t.Errorf("a broken endpoint: %+v, %v", e, err)
	}
	if _, err := db.SettingsVersion(ctx, "default", 1); err == nil {
		t.Error("what is no JSON is read")
	}
}

// An export whose step is gone has its headers no more.
func TestTheExportOfAStepThatIsGone(t *testing.T) {
	path := unbound(t)
	runSQL(t, path, `UPDATE settings SET doc = replace(doc, '"New"', '"Old"') WHERE version = 2`)
	db := openAt(t, path, Options{})
	e, err := db.Endpoint(ctx, "default", "ep_export_d40ecc202c520e170f60dae1c9f8f63e")
	must(t, err)
	s, err := db.Settings(ctx, "default")
	must(t, err)
	if e.Step == nil || s.ExportStep(*e.Step) != nil || e.Headers != nil {
		t.Errorf("%+v", e.Step)
	}
}

func TestTheKeyIsNeededToBind(t *testing.T) {
	path := unbound(t)
	if _, err := Open(ctx, path, Options{EncryptionKey: "another"}); !errors.Is(err, secret.ErrWrongKey) {
		t.Errorf("%v", err)
	}
	if n := rowsAt(t, path, `SELECT name FROM meta WHERE name = 'encryption.bound'`); len(n) > 0 {
		t.Error("it is said to be done")
	}
}

// rowsOf returns the first column of a query.
func rowsOf(t *testing.T, db *DB, text string) (out []string) {
	t.Helper()
	must(t, db.engine.Query(ctx, func(r core.Row) error {
		var s string
		err := r.Scan(&s)
		out = append(out, s)
		return err
	}, text))
	return out
}

// rowsAt is rowsOf for a database that nobody has open.
func rowsAt(t *testing.T, path, text string) (out []string) {
	t.Helper()
	db, err := sql.Open("sqlite", dsn(path))
	must(t, err)
	defer db.Close()
	rows, err := db.Query(text)
	must(t, err)
	must(t, core.EachRow(rows, func(r core.Row) error {
		var s string
		err := r.Scan(&s)
		out = append(out, s)
		return err
	}))
	return out
}
