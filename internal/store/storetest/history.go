package storetest

import (
	"fmt"
	"slices"
	"testing"

	"github.com/orderhook/orderhook/internal/oms"
	"github.com/orderhook/orderhook/internal/store"
)

func testHistory(t *testing.T, s *suite) {
	full := withEveryField(oms.HistoryEntry{ID: "his-full", Changes: []oms.Change{
		{Path: "total", After: oms.Number("1.10"), Before: object(`{"a":[1.00,{"b":null}]}`)},
		{Path: "tags", Before: []any{"a", oms.Number("1e2"), true, nil}, After: "x", Conflict: true, Theirs: oms.Number("2.50")},
	}})
	full.Changes = append(full.Changes,
		oms.Change{Path: "absent", After: oms.Number("0.10")},
		oms.Change{Path: "gone", Before: "a", Conflict: true})
	s.insert(order("o1", 1, `{}`), order("o2", 1, `{}`))
	s.write(func(tx store.Tx) error { return tx.AddHistory(ctx, acme, "o1", full) })
	got := ok[store.List[oms.HistoryEntry]](t)(s.History(ctx, acme, "o1", store.Page{}))
	same(t, got.Items, []oms.HistoryEntry{full})

	want := []string{"his-full"} // the newest is the one added last, whatever its time
	for i := range 4 {
		id := fmt.Sprintf("his-%d", i)
		want = append(want, id+"a", id+"b")
		s.write(func(tx store.Tx) error {
			return tx.AddHistory(ctx, acme, "o1", oms.HistoryEntry{ID: id + "a", Timestamp: at(9 - i)}, oms.HistoryEntry{ID: id + "b", Timestamp: at(9 - i)})
		})
	}
	slices.Reverse(want)
	list := func(p store.Page) (store.List[oms.HistoryEntry], error) { return s.History(ctx, acme, "o1", p) }
	for _, limit := range []int{1, 4, 9, 10} {
		same(t, ids(pages(t, limit, list), func(h oms.HistoryEntry) string { return h.ID }), want)
	}
	if l := ok[store.List[oms.HistoryEntry]](t)(s.History(ctx, acme, "o2", store.Page{})); len(l.Items) != 0 {
		t.Errorf("another order's history: %v", l.Items)
	}
	s.write(func(tx store.Tx) error { return tx.AddHistory(ctx, acme, "o2") })
}
