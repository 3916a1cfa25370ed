package rerun

import (
	"strings"
	"time"

	"github.com/orderhook/orderhook/internal/answer"
	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/attempt"
	"github.com/orderhook/orderhook/internal/event"
	"github.com/orderhook/orderhook/internal/jsondoc"
	"github.com/orderhook/orderhook/internal/order"
	"github.com/orderhook/orderhook/internal/outbound"
	"github.com/orderhook/orderhook/internal/run"
	"github.com/orderhook/orderhook/internal/settings"
	"github.com/orderhook/orderhook/internal/workflow/decide"
)

// Decide says what the engine makes of an answer to the call. The error is that nothing can
// be decided by this answer, or about this call.
func (c *Call) Decide(a *Answer) (*Decision, error) {
	x, err := a.exchange(c.Kind == KindEvent)
	if err != nil {
		return nil, err
	}
	switch c.Kind {
	case KindValidator:
		return DecideValidator(c.Validator.Cart.Object, c.Validator.OnlyLineItems, x), nil
	case KindEvent:
		return DecideDelivery(x, c.Number < c.MaxNumber, c.Event.Export), nil
	}
	f, err := c.facts()
	if err != nil {
		return nil, err
	}
	o := answer.Step(x)
	o.Late = o.Retry && x.Status == 0 && c.cutShort(a)
	x.StartedAt = c.StartedAt
	at := x.Record(string(c.Kind), o.Failure)
	at.ID, at.CallID, at.Number, at.MaxNumber = c.ID, c.CallID, c.Number, c.MaxNumber
	return DecideStep(f, *at, o), nil
}

// cutShort reports whether an attempt was given less time than its endpoint has, because the
// time of the run ended before. The error says how much it was given.
func (c *Call) cutShort(a *Answer) bool {
	given, err := time.ParseDuration(strings.TrimPrefix(a.Error, outbound.TimedOutAfter))
	return err == nil && !c.Step.Deadline.IsZero() && given < c.Timeout()
}

// DecideStep says what the engine makes of the outcome of an attempt at the call that a run
// is at. The facts are as for [decide.Answer], and are not changed.
func DecideStep(f decide.Facts, a attempt.Attempt, o decide.Outcome) *Decision {
	return decideStep(f, decide.Step(f.Settings, f.Run), a, o)
}

// DecideShadow says what the engine would make of the outcome of an attempt if the step that
// the run is at were configured as a shadow of it. The shadow goes by the name of the step: an
// error on the order must not differ by that alone.
func DecideShadow(f decide.Facts, shadow *settings.Shadow, a attempt.Attempt, o decide.Outcome) *Decision {
	live, step := decide.Step(f.Settings, f.Run), shadow.Step
	step.Name, step.DisplayName, step.TranslateKey = live.Name, live.DisplayName, live.TranslateKey
	return decideStep(f, &step, a, o)
}

func decideStep(f decide.Facts, step *settings.Step, a attempt.Attempt, o decide.Outcome) *Decision {
	if o.Answer == nil {
		a.Outcome, a.Error = attempt.OutcomeFailed, o.Failure
	} else {
		a.Outcome, a.Error = attempt.OutcomeSucceeded, ""
	}
	f = alone(f, step)
	return ofStep(f, decide.Answer(f, a, o))
}

// goesOn is a step that waits behind the one that is decided about, so that the run does not
// end with that one: what its end would bring is not of this answer.
var goesOn = settings.Step{Name: settings.WebhookStep, Active: true, Host: "https://next.invalid"}

// alone returns the facts of a run that has the current step alone, as step configures it. So
// the steps after it, which look at the order as it is then, have no part in the decision.
func alone(f decide.Facts, step *settings.Step) decide.Facts {
	r := f.Run.Clone()
	own := *f.Run.Current()
	own.ConfigIndex, own.Deferred = 0, false
	status := settings.Status{Name: r.EnteredStatus, MaxDuration: f.Settings.StatusOf(f.Run).MaxDuration, Steps: []settings.Step{*step, goesOn}}
	r.Results = []run.StepResult{own, {Step: goesOn.Name, ActionStatus: run.ActionPending, ConfigIndex: 1}}
	r.Position.Step, r.Trigger, r.Triggered, r.ShipmentsMoved = 0, "", "", false
	f.Run, f.Settings = r, &settings.Settings{
		Version:        f.Settings.Version,
		OrderTypes:     []settings.OrderType{{Name: r.OrderType, Default: true, Statuses: []settings.Status{status}}},
		ReturnStatuses: []settings.Status{status},
	}
	// Ids of what is never stored need not differ.
	f.NewID = func(prefix string) string { return prefix + "0" }
	return f
}

// DecideValidator says what a validator's answer makes of the cart that it was sent.
func DecideValidator(sent *jsondoc.Object, onlyLineItems bool, x outbound.Exchange) *Decision {
	v := answer.Validator(x, sent, onlyLineItems)
	if v.Failure != "" {
		return &Decision{Outcome: Failed, Reason: v.Failure, after: sent}
	}
	d := &Decision{Outcome: Answered, Passed: v.Answer.Passed, ValidationErrors: v.Answer.Errors, ValidationWarnings: v.Answer.Warnings,
		Message: v.Answer.Message, Warnings: v.Answer.Unread, after: sent}
	if v.Patched.Doc != nil {
		d.after, d.Changes = v.Patched.Doc, order.Differences(sent, v.Patched.Doc)
	}
	return d
}

// DecideDelivery says what an attempt means for its delivery. more is whether its schedule
// has a further attempt, export whether it is that of an ExportOrder step.
func DecideDelivery(x outbound.Exchange, more, export bool) *Decision {
	was := answer.Delivery(x, more, export)
	outcome := map[event.DeliveryStatus]Outcome{event.DeliverySucceeded: Answered, event.DeliveryPending: Retry, event.DeliveryFailed: Failed}
	return &Decision{Outcome: outcome[was.Status], Reason: x.Failure(), TurnsOff: was.Gone}
}

// facts are those by which the answer to a recorded step was decided.
func (c *Call) facts() (decide.Facts, error) {
	s := c.Step
	config, err := s.settings()
	if err != nil {
		return decide.Facts{}, err
	}
	step := &config.OrderTypes[0].Statuses[0].Steps[0]
	sent := s.Sent.order()
	now := sent
	if s.Meanwhile != nil {
		now = s.Meanwhile.order()
	}
	r := &run.Run{
		ID: s.RunID, OrderID: sent.ID, Status: run.RunRunning, EnteredStatus: s.Status, OrderType: s.OrderType,
		ShipmentID: s.ShipmentID, ReturnID: s.ReturnID, StatusVersion: sent.StatusVersion, ScopeStatus: scopeStatus(s, sent.Doc), Deadline: s.Deadline,
		Position: run.Position{CallID: c.CallID, Attempt: c.Number, StartedAt: c.StartedAt, BaseVersion: sent.Version},
		Results: []run.StepResult{{Step: step.Name, DisplayName: step.DisplayName, ActionStatus: run.ActionPending,
			TranslateKey: step.TranslateKey, CallID: c.CallID, Attempts: c.Number}},
	}
	config.OrderTypes[0].Statuses[0].MaxDuration = time.Duration(s.MaxDurationMs) * time.Millisecond
	// The run has the very settings that it needs, whatever status and type it is of.
	config.ReturnStatuses = config.OrderTypes[0].Statuses
	return decide.Facts{Now: s.AnsweredAt, Order: now, Sent: sent.Doc, KnownStatus: sent.Status(), Run: r, Settings: config, Today: s.today()}, nil
}

// scopeStatus is the status of the shipment or the return that a step was for, as the run
// knew it.
func scopeStatus(s *Step, sent *jsondoc.Object) string {
	if s.ShipmentID != "" {
		return order.ShipmentStatus(order.Shipment(sent, s.ShipmentID))
	}
	return order.ReturnForm(sent, s.ReturnID).Text("status")
}

// settings returns settings that have the recorded step alone.
func (s *Step) settings() (*settings.Settings, error) {
	config, err := jsondoc.Read(s.Config.JSON(), jsondoc.Reading{Levels: jsondoc.MaxDepth, Camel: true})
	if err != nil {
		return nil, err
	}
	status := jsondoc.NewObject(jsondoc.Pair("name", s.Status), jsondoc.Pair("workflowSteps", []any{config}))
	orderType := jsondoc.NewObject(jsondoc.Pair("name", s.OrderType), jsondoc.Pair("orderStatuses", []any{status}))
	read := settings.ParseStored(jsondoc.NewObject(jsondoc.Pair("orderTypes", []any{orderType})))
	if len(read.OrderTypes) == 0 || len(read.OrderTypes[0].Statuses) == 0 || len(read.OrderTypes[0].Statuses[0].Steps) == 0 {
		return nil, apierr.Errorf(apierr.Invalid, "step.config: it cannot be read as a workflow step")
	}
	return read, nil
}

// today returns settings that say of statuses what happens for endpoints.
func (s *Step) today() *settings.Settings {
	out := &settings.Settings{}
	for _, e := range s.Events {
		n := len(out.OrderTypes)
		if n == 0 || out.OrderTypes[n-1].Name != e.OrderType {
			out.OrderTypes = append(out.OrderTypes, settings.OrderType{Name: e.OrderType, Default: e.Default})
			n++
		}
		t := &out.OrderTypes[n-1]
		t.Statuses = append(t.Statuses, settings.Status{Name: e.Status, Events: event.StatusEvents{Replace: e.Replace, Types: e.Types}})
	}
	return out
}

// order returns the version as the engine has it.
func (v *Version) order() *order.Order {
	n, _ := v.Order.Get("version")
	number, _ := n.(jsondoc.Number)
	d, _ := number.Decimal()
	return &order.Order{ID: v.Order.Text("id"), Version: d.IntPart(), StatusVersion: v.StatusVersion, Doc: v.Order.Object}
}
