package contract

import (
	"fmt"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"
)

// docs/contract.md#which-steps-run: one run per order at a time, in commit order.

func TestOneRunPerOrderAtATimeInCommitOrder(t *testing.T) {
	g, r := holding(t), lease(t)
	r.settings(config(status("Packed", step{Host: g.URL})))
	r.post(order)
	var runs []string
	for i := range 4 {
		body := fmt.Sprintf(`{"status":"Packed","shipmentId":%q}`, []string{"SHIP-67890", "SHIP-2"}[i%2])
		runs = append(runs, r.call("POST", theOrder+"/status?wait=false", body).want(202).text("runId"))
	}
	for i := range 4 {
		g.wait()
		equals(t, "calls", len(g.got()), i+1)
		is(t, g.got()[i].Body, "ShipmentId", []string{"SHIP-67890", "SHIP-2"}[i%2])
		equals(t, "the run at work", r.get("/api/runs?status=running").text("items[0].id"), runs[i])
		g.answer("")
	}
	r.ended()
	equals(t, "runs in the history", answeredRuns(r), runs)
}

func answeredRuns(r *rig) []string {
	var out []string
	for _, e := range r.history("ExecuteExportOrder") {
		out = append(out, e.RunID)
	}
	return out
}

func TestALaterRunSeesWhatTheEarlierOneChanged(t *testing.T) {
	g, r := holding(t), lease(t)
	r.settings(config(status("New", step{Host: g.URL})))
	first := r.begin("/api/orders", order)
	g.wait()
	second := r.begin(theOrder+"/status", `{"status":"New"}`)
	g.answer(answerWith(`{"CustomerName":"Kari Hansen"}`))
	g.wait()
	is(t, g.got()[1].Body, "Value.CustomerName", "Kari Hansen")
	g.answer(success)
	first().want(201)
	second().want(200).is("order.customerName", "Kari Hansen")
}

func TestRunsOfDifferentOrdersGoSideBySide(t *testing.T) {
	var both sync.WaitGroup
	both.Add(2)
	s := endpoint(t, func(http.ResponseWriter, int) { both.Done(); both.Wait() })
	r := lease(t)
	r.settings(config(status("New", step{Host: s.URL})))
	first, second := r.begin("/api/orders", `{"id":"A"}`), r.begin("/api/orders", `{"id":"B"}`)
	first().want(201)
	second().want(201)
}

func TestARetryDelayHoldsUpTheOrdersLaterRunsOnly(t *testing.T) {
	s := endpoint(t, func(w http.ResponseWriter, n int) {
		if n == 0 {
			w.WriteHeader(http.StatusBadGateway)
		}
	})
	r := lease(t)
	r.settings(config(status("New", step{Host: s.URL})))
	r.clock.Hold()
	first := r.begin("/api/orders", order)
	r.until("the first run waits", func() bool { return slices.Equal(r.clock.Waits(), []time.Duration{time.Second}) })
	second := r.begin(theOrder+"/status", `{"status":"New"}`)
	r.post(`{"id":"ANOTHER"}`)
	equals(t, "calls", len(s.got()), 2)
	is(t, s.got()[1].Body, "Value.Id", "ANOTHER")
	r.clock.Release()
	first().want(201).is("orderActionExecutionResults[0].attempts", 2)
	second().want(200).is("orderActionExecutionResults[0].attempts", 1)
	equals(t, "X-Delivery-Count", s.each("X-Delivery-Count"), []string{"1", "1", "2", "1"})
}

func TestEnteringTheSameNameRunsItsWorkflowAgain(t *testing.T) {
	s := answering(t, "")
	r, _ := placed(t, step{Host: s.URL})
	for _, name := range []string{"New", "NEW", "new"} {
		r.enter(name).is("order.status", "New").is("orderActionExecutionResults[0].actionStatus", "Success")
	}
	equals(t, "calls", len(s.got()), 4)
	equals(t, "status changes", len(r.history("StatusChanged")), 0)
}

func TestARunWhoseTurnComesTooLateIsSuperseded(t *testing.T) {
	g, r := holding(t), lease(t)
	r.settings(config(status("New", step{Host: g.URL}), status("Review", step{Host: g.URL + "/review"})))
	first := r.begin("/api/orders", order)
	g.wait()
	second := r.begin(theOrder+"/status", `{"status":"Review"}`)
	patched(`{"status":"Canceled"}`)(r)
	g.answer(success)
	first().want(201)
	second().want(200).is("isAborted", false).is("order.status", "Canceled")
	r.ended().is("items[0].status", "superseded").is("items[1].status", "superseded")
	equals(t, "calls", g.paths(), []string{"/"})
}
