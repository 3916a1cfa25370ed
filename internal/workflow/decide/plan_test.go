package decide_test

import (
	"strings"
	"testing"

	"github.com/orderhook/orderhook/internal/order"
	"github.com/orderhook/orderhook/internal/run"
	"github.com/orderhook/orderhook/internal/workflow/decide"
)

// docs/contract.md#which-steps-run: which steps a run has, and which of them are for
// the order.
func TestWhichStepsRun(t *testing.T) {
	const deferred = `,"RunAfterOrderIsSaved":true`
	named := func(name, more string) string { return step(`,"displayName":"` + name + `"` + more) }
	for _, row := range []struct {
		name   string
		config string
		change decide.StatusChange
		want   string // of each step: its name, what it came to, and why
	}{
		{"in their order", workflow(named("a", ""), named("b", "")), decide.StatusChange{}, "a Pending; b Pending"},
		{"deferred ones after all others", workflow(named("a", deferred), named("b", ""), named("c", deferred)), decide.StatusChange{}, "b Pending; a Pending; c Pending"},
		{"one that is not active is none of the run's", workflow(named("a", `,"active":false`), named("b", "")), decide.StatusChange{}, "b Pending"},
		{"a status that settings do not name", workflow(one), decide.StatusChange{Status: "Other"}, ""},
		{"in any letter case", workflow(named("a", "")), decide.StatusChange{Status: "w"}, "a Pending"},
		{"a type whose workflow is disabled", strings.Replace(workflow(one), `"orderStatuses"`, `"disableWorkflow":true,"orderStatuses"`, 1), decide.StatusChange{}, ""},
		{"of the default type, where the order's is not named", strings.Replace(workflow(named("a", "")), `"Online"`, `"Store"`, 1), decide.StatusChange{}, "a Pending"},
		{"a market", workflow(named("a", `,"enabledForMarkets":["SWE"]`), named("b", `,"enabledForMarkets":["nor"]`)), decide.StatusChange{}, "a Skipped not enabled for market NOR; b Pending"},
		{"disabled beats enabled", workflow(named("a", `,"enabledForMarkets":["NOR"],"disabledForMarkets":["NOR"]`)), decide.StatusChange{}, "a Skipped disabled for market NOR"},
		{"a store", workflow(named("a", `,"disabledForStores":["oslo"]`)), decide.StatusChange{}, "a Skipped disabled for store oslo"},
		{"a tag", workflow(named("a", `,"enabledForTags":["second"]`), named("b", `,"enabledForTags":["FIRST"]`)), decide.StatusChange{}, "a Skipped not enabled for tag first; b Pending"},
		{"a warehouse, of the shipment in scope", workflow(named("a", `,"enabledForWarehouses":["W1"]`)), decide.StatusChange{ShipmentID: "S1"}, "a Pending"},
		{"a warehouse, of another shipment", workflow(named("a", `,"enabledForWarehouses":["W1"]`)), decide.StatusChange{ShipmentID: "S2"}, "a Skipped not enabled for runs without a shipment that has a warehouse"},
		{"a warehouse, without a shipment", workflow(named("a", `,"enabledForWarehouses":["W1"]`)), decide.StatusChange{}, "a Skipped not enabled for runs without a shipment that has a warehouse"},
		{"a shipping method", workflow(named("a", `,"disabledForShipmentOptions":["express"]`)), decide.StatusChange{ShipmentID: "S1"}, "a Skipped disabled for shipment option express"},
		{"a return's step in no return", workflow(strings.Replace(one, "Webhook", "WebhookReturn", 1)), decide.StatusChange{}, " Skipped it runs in return workflows only"},
		{"connector not found", workflow(`{"name":"WebhookWorkflowStep","connector":"None","displayName":"a","StopOnError":true}`, named("b", "")), decide.StatusChange{},
			"a Error connector not found: None; b Pending"},
		{"connector not found by its id", workflow(`{"name":"WebhookWorkflowStep","connector":"None","connectorId":"7","displayName":"a"}`), decide.StatusChange{},
			"a Error connector not found: None with the ConnectorId 7"},
	} {
		t.Run(row.name, func(t *testing.T) {
			if row.change.Status == "" {
				row.change.Status = "W"
			}
			s := on(t, row.config).enter(row.change)
			got := joinedBy(s.last.Run.Results, "; ", func(r run.StepResult) string {
				return strings.TrimSpace(r.DisplayName+" "+string(r.ActionStatus)) + strings.TrimRight(" "+r.ErrorReason, " ")
			})
			equal(t, "steps", got, strings.TrimPrefix(row.want, " "))
			for _, r := range s.last.Run.Results {
				if r.ActionStatus == run.ActionSkipped && !strings.Contains(s.entry(order.OpStepSkipped).Message, r.ErrorReason) {
					t.Errorf("the history does not say why")
				}
			}
		})
	}
}

func joinedBy[T any](list []T, by string, show func(T) string) string {
	var out []string
	for _, v := range list {
		out = append(out, show(v))
	}
	return strings.Join(out, by)
}

// Conditions look at the steps before.
func TestConditions(t *testing.T) {
	warns, fails := result(`"ActionStatus":"Warning"`, `{}`), result(`"ActionStatus":"Error"`, `{}`)
	for _, row := range []struct{ before, conditions, want string }{
		{`{}`, `["Success"]`, "Pending"}, {warns, `["Success"]`, "Skipped"}, {fails, `["Success"]`, "Skipped"},
		{`{}`, `["Error"]`, "Skipped"}, {warns, `["Error"]`, "Skipped"}, {fails, `["Error"]`, "Pending"},
		{`{}`, `["Warning"]`, "Skipped"}, {warns, `["Warning"]`, "Pending"}, {fails, `["Warning"]`, "Skipped"},
		{`{}`, `["Error","Success"]`, "Pending"}, {fails, `["Error","Success"]`, "Pending"}, {warns, `["Error","Success"]`, "Skipped"},
		{warns, `[]`, "Pending"},
	} {
		s := inW(t, workflow(one, step(`,"conditions":`+row.conditions))).answer(row.before)
		equal(t, row.conditions+" after "+row.before, string(s.last.Run.Results[1].ActionStatus), row.want)
	}
	s := inW(t, workflow(one, step(`,"conditions":["Error"]`), step(`,"conditions":["Success"]`))).answer(`{}`)
	equal(t, "a step that was skipped is none that failed", s.told().Steps, "Success Skipped Pending")
}

// Limits look at the order as the steps before left it.
func TestLimitsFollowTheOrder(t *testing.T) {
	s := inW(t, workflow(one, step(`,"enabledForTags":["vip"]`))).answer(result(``, `{"Tags":["vip"]}`))
	equal(t, "steps", s.told().Steps, "Success Pending")
}

// docs/contract.md#returns: where a return's step runs.
func TestAReturnsStepRunsWhereItsReturnIs(t *testing.T) {
	const ofReturns = `{"name":"WebhookReturnWorkflowStep","connector":"W","properties":[{"key":"Host","value":"http://one"}]}`
	s := returned(t, ofReturns)
	equal(t, "of a return", s.told().Steps, "Pending")
	s.answer(result(``, `{"Origin":"web","CustomerEmail":"b@x"}`))
	equal(t, "may change", s.last.Order.Doc.Text("orderOrigin"), "web")
	equal(t, "may not change", s.last.Order.Doc.Text("customerEmail"), "kari@example.com")
	s.enter(decide.StatusChange{Status: "Checked", ReturnID: s.f.Run.ReturnID})
	equal(t, "in another status of a return", s.last.Run.Results[0].ErrorReason, "it runs in the statuses Returned and PartiallyReturned only")
}

// returned is a stage whose order has a return, with a run at its first step.
func returned(t *testing.T, steps ...string) *stage {
	t.Helper()
	config := with(shop(), `"returnStatuses":[`+status("PartiallyReturned", "", steps...)+`,`+status("Checked", "", steps...)+`]`)
	s := on(t, config)
	s.take(decide.Return(s.f, order.ReturnRequest{Lines: []order.ReturnLine{{LineItemID: "L1", Quantity: "1"}}}))
	return s
}

// One run of an order at a time.
func TestARunWaitsForItsTurn(t *testing.T) {
	s := on(t, workflow(one))
	s.f.Queued = true
	s.enter(decide.StatusChange{Status: "W"})
	s.is(told{Run: "waiting", Steps: "Pending", Order: "W", History: "StatusChanged"})
	equal(t, "no call yet", s.f.Run.Position.CallID, "")
	s.f.Now = s.f.Now.Add(5e9)
	s.pure(decide.Begin)
	s.is(told{Run: "running", Steps: "Pending", Order: "W"})
	equal(t, "due at once", s.f.Run.Position.DueAt, s.f.Now)
	equal(t, "sends the version that is there", s.f.Run.Position.BaseVersion, s.f.Order.Version)
}
