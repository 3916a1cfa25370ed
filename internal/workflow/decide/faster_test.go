package decide_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/orderhook/orderhook/internal/order"
	"github.com/orderhook/orderhook/internal/workflow/decide"
)

const byAnother = "the status was changed by someone else: it is "

// docs/contract.md#conflicts.
func TestSomeoneElseWasFaster(t *testing.T) {
	enters := func(status string) func(*stage) *stage {
		return func(s *stage) *stage {
			return s.meanwhile(func(f decide.Facts) (*decide.Decision, error) {
				return decide.Enter(f, decide.StatusChange{Status: status, SkipRun: true})
			})
		}
	}
	patches := func(body string) func(*stage) *stage {
		return func(s *stage) *stage { return s.patched(body) }
	}
	superseded := func(steps, reason, errors, history, events string) told {
		return told{Run: "superseded", Steps: steps, Reason: byAnother + reason + " by now", Order: reason, Errors: errors, History: history, Events: events}
	}
	for _, row := range []struct {
		name      string
		meanwhile func(*stage) *stage
		then      func(*stage) *stage
		want      told
		conflict  string // of the last Conflict: path, before, after, theirs
		field     string // of the order, and what it is then
	}{
		{"another field: both stand", patches(`{"customerPhone":"1"}`), func(s *stage) *stage { return s.answer(result(``, `{"CustomerEmail":"b@x"}`)) },
			told{Run: "running", Steps: "Success Pending", Order: "W", History: "ExecuteExportOrder"}, "", "customerPhone 1"},
		{"the same field: the step's wins", patches(`{"customerEmail":"a@x"}`), func(s *stage) *stage { return s.answer(result(``, `{"CustomerEmail":"b@x"}`)) },
			told{Run: "running", Steps: "Success Pending", Order: "W", History: "ExecuteExportOrder Conflict"}, "customerEmail kari@example.com b@x a@x", "customerEmail b@x"},
		{"an echo of what was sent reverts nothing", patches(`{"customerEmail":"a@x"}`), func(s *stage) *stage { return s.answer(result(``, `{"CustomerEmail":"kari@example.com"}`)) },
			told{Run: "running", Steps: "Success Pending", Order: "W", History: "ExecuteExportOrder"}, "", "customerEmail a@x"},
		{"a line that was removed stays removed", patches(`{"keepExistingOrderLines":false,"orderForm":{"lineItems":[]}}`),
			func(s *stage) *stage {
				return s.answer(result(``, `{"OrderForm":{"LineItems":[{"LineItemId":"L1","PlacedPrice":9}]}}`))
			},
			told{Run: "running", Steps: "Success Pending", Order: "W", History: "ExecuteExportOrder Conflict"}, "", ""},
		{"a status: theirs stays", enters("Canceled"), func(s *stage) *stage { return s.answer(result(``, `{"Status":"Paid","CustomerEmail":"b@x"}`)) },
			superseded("Success Skipped", "Canceled", "", "ExecuteExportOrder Conflict WorkflowEnded", ""), "status W Paid Canceled", "customerEmail b@x"},
		{"a status, by a patch", patches(`{"status":"Held"}`), func(s *stage) *stage { return s.answer(`{}`) },
			superseded("Success Skipped", "Held", "", "ExecuteExportOrder Conflict WorkflowEnded", ""), "status W <nil> Held", ""},
		{"without its ErrorStatus", enters("Canceled"), func(s *stage) *stage { return s.answer(canceled) },
			superseded("Error Skipped", "Canceled", "WebhookWorkflowStep (step 1 of 2): too dear", "WorkflowStepFailed Conflict WorkflowEnded", "workflow_failed"), "status W Stopped Canceled", ""},
		{"without its TriggerNewStatus", enters("Canceled"), func(s *stage) *stage { return s.answer(result(`"TriggerNewStatus":"Paid"`, `{}`)) },
			superseded("Success Skipped", "Canceled", "", "ExecuteExportOrder Conflict WorkflowEnded", ""), "status W <nil> Canceled", ""},
		{"a failure is not tried again", enters("Canceled"), func(s *stage) *stage { return s.comesTo(decide.Outcome{Failure: "status 503", Retry: true}) },
			superseded("Error Skipped", "Canceled", "WebhookWorkflowStep (step 1 of 2): status 503", "WorkflowStepFailed Conflict WorkflowEnded", "workflow_failed"), "status W Stopped Canceled", ""},
		{"a status and back: it was set by someone else all the same", func(s *stage) *stage { return enters("W")(enters("Held")(s)) }, func(s *stage) *stage { return s.answer(`{}`) },
			superseded("Success Skipped", "W", "", "ExecuteExportOrder Conflict WorkflowEnded", ""), "status W <nil> W", ""},
		{"the same status set again is no other", enters("w"), func(s *stage) *stage { return s.answer(`{}`) },
			told{Run: "running", Steps: "Success Pending", Order: "W", History: "ExecuteExportOrder"}, "", ""},
		{"while it waited", enters("Canceled"), func(s *stage) *stage { s.pure(decide.Wake); return s },
			superseded("Skipped Skipped", "Canceled", "", "Conflict WorkflowEnded", ""), "status W <nil> Canceled", ""},
		{"before its turn", enters("Canceled"), func(s *stage) *stage { s.pure(decide.Begin); return s },
			superseded("Skipped Skipped", "Canceled", "", "Conflict WorkflowEnded", ""), "status W <nil> Canceled", ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			s := row.then(row.meanwhile(inW(t, workflow(stop, one))))
			s.is(row.want)
			if row.conflict != "" {
				equal(t, "conflict", conflictOf(s), row.conflict)
			}
			if row.field != "" {
				var field, want string
				_, _ = fmt.Sscan(row.field, &field, &want)
				equal(t, field, s.last.Order.Doc.Text(field), want)
			}
		})
	}
}

func conflictOf(s *stage) string {
	s.t.Helper()
	for _, c := range s.entry(order.OpConflict).Changes {
		return fmt.Sprint(c.Path, " ", c.Before, " ", c.After, " ", c.Theirs)
	}
	return ""
}

// The status of its shipment is as much what a shipment's run is about, and so is
// that its return was not cancelled.
func TestSomeoneElseSetTheStatusOfWhatTheRunIsFor(t *testing.T) {
	shipments := shop(status("W", "", stop), status("Held", ""))
	s := on(t, shipments).enter(decide.StatusChange{Status: "W", ShipmentID: "S1"}).meanwhile(func(f decide.Facts) (*decide.Decision, error) {
		return decide.Enter(f, decide.StatusChange{Status: "Held", ShipmentID: "S1", SkipRun: true})
	}).answer(result(``, `{"OrderForm":{"Shipments":[{"ShipmentId":"S1","OrderStatus":"Sent","TrackingNumber":"7"}]}}`))
	equal(t, "run", s.told().Run, "superseded")
	equal(t, "conflict", conflictOf(s), "orderForm.shipments[S1].orderStatus W Sent Held")
	equal(t, "theirs stays", order.Shipment(s.last.Order.Doc, "S1").Text("orderStatus"), "Held")
	equal(t, "other fields are applied", order.Shipment(s.last.Order.Doc, "S1").Text("trackingNumber"), "7")

	s = on(t, shipments).enter(decide.StatusChange{Status: "W", ShipmentID: "S1"}).meanwhile(func(f decide.Facts) (*decide.Decision, error) {
		return decide.Enter(f, decide.StatusChange{Status: "Held", ShipmentID: "S2", SkipRun: true})
	}).answer(`{}`)
	equal(t, "the status of another shipment", s.told().Run, "succeeded")

	// What the step says of its own shipment is not what the other writer decided on.
	s = on(t, shipments).enter(decide.StatusChange{Status: "W", ShipmentID: "S1"}).meanwhile(func(f decide.Facts) (*decide.Decision, error) {
		return decide.Enter(f, decide.StatusChange{Status: "Held", SkipRun: true})
	}).answer(result(``, `{"Status":"Paid","OrderForm":{"Shipments":[{"ShipmentId":"S1","OrderStatus":"Sent"}]}}`))
	equal(t, "the order's status is another's", s.told().Run, "superseded")
	equal(t, "conflict", conflictOf(s), "status Idle Paid Held")
	equal(t, "theirs stays", s.last.Order.Status(), "Held")
	equal(t, "the shipment's is the step's", order.Shipment(s.last.Order.Doc, "S1").Text("orderStatus"), "Sent")

	s = returned(t, `{"name":"WebhookReturnWorkflowStep","connector":"W","properties":[{"key":"Host","value":"http://one"}]}`)
	id := s.f.Run.ReturnID
	s.meanwhile(func(f decide.Facts) (*decide.Decision, error) { return decide.CancelReturn(f, id) })
	s.f.Order.StatusVersion, s.f.Run.StatusVersion = 1, 1 // as if the order's status were the same
	s.answer(`{}`)
	equal(t, "a cancelled return", s.told().Run, "superseded")
	equal(t, "conflict", conflictOf(s), "returnOrderForms["+id+"].status <nil> <nil> Cancelled")
	s.enter(decide.StatusChange{Status: "PartiallyReturned", ReturnID: id}).answer(`{}`)
	equal(t, "one that was cancelled before the run", s.told().Run, "succeeded")
}

// What comes back to a run that has ended is recorded, and changes nothing.
func TestTheAnswerToARunThatHasEndedIsRecorded(t *testing.T) {
	s := inW(t, workflow(stop))
	s.take(decide.Cancel(s.f))
	want := s.last
	for _, then := range []func(){
		func() { s.answer(result(``, `{"Status":"Paid"}`)) },
		func() { s.comesTo(decide.Outcome{Failure: "status 500"}) },
		func() {
			s.pure(func(f decide.Facts) *decide.Decision { a := s.attempt(); return decide.Fail(f, "oh", &a) })
		},
	} {
		then()
		equal(t, "attempt", s.last.Attempt.ID, "att_1")
		s.last.Attempt = nil
		if diff := cmp.Diff(decide.Decision{Order: want.Order, Run: want.Run}, *s.last, cmp.Comparer(func(a, b *order.Order) bool { return a == b })); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
	for name, do := range map[string]func(decide.Facts) *decide.Decision{"begin": decide.Begin, "wake": decide.Wake, "expire": decide.Expire} {
		if d := s.pure(do); d.Move != decide.Stays || len(d.History) > 0 {
			t.Errorf("%s: %+v", name, d)
		}
	}
}
