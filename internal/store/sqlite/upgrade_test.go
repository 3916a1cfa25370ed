package sqlite

import (
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/orderhook/orderhook/internal/event"
	"github.com/orderhook/orderhook/internal/job"
	"github.com/orderhook/orderhook/internal/run"
	"github.com/orderhook/orderhook/internal/store"
)

// openOld makes a database as an earlier orderhook has left it, with what the
// statements put into it.
func openOld(t *testing.T, schema int64, statements ...string) *DB {
	t.Helper()
	path := tempPath(t)
	migrateTo(t, path, schema)
	for _, text := range statements {
		runSQL(t, path, text)
	}
	return openAt(t, path, Options{})
}

// Settings that passed the checks of their day stay in force, whatever today's
// checks would say of them.
func TestOldSettingsStayReadable(t *testing.T) {
	db := openOld(t, 7, `INSERT INTO settings (tenant, version, at, by, doc) VALUES
		('acme', 1, 0, 'settings file', '{}'),
		('acme', 2, 0, 'settings file', '{"storeGroups":"ours","connectors":[{"name":"webhookValidator","host":"http://h","enabledForStores":["1"],
			"properties":[{"key":"IsRequestWrapperEnabled","value":"yes"}]}],
			"orderTypes":[{"name":"a","disableWorkflow":"no","orderStatuses":[{"name":" W ","workflowSteps":[{"name":"WebhookWorkflowStep","connector":"W",
			"enabledForRegions":["x"],"workflowStepConditions":["Sometimes"],"properties":[{"key":"ErrorStatus","value":" "}]}]},{"name":"W"}]}]}'),
		('acme', 3, 0, 'key key_1', '{}')`)
	s, err := db.SettingsVersion(ctx, acme, 2)
	must(t, err)
	step := s.OrderType("a").Status("w").Steps[0]
	if step.ErrorStatus != "" || len(step.Conditions) != 0 || s.OrderTypes[0].DisableWorkflow || s.Connectors[0].WrapsRequest {
		t.Errorf("%+v, %+v", step, s.Connectors)
	}
	version, err := db.SettingsFromFile(ctx, acme)
	if must(t, err); version != 2 {
		t.Errorf("version %d is that of the file", version)
	}
}

// What a run knew of its order's status was in its document.
func TestOldRunsKnowTheStatusThatTheyKnew(t *testing.T) {
	db := openOld(t, 15, `INSERT INTO runs (tenant, id, order_id, seq, status, ended, created, doc) VALUES
		('acme', 'one', 'o1', 1, 'waiting', 0, 1, '{"id":"one","orderId":"o1","status":"waiting","enteredStatus":"Picked","statusVersion":4,"results":[]}'),
		('acme', 'two', 'o1', 2, 'waiting', 0, 2, '{"id":"two","orderId":"o1","status":"waiting","enteredStatus":"New","statusVersion":4,"returnId":"R1","results":[]}'),
		('acme', 'three', 'o1', 3, 'waiting', 0, 3, '{"id":"three","orderId":"o1","status":"waiting","enteredStatus":"New","shipmentId":"","statusVersion":4,"results":[]}')`)
	knows := func(want map[string]int64) {
		t.Helper()
		for id, version := range want {
			r, err := db.Run(ctx, acme, id)
			if must(t, err); r.StatusVersion != version {
				t.Errorf("%s knows version %d, want %d", id, r.StatusVersion, version)
			}
		}
	}
	knows(map[string]int64{"one": 4, "two": 4, "three": 4})
	must(t, db.Write(ctx, func(tx store.Tx) error { return tx.RebaseRuns(ctx, acme, "o1", 4, 6, "PICKED") }))
	knows(map[string]int64{"one": 6, "two": 6, "three": 4})
}

// An earlier orderhook destroyed no secret: those of places that are gone are, once no
// execute of before needs them.
func TestSecretsThatWereRemovedBeforeAreDestroyed(t *testing.T) {
	const connector = `{"connectors":[{"name":"erp","host":"https://h","bearerToken":"%s"}]}`
	db := openOld(t, 23, `INSERT INTO meta (name, value) VALUES ('encryption.bound', x'31')`,
		`INSERT INTO settings (tenant, version, at, by, doc) VALUES ('acme', 1, 0, '', '`+fmt.Sprintf(connector, "sec_a")+`'), ('acme', 2, 0, '', '`+fmt.Sprintf(connector, "sec_b")+`'),
			('acme', 3, 0, '', '{}'), ('acme', 4, 0, '', '`+fmt.Sprintf(connector, "sec_c")+`'), ('acme', 5, 0, '', '`+fmt.Sprintf(connector, "sec_d")+`')`,
		`INSERT INTO secrets (tenant, id, place, origins, sealed, retired, created)
			SELECT 'acme', 'sec_' || id, 'settings/connectors/name/erp/bearerToken', '["https://h:443"]', '', retired, 1
			FROM (SELECT 'a' AS id, 2 AS retired UNION SELECT 'b', 3 UNION SELECT 'c', 5 UNION SELECT 'd', 0)`,
		`INSERT INTO runs (tenant, id, order_id, seq, status, ended, created, doc) VALUES
			('acme', 'one', 'o1', 1, 'waiting', 0, 1, '{"id":"one","orderId":"o1","status":"waiting","settingsVersion":1,"since":2,"results":[]}'),
			('acme', 'two', 'o1', 2, 'aborted', 1, 2, '{"id":"two","orderId":"o1","status":"aborted","settingsVersion":1,"results":[]}')`)
	want := func(ids ...string) {
		t.Helper()
		must(t, db.DestroySecrets(ctx, hurried))
		if got := rowsOf(t, db, `SELECT id FROM secrets ORDER BY id`); !slices.Equal(got, ids) {
			t.Errorf("%q are left, want %q", got, ids)
		}
	}
	want("sec_b", "sec_c", "sec_d")
	r, err := db.Run(ctx, acme, "one")
	must(t, err)
	r.Status = run.RunSucceeded
	must(t, db.Write(ctx, func(tx store.Tx) error { return tx.UpdateRun(ctx, acme, r) }))
	want("sec_c", "sec_d")
	if n := countRows(t, db, "secret_removals"); n != 0 {
		t.Errorf("%d versions are looked at for ever", n)
	}
}

// A version that cannot be read is told to the log, and holds up no other's.
func TestRemovalsThatCannotBeReadAreToldOnce(t *testing.T) {
	path := tempPath(t)
	var log strings.Builder
	db := openAt(t, path, Options{Log: slog.New(slog.NewTextHandler(&log, nil))})
	putTokens(t, db, 0, []int{1})
	must(t, db.Write(ctx, func(tx store.Tx) error {
		return tx.InsertRun(ctx, acme, &run.Run{ID: "r", OrderID: "o", Status: run.RunWaiting, SettingsVersion: 1})
	}))
	putTokens(t, db, 1, nil)
	putTokens(t, db, 2, []int{2})
	must(t, db.Close())
	runSQL(t, path, `UPDATE settings SET doc = 'no JSON' WHERE version = 1`)
	db = openAt(t, path, Options{Log: slog.New(slog.NewTextHandler(&log, nil))})
	putTokens(t, db, 3, nil)
	for range 2 {
		must(t, db.DestroySecrets(ctx, hurried))
	}
	if got := log.String(); strings.Count(got, "settings cannot be read") != 1 || !strings.Contains(got, "tenant=acme version=2") {
		t.Errorf("the log: %s", got)
	}
	if got := rowsOf(t, db, `SELECT place FROM secrets`); !slices.Equal(got, []string{"settings/connectors/name/c1/bearerToken"}) {
		t.Errorf("%q are left", got)
	}
}

// TestDeliveriesOfBefore has a database of the version before, schema 30, answer as that did:
// its deliveries that had succeeded had rows, and its attempts their ids and all that their
// events have. testdata/schema30.sql is what it stored, schema30.txt what it answered.
func TestDeliveriesOfBefore(t *testing.T) {
	path := oldDatabase(t)
	db := openAt(t, path, Options{EncryptionKey: "key of the tests"})
	want, err := os.ReadFile("testdata/schema30.txt")
	must(t, err)
	if diff := cmp.Diff(strings.Split(strings.TrimSpace(string(want)), "\n"), answers(t, db)); diff != "" {
		t.Errorf("(-before +now):\n%s", diff)
	}
	for table, rows := range map[string]int{"deliveries WHERE status = 's'": 0, "attempts WHERE id IS NULL": 0, "attempts WHERE event > 0 AND order_id <> ''": 0,
		"sqlite_master WHERE name = 'attempts_before'": 0} {
		if n := countRows(t, db, table); n != rows {
			t.Errorf("%d rows of %s", n, table)
		}
	}
}

func oldDatabase(t *testing.T) (path string) {
	t.Helper()
	path = tempPath(t)
	migrateTo(t, path, 30)
	rows, err := os.ReadFile("testdata/schema30.sql")
	must(t, err)
	runSQL(t, path, string(rows))
	return path
}

// TestMovedInParts has the migration killed between any two of its transactions, and begun
// again.
func TestMovedInParts(t *testing.T) {
	path := oldDatabase(t)
	runSQL(t, path, `INSERT INTO body_chunks (key, chunk) VALUES (1, x''), (2, x'')`)
	runSQL(t, path, `INSERT INTO body_segments (tenant, state, young, first, last, oldest, newest) VALUES ('acme', 'bare', 0, 1, 2, 0, 0)`)
	migrateTo(t, path, 32)
	raw, err := sql.Open("sqlite", dsn(path))
	must(t, err)
	defer raw.Close()
	killed := errors.New("killed")
	for commits := 1; ; commits++ {
		left := commits
		m := &mover{ctx: ctx, db: raw, atOnce: 3, before: func() error {
			if left--; left < 0 {
				return killed
			}
			return nil
		}}
		if err := m.move(); err == nil {
			break
		} else if !errors.Is(err, killed) {
			t.Fatal(err)
		}
	}
	must(t, raw.Close())
	db := openAt(t, path, Options{EncryptionKey: "key of the tests"})
	want, err := os.ReadFile("testdata/schema30.txt")
	must(t, err)
	if diff := cmp.Diff(strings.Split(strings.TrimSpace(string(want)), "\n"), answers(t, db)); diff != "" {
		t.Errorf("(-before +now):\n%s", diff)
	}
	if n := countRows(t, db, "body_segments") + countRows(t, db, "body_chunks"); n != 0 {
		t.Errorf("%d rows of the index are left", n)
	}
}

// TestDeliveredWithoutAnAttempt has a delivery that succeeded be one, although retention has
// removed its attempt before.
func TestDeliveredWithoutAnAttempt(t *testing.T) {
	path := oldDatabase(t)
	runSQL(t, path, `DELETE FROM attempts WHERE event = 1 AND endpoint = 1`)
	db := openAt(t, path, Options{EncryptionKey: "key of the tests"})
	d, err := db.Delivery(ctx, acme, event.DeliveryKey{Event: 1, Endpoint: 1})
	if must(t, err); d.Status != event.DeliverySucceeded || d.Attempts != 1 || d.LastStatus != 200 || d.Updated.IsZero() {
		t.Errorf("it is %+v", d)
	}
	missing, _, err := db.NewestMissing(ctx, acme, &job.Job{To: time.Unix(1<<33, 0), Last: 1 << 40}, 1, 50)
	if must(t, err); len(missing) > 0 {
		t.Errorf("%d events would be sent again", len(missing))
	}
}
