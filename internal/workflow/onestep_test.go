package workflow

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/orderhook/orderhook/internal/schema"
	"github.com/orderhook/orderhook/internal/settings"
	"github.com/orderhook/orderhook/internal/store"
	"github.com/orderhook/orderhook/internal/store/sqlite"
)

// oneStep is a database in which the tenant acme has a status, New, whose workflow has one step.
func oneStep(t *testing.T, now func() time.Time) *sqlite.DB {
	t.Helper()
	db, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "orderhook.db"), sqlite.Options{Exclusive: true, Clock: now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	doc, _ := schema.Parse([]byte(`{"orderTypes":[{"name":"Online","orderStatuses":[{"name":"New","workflowSteps":[
		{"name":"WebhookWorkflowStep","connector":"W","properties":[{"key":"Host","value":"http://one"}]}]}]}]}`))
	config := settings.ParseStored(doc)
	if err := db.Write(t.Context(), func(tx store.Tx) error { return tx.PutSettings(t.Context(), "acme", config, 0, "test", now()) }); err != nil {
		t.Fatal(err)
	}
	return db
}
