package contract

import (
	"strings"
	"testing"
)

// docs/contract.md#runs: a workflow result has runStatus, and says why the run did
// not succeed.

func TestAResultSaysHowTheRunStands(t *testing.T) {
	for _, row := range []struct {
		name   string
		during func(*rig, answer) // while the call is under way
		status string
		reason string
	}{
		{"succeeded", func(*rig, answer) {}, "succeeded", ""},
		{"canceled", func(r *rig, a answer) { r.cancel(runOf(a)) }, "canceled", "canceled by key "},
		{"superseded", func(r *rig, _ answer) { patched(`{"status":"Cancelled"}`)(r) }, "superseded", "the status was changed by someone else: it is Cancelled by now"},
	} {
		t.Run(row.name, func(t *testing.T) {
			g, r := holding(t), lease(t)
			r.settings(config(status("New", step{Host: g.URL})))
			res := r.call("POST", "/api/orders?wait=false", order, "Idempotency-Key", "one").want(202).is("runStatus", "running").is("reason", nil)
			g.wait()
			row.during(r, res)
			if row.status != "canceled" {
				g.answer(success)
			}
			r.ended()
			done := r.call("POST", "/api/orders?wait=false", order, "Idempotency-Key", "one").want(202)
			done.is("runStatus", row.status)
			if got := done.text("reason"); !strings.HasPrefix(got, row.reason) || row.reason == "" && got != "" {
				t.Errorf("reason %q, want %q", got, row.reason)
			}
			equals(t, "the run's", r.get(runOf(res)).text("reason"), done.text("reason"))
		})
	}
}

func TestARunWithBackgroundStepsIsWaitingInItsResult(t *testing.T) {
	r, _ := deferring(t, step{Host: answering(t, canceled).URL, Deferred: true, Stop: true})
	post := func() answer {
		return r.call("POST", theOrder+"/status", `{"status":"New"}`, "Idempotency-Key", "one").want(200).is("runStatus", "waiting").is("reason", nil)
	}
	first := post()
	r.clock.Release()
	r.ended().is("items[0].status", "aborted")
	post().again(first) // whatever has become of it since
}

func TestAShipmentsRunThatWasOvertakenSaysSo(t *testing.T) {
	g := holding(t)
	r := packing(t, step{Host: g.URL})
	finish := r.begin(theOrder+"/status", `{"status":"Packed","shipmentId":"SHIP-2"}`)
	g.wait()
	r.call("PATCH", theShipments+"/SHIP-2", `{"orderStatus":"Lost"}`).want(200)
	g.answer(success)
	finish().want(200).is("runStatus", "superseded").is("reason", "orderForm.shipments[SHIP-2].orderStatus was changed by someone else: it is Lost by now")
}
