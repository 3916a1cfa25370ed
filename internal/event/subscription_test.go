package event_test

import (
	"strings"
	"testing"

	"github.com/orderhook/orderhook/internal/event"
	"github.com/orderhook/orderhook/internal/filter"
)

// matched returns the ids of the endpoints that get an event.
func matched(t *testing.T, e *event.Event, endpoints ...*event.Endpoint) string {
	t.Helper()
	var ids []string
	for _, to := range event.NewSubscriptions(endpoints).ReceiversOf(e, filter.NewEffort()) {
		ids = append(ids, to.ID)
	}
	return strings.Join(ids, " ")
}

// docs/contract.md#endpoints: `*` and `order_*`, of which all that stands
// before the star is the beginning of a type, in any case.
func TestWildcards(t *testing.T) {
	for pattern, c := range map[string]struct{ wanted, not string }{
		"*":                {"order_packed OrderCreated ordre_åpnet 注文 x *", ""},
		"order_*":          {"order_ order_packed order_packed.v2 order__ order_x Order_x ORDER_X", "order orderX order.x order-x orders_x ord ordX oorder_x OrderCreated shipment_x xorder_x"},
		"order*":           {"order ordeR orderX order.x order_packed orders OrderCreated", "orde ord ordX"},
		"O*":               {"o O order orderX OrderCreated", "x"},
		"ord*":             {"ord order ordX Order", "or orX"},
		"shipment_Ship*":   {"shipment_ship shipment_shipped shipment_Shipped", "shipment_ shipment_updated"},
		"stock_item_back*": {"stock_item_back_in_stock", "stock_item_out_of_stock stock_item_bac"},
		"ordre_å*":         {"ordre_å ordre_åpnet ORDRE_ÅPNET", "ordre_ ordre_a ordre_ærlig"},
		"workflow_*":       {"workflow_ workflow_failed_twice", "workflow_failed Workflow_Failed"},
		"delivery_failed*": {"delivery_failed.v2", "delivery_failed DELIVERY_FAILED"},
	} {
		alone := &event.Endpoint{ID: "alone", Enabled: true, EventTypes: []string{pattern}}
		beside := &event.Endpoint{ID: "beside", Enabled: true, EventTypes: []string{"nothing", pattern}}
		check := func(eventType string, want bool) {
			if got := alone.Wants(eventType); got != want {
				t.Errorf("%s wants %s: %v", pattern, eventType, got)
			}
			to := ""
			if want {
				to = "alone beside"
			}
			if got := matched(t, &event.Event{Type: eventType, Data: []byte(`{}`)}, alone, beside); got != to {
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

// docs/contract.md#endpoints: types compare without regard to case, and
// what is sent only to endpoints that name it goes to no other.
func TestTypesThatAreNamed(t *testing.T) {
	endpoint := func(id string, types ...string) *event.Endpoint {
		return &event.Endpoint{ID: id, Enabled: true, EventTypes: types}
	}
	all, named, both, loud := endpoint("all", "*", "delivery_*", "workflow_failed*"), endpoint("named", "workflow_failed", "ordercreated", "OrderCreated"),
		endpoint("both", "*", "delivery_failed"), endpoint("loud", "DELIVERY_FAILED", "ORDRE_ÅPNET")
	for eventType, want := range map[string]string{
		"workflow_failed":   "named",
		"Workflow_Failed":   "named",
		"delivery_failed":   "both loud",
		"endpoint_disabled": "all both",
		"OrderCreated":      "all named both",
		"ordre_åpnet":       "all both loud",
	} {
		if got := matched(t, &event.Event{Type: eventType, Data: []byte(`{}`)}, all, named, both, loud); got != want {
			t.Errorf("%s goes to %q, not %q", eventType, got, want)
		}
	}
	if got := matched(t, &event.Event{Type: "OrderCreated", Data: []byte(`{}`)}, named); got != "named" {
		t.Errorf("beside no wildcard, one who names a type twice gets it as %q", got)
	}
}

// The body that the webHook section's endpoint gets names an order, so an event
// that is about none is not for it. Until types were reserved somebody could
// publish one, and recover jobs still come across it.
func TestTheWebHookSectionGetsOrdersAlone(t *testing.T) {
	section := &event.Endpoint{ID: "section", Enabled: true, Origin: event.OriginWebHook, EventTypes: event.WebHookTypes}
	mine := &event.Endpoint{ID: "mine", Enabled: true, Origin: event.OriginAPI, EventTypes: []string{"*"}}
	for _, c := range []struct {
		event event.Event
		want  string
	}{
		{event.Event{Type: "OrderAccepted"}, "mine"},
		{event.Event{Type: "OrderAccepted", Subject: event.Subject{Kind: "cart", ID: "C1"}}, "mine"},
		{event.Event{Type: "OrderAccepted", Related: event.Related{OrderID: "O1"}}, "section mine"},
		{event.Event{Type: "orderaccepted", Related: event.Related{OrderID: "O1"}}, "section mine"},
		{event.Event{Type: "order_completed", Related: event.Related{OrderID: "O1"}}, "mine"},
	} {
		c.event.Data = []byte(`{}`)
		if got := matched(t, &c.event, section, mine); got != c.want {
			t.Errorf("%+v goes to %s", c.event, got)
		}
	}
}
