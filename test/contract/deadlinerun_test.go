package contract

import (
	"strings"
	"testing"
	"time"
)

// maxDuration, beside other runs, other writers, resume, returns and breakers.

func TestAResumedRunHasANewDeadline(t *testing.T) {
	s := failing(t, 3, 503)
	r := hurried(t, "PT10S", step{Host: s.URL, Stop: true})
	res := r.enter("Checked").is("isAborted", true)
	r.overdue(res, 0, "10s")
	r.clock.Advance(time.Hour)
	due := r.clock.Now().Add(10 * time.Second).Format(time.RFC3339)
	r.resume(res)
	r.ended().is("items[0].status", "succeeded").is("items[0].deadline", due)
	r.get(theOrder).is("errors", []string{})
	equals(t, "calls", len(s.got()), 4)
}

func TestTheDeadlineBeginsWithTheFirstAttempt(t *testing.T) {
	g := holding(t)
	r := lease(t)
	r.settings(config(status("New", step{Host: g.URL}), within("PT10S", "Checked", step{Host: answering(t, "").URL})))
	first := r.begin("/api/orders", order)
	g.wait()
	queued := r.call("POST", theOrder+"/status?wait=false", `{"status":"Checked","shipmentId":"SHIP-2"}`).want(202)
	r.get(runOf(queued)).is("status", "waiting").is("deadline", nil)
	r.clock.Advance(time.Minute)
	g.answer(success)
	first().want(201)
	r.ended().is("items[0].status", "succeeded").is("items[0].deadline", "2026-11-21T09:01:10Z")
}

func TestADeadlineSurvivesAStop(t *testing.T) {
	r := start(t)
	r.settings(config(within("PT10S", "Checked", step{Host: failing(t, 99, 503).URL})))
	r.post(order)
	r.clock.Hold()
	res := r.call("POST", theOrder+"/status?wait=false", `{"status":"Checked"}`).want(202)
	r.until("the retry waits", func() bool { return len(r.clock.Waits()) == 1 })
	r.restart(patience)
	r.clock.Release()
	r.ended()
	r.overdue(res, 0, "10s")
}

func TestAStatusChangedBeforeTheDeadlinePasses(t *testing.T) {
	s := answering(t, triggering("Review"), "")
	slow := failing(t, 99, 503)
	r := hurried(t, "00:00:00.5", step{Host: s.URL}, step{Host: slow.URL, Stop: true, ErrorStatus: "Unchecked"})
	r.clock.Hold()
	finish := r.begin(theOrder+"/status", `{"status":"Checked"}`)
	r.until("the retry waits", func() bool { return len(r.clock.Waits()) == 1 })
	patched(`{"status":"Canceled"}`)(r)
	r.clock.Release()
	finish().want(200).is("order.status", "Canceled").is("isAborted", false).is("order.errors", nil)
	r.ended().is("items[0].status", "superseded")
	equals(t, "conflicts", r.conflicts(), []string{"status: Checked, <nil>, Canceled"})
}

func TestADeadlineOfAReturn(t *testing.T) {
	r := lease(t)
	statuses := `"returnStatuses":[` + within("PT2S", "PartiallyReturned", step{Name: returnStep, Host: failing(t, 99, 503).URL, Stop: true, ErrorStatus: "ReturnFailed"}) + `]`
	r.settings(with(config(), statuses))
	r.post(order)
	res := r.giveBack("1").is("isAborted", true).is("order.status", "ReturnFailed").is("order.errors[0].key", returnStep)
	r.get(runOf(res)).is("status", "aborted").is("reason", returnStep+" (step 1 of 1): the workflow's maxDuration of 2s has passed")
}

func TestADeadlineOfARunThatWaitsForABreaker(t *testing.T) {
	s, r := failing(t, 99, 503), inTime(t)
	doc := config(status("Tried", step{}), within("00:00:00.3", "Checked", step{Stop: true}))
	r.settings(with(doc, connectors(connector(s.URL, `,"disableStandardErrorPolicy":true,"breaker":`+opening("wait")))))
	r.post(order)
	r.enter("Tried")
	r.enter("Tried")
	res := r.enter("Checked").is("isAborted", true)
	r.overdue(res, 0, "300ms")
	equals(t, "calls", len(s.got()), 2)
}

func TestErrorsInAMaxDuration(t *testing.T) {
	r := lease(t)
	for name, value := range map[string]string{
		"no sense": `"soon"`, "no time": `"00:00:00"`, "no ISO time": `"PT0S"`, "negative": `"-PT5S"`, "a number": `30`, "minutes": `"00:30"`, "empty": `""`, "an object": `{}`,
	} {
		t.Run(name, func(t *testing.T) {
			doc := config(status("New"), with(status("Checked"), `"maxDuration":`+value))
			r.in(t).call("PUT", "/api/settings", doc).problem(422, "body.orderTypes[0].orderStatuses[1].maxDuration")
			doc = with(config(), `"returnStatuses":[`+with(status("Returned"), `"MaxDuration":`+value)+`]`)
			r.in(t).call("POST", "/api/settings/check", doc).problem(422, "body.returnStatuses[0].maxDuration")
		})
	}
	for _, value := range []string{"00:05:00", "1.00:00:00", "PT5M", "P1D"} {
		r.settings(config(within(value, "Checked")))
		if got := string(r.get("/api/settings").Raw); !strings.Contains(got, `"maxDuration":"`+value+`"`) {
			t.Errorf("%s is not in %s", value, got)
		}
	}
}
