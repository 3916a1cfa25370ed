package contract

import (
	"fmt"
	"net/http"
	"testing"
	"time"
)

// docs/design.md#a-two-way-step: a run goes on, after a stop, at
// the very attempt it was at.

func TestARunThatWaitsForARetryGoesOnAtThatAttempt(t *testing.T) {
	delays := []time.Duration{time.Second, 5 * time.Second, 15 * time.Second}
	for failures := 1; failures <= 3; failures++ {
		t.Run(fmt.Sprint("after attempt ", failures), func(t *testing.T) {
			r := start(t)
			s := endpoint(t, func(w http.ResponseWriter, n int) {
				if n == failures-1 {
					r.clock.Hold() // the retry that follows has to wait
				}
				if n < failures {
					w.WriteHeader(http.StatusBadGateway)
				}
			})
			r.settings(config(status("New", step{Host: s.URL}, step{Host: s.URL})))
			run := "/api/runs/" + r.call("POST", "/api/orders?wait=false", order).want(202).at("runId").(string)
			r.until("the retry waits", func() bool { return len(r.clock.Waits()) == failures })
			due := r.get(run).is("status", "waiting").is("nextAttempt", failures+1).at("nextAttemptAt")
			r.restart(patience)
			r.get(run).is("status", "waiting").is("nextAttempt", failures+1).is("nextAttemptAt", due)
			r.until("the retry waits again", func() bool { return len(r.clock.Waits()) == failures+1 })
			equals(t, "the wait that is left", r.clock.Waits()[failures], delays[failures-1])
			equals(t, "calls", len(s.got()), failures)
			r.clock.Release()
			r.ended().is("items[0].status", "succeeded").is("items[0].orderActionExecutionResults[0].attempts", failures+1)
			equals(t, "X-Delivery-Count", s.each("X-Delivery-Count"), append([]string{"1", "2", "3", "4"}[:failures+1:failures+1], "1"))
			for i, key := range s.each("Idempotency-Key") {
				equals(t, "the first call's key", key == s.each("Idempotency-Key")[0], i <= failures)
			}
		})
	}
}

func TestACallThatWasGivenUpIsRepeatedAsTheSameAttempt(t *testing.T) {
	g, r := holding(t), start(t)
	r.settings(config(status("New", step{Host: g.URL})))
	run := "/api/runs/" + r.call("POST", "/api/orders?wait=false", order).want(202).at("runId").(string)
	g.wait()
	r.restart(0)
	g.wait()
	r.get(run).is("status", "running").is("nextAttempt", 1)
	g.answer(answerWith(`{"Tags":["done"]}`))
	r.ended().is("items[0].status", "succeeded").is("items[0].orderActionExecutionResults[0].attempts", 1)
	r.get(theOrder).is("tags", []string{"first", "done"}).is("errors", nil)
	equals(t, "X-Delivery-Count", g.each("X-Delivery-Count"), []string{"1", "1"})
	equals(t, "Idempotency-Key", g.each("Idempotency-Key")[1], g.each("Idempotency-Key")[0])
	equals(t, "body", string(g.got()[1].Body), string(g.got()[0].Body))
}

func TestACallInFlightIsFinishedBeforeTheStop(t *testing.T) {
	g, second, r := holding(t), answering(t, ""), start(t)
	r.settings(config(status("New", step{Host: g.URL}, step{Host: second.URL})))
	r.call("POST", "/api/orders?wait=false", order).want(202)
	g.wait()
	go func() { g.answers <- answerWith(`{"Tags":["done"]}`) }()
	r.restart(patience)
	r.ended().is("items[0].status", "succeeded")
	r.get(theOrder).is("tags", []string{"first", "done"})
	equals(t, "calls", len(g.got())+len(second.got()), 2)
}

func TestDeferredStepsAndRunsInLineSurviveAStop(t *testing.T) {
	s, r := answering(t, ""), start(t)
	r.settings(config(status("New", step{Host: s.URL + "/new", Deferred: true}), status("Packed", step{Host: s.URL + "/packed"})))
	r.clock.Hold()
	r.post(order)
	r.call("POST", theOrder+"/status?wait=false", `{"status":"Packed","shipmentId":"SHIP-2"}`).want(202)
	r.end(patience)
	equals(t, "calls", len(s.got()), 0)
	// The second call had the queue look again: it set its timer twice if it was
	// at rest by then, else once, and not at all if the stop was faster.
	before := len(r.clock.Waits())
	r.run()
	r.until("the deferred step waits again", func() bool { return len(r.clock.Waits()) > before })
	for _, wait := range r.clock.Waits() {
		equals(t, "a wait, before or after the restart", wait, time.Second)
	}
	equals(t, "calls", len(s.got()), 0)
	r.clock.Release()
	r.ended().is("items[0].status", "succeeded").is("items[1].status", "succeeded")
	equals(t, "calls", s.paths(), []string{"/new", "/packed"})
}

func TestWaitingCallersAreAnsweredBeforeAStop(t *testing.T) {
	g, r := holding(t), start(t)
	r.settings(config(status("New", step{Host: g.URL})))
	answered := make(chan answer, 1)
	go func() {
		a, err := r.try("POST", "/api/orders", order)
		if err != nil {
			t.Error(err)
		}
		answered <- a
	}()
	g.wait()
	r.engine.StopWaits()
	(<-answered).want(202).is("orderActionExecutionResults[0].actionStatus", "Pending")
	g.answer(success)
	r.ended().is("items[0].status", "succeeded")
}

// TestAStopDoesNotWaitForWhatMayNeverCome: who waits for an event of a feed, or for a call to
// answer, is answered at once; who waits for a run goes on waiting.
func TestAStopDoesNotWaitForWhatMayNeverCome(t *testing.T) {
	g, r := holding(t), start(t)
	r.settings(config(status("New", step{Host: g.URL})))
	feed := "/api/endpoints/" + r.call("POST", "/api/endpoints", `{"url":"feed:","eventTypes":["never"]}`).want(201).text("id") + "/feed?wait=PT1M"
	calls := r.intercepts(`{"steps":["never"],"orderIds":["ORD-0"]}`).path + "/calls?wait=PT30S"
	ask := func(method, path, body string) <-chan answer {
		answered := make(chan answer, 1)
		go func() {
			a, err := r.try(method, path, body)
			if err != nil {
				t.Error(err)
			}
			answered <- a
		}()
		return answered
	}
	run := ask("POST", "/api/orders", order)
	g.wait()
	waiting := []<-chan answer{ask("GET", feed, ""), ask("POST", calls, "")}
	r.engine.Leave()
	for _, answered := range waiting {
		select {
		case a := <-answered:
			a.want(200).is("items", []any{})
		case <-time.After(patience):
			t.Error("a stop would wait")
		}
	}
	g.answer(success)
	(<-run).want(201)
}
