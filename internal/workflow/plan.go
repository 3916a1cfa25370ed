package workflow

import (
	"slices"
	"strings"
	"time"

	"github.com/orderhook/orderhook/internal/oms"
	"github.com/orderhook/orderhook/internal/settings"
)

// actionExport is the group of all steps (the seeds, "Identifier").
const actionExport = "Export"

// scope is what a run is for.
type scope struct {
	status     string
	shipmentID string
	returnID   string
	inactive   bool // steps that are not active, or disabled, are listed too, as a dry run does
}

// plan makes the run of a status: its active steps in order, deferred ones
// after all others (CONTRACT.md, "When it runs"); none where the order's type
// has its workflow disabled.
func plan(s *settings.Settings, orderID string, order *oms.Object, sc scope, now time.Time) *oms.Run {
	run := &oms.Run{
		ID: oms.NewID(oms.RunID), OrderID: orderID, Status: oms.RunWaiting,
		EnteredStatus: sc.status, OrderType: order.Text("orderType"), ShipmentID: sc.shipmentID, ReturnID: sc.returnID,
		SettingsVersion: s.Version,
		Created:         now, Updated: now, Results: []oms.StepResult{},
	}
	if disabled(s, run) && !sc.inactive {
		return run
	}
	for _, deferred := range []bool{false, true} {
		for i, step := range stepsOf(s, run) {
			if (step.Active || sc.inactive) && step.RunAfterOrderIsSaved == deferred {
				run.Results = append(run.Results, oms.StepResult{
					Step: step.Name, ActionType: actionExport, ActionStatus: oms.ActionPending, IsInvisible: step.IsInvisible,
					TranslateKey: step.TranslateKey, DisplayName: step.DisplayName, ConfigIndex: i, Deferred: deferred,
				})
			}
		}
	}
	return run
}

// stepsOf returns the configured steps of a run's status; none if settings do not name it.
func stepsOf(s *settings.Settings, run *oms.Run) []settings.Step {
	if st := statusOf(s, run); st != nil {
		return st.Steps
	}
	return nil
}

// statusOf returns the configured status of a run, nil if settings do not name it.
func statusOf(s *settings.Settings, run *oms.Run) *settings.Status {
	if run.ReturnID != "" {
		return s.ReturnStatus(run.EnteredStatus)
	}
	return s.OrderType(run.OrderType).Status(run.EnteredStatus)
}

// disabled reports whether the orders of the run's type have no workflow, nor
// their returns (CONTRACT.md, "Configuration": `disableWorkflow`).
func disabled(s *settings.Settings, run *oms.Run) bool {
	t := s.OrderType(run.OrderType)
	return t != nil && t.DisableWorkflow
}

// skipped says why a step is not for this order now; "" if it is.
func skipped(s *settings.Settings, step *settings.Step, order *oms.Object, run *oms.Run, before []oms.StepResult) string {
	switch {
	case disabled(s, run):
		return "the workflow of the order's type is disabled"
	case !step.Active:
		return "it is not active"
	case is(step, settings.WebhookReturnStep):
		if run.ReturnID == "" {
			return "it runs in return workflows only"
		}
		if !slices.ContainsFunc([]string{oms.StatusReturned, oms.StatusPartiallyReturned}, func(s string) bool { return oms.SameName(s, run.EnteredStatus) }) {
			return "it runs in the statuses Returned and PartiallyReturned only"
		}
	case !is(step, settings.WebhookStep) && !is(step, settings.ExportOrderStep):
		return "orderhook has no step of this name"
	}
	if reason, ok := step.Limits.Admit(subject(order, run)); !ok {
		return reason
	}
	return conditionsHold(step.Conditions, before)
}

// subject is what a step's limits look at. A run that is not for a shipment has
// no warehouse and no shipping method, though the order may have some.
func subject(order *oms.Object, run *oms.Run) settings.Subject {
	shipment := oms.Shipment(order, run.ShipmentID)
	return settings.Subject{
		Market: order.Text("marketId"), Store: order.Text("storeId"), Tags: order.Texts("tags"),
		Warehouse:       shipment.Text("warehouseCode"),
		ShipmentOptions: []string{shipment.Text("shippingMethodId"), shipment.Text("shippingMethodName")},
	}
}

func is(step *settings.Step, key string) bool { return strings.EqualFold(step.Name, key) }

// conditionsHold says which conditions keep a step from running (CONTRACT.md,
// "Configuration"); any one that holds lets it run.
func conditionsHold(conditions []settings.Condition, before []oms.StepResult) string {
	if len(conditions) == 0 {
		return ""
	}
	had := map[oms.ActionStatus]bool{}
	for _, r := range before {
		had[r.ActionStatus] = true
	}
	names := make([]string, len(conditions))
	for i, c := range conditions {
		holds := map[settings.Condition]bool{
			settings.OnSuccess: !had[oms.ActionError] && !had[oms.ActionWarning],
			settings.OnError:   had[oms.ActionError],
			settings.OnWarning: had[oms.ActionWarning],
		}
		if holds[c] {
			return ""
		}
		names[i] = string(c)
	}
	return "none of its conditions holds: " + strings.Join(names, ", ")
}
