package storetest

import (
	"fmt"
	"slices"
	"testing"

	"github.com/orderhook/orderhook/internal/jsondoc"
	"github.com/orderhook/orderhook/internal/order"
	"github.com/orderhook/orderhook/internal/store"
)

// testHistory proves that entries come back with every field, and numbers to the last
// digit, as the newest first. Which is newest is decided by the order in which they were
// added, not by their times. What a change does not say stays unsaid: a value that is
// absent is not null. Another order has none of it.
func testHistory(t *testing.T, s *suite) {
	full := withEveryField(order.HistoryEntry{ID: "his-full", Changes: []order.Change{
		{Path: "total", After: jsondoc.Number("1.10"), Before: object(`{"a":[1.00,{"b":null}]}`)},
		{Path: "tags", Before: []any{"a", jsondoc.Number("1e2"), true, nil}, After: "x", Conflict: true, Theirs: jsondoc.Number("2.50")},
	}})
	// The first of these had no value before, and the second has none any more.
	full.Changes = append(full.Changes,
		order.Change{Path: "absent", After: jsondoc.Number("0.10")},
		order.Change{Path: "gone", Before: "a", Conflict: true})
	s.insert(newOrder("o1", 1, `{}`), newOrder("o2", 1, `{}`))
	s.write(func(tx store.Tx) error { return tx.AddHistory(ctx, acme, "o1", full) })
	got := ok[store.List[order.HistoryEntry]](t)(s.History(ctx, acme, "o1", store.Page{}))
	same(t, got.Items, []order.HistoryEntry{full})

	want := []string{"his-full"} // the newest is the one added last, whatever its time
	for i := range 4 {
		id := fmt.Sprintf("his-%d", i)
		want = append(want, id+"a", id+"b")
		s.write(func(tx store.Tx) error {
			return tx.AddHistory(ctx, acme, "o1", order.HistoryEntry{ID: id + "a", Timestamp: at(9 - i)}, order.HistoryEntry{ID: id + "b", Timestamp: at(9 - i)})
		})
	}
	slices.Reverse(want)
	list := func(p store.Page) (store.List[order.HistoryEntry], error) { return s.History(ctx, acme, "o1", p) }
	// There are nine entries, so one page is exactly full and one has space left.
	for _, limit := range []int{1, 4, 9, 10} {
		same(t, idsOf(pages(t, limit, list), func(h order.HistoryEntry) string { return h.ID }), want)
	}
	if l := ok[store.List[order.HistoryEntry]](t)(s.History(ctx, acme, "o2", store.Page{})); len(l.Items) != 0 {
		t.Errorf("another order's history: %v", l.Items)
	}
	// To add no entry is no error.
	s.write(func(tx store.Tx) error { return tx.AddHistory(ctx, acme, "o2") })
}
