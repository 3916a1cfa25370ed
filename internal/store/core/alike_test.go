package core_test

import (
	"testing"

	"github.com/orderhook/orderhook/internal/event"
	"github.com/orderhook/orderhook/internal/nodes"
	"github.com/orderhook/orderhook/internal/store"
	"github.com/orderhook/orderhook/internal/store/core"
)

// TestAlike: publications may be run as one if they only add events that the same
// endpoints get, in no groups.
func TestAlike(t *testing.T) {
	db := openTemp(t)
	var batches []string
	noted := db.Committing(func(b *core.Batch) { batches = append(batches, b.Alike) })
	publish := func(ids ...string) string {
		t.Helper()
		batches = nil
		var events []*event.Event
		for _, id := range ids {
			events = append(events, namedEvent(id))
		}
		must(t, noted.Publish(ctx, acme, events...))
		return batches[len(batches)-1]
	}
	put := func(id string, ordering event.Ordering) {
		t.Helper()
		e := testEndpoint(id)
		e.Ordering = ordering
		must(t, db.Write(ctx, func(tx store.Tx) error { return tx.PutEndpoint(ctx, acme, e) }))
	}
	put("ep_1", event.OrderingNone)
	first := publish("a")
	if same := publish("b", "c"); first == "" || same != first {
		t.Errorf("%q, then %q", first, same)
	}
	if again := publish("a", "new"); again != "" || len(batches) != 2 {
		t.Errorf("of an id that is taken: %q", batches)
	}
	put("ep_2", event.OrderingNone)
	later := publish("d")
	if later == "" || later == first {
		t.Errorf("%q, with another endpoint %q", first, later)
	}
	batches = nil
	must(t, noted.Write(ctx, func(tx store.Tx) error { return tx.AddEvents(ctx, acme, namedEvent("e")) }))
	if batches[0] != "" {
		t.Errorf("a write: %q", batches)
	}
	batches = nil
	must(t, noted.Publish(nodes.Under(ctx, nodes.Lease{Name: "shard", Epoch: 1}), acme, namedEvent("leased")))
	if batches[0] != "" {
		t.Errorf("by a lease: %q", batches)
	}
	put("ep_3", event.OrderingSubject)
	if grouped := publish("f"); grouped != "" {
		t.Errorf("in groups: %q", grouped)
	}
}
