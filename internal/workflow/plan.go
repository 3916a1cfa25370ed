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
	inactive   bool // inactive steps are listed too, as a dry run does
}

// plan makes the run of a status: its active steps in order, deferred ones
// after all others (CONTRACT.md, "When it runs").
func plan(s *settings.Settings, orderID string, order *oms.Object, sc scope, now time.Time) *oms.Run {
	run := &oms.Run{
		ID: oms.NewID(oms.RunID), OrderID: orderID, Status: oms.RunWaiting,
		EnteredStatus: sc.status, OrderType: order.Text("orderType"), ShipmentID: sc.shipmentID, ReturnID: sc.returnID,
		SettingsVersion: s.Version,
		Created:         now, Updated: now, Results: []oms.StepResult{},
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

// skipped says why a step is not for this order now; "" if it is.
func skipped(step *settings.Step, order *oms.Object, run *oms.Run, before []oms.StepResult) string {
	switch {
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
	if reason, ok := step.Limits.Admit(order.Text("marketId"), order.Text("storeId"), order.Texts("tags")); !ok {
		return reason
	}
	return conditionsHold(step.Conditions, before)
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
