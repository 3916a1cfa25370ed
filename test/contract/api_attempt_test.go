package contract

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

const topSecret = "t0p-s3cret-value"

// attempted posts an order whose one step calls an endpoint, and returns the
// first attempt of it.
func attempted(t *testing.T, s *sink, more string) answer {
	t.Helper()
	r := start(t)
	r.settings(with(config(status("New", step{ID: "c1", Stop: true})), connectors(connector(s.URL, `,"ConnectorId":"c1","DisableStandardErrorPolicy":true`+more))))
	r.post(order)
	return r.get("/api/attempts/" + r.get("/api/attempts").text("items[0].id"))
}

func TestAnAttemptShowsBothSidesWithoutSecrets(t *testing.T) {
	s := endpoint(t, func(w http.ResponseWriter, _ int) {
		w.Header().Set("Set-Cookie", "session="+topSecret)
		w.Header().Set("X-Answer", "yes")
		_, _ = w.Write([]byte(success))
	})
	r := start(t)
	r.settings(with(config(status("New", step{ID: "c1", Headers: header("X-Step", topSecret)})), connectors(connector(s.URL+"/in?code=1",
		`,"ConnectorId":"c1","BearerToken":"`+topSecret+`","SigningSecret":"`+topSecret+`","CustomHeaders":[{"Key":"X-Connector","Value":"`+topSecret+`"}]`))))
	run := r.post(order).text("runId")
	list := r.get("/api/attempts").says(topSecret).is("items[1]", nil).is("items[0].request", nil)
	a := r.get("/api/attempts/" + list.text("items[0].id")).says(topSecret)
	for path, want := range map[string]any{
		"kind": "step", "number": 1, "maxNumber": 4, "status": 200, "outcome": "succeeded", "orderId": "ORD-12345", "runId": run, "connectorId": "c1",
		"host": strings.TrimPrefix(s.URL, "http://"), "request.method": "POST", "request.headers.Authorization": "***", "request.headers.X-Step": "***",
		"request.headers.X-Connector": "***", "request.headers.Content-Type": "application/json", "request.headers.X-Delivery-Count": "1",
		"response.headers.Set-Cookie": "***", "response.headers.X-Answer": "yes", "response.body": success, "response.bodyBytes": len(success), "response.truncated": nil,
		"remoteAddress": strings.TrimPrefix(s.URL, "http://"), "tlsVersion": nil, "error": nil,
	} {
		a.is(path, want)
	}
	sent := s.only(t)
	a.is("request.body", string(sent.Body)).is("request.bodyBytes", len(sent.Body)).is("callId", sent.Header.Get("Idempotency-Key"))
	equals(t, "what the endpoint got", sent.Header.Get("X-Step")+sent.Header.Get("Authorization"), topSecret+"Bearer "+topSecret)
	r.get("/api/orders/ORD-12345/history").says(topSecret)
	r.get("/api/runs/" + run).says(topSecret)
}

func TestAnAttemptCutsABigResponse(t *testing.T) {
	big := `{"pad":"` + strings.Repeat("x", 100<<10) + `"}`
	a := attempted(t, answering(t, big), "")
	a.is("response.truncated", true).is("response.bodyBytes", len(big)).is("response.body", big[:64<<10]).is("outcome", "succeeded")
}

func TestAnAttemptShowsABinaryResponse(t *testing.T) {
	const binary = "\x00\xff\xfe\x80 not text"
	a := attempted(t, answering(t, binary), "").is("outcome", "failed").is("status", 200)
	a.is("response.bodyBase64", base64.StdEncoding.EncodeToString([]byte(binary))).is("response.body", "").is("response.bodyBytes", len(binary))
}

func TestAnAttemptWithoutAnAnswerHasNoResponse(t *testing.T) {
	s := answering(t, "")
	s.Close()
	a := attempted(t, s, "").is("outcome", "failed").is("status", nil).is("response", nil).is("request.method", "POST")
	if a.text("error") == "" {
		t.Errorf("no error in %s", a.Raw)
	}
}

// attemptsOf returns the orders of the attempts that a query finds.
func (r *rig) attemptsOf(query string) []string {
	r.t.Helper()
	return r.get("/api/attempts?limit=200&" + query).ids("orderId")
}

func TestEveryFilterOfAttempts(t *testing.T) {
	r := start(t)
	fine := answering(t, success)
	broken := endpoint(t, func(w http.ResponseWriter, _ int) { w.WriteHeader(503) })
	closed := answering(t, "")
	closed.Close()
	r.settings(with(config(status("Fine", step{ID: "fine"}), status("Broken", step{ID: "broken"}), status("Closed", step{Host: closed.URL})),
		connectors(connector(fine.URL, `,"ConnectorId":"fine"`), connector(broken.URL, `,"ConnectorId":"broken"`))))
	r.post(`{"id":"c","status":"Closed"}`)
	run := r.post(`{"id":"b","status":"Broken"}`).text("runId")
	r.post(`{"id":"a","status":"Fine","orderForm":{"shipments":[{"shipmentId":"S1"}]}}`)
	r.call("POST", "/api/orders/a/status", `{"status":"Fine","shipmentId":"S1"}`).want(200)
	a := r.get("/api/attempts?shipmentId=S1")
	call, started := a.text("items[0].callId"), url.QueryEscape(a.text("items[0].startedAt"))
	host := strings.TrimPrefix(closed.URL, "http://")
	for query, want := range map[string]string{
		"": "a a b b b b c c c c", "kind=step": "a a b b b b c c c c", "kind=returnStep": "", "orderId=a": "a a", "orderId=none": "",
		"runId=" + run: "b b b b", "callId=" + call: "a", "connectorId=fine": "a a", "connectorId=broken": "b b b b", "shipmentId=S1": "a", "shipmentId=S2": "",
		"returnId=x": "", "host=" + host: "c c c c", "host=" + strings.ToUpper(host): "c c c c", "host=127.0.0.1": "",
		"outcome=succeeded": "a a", "outcome=failed": "b b b b c c c c", "status=200": "a a", "status=503": "b b b b", "status=5xx": "b b b b", "status=5XX": "b b b b",
		"status=2xx": "a a", "status=4xx": "", "status=none": "c c c c", "status=NONE": "c c c c", "minDurationMs=0": "a a b b b b c c c c", "minDurationMs=600000": "",
		"from=" + started: "a", "to=" + started: "a b b b b c c c c", "from=2100-01-01": "", "to=2000-01-01": "",
		"outcome=failed&status=none": "c c c c", "outcome=succeeded&status=none": "", "orderId=b&connectorId=broken&status=5xx&outcome=failed&kind=step&runId=" + run: "b b b b",
		"orderId=a&from=" + started + "&status=200": "a",
	} {
		same(t, query, r.attemptsOf(query), strings.Fields(want))
	}
	same(t, "numbers, the newest first", r.all("/api/attempts?limit=3&orderId=b", "number", func() {}), []string{"4", "3", "2", "1"})
	equals(t, "waits", fmt.Sprint(r.clock.Waits()[:3]), fmt.Sprint([]time.Duration{time.Second, 5 * time.Second, 15 * time.Second}))
}
