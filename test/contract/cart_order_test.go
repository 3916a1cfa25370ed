package contract

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
)

// docs/contract.md#carts: `POST /api/carts/{id}/order`.

// checkout has a validator and a workflow step for orders of status New.
func checkout(t *testing.T, validator, workflow *sink) *rig {
	t.Helper()
	r := lease(t)
	r.settings(with(config(status("New", step{Host: workflow.URL})), connectors(validatorAt(validator.URL, ""))))
	r.put(cart)
	return r
}

func (r *rig) toOrder(headers ...string) answer {
	r.t.Helper()
	return r.call("POST", theCart+"/order", "", headers...)
}

func TestACartThatPassesBecomesAnOrder(t *testing.T) {
	v, w := answering(t, changing), answering(t, answerWith(`{"StoreId":"oslo"}`))
	r := checkout(t, v, w)
	a := r.toOrder().want(201).is("isAborted", false).is("orderActionExecutionResults[0].actionStatus", "Success")
	id := a.text("order.id")
	equals(t, "an id of its own", strings.HasPrefix(id, "ord_"), true)
	equals(t, "Location, ETag", a.Header.Get("Location")+" "+a.Header.Get("ETag"), "/api/orders/"+id+` "2"`)
	stored := r.get("/api/orders/"+id).is("status", "New").is("storeId", "oslo").is("orderForm.cartId", "C123456").is("tags", []string{"checked"}).is("version", 2)
	for _, field := range []string{"marketId", "billingCurrency", "customField", "orderForm.lineItems", "orderForm.subTotal", "orderForm.total"} {
		stored.is(field, r.get(theCart).at(field))
	}
	is(t, w.only(t).Body, "Value.Id", id)
	is(t, w.only(t).Body, "Value.OrderForm.CartId", "C123456")
	r.get("/api/runs?orderId="+id).is("items[0].enteredStatus", "New").is("items[0].id", a.at("runId"))
	r.get(theCart).is("version", 2).is("status", "Draft").is("orderForm.cartId", nil)
	second := r.toOrder().want(201)
	if second.text("order.id") == id {
		t.Errorf("two orders have the id %s", id)
	}
}

func TestAnOrderOfACartHasTimesAndVersionsOfItsOwn(t *testing.T) {
	r := lease(t)
	r.call("PUT", theCart, `{"created":"2020-01-01T00:00:00Z","status":"Draft"}`).want(201)
	a := r.toOrder().want(201).is("order.created", "2026-11-21T09:00:00.000000Z").is("order.version", 1).is("order.status", "New").is("order.orderForm.cartId", "C123456")
	r.get("/api/orders/" + a.text("order.id") + "/versions/1")
}

func TestACartThatFailsBecomesNoOrder(t *testing.T) {
	v, w := speaking(t), answering(t, success)
	r := checkout(t, v.sink, w)
	v.says(replying(200, strings.TrimSuffix(rejected, "}")+`,"value":{"tags":["failed"]}}`))
	r.toOrder("Idempotency-Key", "one").want(422).passes(false, "Item SHOE-BLACK-42 is not available for delivery to this postal code||External|SHOE-BLACK-42").is("value.tags", []string{"failed"})
	v.says(replying(500, "down"))
	r.toOrder("Idempotency-Key", "one").want(422).passes(false, "answered 500 Internal Server Error: down||External|").is("validationWarnings", []string{}).is("value.id", "C123456")
	r.get("/api/orders").is("items", []string{})
	r.get(theCart).is("tags", []string{"failed"}).is("version", 2)
	equals(t, "calls of the workflow", len(w.got()), 0)
	v.says(replying(200, ""))
	r.toOrder("Idempotency-Key", "one").want(201)
	r.call("POST", "/api/carts/none/order", "").problem(404)
	equals(t, "orders", len(r.get("/api/orders").ids("id")), 1)
}

func TestAnOrderOfACartIsMadeOnceForItsKey(t *testing.T) {
	v, w := answering(t, changing), answering(t, success)
	r := checkout(t, v, w)
	first := r.toOrder("Idempotency-Key", "one").want(201)
	r.call("PATCH", theCart, `{"salesChannel":"later"}`).want(200)
	for range 3 {
		r.toOrder("Idempotency-Key", "one").again(first)
	}
	equals(t, "calls", fmt.Sprint(len(v.got()), len(w.got())), "1 1")
	equals(t, "orders", len(r.get("/api/orders").ids("id")), 1)
	r.call("POST", theCart+"/order", `{"other":1}`, "Idempotency-Key", "one").problem(409)
	r.call("POST", "/api/orders", `{}`, "Idempotency-Key", "one").problem(409)
	equals(t, "calls", len(v.got()), 1)
	r.toOrder("Idempotency-Key", "two").want(201)
}

func TestRepeatsInFlightValidateOnce(t *testing.T) {
	v, w := holding(t), answering(t, success)
	r := checkout(t, v.sink, w)
	answers := make(chan answer, 5)
	for range cap(answers) {
		go func() {
			a, err := r.try("POST", theCart+"/order", "", "Idempotency-Key", "one")
			if err != nil {
				t.Error(err)
			}
			answers <- a
		}()
	}
	v.wait()
	v.answer(changing)
	first := (<-answers).want(201)
	for range cap(answers) - 1 {
		(<-answers).again(first)
	}
	equals(t, "calls", fmt.Sprint(len(v.got()), len(w.got())), "1 1")
	equals(t, "orders", len(r.get("/api/orders").ids("id")), 1)
}

func TestAnOrderOfACartMayGoOnInTheBackground(t *testing.T) {
	v, w := answering(t, ""), holding(t)
	r := checkout(t, v, w.sink)
	a := r.call("POST", theCart+"/order?wait=false", "").want(202).is("order.status", "New")
	equals(t, "Location", a.Header.Get("Location"), "/api/runs/"+a.text("runId"))
	w.wait()
	w.answer(success)
	r.until("the run has ended", func() bool { return r.get("/api/runs/"+a.text("runId")).text("status") == "succeeded" })
	r.call("POST", theCart+"/order?wait=10", "").problem(422, "query.wait")
	equals(t, "calls", len(v.got()), 1)
}

func TestAnOrderIsMadeOfWhatWasValidated(t *testing.T) {
	g, w := holding(t), answering(t, success)
	r := checkout(t, g.sink, w)
	answers := make(chan answer, 1)
	go func() {
		a, err := r.try("POST", theCart+"/order", "")
		if err != nil {
			t.Error(err)
		}
		answers <- a
	}()
	g.wait()
	r.call("PATCH", theCart, `{"salesChannel":"theirs"}`).want(200)
	g.answer(changing)
	g.wait()
	g.answer(changing)
	(<-answers).want(201).is("order.salesChannel", "theirs").is("order.tags", []string{"checked"})
	r.get(theCart).is("version", 3)
}

func TestANewOrderIsNotValidated(t *testing.T) {
	v := endpoint(t, func(w http.ResponseWriter, _ int) { _, _ = io.WriteString(w, rejected) })
	r := checkout(t, v, answering(t, success))
	r.post(order)
	r.enter("Accepted")
	equals(t, "calls", len(v.got()), 0)
}
