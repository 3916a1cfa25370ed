package contract

import "testing"

// docs/contract.md#which-steps-run: a later run waits for the earlier one. What the
// earlier one makes of the order's status takes nothing from the run of a
// shipment or a return.

func TestARunOfAShipmentRunsAfterOneThatSetTheStatus(t *testing.T) {
	for name, row := range map[string]struct{ answer, status string }{
		"by a patch":     {answerWith(`{"Status":"Validated"}`), "Validated"},
		"by ErrorStatus": {`{"OrderActionExecutionResults":[{"CancelWorkflow":true}]}`, "Stopped"},
	} {
		t.Run(name, func(t *testing.T) {
			g, r := holding(t), lease(t)
			r.settings(config(status("New", step{Host: g.URL + "/new", Stop: true, ErrorStatus: "Stopped"}), status("Shipped", step{Host: g.URL + "/shipped"})))
			first := r.begin("/api/orders", order)
			g.wait()
			second := r.begin(theOrder+"/status", `{"status":"Shipped","shipmentId":"SHIP-2"}`)
			g.answer(row.answer)
			g.wait()
			g.answer(success)
			first().want(201)
			second().want(200).is("order.status", row.status).is("orderActionExecutionResults[0].actionStatus", "Success")
			equals(t, "conflicts", len(r.conflicts()), 0)
		})
	}
}

func TestARunOfAReturnRunsAfterOneThatSetTheStatus(t *testing.T) {
	g, r := holding(t), lease(t)
	r.settings(with(config(), `"returnStatuses":[`+status("PartiallyReturned", step{Name: "WebhookReturnWorkflowStep", Host: g.URL})+`]`))
	r.post(order)
	const one = `{"lineItems":[{"lineItemId":"L1","returnQuantity":0.5}]}`
	first := r.begin(theOrder+"/returns", one)
	g.wait()
	second := r.begin(theOrder+"/returns", one)
	g.answer(answerWith(`{"Status":"ReturnInspected"}`))
	g.wait()
	g.answer(success)
	first().want(201)
	second().want(201).is("orderActionExecutionResults[0].actionStatus", "Success")
	equals(t, "calls", len(g.got()), 2)
}

// A run of the order's own status is no longer to the point once the earlier
// one has left that status.
func TestARunOfAStatusThatTheEarlierOneLeftIsSuperseded(t *testing.T) {
	for name, row := range map[string]struct {
		answer, status, ended string
		calls                 int
	}{
		"it left":        {answerWith(`{"Status":"Validated"}`), "Validated", "superseded", 1},
		"it stayed":      {answerWith(`{"Tags":["seen"]}`), "New", "succeeded", 2},
		"by ErrorStatus": {canceled, "Stopped", "superseded", 1},
	} {
		t.Run(name, func(t *testing.T) {
			g, r := holding(t), lease(t)
			r.settings(config(status("New", step{Host: g.URL, Stop: true, ErrorStatus: "Stopped"})))
			first := r.begin("/api/orders", order)
			g.wait()
			second := r.begin(theOrder+"/status", `{"status":"New"}`)
			g.answer(row.answer)
			if row.calls == 2 {
				g.wait()
				g.answer(success)
			}
			first().want(201)
			second().want(200).is("order.status", row.status).is("isAborted", false)
			r.ended().is("items[0].status", row.ended)
			equals(t, "calls", len(g.got()), row.calls)
		})
	}
}

func TestTheDeadlineThatPassesDuringTheLastAttemptAborts(t *testing.T) {
	g, r := holding(t), lease(t)
	doc := config(within("00:00:00.2", "Checked", step{}))
	r.settings(with(doc, connectors(connector(g.URL, `,"disableStandardErrorPolicy":true`))))
	r.post(order)
	res := r.enter("Checked").is("isAborted", true)
	r.overdue(res, 0, "200ms")
}

// However many wait, none is passed over.
func TestMoreThanAPageOfRunsThatWaitLearnOfTheStatusBeforeThem(t *testing.T) {
	g, s, r := holding(t), answering(t, success), lease(t)
	r.settings(config(status("New", step{Host: g.URL}), status("Shipped", step{Host: s.URL})))
	first := r.begin("/api/orders", order)
	g.wait()
	const waiting = 260
	for range waiting {
		r.begin(theOrder+"/status", `{"status":"Shipped","shipmentId":"SHIP-2"}`)
	}
	g.answer(answerWith(`{"Status":"Validated"}`))
	first().want(201).is("order.status", "Validated")
	r.until("all runs have ended", func() bool {
		return len(r.get("/api/runs?status=waiting&limit=1").ids("id"))+len(r.get("/api/runs?status=running&limit=1").ids("id")) == 0
	})
	equals(t, "calls", len(s.got()), waiting)
	equals(t, "superseded", len(r.get("/api/runs?status=superseded").ids("id")), 0)
}
