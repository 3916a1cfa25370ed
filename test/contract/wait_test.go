package contract

import (
	"context"
	"net/http"
	"strings"
	"testing"
)

// docs/contract.md#waiting: who waits how long for a run.

func TestACallThatDoesNotWaitIsAnsweredAtOnce(t *testing.T) {
	for _, row := range []struct {
		name, query string
		headers     []string
	}{
		{"wait=false", "?wait=false", nil},
		{"respond-async", "", []string{"Prefer", "respond-async"}},
		{"respond-async among others", "", []string{"Prefer", "return=representation, Respond-Async"}},
		{"wait of no time", "?wait=PT0S", nil},
		{"wait that is over", "?wait=PT0.05S", nil},
	} {
		t.Run(row.name, func(t *testing.T) {
			g, r := holding(t), lease(t)
			r.settings(config(status("New", step{Host: g.URL}), status("Accepted", step{Host: g.URL})))
			for _, call := range [][2]string{{"/api/orders", order}, {theOrder + "/status", `{"status":"Accepted"}`}} {
				res := r.call("POST", call[0]+row.query, call[1], row.headers...).want(202)
				res.is("order.id", "ORD-12345").is("orderActionExecutionResults[0].actionStatus", "Pending").is("isAborted", false)
				run := "/api/runs/" + res.at("runId").(string)
				equals(t, "Location", res.Header.Get("Location"), run)
				g.wait()
				r.get(run).is("status", "running").is("nextAttempt", 1)
				g.answer(answerWith(`{"Tags":["` + strings.Trim(row.query, "?") + `"]}`))
				r.ended()
				r.get(run).is("status", "succeeded").is("orderActionExecutionResults[0].actionStatus", "Success")
			}
			equals(t, "calls", len(g.got()), 2)
		})
	}
}

func TestACallWaitsForItsRun(t *testing.T) {
	for _, query := range []string{"", "?wait=true", "?wait=PT20S", "?wait=PT1H"} {
		s, r := answering(t, answerWith(`{"Tags":["done"]}`)), lease(t)
		r.settings(config(status("New", step{Host: s.URL})))
		res := r.call("POST", "/api/orders"+query, order).want(201).is("order.tags", []string{"first", "done"})
		equals(t, "Location", res.Header.Get("Location"), theOrder)
	}
}

func TestAWaitThatIsNoDuration(t *testing.T) {
	r := lease(t)
	for _, wait := range []string{"soon", "10", "PT2H", "-PT1S"} {
		r.call("POST", "/api/orders?wait="+wait, order).want(422).is("errors[0].location", "query.wait")
	}
	r.call("GET", theOrder, "").want(404)
}

func TestACallerThatHangsUpDoesNotEndTheRun(t *testing.T) {
	g, second, r := holding(t), answering(t, ""), lease(t)
	r.settings(config(status("New", step{Host: g.URL}, step{Host: second.URL})))
	ctx, hangUp := context.WithCancel(t.Context())
	req, err := http.NewRequestWithContext(ctx, "POST", r.url+"/api/orders", strings.NewReader(order))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+r.key)
	gone := make(chan error, 1)
	go func() {
		resp, err := http.DefaultClient.Do(req)
		if err == nil {
			_ = resp.Body.Close()
		}
		gone <- err
	}()
	g.wait()
	hangUp()
	if err := <-gone; err == nil {
		t.Fatal("the caller was answered")
	}
	g.answer(answerWith(`{"Tags":["done"]}`))
	r.ended().is("items[0].status", "succeeded")
	r.get(theOrder).is("tags", []string{"first", "done"})
	equals(t, "calls of the next step", len(second.got()), 1)
}

func TestACallerMayComeBackForTheResult(t *testing.T) {
	g, r := holding(t), lease(t)
	r.settings(config(status("New", step{Host: g.URL})))
	once := []string{"Idempotency-Key", "order-12345-1"}
	id := r.call("POST", "/api/orders", order, append(once, "Prefer", "respond-async")...).want(202).at("runId")
	g.wait()
	g.answer(success)
	r.call("POST", "/api/orders", order, once...).want(201).is("runId", id).is("orderActionExecutionResults[0].actionStatus", "Success")
	equals(t, "calls", len(g.got()), 1)
}

func TestRunWorkflowFalseRunsNothing(t *testing.T) {
	s, r := answering(t, ""), lease(t)
	r.settings(config(status("New", step{Host: s.URL})))
	r.call("POST", "/api/orders?runWorkflow=false", order).want(201).is("orderActionExecutionResults[0]", nil).is("runId", nil)
	r.call("POST", theOrder+"/status", `{"status":"New","skipRunWorkflow":true}`).want(200).is("runId", nil)
	r.call("PATCH", theOrder, `{"status":"new"}`).want(200)
	equals(t, "calls", len(s.got()), 0)
}
