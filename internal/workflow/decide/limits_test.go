package decide_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/attempt"
	"github.com/orderhook/orderhook/internal/event"
	"github.com/orderhook/orderhook/internal/ids"
	"github.com/orderhook/orderhook/internal/workflow/decide"
)

// What one write may make of an order is bounded (docs/contract.md#limits): a caller is
// refused, an answer is an invalid one.
func TestAnAnswerThatMakesTooMuchOfAnOrder(t *testing.T) {
	large := result(``, `{"Properties":[{"Key":"big","Value":"`+strings.Repeat("x", 2000)+`"}],"Status":"Accepted"}`)
	s := on(t, workflow(stop))
	s.f.MaxOrderBytes = 2000
	s.enter(decide.StatusChange{Status: "W"}).answer(large)
	got := s.told()
	equal(t, "error", got.Errors, name+"invalid response: the order would be larger than 2000 bytes, which is the most that --max-order-bytes allows")
	got.Errors, got.Reason = "", ""
	equal(t, "a failed call", got, told{Run: "aborted", Steps: "Error", Order: "Stopped", History: "WorkflowStepFailed StatusChanged WorkflowEnded", Events: "workflow_failed"})
	equal(t, "the attempt", s.last.Attempt.Outcome, attempt.OutcomeFailed)
	equal(t, "nothing of it", len(s.last.Order.Doc.Objects("properties")), 1)

	s = on(t, workflow(stop))
	s.take(decide.Patch(s.f, patchOf(t, `{"notes":"`+strings.Repeat("x", 3000)+`"}`)))
	s.f.MaxOrderBytes = 2000
	s.enter(decide.StatusChange{Status: "W", SkipRun: true})
	s.enter(decide.StatusChange{Status: "W"}).answer(result(``, `{"CustomerEmail":"x@x"}`))
	equal(t, "one that makes it smaller", s.told().Run, "succeeded")
}

// TestIDsThatAreTooLong: nothing could be found by them, nor be stored about them.
func TestIDsThatAreTooLong(t *testing.T) {
	long := strings.Repeat("x", ids.MaxLength+1)
	for name, c := range map[string]struct{ doc, where string }{
		"a shipment": {`{"orderForm":{"shipments":[{"shipmentId":"M"},{"shipmentId":"` + long + `"}]}}`, "body.orderForm.shipments: the shipmentId that begins with "},
		"a return":   {`{"returnOrderForms":[{"returnId":"` + long + `"}]}`, "body.returnOrderForms: the returnId that begins with "},
	} {
		s := on(t, workflow(stop))
		_, err := decide.Patch(s.f, patchOf(t, c.doc))
		if want := c.where + `"xxxxxxxxxxxxxxxxxxxx" must be at most 200 bytes long`; apierr.KindOf(err) != apierr.Invalid || !strings.Contains(err.Error(), want) {
			t.Errorf("%s of a patch: %v", name, err)
		}
		_, err = decide.Create(s.f, decide.Document{Object: parse(t, c.doc)}, true)
		equal(t, name+" of a new order", apierr.KindOf(err), apierr.Invalid)
		// One that is there already, as in an order of before, may stay.
		s.f.Order.Doc = parse(t, strings.Replace(c.doc, "{", `{"id":"O1","status":"New","version":1,`, 1))
		s.take(decide.Patch(s.f, patchOf(t, strings.Replace(c.doc, "{", `{"notes":"x",`, 1))))
		equal(t, name+" that stays", s.last.Order.Doc.Text("notes"), "x")
		if name == "a return" { // no answer makes one
			continue
		}
		s = on(t, workflow(stop))
		s.enter(decide.StatusChange{Status: "W"}).answer(result(``, c.doc))
		if got := s.told(); got.Run != "aborted" || !strings.Contains(got.Errors, "invalid response: ") || !strings.Contains(got.Errors, "must be at most 200 bytes long") {
			t.Errorf("%s of an answer: %+v", name, got)
		}
	}
}

func TestACallerWhoMakesTooMuchOfAnOrder(t *testing.T) {
	s := on(t, workflow(stop))
	s.f.MaxOrderBytes = 2000
	_, err := decide.Patch(s.f, patchOf(t, `{"notes":"`+strings.Repeat("x", 3000)+`"}`))
	equal(t, "a patch", apierr.KindOf(err), apierr.TooLarge)
	_, err = decide.Create(s.f, decide.Document{Object: parse(t, `{"id":"O2","notes":"`+strings.Repeat("x", 3000)+`"}`)}, true)
	equal(t, "a new one", apierr.KindOf(err), apierr.TooLarge)
	s.f.MaxOrderBytes = 100 // it is larger already
	s.enter(decide.StatusChange{Status: "Idle"})
	if _, err = decide.Enter(s.f, decide.StatusChange{Status: "A status with a long name"}); apierr.KindOf(err) != apierr.TooLarge {
		t.Errorf("a status: %v", err)
	}
}

func TestAWriteThatMakesTooManyEvents(t *testing.T) {
	shipments := func(n int, status string) string {
		var all []string
		for i := range n {
			all = append(all, fmt.Sprintf(`{"shipmentId":"M%d","status":%q}`, i, status))
		}
		return `{"orderForm":{"shipments":[` + strings.Join(all, ",") + `]}}`
	}
	for n, want := range map[int]string{event.MaxOrderEvents: "succeeded", event.MaxOrderEvents + 1: "aborted"} {
		s := on(t, workflow(stop))
		s.take(decide.Patch(s.f, patchOf(t, shipments(n/2, "a"))))
		s.take(decide.Patch(s.f, patchOf(t, shipments(n, "a")))) // in two, of which each is small enough
		s.enter(decide.StatusChange{Status: "W"}).answer(result(``, strings.ReplaceAll(shipments(n, "b"), "orderForm", "OrderForm")))
		equal(t, "run", s.told().Run, want)
		equal(t, "the limit is named", strings.Contains(s.told().Errors, "at most 1000 events"), want == "aborted")
		if n > event.MaxOrderEvents {
			_, err := decide.Patch(s.f, patchOf(t, shipments(n, "c")))
			equal(t, "a patch", apierr.KindOf(err), apierr.Invalid)
		}
	}
}
