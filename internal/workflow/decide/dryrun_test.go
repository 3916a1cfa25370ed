package decide_test

import (
	"testing"

	"github.com/orderhook/orderhook/internal/workflow/decide"
)

// A dry run is a decision that nobody commits.
func TestADryRun(t *testing.T) {
	const export = `{"name":"ExportOrder","connector":"W","properties":[{"key":"Host","value":"http://erp"}]}`
	config := workflow(one, step(`,"active":false`), export, step(`,"RunAfterOrderIsSaved":true`))
	s := on(t, config)
	s.f.DryRun = decide.WithoutCalls
	d, err := decide.Enter(s.f, decide.StatusChange{Status: "W"})
	if err != nil {
		t.Fatal(err)
	}
	s.last = d
	s.is(told{Run: "succeeded", Steps: "WouldRun Skipped WouldRun WouldRun", Order: "W", History: "StatusChanged WorkflowStepSkipped"})
	equal(t, "no version", d.Order.Version, s.f.Order.Version)
	equal(t, "nothing leaves it", len(d.Exports)+len(d.Events), 0)

	s.f.DryRun = decide.WithCalls
	s.enter(decide.StatusChange{Status: "W"})
	s.f.Settings = s.f.Today
	s.answer(result(``, `{"CustomerEmail":"b@x"}`)).is(told{Run: "running", Steps: "Success Skipped WouldRun Pending", Order: "W", History: "ExecuteExportOrder WorkflowStepSkipped"})
	s.answer(`{}`)
	equal(t, "the last", s.told().Steps, "Success Skipped WouldRun Success")
	equal(t, "the order as it would be", s.last.Order.Doc.Text("customerEmail"), "b@x")
}
