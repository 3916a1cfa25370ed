package oms_test

import (
	"strings"
	"testing"
	"time"

	"github.com/orderhook/orderhook/internal/oms"
)

func testEvent(data string) *oms.Event {
	return &oms.Event{ID: "evt_1", Type: "order_completed", Subject: oms.Subject{Kind: "order", ID: "o1"}, Related: oms.Related{OrderID: "o1"},
		Timestamp: time.Date(2026, 11, 21, 9, 30, 0, 123456000, time.UTC), Data: []byte(data)}
}

// gets reports whether an endpoint with a filter gets an event.
func gets(t *testing.T, filter string, e *oms.Event) bool {
	t.Helper()
	s, err := oms.NewSubscriptions([]*oms.Endpoint{{ID: "ep", Enabled: true, EventTypes: []string{"*"}, Filter: filter}})
	if err != nil {
		t.Fatal(err)
	}
	return len(s.Match(e)) == 1
}

func TestFilters(t *testing.T) {
	e := testEvent(`{"orderForm":{"total":1000.5,"lineItems":[{"code":"SHOE-42","quantity":2},{"code":"SOCK","quantity":1}]},"tags":["vip"],"marketId":"NOR","paid":true}`)
	for filter, want := range map[string]bool{
		``:                              true,
		`data.orderForm.total > 1000`:   true,
		`data.orderForm.total > 1000.5`: false,
		`"vip" in data.tags && data.marketId == "NOR"`:        true,
		`any(data.orderForm.lineItems, #.code == "SHOE-42")`:  true,
		`all(data.orderForm.lineItems, #.quantity > 1)`:       false,
		`type startsWith "order_" && subject.kind == "order"`: true,
		`orderId == "o2"`:          false,
		`id == "evt_1"`:            true,
		`timestamp.Year() == 2026`: true,
		`data.paid`:                true,
		`data.missing > 5`:         false, // makes no sense for this event
		`data.marketId`:            false, // is neither true nor false
		`data?.a?.b == nil`:        true,
		`not data.paid`:            false,
		`sum(data.orderForm.lineItems, #.quantity) == 3`: true,
	} {
		if got := gets(t, filter, e); got != want {
			t.Errorf("%s: %v", filter, got)
		}
	}
}

func TestFilterMistakes(t *testing.T) {
	for filter, want := range map[string]string{
		`data.total >`:                       "line 1, column 12: unexpected token EOF",
		"data.total > 5 &&\n nope":           "line 2, column 2: unknown name nope",
		`1 + 1`:                              "line 1, column 3: expected bool, but got int",
		`1+1`:                                "line 1, column 2: expected bool, but got int",
		`type`:                               "line 1, column 1: expected bool, but got string",
		"\n  len(data.x)":                    "line 2, column 3: expected bool, but got int",
		`data.total + 1`:                     "line 1, column 12: must be true or false, not the result of +",
		`any(data.a, any(#.b, # > 1))`:       "line 1, column 22: a loop within a loop",
		`data.å && any(data.a, any(#.b, #))`: "line 1, column 32: a loop within a loop",
		`sum(data.a, sum(data.a, sum(data.a, #)))`: "a loop within a loop",
		strings.Repeat("a", 5000):                  "must be at most 4096 bytes long",
	} {
		_, err := oms.ParseFilter(filter)
		e, _ := err.(*oms.Error)
		if e == nil || e.Kind != oms.Invalid || e.Fields[0].Location != "filter" || !strings.Contains(e.Fields[0].Message, want) {
			t.Errorf("%.40s: %v", filter, err)
		}
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
		e := &oms.Endpoint{EventTypes: strings.Fields(c.types)}
		if got := e.Wants(c.event); got != c.want {
			t.Errorf("%s wants %s: %v", c.types, c.event, got)
		}
	}
	s, err := oms.NewSubscriptions([]*oms.Endpoint{
		{ID: "off", EventTypes: []string{"*"}},
		{ID: "connector", Enabled: true, Origin: oms.OriginConnector, EventTypes: []string{"*"}},
		{ID: "on", Enabled: true, EventTypes: []string{"*"}}})
	if err != nil {
		t.Fatal(err)
	}
	if got := s.Match(testEvent(`{}`)); len(got) != 1 || got[0].ID != "on" {
		t.Errorf("it goes to %v", got)
	}
	s, err = oms.NewSubscriptions([]*oms.Endpoint{
		{ID: "1", Enabled: true, EventTypes: []string{"order_*", "order_completed", "order_completed"}},
		{ID: "2", Enabled: true, EventTypes: []string{"order_completed", "order_completed"}},
		{ID: "3", Enabled: true, EventTypes: []string{"shipment_*"}},
		{ID: "4", Enabled: true, EventTypes: []string{"*"}}})
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, e := range s.Match(testEvent(`{}`)) {
		ids = append(ids, e.ID)
	}
	if got := strings.Join(ids, " "); got != "1 2 4" {
		t.Errorf("it goes to %s, each once and in their order", got)
	}
}

func TestEventBodies(t *testing.T) {
	e := testEvent(`{"id":"o1","total":10.00}`)
	if got, want := string(e.Body(oms.FormatFull)), `{"id":"evt_1","type":"order_completed","timestamp":"2026-11-21T09:30:00.123456Z","data":{"id":"o1","total":10.00}}`; got != want {
		t.Errorf("full: %s", got)
	}
	if got, want := string(e.Body(oms.FormatThin)), `{"orderId":"o1","eventType":"order_completed"}`; got != want {
		t.Errorf("thin: %s", got)
	}
	if got := string(e.Body(oms.FormatData)); got != string(e.Data) {
		t.Errorf("data: %s", got)
	}
	e.OrderID = ""
	e.Subject = oms.Subject{Kind: "stockItem", ID: "S1"}
	if got, want := string(e.Body(oms.FormatThin)), `{"subject":{"kind":"stockItem","id":"S1"},"eventType":"order_completed"}`; got != want {
		t.Errorf("thin, without an order: %s", got)
	}
	e.Subject = oms.Subject{}
	if got, want := string(e.Body(oms.FormatThin)), `{"eventId":"evt_1","eventType":"order_completed"}`; got != want {
		t.Errorf("thin, about nothing: %s", got)
	}
	e.Data = nil
	for _, f := range []oms.Format{oms.FormatFull, oms.FormatThin, oms.FormatData} {
		if got := e.Body(f); got != nil {
			t.Errorf("%s of an erased event: %s", f, got)
		}
	}
}

func TestDeliveryIDs(t *testing.T) {
	for _, event := range []string{"evt_019aa4c1f2b07d3e8a6c94e05b7f1d22", "a.b.1", "dlv_x"} {
		d := &oms.Delivery{DeliveryKey: oms.DeliveryKey{Endpoint: 17}, EventID: event}
		if id, no, err := oms.ParseDeliveryID(d.ID()); id != event || no != 17 || err != nil {
			t.Errorf("%s is taken apart as %s, %d: %v", d.ID(), id, no, err)
		}
	}
	for _, none := range []string{"", "dlv_", "dlv_x", "dlv_x.", "dlv_x.0", "dlv_x.-1", "dlv_.1", "evt_x.1", "dlv_x.99999999999999999999"} {
		if _, _, err := oms.ParseDeliveryID(none); oms.KindOf(err) != oms.NotFound {
			t.Errorf("%q: %v", none, err)
		}
	}
}

func TestIDsOfATime(t *testing.T) {
	at := time.Date(2026, 11, 21, 9, 30, 0, 0, time.UTC)
	last := ""
	for _, plus := range []time.Duration{0, time.Microsecond, 999 * time.Microsecond, time.Millisecond, time.Second, time.Hour * 24 * 400} {
		id := oms.NewIDAt(oms.AttemptID, at.Add(plus))
		if id <= last || !strings.HasPrefix(id, "att_") || len(id) != 36 || id[16] != '7' {
			t.Errorf("%s after %s", id, last)
		}
		last = id
	}
}
