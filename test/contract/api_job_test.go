package contract

import (
	"fmt"
	"net/http"
	"sync/atomic"
	"testing"
)

// docs/contract.md#endpoints: recover, and its jobs.

// recovered waits for the end of a recover job.
func (r *rig) recovered(e answer, body string) answer {
	r.t.Helper()
	job := r.call("POST", endpointPath(e, "/recover"), body).want(202).is("status", "running").is("kind", "recover").is("endpointId", e.text("id"))
	equals(r.t, "Location", job.Header.Get("Location"), "/api/jobs/"+job.text("id"))
	r.until("the job has ended", func() bool { return r.get("/api/jobs/"+job.text("id")).text("status") != "running" })
	return r.get("/api/jobs/" + job.text("id"))
}

func TestWhatFailedIsSentAgain(t *testing.T) {
	r, code := lease(t), atomic.Int64{}
	code.Store(500)
	s := endpoint(t, func(w http.ResponseWriter, n int) { w.WriteHeader(int(code.Load())) })
	e := r.subscribed(s.URL, `,"retrySchedule":["PT0S"]`)
	for i := range 3 {
		r.publish(fmt.Sprintf(`,"id":"e%d","timestamp":"2026-11-2%dT00:00:00Z"`, i, i))
	}
	r.until("all failed", func() bool { return len(r.get("/api/deliveries?status=failed").ids("id")) == 3 })
	code.Store(200)
	r.call("POST", endpointPath(e, "/recover"), `{"from":"2026-11-21T00:00:00Z","to":"2026-11-22T00:00:00Z","what":"failed","dryRun":true}`).want(200).is("matched", 1)
	job := r.recovered(e, `{"from":"2026-11-21T00:00:00Z","to":"2026-11-22T00:00:00Z","what":"failed"}`)
	job.is("status", "succeeded").is("sent", 1).is("expected", 1).is("expectedCapped", nil).is("what", "failed").is("from", "2026-11-21T00:00:00Z").is("to", "2026-11-22T00:00:00Z")
	equals(t, "ended", job.text("ended") != "", true)
	r.until("it succeeded", func() bool { return len(r.get("/api/deliveries?status=succeeded").ids("id")) == 1 })
	same(t, "sent again", r.get("/api/deliveries?status=succeeded").ids("eventId"), []string{"e1"})
	r.recovered(e, `{"FROM":"2026-01-01T00:00:00Z","to":"2027-01-01T00:00:00Z","What":"failed"}`).is("sent", 2)
	r.until("all succeeded", func() bool { return len(r.get("/api/deliveries?status=succeeded").ids("id")) == 3 })
}

func TestWhatIsMissingIsSent(t *testing.T) {
	r, s := lease(t), answering(t, "")
	r.publish(`,"id":"before"`)
	r.call("POST", "/api/events", `{"type":"other","data":{},"id":"other"}`).want(202)
	e := r.call("POST", "/api/endpoints", `{"url":"`+s.URL+`","eventTypes":["custom.*"],"enabled":false}`).want(201)
	r.publish(`,"id":"off"`)
	r.call("POST", endpointPath(e, "/recover"), `{"from":"2026-01-01T00:00:00Z","what":"missing"}`).problem(409)
	r.call("PATCH", endpointPath(e, ""), `{"enabled":true}`).want(200)
	const dry = `{"from":"2026-01-01T00:00:00Z","to":"2027-01-01T00:00:00Z","what":"missing","dryRun":true}`
	r.call("POST", endpointPath(e, "/recover"), dry).want(200).is("dryRun", true).is("matched", 2).is("more", nil).is("newest[0].id", "off").is("newest[1].id", "before").is("newest[2]", nil)
	r.recovered(e, `{"from":"2026-01-01T00:00:00Z","to":"2027-01-01T00:00:00Z","what":"missing"}`).is("status", "succeeded").is("sent", 2).is("expected", nil)
	r.until("both came", func() bool { return len(s.got()) == 2 })
	r.recovered(e, `{"from":"2026-01-01T00:00:00Z","to":"2027-01-01T00:00:00Z","what":"missing"}`).is("sent", 0)
	r.call("POST", endpointPath(e, "/recover"), dry).want(200).is("matched", 0).is("newest", nil)
}

// TestNothingIsSentToAnEndpointWithoutAReceiver, by whatever call, nor said to be sendable
// by a dry run (docs/events.md#an-endpoint-without-a-receiver).
func TestNothingIsSentToAnEndpointWithoutAReceiver(t *testing.T) {
	r := lease(t)
	e := r.call("POST", "/api/endpoints", `{"url":"feed:","eventTypes":["custom.*"]}`).want(201)
	r.publish(`,"id":"e1"`)
	const why = "nothing is sent to this endpoint: it is read from its feed"
	for _, dry := range []string{"", `,"dryRun":true`} {
		for _, what := range []string{"failed", "missing"} {
			r.call("POST", endpointPath(e, "/recover"), `{"from":"2026-01-01T00:00:00Z","what":"`+what+`"`+dry+`}`).problem(409).is("detail", why)
		}
		r.call("POST", "/api/deliveries/redeliver", `{"endpointId":"`+e.text("id")+`"`+dry+`}`).problem(409).is("detail", why)
		r.call("POST", "/api/deliveries/redeliver", `{"endpointId":"`+e.text("id")+`","status":"failed"`+dry+`}`).problem(409).is("detail", why)
	}
	r.call("POST", "/api/events/e1/redeliver", `{"endpointId":"`+e.text("id")+`"}`).problem(409).is("detail", why)
	r.call("POST", endpointPath(e, "/test"), "").problem(409).is("detail", why)
	r.get("/api/jobs").is("items", []string{})
}

func TestWhatNoRecoveryCanBe(t *testing.T) {
	r := lease(t)
	e := r.subscribed("https://example.com", "")
	for body, places := range map[string][]string{
		`{}`:                            {"body.from", "body.what"},
		`{"from":null,"what":"failed"}`: {"body.from"}, // not everything there ever was
		`{"from":"","what":"failed"}`:   {"body.from"},
		`{"from":"yesterday","to":7,"what":"all"}`:                                    {"body.from", "body.to", "body.what"},
		`{"from":"2026-11-21T00:00:00Z","to":"2026-11-21T00:00:00Z","what":"failed"}`: {"body.from"},
		`{"from":"2027-01-01T00:00:00Z","what":"missing"}`:                            {"body.from"},
		`{"from":"2026-01-01T00:00:00Z","what":"missing","limit":5}`:                  {"body.limit"},
	} {
		r.call("POST", endpointPath(e, "/recover"), body).problem(422, places...)
	}
	r.call("POST", endpointPath(e, "/recover"), ``).problem(400)
	r.call("PATCH", endpointPath(e, ""), `{"enabled":false}`).want(200)
	r.call("POST", endpointPath(e, "/recover"), `{"from":"2026-01-01T00:00:00Z","what":"failed"}`).problem(409).is("detail", "the endpoint is off; turn it on first")
	r.get("/api/jobs").is("items", []string{})
	for _, call := range []string{"GET /api/jobs/none", "POST /api/jobs/none/cancel"} {
		r.callOf(call, "").problem(404)
	}
}

func TestAJobIsMadeOnceAndCanceledOnce(t *testing.T) {
	r := lease(t)
	e := r.subscribed("https://example.com", "")
	const body = `{"from":"2026-01-01T00:00:00Z","what":"failed"}`
	first := r.call("POST", endpointPath(e, "/recover"), body, "Idempotency-Key", "one").want(202)
	r.call("POST", endpointPath(e, "/recover"), body, "Idempotency-Key", "one").want(202).is("id", first.text("id"))
	r.until("it has ended", func() bool { return r.get("/api/jobs/"+first.text("id")).text("status") == "succeeded" })
	r.call("POST", "/api/jobs/"+first.text("id")+"/cancel", "").problem(409)
	second := r.call("POST", endpointPath(e, "/recover"), body).want(202)
	same(t, "jobs", r.get("/api/jobs").ids("id"), []string{second.text("id"), first.text("id")})
	same(t, "the first page", r.get("/api/jobs?limit=1").ids("id"), []string{second.text("id")})
}
