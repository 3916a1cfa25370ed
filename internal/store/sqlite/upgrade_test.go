package sqlite

import (
	"testing"
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
