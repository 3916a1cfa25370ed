package storetest

import (
	"testing"

	"github.com/orderhook/orderhook/internal/event"
	"github.com/orderhook/orderhook/internal/store"
	"github.com/orderhook/orderhook/internal/trace"
)

// testEventTrace has the trace of whoever writes an event come back with it, wherever it
// is read for its deliveries: from memory, one by one, and with those that are due.
// The trace is stored with the event, since the delivery may be made much later, by
// another process, or after a restart.
func testEventTrace(t *testing.T, s *suite) {
	const parent, state = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "shop=a,other=b"
	traced := trace.With(ctx, parent, state)
	l, to := s.listen(), s.put(endpoint("ep1"))
	written, published, bare := newEvent("e1", "o1"), newEvent("e2", "o1"), newEvent("e3", "o1")
	must(t, s.Write(traced, func(tx store.Tx) error { return tx.AddEvents(traced, acme, written) }))
	must(t, s.Publish(trace.With(ctx, parent, ""), acme, published))
	must(t, s.Publish(ctx, acme, bare))
	// An event without a trace has to come back without one, and not with that of the
	// event before.
	wants := map[string]string{"e1": parent + " " + state, "e2": parent, "e3": ""}
	for id, want := range wants {
		if e := ok[*event.Event](t)(s.Event(ctx, acme, id)); e.Trace != want {
			t.Errorf("%s is of the trace %q, want %q", id, e.Trace, want)
		} else if again := ok[*event.Event](t)(s.EventBySeq(ctx, acme, e.Seq)); again.Trace != want {
			t.Errorf("%s by its number is of the trace %q", id, again.Trace)
		}
	}
	// The limit of 1000 bytes leaves the data of these events in, so each comes as a
	// whole.
	due := ok[store.DueList](t)(s.DueDeliveries(ctx, acme, store.DueQuery{Endpoint: to.No, Now: s.now, Limit: 9, MostData: 1000})).Due
	for _, list := range [][]store.Due{due, l.due} {
		if len(list) != len(wants) {
			t.Fatalf("%d deliveries are due", len(list))
		}
		for _, d := range list {
			if d.Event.Trace != wants[d.Event.ID] {
				t.Errorf("%s, which is due, is of the trace %q", d.Event.ID, d.Event.Trace)
			}
		}
	}
}
