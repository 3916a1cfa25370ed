package core_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/orderhook/orderhook/internal/event"
	"github.com/orderhook/orderhook/internal/store"
	"github.com/orderhook/orderhook/internal/store/core"
)

// TestARemovalThatDied: an event with many deliveries is removed in several writes, and is gone
// after the first of them. If the process dies then, the next removal finds the deliveries that
// are left.
func TestARemovalThatDied(t *testing.T) {
	now := benchTime
	db := openClocked(t, tempPath(t), func() time.Time { return now }).Store
	e := namedEvent("a")
	all := putEndpoints(t, db, 150, nil)
	publish(t, db, e)
	must(t, db.Write(ctx, func(tx store.Tx) error {
		var failed []store.Completion
		for _, to := range all {
			failed = append(failed, store.Completion{Key: event.DeliveryKey{Event: e.Seq, Endpoint: to.No}, Status: event.DeliveryFailed, Attempts: 1, At: now})
		}
		return completeIn(tx, acme, failed...)
	}))
	remove := func(yield store.Yield) error {
		return db.RemoveOld(ctx, acme, store.RetainedDeliveries, now.Add(-time.Hour), yield)
	}
	goOn := func(context.Context) error { return nil }
	must(t, remove(goOn)) // to see what there is by now
	now = now.Add(48 * time.Hour)
	died, writes := errors.New("the process has died"), 0
	err := remove(func(context.Context) error {
		if countRows(t, db, "events") == 0 {
			writes++
			return died
		}
		return nil
	})
	if left := countRows(t, db, "deliveries"); !errors.Is(err, died) || writes != 1 || left == 0 || left == len(all) {
		t.Fatalf("died with %v, and %d deliveries are left", err, left)
	}
	must(t, core.Inspect(ctx, changing{db, func(string) {}}, db.Dialect(), func(f core.Finding) { t.Errorf("taken for damage: %s", f.Text) }))
	must(t, remove(goOn))
	if left := countRows(t, db, "deliveries"); left != 0 {
		t.Errorf("%d deliveries of an event that is gone are left", left)
	}
}
