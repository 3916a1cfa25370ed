package contract

import (
	"regexp"
	"strings"
	"testing"
)

// docs/contract.md#calls-of-the-api: X-Request-Id in answers, problems and the log. That
// each answer has one, and each problem the same, try and problem look after.

var madeID = regexp.MustCompile(`^req_[0-9a-f]{32}$`)

func requestIDOf(a answer) string { return a.Header.Get("X-Request-Id") }

func TestEveryAnswerHasARequestID(t *testing.T) {
	r := lease(t)
	seen := map[string]bool{}
	for call, status := range map[string]int{
		"GET /api/me": 200, "POST /api/orders": 201, "DELETE /api/orders/o1?permanently=true": 204, "GET /healthz": 200, "GET /readyz": 200,
		"GET /api/openapi.json": 200, "GET /api/docs": 200, "GET /api/orders?limit=x": 422, "GET /api/orders?nope=1": 422,
		"GET /api/orders/none": 404, "GET /nothing": 404, "GET /api/nothing": 404, "PUT /api/orders": 405, "POST /healthz": 405,
	} {
		body := ""
		if status == 201 {
			body = `{}`
		}
		if status == 204 {
			r.call("POST", "/api/orders", `{"id":"o1"}`)
		}
		id := requestIDOf(r.callOf(call, body).want(status))
		if !madeID.MatchString(id) || seen[id] {
			t.Errorf("%s has the request id %q, which is not one made for it", call, id)
		}
		seen[id] = true
	}
	r.as("unknown").call("GET", "/api/me", "", "X-Request-Id", "of-no-key").problem(401).is("instance", "of-no-key")
}

func TestACallersRequestIDIsTakenOverIfItIsWellFormed(t *testing.T) {
	r := lease(t)
	for _, id := range []string{"7", "f47ac10b-58cc-4372-a567-0e02b2c3d479", "Root=1-67891233-abc", "a.b_c~d+e/f=", strings.Repeat("x", 128)} {
		equals(t, "the id", requestIDOf(r.call("GET", "/api/me", "", "X-Request-Id", id)), id)
		r.call("GET", "/api/orders/none", "", "X-Request-Id", id).problem(404).is("instance", id)
		r.call("GET", "/nothing", "", "X-Request-Id", id).problem(404).is("instance", id)
	}
	for _, id := range []string{"", " ", "a b", "a\tb", `a"b`, "a\\b", "é", "a;b", "a<b", "a%20b", strings.Repeat("x", 129)} {
		if got := requestIDOf(r.call("GET", "/api/me", "", "X-Request-Id", id)); !madeID.MatchString(got) {
			t.Errorf("%q became %q", id, got)
		}
	}
}

func TestTheLogNamesTheRequestThatWentWrong(t *testing.T) {
	r, log := start(t), &journal{}
	other := r.over(broken{r.store}, log)
	for path, says := range map[string]string{"/api/orders": "a handler panicked", "/api/runs": "a request failed"} {
		log.Reset()
		id := requestIDOf(other.call("GET", path, "").problem(500))
		if said := log.String(); !strings.Contains(said, says) || !strings.Contains(said, "request="+id) {
			t.Errorf("%s was answered with %s, and the log says %s", path, id, said)
		}
	}
}
