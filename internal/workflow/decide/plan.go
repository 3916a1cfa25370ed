package decide

import (
	"cmp"
	"slices"
	"strings"

	"github.com/orderhook/orderhook/internal/oms"
	"github.com/orderhook/orderhook/internal/settings"
)

// actionExport is the group of all steps (the seeds, "Identifier").
const actionExport = "Export"

// plan makes the run of a status: its active steps in order, deferred ones
// after all others (CONTRACT.md, "When it runs"); none where the order's type
// has its workflow disabled. A dry run lists the others, too.
func (b *builder) plan(sc scope) *oms.Run {
	s, all := b.Settings, b.Rehearsal != Real
	run := &oms.Run{
		ID: b.NewID(oms.RunID), OrderID: b.Order.ID, Status: oms.RunWaiting,
		EnteredStatus: sc.status, OrderType: b.doc.Text("orderType"), ShipmentID: sc.shipmentID, ReturnID: sc.returnID,
		SettingsVersion: s.Version,
		Created:         b.Now, Updated: b.Now, Results: []oms.StepResult{},
	}
	if disabled(s, run) && !all {
		return run
	}
	for _, deferred := range []bool{false, true} {
		for i, step := range statusOf(s, run).Steps {
			if (step.Active || all) && step.RunAfterOrderIsSaved == deferred {
				run.Results = append(run.Results, oms.StepResult{
					Step: step.Name, ActionType: actionExport, ActionStatus: oms.ActionPending, IsInvisible: step.IsInvisible,
					TranslateKey: step.TranslateKey, DisplayName: step.DisplayName, ConfigIndex: i, Deferred: deferred,
				})
			}
		}
	}
	return run
}

// Step returns the configured step that a run is at.
func Step(s *settings.Settings, run *oms.Run) *settings.Step {
	return &statusOf(s, run).Steps[run.Results[run.Position.Step].ConfigIndex]
}

// unnamed is what settings say of a status that they do not name: nothing.
var unnamed settings.Status

// statusOf returns the configured status of a run.
func statusOf(s *settings.Settings, run *oms.Run) *settings.Status {
	if run.ReturnID != "" {
		return cmp.Or(s.ReturnStatus(run.EnteredStatus), &unnamed)
	}
	return cmp.Or(s.OrderType(run.OrderType).Status(run.EnteredStatus), &unnamed)
}

// orderStatus returns a configured status of an order.
func orderStatus(s *settings.Settings, order *oms.Object, name string) *settings.Status {
	return cmp.Or(s.OrderType(order.Text("orderType")).Status(name), &unnamed)
}

// disabled reports whether the orders of the run's type have no workflow, nor
// their returns (CONTRACT.md, "Configuration": `disableWorkflow`).
func disabled(s *settings.Settings, run *oms.Run) bool {
	t := s.OrderType(run.OrderType)
	return t != nil && t.DisableWorkflow
}

// skipped says why step i is not for the order now; "" if it is.
func (b *builder) skipped(i int, step *settings.Step) string {
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
		if !oms.SameName(run.EnteredStatus, oms.StatusReturned) && !oms.SameName(run.EnteredStatus, oms.StatusPartiallyReturned) {
			return "it runs in the statuses Returned and PartiallyReturned only"
		}
	case !is(step, settings.WebhookStep) && !is(step, settings.ExportOrderStep):
		return "orderhook has no step of this name"
	}
	// A run that is not for a shipment has no warehouse and no shipping method,
	// though the order may have some.
	shipment := oms.Shipment(b.doc, run.ShipmentID)
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

func is(step *settings.Step, key string) bool { return strings.EqualFold(step.Name, key) }

// unmet says which conditions keep a step from running (CONTRACT.md,
// "Configuration"); any one that holds lets it run.
func unmet(conditions []settings.Condition, before []oms.StepResult) string {
	had := func(s oms.ActionStatus) bool {
		return slices.ContainsFunc(before, func(r oms.StepResult) bool { return r.ActionStatus == s })
	}
	holds := map[settings.Condition]bool{
		settings.OnSuccess: !had(oms.ActionError) && !had(oms.ActionWarning),
		settings.OnError:   had(oms.ActionError),
		settings.OnWarning: had(oms.ActionWarning),
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
