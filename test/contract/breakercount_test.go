package contract

import (
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// What a breaker counts, where it is shown, and what settings may say of it.

func TestAnswersThatABreakerDoesNotCount(t *testing.T) {
	for _, row := range []struct {
		name   string
		status int
		body   string
	}{
		{"400", 400, ""},
		{"404", 404, ""},
		{"an invalid answer", 200, "garbage"},
		{"a patch that does not fit", 200, answerWith(`{"Status":5}`)},
		{"ActionStatus Error", 200, `{"OrderActionExecutionResults":[{"ActionStatus":"Error"}]}`},
		{"CancelWorkflow", 200, canceled},
		{"success", 200, success},
	} {
		t.Run(row.name, func(t *testing.T) {
			s := endpoint(t, replying(row.status, row.body))
			r, _ := guarded(t, s.URL, opening("fail"), step{})
			for range 4 {
				r.enter("Checked").is("orderActionExecutionResults[0].attempts", 1)
			}
			equals(t, "calls", len(s.got()), 4)
			r.breaker().is("items[0].breaker.circuit", "closed")
		})
	}
}

func TestFailuresThatABreakerCounts(t *testing.T) {
	for name, answer := range map[string]func(http.ResponseWriter, int){
		"500": replying(500, ""), "429": replying(429, ""), "401": replying(401, ""), "a redirect": replying(302, ""), "no answer": hijacked(t, func(*net.TCPConn) {}),
		"failures among successes": func(w http.ResponseWriter, n int) { w.WriteHeader([]int{500, 200, 404, 500}[n]) },
	} {
		t.Run(name, func(t *testing.T) {
			s := endpoint(t, answer)
			r, _ := guarded(t, s.URL, opening("fail"), step{})
			r.until("it is open", func() bool {
				r.enter("Checked")
				return r.breaker().at("items[0].breaker.circuit") == "open"
			})
			r.enter("Checked").is("orderActionExecutionResults[0].errorReason", isOpen)
			equals(t, "calls", len(s.got()), map[bool]int{true: 4, false: 2}[strings.Contains(name, "among")])
		})
	}
}

func TestFailuresOutsideTheWindowAreForgotten(t *testing.T) {
	s := failing(t, 99, 500)
	r, _ := guarded(t, s.URL, `{"failures":2,"window":"00:00:00.1","openFor":"PT1H"}`, step{})
	for range 3 {
		r.enter("Checked").is("orderActionExecutionResults[0].attempts", 1)
		failed := time.Now()
		r.until("the window has passed", func() bool { return time.Since(failed) > 300*time.Millisecond })
	}
	r.breaker().is("items[0].breaker.circuit", "closed")
}

func TestEveryFailedAttemptCounts(t *testing.T) {
	s, r := failing(t, 99, 500), inTime(t)
	doc := config(status("New", step{}))
	r.settings(with(doc, connectors(connector(s.URL, `,"breaker":{"failures":1,"window":"PT1M","openFor":"PT1H"}`))))
	r.post(order).is("orderActionExecutionResults[0].errorReason", isOpen).is("orderActionExecutionResults[0].attempts", 1)
	equals(t, "calls", len(s.got()), 1) // the retry found it open
}

func TestEachConnectorHasItsOwnBreaker(t *testing.T) {
	s, r := endpointOf(t, func(w http.ResponseWriter, r *http.Request, _ int) {
		if r.URL.Path == "/bad" {
			w.WriteHeader(500)
		}
	}), inTime(t)
	const breaker = `,"disableStandardErrorPolicy":true,"breaker":{"failures":1,"window":"PT1M","openFor":"PT1H"}`
	settings := with(config(status("New", step{ID: "bad"}, step{ID: "good"}, step{Host: s.URL + "/own"})),
		connectors(connector(s.URL+"/bad", `,"ConnectorId":"bad"`+breaker), connector(s.URL+"/good", `,"ConnectorId":"good"`+breaker)))
	r.settings(settings)
	r.post(order)
	r.enter("New")
	equals(t, "calls", s.paths(), []string{"/bad", "/good", "/own", "/good", "/own"})
	failed := r.history("WorkflowStepFailed")
	equals(t, "the connector's name", failed[1].Message, ofStep(1, 3, "the breaker of connector bad is open: no call was made"))
	r.breaker().is("items[0].breaker.circuit", "open").is("items[0].connectorId", "bad").is("items[1].breaker.circuit", "closed")
	other := r.stranger()
	other.settings(settings)
	other.breaker().is("items[0].breaker.circuit", "closed")
	r.settings(strings.ReplaceAll(settings, "PT1H", "PT2H")) // configured anew
	r.breaker().is("items[0].breaker.circuit", "closed")
	r.enter("New")
	equals(t, "calls", len(s.got()), 8)
}

func TestHealthOfConnectors(t *testing.T) {
	for _, id := range []string{"", `,"ConnectorId":"erp"`} {
		t.Run(id, func(t *testing.T) {
			s := endpoint(t, func(w http.ResponseWriter, n int) { w.WriteHeader([]int{200, 500, 503, 200, 404}[n]) })
			r := lease(t)
			r.settings(with(config(status("Checked", step{})), connectors(connector(s.URL, id+`,"disableStandardErrorPolicy":true`), connector("http://unused.example.com", `,"ConnectorId":"unused"`))))
			r.post(order)
			for range 5 {
				r.enter("Checked")
			}
			h := r.role("reader").breaker().is("items[0].name", "Webhook").is("items[0].succeeded", 2).is("items[0].failed", 3).is("items[0].lastError", "answered 404 Not Found")
			attempts := r.get("/api/attempts")
			h.is("items[0].lastFailure", attempts.at("items[0].startedAt")).is("items[0].lastSuccess", attempts.at("items[1].startedAt"))
			h.is("items[1].connectorId", "unused").is("items[1].succeeded", 0).is("items[1].failed", 0).is("items[1].lastError", nil).is("items[2]", nil)
			h.is("items[0].breaker.circuit", "off")
		})
	}
}

func TestErrorsInABreaker(t *testing.T) {
	r := lease(t)
	for _, row := range []struct{ name, breaker, place string }{
		{"no failures", `{"window":"PT1M","openFor":"PT1M"}`, ".failures"},
		{"failures 0", `{"failures":0,"window":"PT1M","openFor":"PT1M"}`, ".failures"},
		{"failures -1", `{"failures":-1,"window":"PT1M","openFor":"PT1M"}`, ".failures"},
		{"failures 1.5", `{"failures":1.5,"window":"PT1M","openFor":"PT1M"}`, ".failures"},
		{"failures as text", `{"failures":"3","window":"PT1M","openFor":"PT1M"}`, ".failures"},
		{"failures of many digits", `{"failures":99999999999999999999,"window":"PT1M","openFor":"PT1M"}`, ".failures"},
		{"no window", `{"failures":3,"openFor":"PT1M"}`, ".window"},
		{"a window of null", `{"failures":3,"window":null,"openFor":"PT1M"}`, ".window"},
		{"a window of no time", `{"failures":3,"window":"00:00:00","openFor":"PT1M"}`, ".window"},
		{"a window of no sense", `{"failures":3,"window":"soon","openFor":"PT1M"}`, ".window"},
		{"a window in seconds", `{"failures":3,"window":60,"openFor":"PT1M"}`, ".window"},
		{"no openFor", `{"failures":3,"window":"PT1M"}`, ".openFor"},
		{"a negative openFor", `{"failures":3,"window":"PT1M","openFor":"-PT1M"}`, ".openFor"},
		{"an unknown whileOpen", `{"failures":3,"window":"PT1M","openFor":"PT1M","whileOpen":"explode"}`, ".whileOpen"},
		{"a whileOpen that is no text", `{"failures":3,"window":"PT1M","openFor":"PT1M","whileOpen":true}`, ".whileOpen"},
		{"no object", `"on"`, ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			doc := with(config(), connectors(connector("https://example.com", ""), connector("https://example.com", `,"ConnectorId":"c","breaker":`+row.breaker)))
			for _, call := range []string{"PUT /api/settings", "POST /api/settings/check"} {
				r.in(t).callOf(call, doc).problem(422, "body.connectors[1].breaker"+row.place)
			}
		})
	}
	r.get("/api/settings").is("connectors", nil)
	for _, word := range []string{"fail", "Skip", "WAIT"} {
		r.settings(fmt.Sprintf(`{"connectors":[{"name":"Webhook","host":"https://example.com","breaker":{"failures":3,"window":"1.00:00:00","openFor":"PT30S","whileOpen":%q}}]}`, word))
		r.get("/api/settings").is("connectors[0].breaker.whileOpen", word).is("connectors[0].breaker.window", "1.00:00:00")
	}
}
