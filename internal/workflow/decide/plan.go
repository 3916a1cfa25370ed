package decide

import (
	"cmp"
	"slices"
	"strings"

	"github.com/orderhook/orderhook/internal/ids"
	"github.com/orderhook/orderhook/internal/jsondoc"
	"github.com/orderhook/orderhook/internal/order"
	"github.com/orderhook/orderhook/internal/run"
	"github.com/orderhook/orderhook/internal/settings"
	"github.com/orderhook/orderhook/internal/spelling"
)

// actionExport is the group of all steps (docs/contract.md#which-steps-run).
const actionExport = "Export"

// plan makes the run of a status: its active steps in order, deferred ones
// after all others (docs/contract.md#waiting); none where the order's type
// has its workflow disabled. A dry run lists the others, too. No step is decided on yet:
// its limits and conditions look at the order as it is when its turn comes.
func (b *builder) plan(sc scope) *run.Run {
	s, all := b.Settings, b.DryRun != NoDryRun
	r := &run.Run{
		ID: b.NewID(ids.Run), OrderID: b.Order.ID, Status: run.RunWaiting,
		EnteredStatus: sc.status, OrderType: b.doc.Text("orderType"), ShipmentID: sc.shipmentID, ReturnID: sc.returnID,
		SettingsVersion: s.Version,
		Trace:           b.Trace,
		Created:         b.Now, Updated: b.Now, Results: []run.StepResult{},
	}
	if disabled(s, r) && !all {
		return r
	}
	// The results stand in the order in which the steps run. ConfigIndex finds each of them
	// in the settings, where the order is another one.
	for _, deferred := range []bool{false, true} {
		for i, step := range s.StatusOf(r).Steps {
			if (step.Active || all) && step.RunAfterOrderIsSaved == deferred {
				r.Results = append(r.Results, run.StepResult{
					Step: step.Name, ActionType: actionExport, ActionStatus: run.ActionPending, IsInvisible: step.IsInvisible,
					TranslateKey: step.TranslateKey, DisplayName: step.DisplayName, ConfigIndex: i, Deferred: deferred,
				})
			}
		}
	}
	return r
}

// Step returns the configured step that a run is at. The settings must be those of the
// run's version, and the run must not have taken all its steps.
func Step(s *settings.Settings, run *run.Run) *settings.Step {
	return &s.StatusOf(run).Steps[run.Current().ConfigIndex]
}

// unnamed is what settings say of a status that they do not name: nothing.
var unnamed settings.Status

// orderStatus returns a configured status of an order. A status that the settings do not
// name has no steps and says nothing else, either.
func orderStatus(s *settings.Settings, order *jsondoc.Object, name string) *settings.Status {
	return cmp.Or(s.OrderType(order.Text("orderType")).Status(name), &unnamed)
}

// disabled reports whether the orders of the run's type have no workflow, nor
// their returns (docs/contract.md#settings: `disableWorkflow`).
func disabled(s *settings.Settings, run *run.Run) bool {
	t := s.OrderType(run.OrderType)
	return t != nil && t.DisableWorkflow
}

// skipped says why step i is not for the order now; "" if it is. What holds for all orders
// is asked first, so that the reason is the one that whoever wrote the settings can act on.
func (b *runBuilder) skipped(i int, step *settings.Step) string {
	run := b.run
	switch {
	case disabled(b.Settings, run):
		return "the workflow of the order's type is disabled"
	case !step.Active:
		return "it is not active"
	case is(step, settings.WebhookReturnStep):
		if run.ReturnID == "" {
			return "it runs in return workflows only"
		}
		if !spelling.SameName(run.EnteredStatus, order.StatusReturned) && !spelling.SameName(run.EnteredStatus, order.StatusPartiallyReturned) {
			return "it runs in the statuses Returned and PartiallyReturned only"
		}
	case !is(step, settings.WebhookStep) && !is(step, settings.ExportOrderStep):
		return "orderhook has no step of this name"
	}
	// A run that is not for a shipment has no warehouse and no shipping method,
	// though the order may have some.
	shipment := order.Shipment(b.doc, run.ShipmentID)
	if reason, ok := step.Limits.Admit(settings.Subject{
		Market: b.doc.Text("marketId"), Store: b.doc.Text("storeId"), Tags: b.doc.Texts("tags"),
		Warehouse:       shipment.Text("warehouseCode"),
		ShipmentOptions: []string{shipment.Text("shippingMethodId"), shipment.Text("shippingMethodName")},
	}); !ok {
		return reason
	}
	if len(step.Conditions) > 0 {
		return unmet(step.Conditions, run.Results[:i])
	}
	return ""
}

// NotFor says why `other`, a shadow, would be skipped in place of the run's step; "" if it
// would run. It looks at the order as the live call sent it.
func NotFor(f Facts, other *settings.Step) (reason string) {
	was := *f.Order
	was.Doc = f.Sent
	f.Order = &was
	b := ofRun(f)
	return b.skipped(f.Run.Position.Step, other)
}

// is reports whether a step is of a kind, as [settings.WebhookStep]. Names of steps have no
// case.
func is(step *settings.Step, key string) bool { return strings.EqualFold(step.Name, key) }

// unmet says which conditions keep a step from running
// (docs/contract.md#which-steps-run); any one that holds lets it run.
func unmet(conditions []settings.Condition, before []run.StepResult) string {
	had := func(s run.ActionStatus) bool {
		return slices.ContainsFunc(before, func(r run.StepResult) bool { return r.ActionStatus == s })
	}
	holds := map[settings.Condition]bool{
		settings.OnSuccess: !had(run.ActionError) && !had(run.ActionWarning),
		settings.OnError:   had(run.ActionError),
		settings.OnWarning: had(run.ActionWarning),
	}
	names := make([]string, len(conditions))
	for i, c := range conditions {
		if holds[c] {
			return ""
		}
		names[i] = string(c)
	}
	return "none of its conditions holds: " + strings.Join(names, ", ")
}
