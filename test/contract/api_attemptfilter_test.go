package contract

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// docs/contract.md#attempts: the filters of what goes one way, and of bodies.

func TestEveryFilterOfEventAttempts(t *testing.T) {
	r := lease(t)
	s := endpoint(t, func(w http.ResponseWriter, n int) {
		if n == 0 {
			w.WriteHeader(500)
		}
		_, _ = w.Write([]byte("Kjære kunde"))
	})
	other := answering(t, "")
	e := r.subscribed(s.URL, `,"retrySchedule":["PT0S"],"maxConcurrency":1`)
	o := r.call("POST", "/api/endpoints", fmt.Sprintf(`{"url":%q,"eventTypes":["b"]}`, other.URL)).want(201)
	for i, event := range []string{`"type":"a","data":{"note":"Needle-ÆØÅ"},"orderId":"O1"`, `"type":"b","data":{},"subject":{"kind":"subscription","id":"U1"}`, `"type":"a","data":{},"subject":{"kind":"stockItem","id":"I1"}`} {
		r.call("POST", "/api/events", fmt.Sprintf(`{"id":"e%d",%s}`, i, event)).want(202)
		r.until("it is delivered", func() bool { return len(r.get("/api/deliveries?status=pending").ids("id")) == 0 })
	}
	first := r.get("/api/events/e0").text("deliveries[0].id")
	for query, want := range map[string]string{
		"kind=event": "e2 e1 e1 e0 e0", "kind=step": "", "kind=export": "", "kind=replay": "", "endpointId=" + o.text("id"): "e1", "endpointId=" + e.text("id"): "e2 e1 e0 e0", "endpointId=none": "",
		"eventType=a": "e2 e0 e0", "eventType=b": "e1 e1", "eventType=none": "", "orderId=O1": "e0 e0", "subscriptionId=U1": "e1 e1", "stockItemId=I1": "e2",
		"deliveryId=" + first: "e0 e0", "callId=" + first: "e0 e0", "deliveryId=none": "", "deliveryId=dlv_e0.9": "", "deliveryId=dlv_none.1": "",
		"body=needle-æøå": "e0 e0", "body=EEDLE": "e0 e0", "body=kunde": "e2 e1 e0 e0", "body=kjÆRE": "e2 e1 e0 e0", "body=nothing like it": "",
		"deliveryId=" + first + "&outcome=failed": "e0", "body=kunde&endpointId=" + o.text("id"): "", "body=kunde&status=500&eventType=a&orderId=O1&kind=event&endpointId=" + e.text("id") + "&deliveryId=" + first: "e0",
	} {
		q, err := url.ParseQuery(query)
		if err != nil {
			t.Fatal(err)
		}
		same(t, query, r.get("/api/attempts?"+q.Encode()).ids("eventId"), strings.Fields(want))
	}
	for _, piece := range []string{"a", "ab", "æø"} {
		r.call("GET", "/api/attempts?body="+escape(piece), "").problem(422, "query.body")
	}
	a := r.get("/api/attempts?eventType=b&endpointId="+o.text("id")).is("items[0].callId", "dlv_e1.2").is("items[0].deliveryId", "dlv_e1.2").is("items[0].number", 1).is("items[0].maxNumber", 6)
	a.is("items[0].eventId", "e1").is("items[0].eventType", "b").is("items[0].subscriptionId", "U1").is("items[0].endpointId", o.text("id")).is("items[0].runId", nil)
}

// What was sent about a subscription is what was sent to the steps of its orders, too.
func TestTheStepsOfASubscription(t *testing.T) {
	s := answering(t, success)
	r := start(t)
	r.settings(with(config(status("New", step{ID: "c1"})), connectors(connector(s.URL, `,"ConnectorId":"c1"`))))
	r.post(`{"id":"B-1","status":"New","subscriptionId":"SUB-1"}`)
	r.post(`{"id":"B-2","status":"New","subscriptionId":"SUB-2"}`)
	r.get("/api/attempts?kind=step&subscriptionId=SUB-1").is("items[0].orderId", "B-1").is("items[0].subscriptionId", "SUB-1").is("items[1]", nil)
}
