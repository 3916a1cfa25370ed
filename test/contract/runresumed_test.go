package contract

import "testing"

// Runs of other kinds that are resumed, and those that are not.

func TestAReturnsRunIsResumed(t *testing.T) {
	s := answering(t, canceled, success)
	r := returning(t, step{Host: s.URL, Stop: true, ErrorStatus: "ReturnFailed"})
	res := r.giveBack("1").is("order.status", "ReturnFailed")
	r.resume(res)
	r.ended().is("items[0].status", "succeeded")
	is(t, s.got()[1].Body, "ReturnOrderFormId", res.at("returnId"))
	r.get(theOrder).is("errors", "[]")
}

func TestADeferredStepsRunIsResumed(t *testing.T) {
	s := answering(t, canceled, success)
	r, res := placed(t, step{Host: s.URL, Deferred: true, Stop: true})
	r.ended().is("items[0].status", "aborted")
	r.resume(res)
	r.ended().is("items[0].status", "succeeded")
	equals(t, "waits", r.clock.Waits(), "[1s 1s]")
}

func TestRunsThatCannotBeResumed(t *testing.T) {
	t.Run("the status was changed by someone since", func(t *testing.T) {
		r, res, s := aborted(t, step{ErrorStatus: "Failed"}, success)
		patched(`{"status":"Canceled"}`)(r)
		before := r.stored()
		r.call("POST", runOf(res)+"/resume", "").problem(409)
		equals(t, "what is stored", r.stored(), before)
		equals(t, "calls", len(s.got()), 2)
	})
	t.Run("the shipment's was", func(t *testing.T) {
		r := packing(t, step{Host: answering(t, canceled).URL, Stop: true})
		res := r.ship("SHIP-2", "Packed")
		r.call("PATCH", theShipments+"/SHIP-2", `{"orderStatus":"Delivered"}`).want(200)
		r.call("POST", runOf(res)+"/resume", "").problem(409)
	})
	t.Run("the status was changed while it waited for its turn", func(t *testing.T) {
		r, res, _ := aborted(t, step{}, success)
		g := holding(t)
		r.settings(config(status("Packed", step{Host: g.URL})))
		r.call("POST", theOrder+"/status?wait=false", `{"status":"Packed","shipmentId":"SHIP-2"}`).want(202)
		g.wait()
		r.resume(res)
		patched(`{"status":"Canceled"}`)(r)
		g.answer(success)
		r.ended()
		r.get(runOf(res)).is("status", "superseded")
	})
	t.Run("it was not aborted", func(t *testing.T) {
		g, r := holding(t), lease(t)
		r.settings(config(status("New", step{Host: g.URL})))
		run := runOf(r.call("POST", "/api/orders?wait=false", order).want(202))
		g.wait()
		r.call("POST", run+"/resume", "").problem(409)
		g.answer(success)
		r.ended().is("items[0].status", "succeeded")
		r.call("POST", run+"/resume", "").problem(409)
		r.call("POST", "/api/runs/run_none/resume", "").problem(404)
	})
}
