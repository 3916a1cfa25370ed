package contract

import (
	"fmt"
	"net/http"
	"testing"
)

// What becomes of an open breaker once its time is over.

func TestAWaitingRunGoesOnOnceTheBreakerCloses(t *testing.T) {
	s := failing(t, 2, 500)
	r, next := guarded(t, s.URL, opening("wait", "00:00:00.3000000"), step{Stop: true})
	r.enter("Checked")
	r.enter("Checked")
	res := r.enter("Checked").is("isAborted", false).is("orderActionExecutionResults[0].actionStatus", "Success").is("orderActionExecutionResults[0].attempts", 1)
	res.is("orderActionExecutionResults[0].errorReason", nil).is("order.errors", []string{})
	r.get(runOf(res)).is("status", "succeeded")
	r.breaker().is("items[0].breaker.circuit", "closed").is("items[0].breaker.openUntil", nil)
	equals(t, "calls", fmt.Sprint(len(s.got()), len(next.got())), "3 1")
	equals(t, "X-Delivery-Count", s.each("X-Delivery-Count")[2], "1")
}

func TestAHalfOpenBreakerTriesOneCall(t *testing.T) {
	g := holding(t)
	r, _ := guarded(t, g.URL, opening("wait", "PT0.2S"), step{})
	for _, id := range []string{"A", "B"} {
		r.post(`{"id":"` + id + `"}`)
	}
	for range 2 {
		finish := r.begin(theOrder+"/status", `{"status":"Checked"}`)
		g.wait()
		g.CloseClientConnections()
		finish().is("orderActionExecutionResults[0].actionStatus", "Error")
	}
	a, b := r.begin("/api/orders/A/status", `{"status":"Checked"}`), r.begin("/api/orders/B/status", `{"status":"Checked"}`)
	g.wait() // the trial
	r.until("the other waits", func() bool { return r.get("/api/runs?status=waiting").at("items[0].id") != nil })
	r.breaker().is("items[0].breaker.circuit", "halfOpen")
	equals(t, "calls", len(g.got()), 3)
	g.answer(success)
	g.wait()
	r.breaker().is("items[0].breaker.circuit", "closed")
	g.answer(success)
	for _, finish := range []func() answer{a, b} {
		finish().want(200).is("orderActionExecutionResults[0].actionStatus", "Success")
	}
}

func TestATrialThatFailsOpensTheBreakerAgain(t *testing.T) {
	s := endpoint(t, func(w http.ResponseWriter, _ int) { w.WriteHeader(500) })
	r, _ := guarded(t, s.URL, opening("fail", "PT2S"), step{})
	r.enter("Checked")
	r.enter("Checked")
	first := r.breaker().is("items[0].breaker.circuit", "open").text("items[0].breaker.openUntil")
	r.until("it is half-open", func() bool { return r.breaker().at("items[0].breaker.circuit") == "halfOpen" })
	r.enter("Checked").is("orderActionExecutionResults[0].attempts", 1)
	second := r.breaker().is("items[0].breaker.circuit", "open").text("items[0].breaker.openUntil")
	r.enter("Checked").is("orderActionExecutionResults[0].errorReason", isOpen)
	if second <= first {
		t.Errorf("open until %s at first, and until %s after the trial", first, second)
	}
	equals(t, "calls", len(s.got()), 3)
}

// It waits for its retry then, and no longer for the breaker.
func TestARunWhoseTrialFailedWaitsForItsRetry(t *testing.T) {
	s, r := failing(t, 99, 500), inTime(t)
	doc := config(status("Checked", step{}))
	r.settings(with(doc, connectors(connector(s.URL, `,"breaker":{"failures":1,"window":"00:10:00","openFor":"PT0.3S","whileOpen":"wait"}`))))
	var runs []string
	for _, id := range []string{"A", "B"} {
		r.post(`{"id":"` + id + `"}`)
		runs = append(runs, runOf(r.call("POST", "/api/orders/"+id+"/status?wait=false", `{"status":"Checked"}`).want(202)))
		r.until("the first attempt failed", func() bool { return len(s.got()) > 0 })
	}
	const result = "orderActionExecutionResults[0]."
	r.until("the other run waits for the breaker", func() bool { return r.get(runs[1]).text(result+"errorReason") != "" })
	r.until("its trial failed", func() bool { return r.get(runs[1]).at("nextAttempt") == number("2") })
	r.get(runs[1]).is(result+"errorReason", nil).is(result+"attempts", 1).is("status", "waiting")
	for _, run := range runs {
		r.cancel(run)
	}
}
