package sqlite

import (
	"testing"
	"time"

	"github.com/orderhook/orderhook/internal/run"
	"github.com/orderhook/orderhook/internal/store"
	"github.com/orderhook/orderhook/internal/store/core"
)

// TestARunThatGoesOnKeepsItsIndexes: its row is written once for each step. Twice is only
// where it gets another status, which indexes have: a row that is set to what it has
// already is written all the same, with a page for each index.
func TestARunThatGoesOnKeepsItsIndexes(t *testing.T) {
	db := openTemp(t)
	written := func() (n int64) {
		must(t, db.engine.writer.session.query(func(r core.Row) error { return r.Scan(&n) }, `SELECT total_changes()`))
		return n
	}
	must(t, db.Write(ctx, insert("o1")))
	r := &run.Run{ID: "run_1", OrderID: "o1", Status: run.RunRunning, SettingsVersion: 1, Created: time.Now()}
	must(t, db.Write(ctx, func(tx store.Tx) error { return tx.InsertRun(ctx, acme, r) }))
	for _, c := range []struct {
		name   string
		change func(*run.Run)
		rows   int64
	}{
		{"a step", func(r *run.Run) { r.Position.Step++ }, 1},
		{"waits", func(r *run.Run) { r.Status = run.RunWaiting }, 2},
		{"goes on waiting", func(r *run.Run) { r.Position.Attempt++ }, 1},
		{"is resumed with other settings", func(r *run.Run) { r.Since = 2 }, 2},
		{"runs", func(r *run.Run) { r.Status = run.RunRunning }, 2},
		{"ends", func(r *run.Run) { r.Status = run.RunSucceeded }, 1},
	} {
		next := r.Clone()
		c.change(next)
		before := written()
		must(t, db.Write(ctx, func(tx store.Tx) error { return tx.UpdateRun(ctx, acme, next) }))
		if got := written() - before; got != c.rows {
			t.Errorf("%s: %d rows are written, want %d", c.name, got, c.rows)
		}
		var status string
		var ended, since int64
		must(t, db.engine.Query(ctx, func(r core.Row) error { return r.Scan(&status, &ended, &since) }, `SELECT status, ended, since FROM runs`))
		if status != string(next.Status) || (ended == 1) != next.Status.Ended() || since != next.SecretsSince() {
			t.Errorf("%s: the row has %s, %d, %d", c.name, status, ended, since)
		}
		r = next
	}
}
