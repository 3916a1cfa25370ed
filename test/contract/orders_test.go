package contract

import (
	"fmt"
	"net/http"
	"testing"
	"time"
)

const order = `{"id":"ORD-12345","status":"New","orderType":"Online","marketId":"NOR","customerEmail":"kari@example.com","tags":["first"],
 "properties":[{"key":"Channel","value":"web"}],"customField":{"deep":[1,{"keep":"me"}]},
 "orderForm":{"lineItems":[{"lineItemId":"L1","code":"SHOE-42","quantity":2,"placedPrice":10.10}],
  "shipments":[{"shipmentId":"SHIP-67890","status":"New","address":{"line1":"Storgata 1","city":"Oslo"}}]}}`

// workflowOf is settings whose status New has the given steps.
func workflowOf(steps string) string {
	return `{"orderTypes":[{"name":"Online","default":true,"orderStatuses":[{"name":"New","workflowSteps":[` + steps + `]}]}]}`
}

// inline is a webhook step with a Host of its own; more is put into it.
func inline(url, more string) string {
	return fmt.Sprintf(`{"name":"WebhookWorkflowStep","active":true,"Connector":"Webhook"%s,"Properties":[{"Key":"Host","Value":%q}]}`, more, url)
}

func TestAnOrderRunsThroughItsWorkflowAndAnEndpointChangesIt(t *testing.T) {
	r := start(t)
	s := answering(t, `{"OrderActionExecutionResults":[{"ActionStatus":"Success"}],
	  "OrderPatch":{"Status":"Validated","Tags":["fraud-checked"],"Properties":[{"Key":"ValidationScore","Value":"95"}]}}`)
	r.settings(workflowOf(inline(s.URL, "")))
	res := r.call("POST", "/api/orders", order).want(201)
	if got := res.at("order.status"); got != "Validated" {
		t.Errorf("status %v in %s", got, res.Raw)
	}
}

func TestRetriesWait1And5And15Seconds(t *testing.T) {
	r := start(t)
	s := endpoint(t, func(w http.ResponseWriter, n int) {
		if n < 3 {
			w.WriteHeader(500)
		}
	})
	r.settings(workflowOf(inline(s.URL, "")))
	r.call("POST", "/api/orders", order).want(201)
	want := []time.Duration{time.Second, 5 * time.Second, 15 * time.Second}
	if got := r.clock.Waits(); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("waits %v, want %v", got, want)
	}
}
