package contract

// docs/contract.md#event-types: the types of events, and what endpoints make
// of them.

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// docs/contract.md#event-types, `GET /api/event-types`: every type: name,
// subject, description, example payload.
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

// An endpoint whose types can match nothing known is made, with a warning that
// names what may be meant.
func TestTypesThatNothingIsOf(t *testing.T) {
	r := lease(t)
	r.settings(config(`{"name":"Packed","events":["+order_packed"]}`))
	const url = `"url":"https://example.com/hook"`
	made := r.call("POST", "/api/endpoints", `{`+url+`,"eventTypes":["ordr_*","OrderCreated","order_pakced","invoice.paid"]}`).want(201).
		is("warnings[0].path", "eventTypes[0]").is("warnings[0].message", "no type of events that is known begins so; is order_* meant?").
		is("warnings[1].path", "eventTypes[2]").is("warnings[1].message", "is no type of events that is known; is order_packed meant?").
		is("warnings[2].path", "eventTypes[3]").is("warnings[3]", nil)
	r.get(endpointPath(made, "")).is("warnings", nil).is("eventTypes", []string{"ordr_*", "OrderCreated", "order_pakced", "invoice.paid"})
	r.call("POST", "/api/events", `{"type":"Invoice.Paid","data":{}}`).want(202) // is known from now on
	r.call("PATCH", endpointPath(made, ""), `{"description":"x"}`).want(200).is("warnings[1].path", "eventTypes[2]").is("warnings[2]", nil)
	for _, types := range []string{`["*"]`, `["ordercreated","ORDER_PACKED","Order_*","invoice.*"]`, `["workflow_failed","delivery_failed"]`} {
		r.call("PATCH", endpointPath(made, ""), `{"eventTypes":`+types+`}`).want(200).is("warnings", nil)
	}
	r.call("PATCH", endpointPath(made, ""), `{"eventTypes":["workflow_*"]}`).want(200).
		is("warnings[0].message", "no wildcard stands for workflow_failed, which is sent only to endpoints that name it")
	const once = `{` + url + `,"eventTypes":["ordr_*"]}`
	for range 2 {
		r.call("POST", "/api/endpoints", once, "Idempotency-Key", "one").want(201).is("warnings[0].path", "eventTypes[0]")
	}
}

// Types compare without regard to case: in endpoints, in the events of a status,
// and in the filters of lists.
func TestTypesHaveNoCase(t *testing.T) {
	r, s := start(t), answering(t, "")
	r.settings(config(`{"name":"Packed","events":["+ORDER_COMPLETED","Ordre_Pakket"]}`))
	r.call("POST", "/api/endpoints", fmt.Sprintf(`{"url":%q,"eventTypes":["ordercreated","ORDER_Completed","ORDRE_*"]}`, s.URL)).want(201)
	r.post(order)
	r.enter("Packed")
	r.call("POST", "/api/events", `{"type":"ordre_Åpnet","data":{}}`).want(202)
	r.until("all came", func() bool { return len(r.get("/api/deliveries?status=succeeded").ids("id")) == 4 })
	same(t, "types", r.get("/api/deliveries").ids("eventType"), []string{"ordre_Åpnet", "Ordre_Pakket", "order_completed", "OrderCreated"})
	for asked, want := range map[string]string{"ORDERCREATED": "OrderCreated", "Order_completed": "order_completed", "ordre_pakket": "Ordre_Pakket", "ORDRE_%C3%85PNET": "ordre_Åpnet", "ordre_apnet": ""} {
		for path, field := range map[string]string{"/api/events?type=": "type", "/api/deliveries?eventType=": "eventType", "/api/attempts?eventType=": "eventType"} {
			equals(t, path+asked, strings.Join(r.get(path+asked).ids(field), " "), want)
		}
	}
}

// workflow_failed and delivery_failed go to nobody who does not name them.
func TestTypesThatHaveToBeNamed(t *testing.T) {
	for _, item := range lease(t).get("/api/event-types").doc().Objects("items") {
		only, _ := item.Get("onlyByName")
		if name := item.Text("name"); (only == true) != (name == "workflow_failed" || name == "delivery_failed") {
			t.Errorf("%s: onlyByName is %v", name, only)
		}
	}
}
