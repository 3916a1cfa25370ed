package contract

import (
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/orderhook/orderhook/internal/event"
)

// docs/contract.md#event-types: workflow_failed.

const workflowFailed = "workflow_failed ORD-12345"

// failure returns the one workflow_failed that there is.
func (r *rig) failure() *event.Event {
	r.t.Helper()
	var found []*event.Event
	for _, e := range r.events() {
		if e.Type == "workflow_failed" {
			found = append(found, e)
		}
	}
	if len(found) != 1 {
		r.t.Fatalf("%d workflow_failed, want 1", len(found))
	}
	return found[0]
}

func TestARunThatWasAbortedIsTold(t *testing.T) {
	r, res := placed(t, step{Host: answering(t, success).URL}, step{Host: answering(t, canceled).URL, Stop: true, More: `,"displayName":"Fraud check"`}, step{Host: answering(t, "").URL})
	reason := "Shipping address could not be validated"
	e := r.failure()
	for path, want := range map[string]any{
		"orderId": "ORD-12345", "runId": res.at("runId"), "status": "New", "runStatus": "aborted", "reason": fraudCheck + reason,
		"step": "WebhookWorkflowStep", "displayName": "Fraud check", "position": 2, "shipmentId": nil, "returnId": nil,
		"errors[0].step": "WebhookWorkflowStep", "errors[0].displayName": "Fraud check", "errors[0].position": 2, "errors[0].message": reason,
		"errors[0].callId": res.at("orderActionExecutionResults[1].callId"), "errors[1]": nil,
	} {
		is(t, e.Data, path, want)
	}
	equals(t, "subject", e.Subject, event.Subject{Kind: "order", ID: "ORD-12345"})
	equals(t, "related", e.Related, event.Related{OrderID: "ORD-12345"})
	equals(t, "time", e.Timestamp, r.clock.Now().UTC())
}

func TestWhichRunsAreTold(t *testing.T) {
	const reported = `{"OrderActionExecutionResults":[{"ActionStatus":"Error","ErrorReason":"no stock"}]}`
	for _, row := range []struct {
		name   string
		answer string
		step   step
		told   bool
	}{
		{"success", success, step{}, false},
		{"a warning", `{"OrderActionExecutionResults":[{"ActionStatus":"Warning"}]}`, step{Stop: true}, false},
		{"CancelWorkflow that is not heeded", canceled, step{}, false},
		{"what nobody reads", `{"CancelWorkflow":true}`, step{Stop: true}, false},
		{"a skipped step", success, step{More: `,"enabledForMarkets":["SWE"]`}, false},
		{"a reported error", reported, step{}, true},
		{"a failed call", "garbage", step{}, true},
		{"a failed call that stops", "garbage", step{Stop: true}, true},
		{"connector not found", "", step{ID: "gone"}, true},
	} {
		t.Run(row.name, func(t *testing.T) {
			if row.step.ID == "" {
				row.step.Host = answering(t, row.answer).URL
			}
			r, _ := placed(t, row.step, step{Host: answering(t, "").URL})
			want := []string{created}
			if row.told {
				want = append(want, workflowFailed)
			}
			same(t, "events", r.happened(0), want)
		})
	}
}

func TestSeveralStepsThatFailedAreToldInOneEvent(t *testing.T) {
	bad := answering(t, "garbage")
	r, _ := placed(t, step{Host: bad.URL, More: `,"displayName":"A"`}, step{Host: answering(t, success).URL}, step{Host: bad.URL, Deferred: true, More: `,"displayName":"B"`})
	r.ended()
	e := r.failure()
	for path, want := range map[string]any{"runStatus": "succeeded", "reason": nil, "displayName": "A", "position": 1, "errors[0].displayName": "A", "errors[1].displayName": "B", "errors[1].position": 3} {
		is(t, e.Data, path, want)
	}
}

func TestAShipmentsOrAReturnsRunThatFailedIsTold(t *testing.T) {
	s, r := answering(t, canceled), lease(t)
	r.settings(with(config(status("Packed", step{Host: s.URL, Stop: true})), returnStatuses(step{Host: s.URL, Stop: true})))
	r.post(order)
	r.ship("SHIP-2", "Packed")
	is(t, r.failure().Data, "shipmentId", "SHIP-2")
	equals(t, "related", r.failure().Related, event.Related{OrderID: "ORD-12345", ShipmentID: "SHIP-2"})
	before := len(r.events())
	id := r.giveBack("1").text("returnId")
	events := r.events()[before:]
	equals(t, "the last event", events[len(events)-1].Related, event.Related{OrderID: "ORD-12345", ReturnID: id})
	is(t, events[len(events)-1].Data, "returnId", id)
}

func TestACanceledOrSupersededRunIsToldWhereAStepOfItFailed(t *testing.T) {
	for name, end := range map[string]func(*rig, answer){
		"canceled":   func(r *rig, a answer) { r.cancel(runOf(a)) },
		"superseded": func(r *rig, _ answer) { patched(`{"status":"Other"}`)(r) },
	} {
		for _, failed := range []bool{true, false} {
			t.Run(fmt.Sprint(name, failed), func(t *testing.T) {
				g, r := holding(t), lease(t)
				first := step{Host: answering(t, map[bool]string{true: "garbage", false: success}[failed]).URL}
				r.settings(config(status("New", first, step{Host: g.URL})))
				res := r.call("POST", "/api/orders?wait=false", order).want(202)
				g.wait()
				end(r, res)
				g.answer(success)
				r.ended().is("items[0].status", name)
				told := strings.Contains(fmt.Sprint(r.happened(0)), workflowFailed)
				equals(t, "told", told, failed)
			})
		}
	}
}

func TestOnlyEndpointsThatNameItAreTold(t *testing.T) {
	named, wild, r := answering(t, ""), answering(t, ""), lease(t)
	r.settings(config(status("New", step{Host: answering(t, canceled).URL, Stop: true})))
	r.call("POST", "/api/endpoints", fmt.Sprintf(`{"url":%q,"eventTypes":["workflow_failed"]}`, named.URL)).want(201)
	r.subscribed(wild.URL, "")
	r.post(order)
	r.until("both have their events", func() bool { return len(named.got()) == 1 && len(wild.got()) == 1 })
	is(t, named.only(t).Body, "type", "workflow_failed")
	is(t, wild.only(t).Body, "type", "OrderCreated")
	r.until("all is recorded", func() bool { return !r.unfinished() })
}

// The run's end and its event are durable together or not at all.
func TestARunDoesNotEndWithoutItsEvent(t *testing.T) {
	var refused atomic.Bool
	s := holding(t)
	r := ordered(t, config(status("Parked", step{Host: s.URL, Stop: true})))
	other := r.withoutEvents(&refused)
	finish := other.begin(theOrder+"/status", `{"status":"Parked"}`)
	s.wait()
	refused.Store(true)
	s.answer(canceled)
	r.until("the log says so", func() bool { return strings.Contains(r.log.String(), "cannot be stored yet") })
	r.get("/api/runs").is("items[0].status", "running")
	same(t, "events", r.happened(1), nil)
	if text := r.log.String(); strings.Contains(text, "was aborted") {
		t.Errorf("the log tells what did not happen: %s", text)
	}
	refused.Store(false)
	finish().want(200).is("isAborted", true)
	same(t, "events", r.happened(1), []string{workflowFailed})
}
