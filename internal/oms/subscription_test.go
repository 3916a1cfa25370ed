package oms_test

import (
	"strings"
	"testing"

	"github.com/orderhook/orderhook/internal/oms"
)

// matched returns the ids of the endpoints that get an event.
func matched(t *testing.T, e *oms.Event, endpoints ...*oms.Endpoint) string {
	t.Helper()
	s, err := oms.NewSubscriptions(endpoints)
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, to := range s.Match(e) {
		ids = append(ids, to.ID)
	}
	return strings.Join(ids, " ")
}

// CONTRACT.md, "Event notifications": `*` and `order_*`, of which all that stands
// before the star is the beginning of a type, in its case.
func TestWildcards(t *testing.T) {
	for pattern, c := range map[string]struct{ wanted, not string }{
		"*":                {"order_packed OrderCreated ordre_åpnet 注文 x *", ""},
		"order_*":          {"order_ order_packed order_packed.v2 order__ order_x", "order orderX order.x order-x orders_x ord ordX Order_x oorder_x OrderCreated shipment_x xorder_x"},
		"order*":           {"order orderX order.x order_packed orders", "orde ordeR OrderCreated ord ordX"},
		"o*":               {"o order orderX", "O OrderCreated x"},
		"ord*":             {"ord order ordX", "or orX Order"},
		"shipment_ship*":   {"shipment_ship shipment_shipped", "shipment_ shipment_updated shipment_Shipped"},
		"stock_item_back*": {"stock_item_back_in_stock", "stock_item_out_of_stock stock_item_bac"},
		"ordre_å*":         {"ordre_å ordre_åpnet", "ordre_ ordre_a ordre_ærlig"},
	} {
		alone := &oms.Endpoint{ID: "alone", Enabled: true, EventTypes: []string{pattern}}
		beside := &oms.Endpoint{ID: "beside", Enabled: true, EventTypes: []string{"nothing", pattern}}
		check := func(eventType string, want bool) {
			if got := alone.Wants(eventType); got != want {
				t.Errorf("%s wants %s: %v", pattern, eventType, got)
			}
			to := ""
			if want {
				to = "alone beside"
			}
			if got := matched(t, &oms.Event{Type: eventType, Data: []byte(`{}`)}, alone, beside); got != to {
				t.Errorf("with %s, %s goes to %q", pattern, eventType, got)
			}
		}
		for _, eventType := range strings.Fields(c.wanted) {
			check(eventType, true)
		}
		for _, eventType := range strings.Fields(c.not) {
			check(eventType, false)
		}
	}
}

// What POST /api/events publishes under a type of the webHook section's reaches
// its endpoint only with an order: the body that it gets names one.
func TestTheWebHookSectionGetsOrdersAlone(t *testing.T) {
	section := &oms.Endpoint{ID: "section", Enabled: true, Origin: oms.OriginWebHook, EventTypes: oms.WebHookTypes}
	mine := &oms.Endpoint{ID: "mine", Enabled: true, Origin: oms.OriginAPI, EventTypes: []string{"*"}}
	for body, want := range map[string]string{
		`{"type":"OrderAccepted","data":{"id":"O1"}}`:                                          "mine",
		`{"type":"OrderAccepted","data":{},"orderId":null}`:                                    "mine",
		`{"type":"OrderAccepted","data":{},"subject":{"kind":"cart","id":"C1"}}`:               "mine",
		`{"type":"OrderAccepted","data":{},"orderId":"O1"}`:                                    "section mine",
		`{"type":"OrderAccepted","data":{},"subject":{"kind":"order","id":"O1"}}`:              "section mine",
		`{"type":"OrderAccepted","data":{},"subject":{"kind":"cart","id":"C"},"orderId":"O1"}`: "section mine",
		`{"type":"order_completed","data":{},"orderId":"O1"}`:                                  "mine",
	} {
		events, _, err := oms.ParseEvents([]byte(body), noon)
		if err != nil {
			t.Errorf("%s: %v", body, err)
			continue
		}
		if got := matched(t, events[0], section, mine); got != want {
			t.Errorf("%s goes to %s", body, got)
		}
	}
}
