package contract

import (
	"fmt"
	"testing"
)

// The wait of an open breaker is ended by hand: POST /api/connectors/try.

const tries = `{"name":"Webhook"}`

func TestRunsThatWaitForABreakerGoOnOnceItIsTried(t *testing.T) {
	s := failing(t, 2, 500)
	r, next := guarded(t, s.URL, opening("wait"), step{})
	r.enter("Checked")
	r.enter("Checked")
	var waiting []func() answer
	for _, id := range []string{"A", "B", "C"} {
		r.post(`{"id":"` + id + `"}`)
		waiting = append(waiting, r.begin("/api/orders/"+id+"/status", `{"status":"Checked"}`))
	}
	r.until("they wait", func() bool {
		all := r.get("/api/runs?status=waiting")
		return all.at("items[2].orderActionExecutionResults[0].errorReason") != nil
	})
	r.breaker().is("items[0].breaker.circuit", "open")
	r.call("POST", "/api/connectors/try", tries).want(200).is("items[0].name", "Webhook").is("items[1]", nil)
	for _, finish := range waiting {
		finish().want(200).is("orderActionExecutionResults[0].actionStatus", "Success").is("orderActionExecutionResults[0].attempts", 1)
	}
	r.breaker().is("items[0].breaker.circuit", "closed").is("items[0].breaker.openUntil", nil)
	equals(t, "calls", fmt.Sprint(len(s.got()), len(next.got())), "5 5")
	r.get("/api/audit?action=try-connectors").is("items[0].target.kind", "connector").is("items[0].target.id", "Webhook").is("items[1]", nil)
	r.call("POST", "/api/connectors/try", tries).problem(409)
}

func TestATryThatFailsOpensTheBreakerAgain(t *testing.T) {
	s := failing(t, 99, 500)
	r, _ := guarded(t, s.URL, opening("wait"), step{})
	r.enter("Checked")
	r.enter("Checked")
	first := r.breaker().text("items[0].breaker.openUntil")
	var runs []string
	for _, id := range []string{"A", "B"} {
		r.post(`{"id":"` + id + `"}`)
		runs = append(runs, runOf(r.call("POST", "/api/orders/"+id+"/status?wait=false", `{"status":"Checked"}`).want(202)))
	}
	waiting := func(n int) bool {
		at := 0
		for _, run := range runs {
			if r.get(run).at("orderActionExecutionResults[0].errorReason") == "the breaker of connector Webhook is open: the run waits for it" {
				at++
			}
		}
		return at == n
	}
	r.until("both wait", func() bool { return waiting(2) })
	r.call("POST", "/api/connectors/try", tries).want(200)
	r.until("one has tried, and the breaker is open", func() bool { return waiting(1) && r.breaker().at("items[0].breaker.circuit") == "open" })
	if second := r.breaker().text("items[0].breaker.openUntil"); second <= first {
		t.Errorf("open until %s at first, and until %s after the try", first, second)
	}
	equals(t, "calls", len(s.got()), 3)
	for _, run := range runs {
		r.call("POST", run+"/cancel", "")
	}
}

func TestTheNextCallIsTheTryWhereNoneWaits(t *testing.T) {
	s := failing(t, 2, 500)
	r, _ := guarded(t, s.URL, opening("fail"), step{})
	r.call("POST", "/api/connectors/try", tries).problem(409)
	r.enter("Checked")
	r.enter("Checked")
	r.enter("Checked").is("orderActionExecutionResults[0].errorReason", isOpen)
	r.call("POST", "/api/connectors/try", tries, "Idempotency-Key", "once").want(200).is("items[0].breaker.circuit", "halfOpen")
	r.enter("Checked").is("orderActionExecutionResults[0].actionStatus", "Success")
	r.call("POST", "/api/connectors/try", tries, "Idempotency-Key", "once").want(200).is("items[0].breaker.circuit", "closed")
	r.call("POST", "/api/connectors/try", `{"connectorId":"none"}`).problem(422, "body.connectorId")
	r.call("POST", "/api/connectors/try", `{"name":"Webhook","connectorId":"none"}`).problem(422, "body")
	r.call("POST", "/api/connectors/try", `{}`).problem(422, "body")
	r.call("POST", "/api/connectors/try", `{"host":"x"}`).problem(422, "body.host")
}
