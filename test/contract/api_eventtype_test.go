package contract

import (
	"slices"
	"testing"
)

// API.md: `GET /api/event-types`: every type: name, subject, description, example payload.
func TestEventTypesAreListed(t *testing.T) {
	a := lease(t).get("/api/event-types")
	names := a.ids("name")
	for _, name := range []string{"OrderCreated", "OrderAccepted", "OrderSigned", "OrderRejected", "OrderCanceled", "OrderExpired", "OrderDueDateUpdated",
		"order_completed", "order_cancelled", "shipment_shipped", "shipment_updated", "shipment_delivery_status_updated",
		"stock_item_back_in_stock", "stock_item_out_of_stock", "endpoint_disabled", "workflow_failed", "delivery_failed"} {
		if !slices.Contains(names, name) {
			t.Errorf("%s is not listed", name)
		}
	}
	for _, item := range a.doc().Objects("items") {
		if item.Text("subject") == "" || item.Text("description") == "" || item.Object("example").Len() == 0 {
			t.Errorf("%s says too little of itself", item.Text("name"))
		}
	}
}
