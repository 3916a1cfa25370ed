package core_test

import (
	"testing"
	"time"

	"github.com/orderhook/orderhook/internal/jsondoc"
	"github.com/orderhook/orderhook/internal/run"
	"github.com/orderhook/orderhook/internal/schema"
	"github.com/orderhook/orderhook/internal/settings"
	"github.com/orderhook/orderhook/internal/store"
	"github.com/orderhook/orderhook/internal/store/core"
)

// TestWhatIsRestoredMeanwhileIsNotDestroyed: the maintenance has seen that nobody needs a
// secret, and before it is destroyed a version that has it is restored; it may even be
// replaced again.
func TestWhatIsRestoredMeanwhileIsNotDestroyed(t *testing.T) {
	for name, c := range map[string]struct {
		after []string // what is put after the restore
		want  int64    // the version that retired it; 0: it is in use
	}{
		"in use":         {nil, 0},
		"replaced again": {[]string{`{"connectors":[{"name":"a","host":"https://a","token":"new"}]}`}, 4},
	} {
		t.Run(name, func(t *testing.T) {
			db := openTemp(t)
			version := int64(0)
			put := func(doc *jsondoc.Object) *settings.Settings {
				next, _, err := settings.Parse(doc)
				must(t, err)
				must(t, db.Write(ctx, func(tx store.Tx) error { return tx.PutSettings(ctx, acme, next, version, "", time.Unix(1, 0)) }))
				version++
				stored, err := db.Settings(ctx, acme)
				must(t, err)
				return stored
			}
			document := func(text string) *jsondoc.Object {
				doc, err := schema.Parse([]byte(text))
				must(t, err)
				return doc
			}
			one := put(document(`{"connectors":[{"name":"a","host":"https://a","token":"x"}]}`))
			r := &run.Run{ID: "r", OrderID: "o", Status: run.RunWaiting, SettingsVersion: 1}
			must(t, db.Write(ctx, func(tx store.Tx) error { return tx.InsertRun(ctx, acme, r) }))
			put(document(`{}`))
			r.Status = run.RunSucceeded
			must(t, db.Write(ctx, func(tx store.Tx) error { return tx.UpdateRun(ctx, acme, r) }))
			restored := false
			maintenance := db.Committing(func(*core.Batch) {
				if !restored {
					restored = true
					put(one.Document())
					for _, text := range c.after {
						put(document(text))
					}
				}
			})
			must(t, maintenance.DestroySecrets(ctx, noYield))
			opened, err := db.Secrets().Reveal(ctx, acme, one.Connectors[0].Token)
			if err != nil || opened.Retired != c.want || !restored {
				t.Errorf("retired by %d, %v", opened.Retired, err)
			}
		})
	}
}

// TestWaitingForARunWritesNothing: the maintenance looks each second.
func TestWaitingForARunWritesNothing(t *testing.T) {
	db := openTemp(t)
	for version, text := range []string{`{"connectors":[{"name":"a","host":"https://a","token":"x"}]}`, `{}`,
		`{"connectors":[{"name":"a","host":"https://a","token":"y"}]}`, `{"connectors":[{"name":"a","host":"https://a","token":"z"}]}`} {
		doc, err := schema.Parse([]byte(text))
		must(t, err)
		next, _, err := settings.Parse(doc)
		must(t, err)
		must(t, db.Write(ctx, func(tx store.Tx) error {
			if err := tx.PutSettings(ctx, acme, next, int64(version), "", time.Unix(1, 0)); err != nil || version > 0 {
				return err
			}
			return tx.InsertRun(ctx, acme, &run.Run{ID: "r", OrderID: "o", Status: run.RunWaiting, SettingsVersion: 1})
		}))
	}
	must(t, db.Committing(func(*core.Batch) { t.Error("something is written") }).DestroySecrets(ctx, noYield))
	if n := countRows(t, db, "secrets"); n != 3 {
		t.Errorf("%d secrets are left", n)
	}
}
