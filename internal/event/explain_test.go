package event_test

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"github.com/orderhook/orderhook/internal/event"
	"github.com/orderhook/orderhook/internal/filter"
)

// TestExplainAgreesWithMatch: what is said of an event is what becomes of it.
func TestExplainAgreesWithMatch(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		e := &event.Endpoint{ID: "ep", Origin: rapid.SampledFrom([]event.Origin{event.OriginAPI, event.OriginWebHook}).Draw(rt, "origin"), Enabled: rapid.Bool().Draw(rt, "enabled"),
			EventTypes: rapid.SampledFrom([][]string{{"*"}, {"order_*"}, {"delivery_failed"}, {"custom.thing", "x"}}).Draw(rt, "types"),
			Filter:     rapid.SampledFrom([]string{"", "data.n > 1", "data.none > 1", "data.n == 1 or type == 'x'", "no filter any more ("}).Draw(rt, "filter")}
		ev := &event.Event{ID: "e", Type: rapid.SampledFrom([]string{"order_created", "delivery_failed", "custom.thing", "x"}).Draw(rt, "type"),
			Data: []byte(fmt.Sprintf(`{"n":%d}`, rapid.IntRange(0, 3).Draw(rt, "n"))), Related: event.Related{OrderID: rapid.SampledFrom([]string{"", "o1"}).Draw(rt, "order")}}
		to := event.NewSubscriptions([]*event.Endpoint{e}).ReceiversOf(ev, filter.NewEffort())
		m := e.Explain(ev, filter.NewEffort())
		if m.Wanted != (len(to) > 0) || m.Wanted != (len(m.Reasons) == 0) || len(to) > 0 && to[0].FilterError != m.FilterError {
			rt.Errorf("%+v gets %+v: %v; it is said %+v", e, ev, to, m)
		}
	})
}
