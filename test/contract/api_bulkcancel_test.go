package contract

import (
	"fmt"
	"testing"
)

// docs/contract.md#delivery: all that is pending and that a filter picks, canceled at once.

func TestWhatAFilterPicksIsCanceled(t *testing.T) {
	r, s := lease(t), switchable(t, 500)
	e := r.subscribed(s.URL, `,"retrySchedule":["PT1H"]`)
	other := r.subscribed(s.URL+"/other", `,"retrySchedule":["PT1H"]`)
	r.clock.Hold()
	for i := range 3 {
		r.publish(fmt.Sprintf(`,"id":"e%d"`, i))
	}
	r.until("each was tried", func() bool { return len(r.get("/api/deliveries?lastStatus=500").ids("id")) == 6 })
	const path = "/api/deliveries/cancel"
	picks := fmt.Sprintf(`{"endpointId":%q`, e.text("id"))
	dry := r.call("POST", path, picks+`,"dryRun":true}`).want(200).is("dryRun", true).is("matched", 3).is("more", nil).is("endpointOff", nil).is("notSendable", nil)
	dry.is("deliveries[0].eventId", "e2").is("deliveries[0].endpointId", e.text("id")).is("deliveries[3]", nil)
	r.get("/api/jobs").is("items", []string{})
	job := r.call("POST", path, picks+`}`, "Idempotency-Key", "one").want(202).is("kind", "cancel").is("expected", 3).is("filter.endpointId", e.text("id")).is("filter.status", "pending").is("filter.dryRun", nil)
	at := "/api/jobs/" + job.text("id")
	equals(t, "Location", job.Header.Get("Location"), at)
	r.until("the job has ended", func() bool { return r.get(at).text("status") != "running" })
	r.get(at).is("status", "succeeded").is("examined", 3).is("canceled", 3).is("sent", 0).is("skipped", 0)
	r.call("POST", path, picks+`}`, "Idempotency-Key", "one").want(202).is("id", job.text("id"))
	r.call("POST", path, picks+`,"status":"pending","dryRun":true}`).want(200).is("matched", 0)
	s.code.Store(200)
	r.clock.Advance(2 * 3600e9)
	r.clock.Release()
	r.awaitDeliveries()
	same(t, "canceled", r.get("/api/deliveries?status=canceled&endpointId="+e.text("id")).ids("eventId"), []string{"e2", "e1", "e0"})
	same(t, "at the other endpoint", r.get("/api/deliveries?status=succeeded&endpointId="+other.text("id")).ids("eventId"), []string{"e2", "e1", "e0"})
	again := r.get("/api/deliveries?eventId=e0&endpointId=" + e.text("id")).text("items[0].id")
	r.call("POST", "/api/deliveries/"+again+"/redeliver", "").want(202) // what was canceled can be sent after all
	r.awaitDeliveries()
	r.get("/api/deliveries/"+again).is("status", "succeeded")
}

func TestWhatNoBulkCancelCanBe(t *testing.T) {
	r := lease(t)
	const path = "/api/deliveries/cancel"
	for body, places := range map[string][]string{
		`{}`:              {"body"},
		`{"dryRun":true}`: {"body"},
		`{"eventType":"custom.thing","from":"2026-01-01T00:00:00Z"}`:                     {"body"},
		`{"status":"lost","lastStatus":"7","from":"yesterday","dryRun":"yes","limit":1}`: {"body.status", "body.lastStatus", "body.from", "body.dryRun", "body.limit"},
		`{"status":"failed"}`:                   {"body.status"},
		`{"status":"succeeded","dryRun":true}`:  {"body.status"},
		`{"endpointId":"ep_none"}`:              {"body.endpointId"},
		`{"eventId":"none","status":"pending"}`: {"body.eventId"},
	} {
		r.call("POST", path, body).problem(422, places...)
	}
	r.call("POST", path, ``).problem(400)
	r.role("publisher").call("POST", path, `{"status":"pending"}`).problem(403)
	r.get("/api/jobs").is("items", []string{})
	e := r.subscribed("https://example.com", "")
	r.stranger().call("POST", path, fmt.Sprintf(`{"endpointId":%q}`, e.text("id"))).problem(422, "body.endpointId")
}
