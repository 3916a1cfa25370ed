package event_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/orderhook/orderhook/internal/event"
	"github.com/orderhook/orderhook/internal/order/ordertest"
	"github.com/orderhook/orderhook/internal/schema"
)

// The rows of docs/contract.md#event-types.
func TestTheTypesAreThoseOfTheDocuments(t *testing.T) {
	var got []string
	for _, e := range event.EventTypes() {
		got = append(got, e.Name+" "+e.Subject)
	}
	want := []string{
		"OrderCreated order", "OrderAccepted order", "OrderSigned order", "OrderRejected order", "OrderCanceled order", "OrderExpired order", "OrderDueDateUpdated order",
		"order_completed order", "order_cancelled order",
		"shipment_shipped shipment", "shipment_updated shipment", "shipment_delivery_status_updated shipment",
		"stock_item_back_in_stock stockItem", "stock_item_out_of_stock stockItem", "endpoint_disabled endpoint",
		"workflow_failed order", "delivery_failed endpoint",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"OrderCreated", "OrderAccepted", "OrderSigned", "OrderRejected", "OrderCanceled", "OrderExpired", "OrderDueDateUpdated"}, event.WebHookTypes); diff != "" {
		t.Error(diff)
	}
}

func TestExamplesAreAsRealAsEvents(t *testing.T) {
	for _, e := range event.EventTypes() {
		example := event.ExampleEvent(e.Name, ordertest.Noon)
		data := ordertest.Doc(t, string(example.Data))
		switch {
		case e.Description == "" || example.Type != e.Name || example.Subject.Kind != e.Subject || example.Subject.ID == "":
			t.Errorf("%+v of %+v", example, e)
		case e.OnlyByName:
			if data.Text("orderId") == "" {
				t.Errorf("%s: %s", e.Name, data.JSON())
			}
		case e.Subject == event.SubjectOrder:
			if _, wrong, err := schema.ParseOrder(data.JSON()); err != nil || len(wrong) > 0 || data.Text("id") != example.OrderID || len(data.Object("orderForm").Objects("lineItems")) < 2 {
				t.Errorf("%s: %v", e.Name, wrong)
			}
		case e.Subject == event.SubjectShipment:
			if _, wrong, err := schema.ParseShipment(data.JSON()); err != nil || len(wrong) > 0 || data.Text("shipmentId") != example.ShipmentID || data.Text("orderId") != example.OrderID {
				t.Errorf("%s: %v", e.Name, wrong)
			}
		case e.Subject == event.SubjectStockItem:
			if data.Text("id") != example.StockItemID {
				t.Errorf("%s: %s", e.Name, data.JSON())
			}
		}
	}
	if e := event.ExampleEvent("ordercreated", ordertest.Noon); e.Type != event.TypeOrderCreated {
		t.Errorf("in another case: %s", e.Type)
	}
	if custom := event.ExampleEvent("loyalty.tier_changed", ordertest.Noon); custom.Type != "loyalty.tier_changed" || custom.OrderID == "" {
		t.Errorf("%+v", custom)
	}
}

// An endpoint that answered 410 has not failed since any time.
func TestWhyAnEndpointWasTurnedOff(t *testing.T) {
	e := &event.Endpoint{ID: "ep_1"}
	for want, since := range map[string]time.Time{
		`{"endpointId":"ep_1","description":"","reason":"so","disabled":"2026-11-21T12:00:00.000000Z"}`:                                              {},
		`{"endpointId":"ep_1","description":"","reason":"so","failingSince":"2026-11-16T12:00:00.000000Z","disabled":"2026-11-21T12:00:00.000000Z"}`: ordertest.Noon.AddDate(0, 0, -5),
	} {
		if diff := cmp.Diff(want, string(event.DisabledEvent(e, "so", since, ordertest.Noon).Data)); diff != "" {
			t.Error(diff)
		}
	}
	for _, e := range event.EventTypes() {
		if e.Name == event.TypeEndpointDisabled && !(strings.Contains(e.Description, "410") && strings.Contains(e.Description, "failures")) {
			t.Errorf("its description leaves out a reason: %s", e.Description)
		}
	}
}

// The status of an example is one that makes its event.
func TestExamplesAreOfTheirStatus(t *testing.T) {
	for _, e := range event.EventTypes() {
		if e.Subject != event.SubjectOrder || e.OnlyByName || e.Name == event.TypeOrderDueDateUpdated {
			continue
		}
		w := write(t, "", string(e.Example))
		if got := types(w.Events()); !strings.Contains(fmt.Sprint(got), e.Name) {
			t.Errorf("%s: its example makes %v", e.Name, got)
		}
	}
}

func TestNamesOfTypes(t *testing.T) {
	for name, ok := range map[string]bool{
		"order_packed": true, "Order-Packed.v2": true, "7": true, "ordre_åpnet": true, "注文": true, strings.Repeat("x", 200): true,
		"": false, "order packed": false, "order*": false, "*": false, "+order": false, "a/b": false, "a\x00": false, "a\n": false, "\xff": false, strings.Repeat("x", 201): false,
	} {
		wrong := event.CheckEventType(name, "type")
		if (len(wrong) == 0) != ok || !ok && wrong[0].Location != "type" {
			t.Errorf("%q: %v", name, wrong)
		}
	}
}

func TestPatternsOfTypes(t *testing.T) {
	for _, c := range []struct {
		patterns []string
		at       []string
	}{
		{[]string{"*"}, nil},
		{[]string{"order_*", "OrderCreated", "order_packed", "shipment_*"}, nil},
		{nil, []string{"eventTypes"}},
		{[]string{}, []string{"eventTypes"}},
		{[]string{"*_order"}, []string{"eventTypes[0]"}},
		{[]string{"order_created", "order**"}, []string{"eventTypes[1]"}},
		{[]string{"or*der", "", "a b"}, []string{"eventTypes[0]", "eventTypes[1]", "eventTypes[2]"}},
		{make([]string, 1001), []string{"eventTypes"}},
	} {
		if diff := cmp.Diff(c.at, ordertest.FieldLocations(event.CheckTypePatterns(c.patterns, "eventTypes"))); diff != "" {
			t.Errorf("%.3q: %s", c.patterns, diff)
		}
	}
}
