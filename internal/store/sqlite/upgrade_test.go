package sqlite

import (
	"testing"

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
	must(t, db.Write(ctx, func(tx store.Tx) error { return tx.CarryRuns(ctx, acme, "o1", 4, 6, "PICKED") }))
	knows(map[string]int64{"one": 6, "two": 6, "three": 4})
}
