package contract

import (
	"sync/atomic"
	"testing"
)

// docs/contract.md#idempotency, docs/contract.md#keys and
// docs/contract.md#waiting, of returns.

func TestAReturnIsMadeOnceForItsIdempotencyKey(t *testing.T) {
	s := answering(t, answerWith(`{"Tags":["inspected"]}`))
	r := returning(t, step{Host: s.URL})
	first := r.call("POST", theOrder+"/returns", lines("L1", "1"), "Idempotency-Key", "one").want(201)
	patched(`{"tags":["later"]}`)(r)
	for range 3 {
		r.call("POST", theOrder+"/returns", lines("L1", "1"), "Idempotency-Key", "one").again(first)
	}
	r.call("POST", theOrder+"/returns", lines("L1", "0.5"), "Idempotency-Key", "one").problem(409)
	equals(t, "calls", len(s.got()), 1)
	r.get(theOrder).is("returnOrderForms[1]", nil)
	second := r.call("POST", theOrder+"/returns", lines("L1", "1"), "Idempotency-Key", "two").want(201).is("order.status", "Returned")
	if second.at("returnId") == first.at("returnId") {
		t.Error("another key made no other return")
	}
}

func TestReturnsAtOnceGiveBackNoMoreThanWasBought(t *testing.T) {
	r := lease(t)
	r.post(order)
	var through atomic.Int32
	together(16, func(int) {
		a, err := r.try("POST", theOrder+"/returns", lines("L1", "0.25"))
		switch {
		case err == nil && a.Status == 201:
			through.Add(1)
		case err != nil || a.Status != 422:
			t.Errorf("%v, %d %s", err, a.Status, a.Raw)
		}
	})
	equals(t, "returns", through.Load(), int32(8))
	r.ended()
	r.get(theOrder).is("status", "Returned").is("returnOrderForms[7].lineItems[0].returnQuantity", number("0.25")).is("returnOrderForms[8]", nil)
}

func TestAReturnThatDoesNotWait(t *testing.T) {
	g := holding(t)
	r := returning(t, step{Host: g.URL})
	res := r.call("POST", theOrder+"/returns?wait=false", lines("L1", "1")).want(202).is("orderActionExecutionResults[0].actionStatus", "Pending")
	res.is("order.status", "PartiallyReturned").is("order.returnOrderForms[0].returnId", res.at("returnId"))
	equals(t, "Location", res.Header.Get("Location"), "/api/runs/"+res.text("runId"))
	g.wait()
	r.get("/api/runs/"+res.text("runId")).is("status", "running").is("returnId", res.at("returnId"))
	g.answer(success)
	r.ended().is("items[0].status", "succeeded")
	r.call("POST", theOrder+"/returns?wait=soon", lines("L1", "1")).problem(422, "query.wait")
	r.get(theOrder).is("returnOrderForms[1]", nil)
}

func TestWhoMayReturn(t *testing.T) {
	r := lease(t)
	r.post(order)
	r.role("reader").call("POST", theOrder+"/returns", lines("L1", "1")).problem(403)
	r.role("publisher").call("POST", theOrder+"/returns", lines("L1", "1")).want(201)
	r.stranger().call("POST", theOrder+"/returns", lines("L1", "1")).problem(404)
}

func TestTheStatusThatAReturnGaveIsGuardedToo(t *testing.T) {
	g, next := holding(t), answering(t, "")
	r := returning(t, step{Host: g.URL}, step{Host: next.URL})
	finish := r.begin(theOrder+"/returns", lines("L1", "1"))
	g.wait()
	patched(`{"status":"Disputed"}`)(r)
	g.answer(answerWith(`{"Status":"Inspected","Tags":["seen"]}`))
	finish().want(201).is("order.status", "Disputed").is("order.tags", []string{"first", "seen"}).is("isAborted", false)
	r.ended().is("items[0].status", "superseded")
	equals(t, "conflicts", r.conflicts(), []string{"status: PartiallyReturned, Inspected, Disputed"})
	equals(t, "calls of the next step", len(next.got()), 0)
}
