package event_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/event"
	"github.com/orderhook/orderhook/internal/filter"
	"github.com/orderhook/orderhook/internal/ids"
)

func testEvent(data string) *event.Event {
	return &event.Event{ID: "evt_1", Type: "order_completed", Subject: event.Subject{Kind: "order", ID: "o1"}, Related: event.Related{OrderID: "o1"},
		Timestamp: time.Date(2026, 11, 21, 9, 30, 0, 123456000, time.UTC), Data: []byte(data)}
}

// subscribed returns the ids of those that get an event, with a ? behind those
// whose filter cannot evaluate it.
func subscribed(e *event.Event, filters ...string) string {
	var endpoints []*event.Endpoint
	for i, text := range filters {
		endpoints = append(endpoints, &event.Endpoint{ID: fmt.Sprint(i), Enabled: true, EventTypes: []string{"*"}, Filter: text})
	}
	var ids []string
	for _, to := range event.NewSubscriptions(endpoints).ReceiversOf(e, filter.NewEffort()) {
		id := to.ID
		if to.FilterError != "" {
			id += "?"
		}
		ids = append(ids, id)
	}
	return strings.Join(ids, " ")
}

func TestFilters(t *testing.T) {
	e := testEvent(`{"total":1000.5,"tags":["vip"],"n":4,"w":1e400}`)
	for _, c := range []struct {
		filters []string
		want    string
	}{
		{[]string{``, `true`, `false`}, "0 1"},
		{[]string{`data.total > 1000`, `data.total > 1000.5`, `"vip" in data.tags`}, "0 2"},
		{[]string{`type == "order_completed" && id == "evt_1" && orderId == "o1"`, `subject.kind == "order" && subject.id == "o1"`, `timestamp.Year() == 2026`}, "0 1 2"},
		{[]string{`data.n % 2 == 0`, `data.w > 1`}, "0 1"},
		// What cannot be evaluated is delivered: no sense, no verdict, too much work, and a filter of another time.
		{[]string{`data.missing > 5`, `data.n`, `any(1..1000, sum(1..1000) == # * 1.5)`, `sortBy(data.tags, #) == []`, `false`}, "0? 1? 2? 3?"},
	} {
		if got := subscribed(e, c.filters...); got != c.want {
			t.Errorf("%q: %q, not %q", c.filters, got, c.want)
		}
	}
	if got := subscribed(testEvent(``), `data.n == 1`, `type == "order_completed"`); got != "0? 1" {
		t.Errorf("of an erased event: %s", got)
	}
}

func TestSubscriptions(t *testing.T) {
	for _, c := range []struct {
		types string
		event string
		want  bool
	}{
		{"order_completed", "order_completed", true},
		{"order_completed", "order_complete", false},
		{"order_completed", "Order_Completed", true},
		{"*", "workflow_failed", false},
		{"* workflow_failed", "workflow_failed", true},
		{"order_*", "order_completed", true},
		{"order_*", "OrderCreated", false},
		{"*", "anything.at-all", true},
		{"shipment_* order_completed", "order_completed", true},
		{"shipment_*", "order_completed", false},
	} {
		e := &event.Endpoint{EventTypes: strings.Fields(c.types)}
		if got := e.Wants(c.event); got != c.want {
			t.Errorf("%s wants %s: %v", c.types, c.event, got)
		}
	}
	s := event.NewSubscriptions([]*event.Endpoint{
		{ID: "off", EventTypes: []string{"*"}},
		{ID: "connector", Enabled: true, Origin: event.OriginConnector, EventTypes: []string{"*"}},
		{ID: "on", Enabled: true, EventTypes: []string{"*"}}})
	if got := s.ReceiversOf(testEvent(`{}`), filter.NewEffort()); len(got) != 1 || got[0].ID != "on" {
		t.Errorf("it goes to %v", got)
	}
	s = event.NewSubscriptions([]*event.Endpoint{
		{ID: "1", Enabled: true, EventTypes: []string{"order_*", "order_completed", "order_completed"}},
		{ID: "2", Enabled: true, EventTypes: []string{"order_completed", "order_completed"}},
		{ID: "3", Enabled: true, EventTypes: []string{"shipment_*"}},
		{ID: "4", Enabled: true, EventTypes: []string{"*"}}})
	var ids []string
	for _, e := range s.ReceiversOf(testEvent(`{}`), filter.NewEffort()) {
		ids = append(ids, e.ID)
	}
	if got := strings.Join(ids, " "); got != "1 2 4" {
		t.Errorf("it goes to %s, each once and in their order", got)
	}
}

func TestEventBodies(t *testing.T) {
	e := testEvent(`{"id":"o1","total":10.00}`)
	if got, want := string(e.Body(event.FormatFull)), `{"id":"evt_1","type":"order_completed","timestamp":"2026-11-21T09:30:00.123456Z","data":{"id":"o1","total":10.00}}`; got != want {
		t.Errorf("full: %s", got)
	}
	if got, want := string(e.Body(event.FormatThin)), `{"orderId":"o1","eventType":"order_completed"}`; got != want {
		t.Errorf("thin: %s", got)
	}
	if got := string(e.Body(event.FormatData)); got != string(e.Data) {
		t.Errorf("data: %s", got)
	}
	e.OrderID = ""
	e.Subject = event.Subject{Kind: "stockItem", ID: "S1"}
	if got, want := string(e.Body(event.FormatThin)), `{"subject":{"kind":"stockItem","id":"S1"},"eventType":"order_completed"}`; got != want {
		t.Errorf("thin, without an order: %s", got)
	}
	e.Subject = event.Subject{}
	if got, want := string(e.Body(event.FormatThin)), `{"eventId":"evt_1","eventType":"order_completed"}`; got != want {
		t.Errorf("thin, about nothing: %s", got)
	}
	e.Data = nil
	for _, f := range []event.Format{event.FormatFull, event.FormatThin, event.FormatData} {
		if got := e.Body(f); got != nil {
			t.Errorf("%s of an erased event: %s", f, got)
		}
	}
}

func TestDeliveryIDs(t *testing.T) {
	for _, e := range []string{"evt_019aa4c1f2b07d3e8a6c94e05b7f1d22", "a.b.1", "dlv_x"} {
		d := &event.Delivery{DeliveryKey: event.DeliveryKey{Endpoint: 17}, EventID: e}
		if id, no, err := event.ParseDeliveryID(d.ID()); id != e || no != 17 || err != nil {
			t.Errorf("%s is taken apart as %s, %d: %v", d.ID(), id, no, err)
		}
	}
	for _, none := range []string{"", "dlv_", "dlv_x", "dlv_x.", "dlv_x.0", "dlv_x.-1", "dlv_.1", "evt_x.1", "dlv_x.99999999999999999999"} {
		if _, _, err := event.ParseDeliveryID(none); apierr.KindOf(err) != apierr.NotFound {
			t.Errorf("%q: %v", none, err)
		}
	}
}

func TestIDsOfATime(t *testing.T) {
	at := time.Date(2026, 11, 21, 9, 30, 0, 0, time.UTC)
	last := ""
	for _, plus := range []time.Duration{0, time.Microsecond, 999 * time.Microsecond, time.Millisecond, time.Second, time.Hour * 24 * 400} {
		id := ids.NewAt(ids.Attempt, at.Add(plus))
		if id <= last || !strings.HasPrefix(id, "att_") || len(id) != 36 || id[16] != '7' {
			t.Errorf("%s after %s", id, last)
		}
		last = id
	}
}
