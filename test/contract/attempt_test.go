package contract

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// docs/contract.md#attempts, of the calls of workflow steps.

func TestEveryAttemptIsRecorded(t *testing.T) {
	s := endpoint(t, func(w http.ResponseWriter, n int) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader([]int{500, 200, 404}[n])
		_, _ = w.Write([]byte(`{"took":12}`))
	})
	r := lease(t)
	doc := config(status("New", step{ID: "fraud"}), status("Packed", step{ID: "fraud"}))
	r.settings(with(doc, connectors(connector(s.URL+"/check", `,"ConnectorId":"fraud"`))))
	res := r.post(order)
	second := r.call("POST", theOrder+"/status", `{"status":"Packed","shipmentId":"SHIP-2"}`).want(200)
	list := r.get("/api/attempts?orderId=ORD-12345").is("items[3]", nil)
	for i, want := range []string{"1 4 404 failed SHIP-2", "2 4 200 succeeded <nil>", "1 4 500 failed <nil>"} {
		at := fmt.Sprintf("items[%d].", i)
		got := fmt.Sprint(list.at(at+"number"), " ", list.at(at+"maxNumber"), " ", list.at(at+"status"), " ", list.at(at+"outcome"), " ", list.at(at+"shipmentId"))
		equals(t, at, got, want)
		list.is(at+"kind", "step").is(at+"url", s.URL+"/check").is(at+"connectorId", "fraud").is(at+"orderId", "ORD-12345")
	}
	list.is("items[1].callId", res.at("orderActionExecutionResults[0].callId")).is("items[2].callId", list.at("items[1].callId"))
	list.is("items[0].callId", second.at("orderActionExecutionResults[0].callId")).is("items[0].runId", second.at("runId"))
	list.is("items[2].error", "answered 500 Internal Server Error").is("items[1].error", nil)
	r.get("/api/attempts?orderId=ORD-12345&outcome=succeeded&status=2xx").is("items[0].id", list.at("items[1].id")).is("items[1]", nil)
	r.get("/api/attempts?orderId=OTHER").is("items[0]", nil)
}

func TestAnAttemptShowsBothSides(t *testing.T) {
	s := endpoint(t, func(w http.ResponseWriter, _ int) {
		w.Header().Set("X-Served-By", "check-7")
		_, _ = w.Write([]byte(success))
	})
	r, _ := placed(t, step{Host: s.URL + "/check"})
	got := r.get("/api/attempts/" + r.get("/api/attempts?orderId=ORD-12345").at("items[0].id").(string))
	sent := s.only(t)
	for path, want := range map[string]any{
		"request.method": "POST", "request.body": string(sent.Body), "request.bodyBytes": len(sent.Body), "request.headers.X-Delivery-Count": "1",
		"request.headers.Idempotency-Key": sent.Header.Get("Idempotency-Key"), "request.headers.Accept": "application/json",
		"response.body": success, "response.headers.X-Served-By": "check-7", "response.truncated": nil,
		"remoteAddress": strings.TrimPrefix(s.URL, "http://"), "status": 200, "url": s.URL + "/check",
	} {
		got.is(path, want)
	}
	if got.at("timing.firstByte") == nil || got.at("timing.connect") == nil {
		t.Errorf("no timing in %s", got.Raw)
	}
}

func TestALargeResponseIsCutInTheRecord(t *testing.T) {
	s := endpoint(t, replying(500, strings.Repeat("x", 70<<10)))
	r, _ := placed(t, step{Host: s.URL})
	got := r.get("/api/attempts/" + r.get("/api/attempts?orderId=ORD-12345").at("items[0].id").(string))
	equals(t, "body", len(got.at("response.body").(string)), 64<<10)
	got.is("response.truncated", true)
}

// secrets of the settings in TestSecretsAreNowhereToBeRead.
var secrets = []string{"step-hush", "key-hush", "custom-hush", "bearer-hush", "token-hush", "pass-hush", "sign-hush"}

func TestSecretsAreNowhereToBeRead(t *testing.T) {
	s := endpoint(t, func(w http.ResponseWriter, n int) { w.WriteHeader([]int{500, 200, 200}[n]) })
	r := lease(t)
	own := step{Host: s.URL, Headers: header("Authorization", "Bearer step-hush") + header("X-Api-Key", "key-hush"), Deferred: true}
	doc := config(status("New", step{ID: "c", Headers: header("X-Api-Key", "key-hush")}, own))
	r.settings(with(doc, connectors(connector(s.URL, `,"ConnectorId":"c","BearerToken":"bearer-hush","Token":"token-hush","Username":"shop","Password":"pass-hush",
	 "SigningSecret":"sign-hush","CustomHeaders":[{"key":"X-Custom","value":"custom-hush"}]`))))
	r.post(order)
	r.ended()
	equals(t, "calls", len(s.got()), 3)
	places := map[string]string{"the log": r.log.String()}
	for _, path := range []string{"/api/settings", "/api/settings/1", "/api/settings/history", "/api/attempts", "/api/runs", theOrder, theOrder + "/history?limit=200"} {
		places[path] = string(r.get(path).Raw)
	}
	for i, got := range s.got() {
		places[fmt.Sprint("body ", i)] = string(got.Body)
		path := "/api/attempts/" + r.get("/api/attempts").at(fmt.Sprintf("items[%d].id", i)).(string)
		places[path] = string(r.get(path).Raw)
	}
	for place, text := range places {
		for _, secret := range secrets {
			if strings.Contains(text, secret) {
				t.Errorf("%s holds %s", place, secret)
			}
		}
	}
	r.get("/api/attempts/"+r.get("/api/attempts").at("items[0].id").(string)).
		is("request.headers.Authorization", "***").is("request.headers.X-Api-Key", "***")
	is(t, s.got()[0].Body, "WorkflowStep.Properties[0]", nil)
	equals(t, "sent all the same", s.each("X-Api-Key"), []string{"key-hush", "key-hush", "key-hush"})
}
