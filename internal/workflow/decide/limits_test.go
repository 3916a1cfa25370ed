package decide_test

import (
	"strings"
	"testing"

	"github.com/orderhook/orderhook/internal/oms"
	"github.com/orderhook/orderhook/internal/workflow/decide"
)

// CONTRACT.md, "Effect of the call": an answer may not make more of an order than
// it may be.
func TestAnAnswerThatMakesTooMuchOfAnOrder(t *testing.T) {
	large := result(``, `{"Properties":[{"Key":"big","Value":"`+strings.Repeat("x", 2000)+`"}],"Status":"Accepted"}`)
	s := on(t, workflow(stop))
	s.f.Limits = decide.Limits{OrderBytes: 2000}
	s.enter(decide.StatusChange{Status: "W"}).answer(large)
	got := s.told()
	if !strings.HasPrefix(got.Errors, name+"invalid response: it makes the order 25") || !strings.Contains(got.Errors, "at most 2000 (--max-order-bytes)") {
		t.Errorf("%q", got.Errors)
	}
	got.Errors, got.Reason = "", ""
	equal(t, "a failed call", got, told{Run: "aborted", Steps: "Error", Order: "Stopped", History: "WorkflowStepFailed StatusChanged WorkflowEnded", Events: "workflow_failed"})
	equal(t, "the attempt", s.last.Attempt.Outcome, oms.OutcomeFailed)
	equal(t, "nothing of it", len(s.last.Order.Doc.Objects("properties")), 1)

	s = on(t, workflow(stop))
	s.take(decide.Patch(s.f, patchOf(t, `{"notes":"`+strings.Repeat("x", 3000)+`"}`)))
	s.f.Limits = decide.Limits{OrderBytes: 2000}
	s.enter(decide.StatusChange{Status: "W"}).answer(result(``, `{"CustomerEmail":"x@x"}`))
	equal(t, "one that makes it smaller", s.told().Run, "succeeded")

	const two = `{"OrderForm":{"Shipments":[{"ShipmentId":"S1","Status":"a"},{"ShipmentId":"S2","Status":"b"}]}}`
	for most, want := range map[int]string{0: "succeeded", 1: "aborted", 2: "succeeded"} {
		s = on(t, workflow(stop))
		s.f.Limits = decide.Limits{Events: most}
		s.enter(decide.StatusChange{Status: "W"}).answer(result(``, two))
		equal(t, "events", s.told().Run, want)
		equal(t, "the limit is named", strings.Contains(s.told().Errors, "it makes 2 events of one write, which may be at most 1"), want == "aborted")
	}
}
