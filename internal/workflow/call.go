package workflow

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/orderhook/orderhook/internal/hook"
	"github.com/orderhook/orderhook/internal/oms"
	"github.com/orderhook/orderhook/internal/settings"
)

// retryDelays are the waits before the second, third and fourth attempt
// (order-workflow-step.txt, "Retry Policy").
var retryDelays = []time.Duration{time.Second, 5 * time.Second, 15 * time.Second}

// target is where a step's call goes. connector is nil for a step with a Host
// of its own and no ConnectorId.
type target struct {
	url       string
	connector *settings.Connector
}

// findTarget applies CONTRACT.md, "Connector choice"; false is "connector not found".
func findTarget(s *settings.Settings, step *settings.Step, marketID string) (target, bool) {
	if step.Host != "" {
		t := target{url: step.Host}
		if step.ConnectorID != "" {
			t.connector = s.Connector(step, marketID)
		}
		return t, true
	}
	c := s.Connector(step, marketID)
	if c == nil || c.Host == "" {
		return target{}, false
	}
	return target{url: c.Host, connector: c}, true
}

func (t target) maxAttempts() int {
	if t.connector != nil && t.connector.DisableStandardErrorPolicy {
		return 1
	}
	return 1 + len(retryDelays)
}

// request is the call of a step as the hook package sends it.
func (t target) request(step *settings.Step, run *oms.Run, body []byte) hook.Request {
	r := hook.Request{
		URL: t.url, Header: step.RequestHeaders, Body: body, Timeout: settings.DefaultTimeout,
		IdempotencyKey: run.Position.CallID, Delivery: run.Position.Attempt, MaxDelivery: t.maxAttempts(),
	}
	if c := t.connector; c != nil {
		r.Header = append(append([]settings.Header(nil), step.RequestHeaders...), c.CustomHeaders...)
		r.BearerToken, r.Token, r.Username, r.Password = c.BearerToken, c.Token, c.Username, c.Password
		r.SigningSecret, r.Timeout = c.SigningSecret, c.Timeout
	}
	return r
}

// attempt makes the call that a run is at and returns its record and what came
// of it. The order is sent as it was when the call began, in every attempt.
func (e *Engine) attempt(ctx context.Context, tenant string, run *oms.Run) (*oms.Attempt, outcome, error) {
	s, err := e.store.SettingsVersion(ctx, tenant, run.SettingsVersion)
	if err != nil {
		return nil, outcome{}, err
	}
	order, err := e.store.OrderVersion(ctx, tenant, run.OrderID, run.Position.BaseVersion)
	if err != nil {
		return nil, outcome{}, err
	}
	step := &stepsOf(s, run)[run.Results[run.Position.Step].ConfigIndex]
	t, ok := findTarget(s, step, order.Doc.Text("marketId"))
	if !ok {
		return nil, outcome{}, errors.New("the connector of a call under way is gone")
	}
	body := oms.StepRequest(order.Doc, step.Wire, oms.StepScope{ShipmentID: run.ShipmentID, ReturnID: run.ReturnID})
	x := e.client.Post(e.calls, t.request(step, run, body))
	o := judge(x)
	return record(run, t, x, o), o, nil
}

// outcome is what one attempt came to.
type outcome struct {
	answer  *oms.StepAnswer // nil when the attempt failed
	failure string
	retry   bool // the failure may pass
}

// judge reads an exchange as CONTRACT.md's table "Outcome of one attempt" says.
func judge(x hook.Exchange) outcome {
	switch x.Class() {
	case hook.Answered:
		return read(x)
	case hook.Retry:
		return outcome{failure: x.Failure(), retry: true}
	}
	return outcome{failure: x.Failure()}
}

// read reads the body of a 2xx answer.
func read(x hook.Exchange) outcome {
	if x.TooLarge {
		return outcome{failure: fmt.Sprintf("invalid response: the body is larger than %d bytes", hook.MaxBody)}
	}
	answer, err := oms.ParseStepAnswer(x.Body)
	if err != nil {
		return outcome{failure: "invalid response: " + err.Error()}
	}
	return outcome{answer: answer}
}

// record is the attempt as the attempts log keeps it.
func record(run *oms.Run, t target, x hook.Exchange, o outcome) *oms.Attempt {
	a := &oms.Attempt{
		ID: oms.NewID(oms.AttemptID), Kind: oms.KindStep, CallID: run.Position.CallID,
		Number: run.Position.Attempt, MaxNumber: t.maxAttempts(),
		StartedAt: x.StartedAt, DurationMs: float64(x.Duration.Microseconds()) / 1000,
		URL: x.URL, Host: x.Host, Status: x.Status, Outcome: oms.OutcomeSucceeded, Error: o.failure,
		OrderID: run.OrderID, ShipmentID: run.ShipmentID, ReturnID: run.ReturnID, RunID: run.ID,
		Detail: x.Detail(),
	}
	if t.connector != nil {
		a.ConnectorID = t.connector.ConnectorID
	}
	if o.answer == nil {
		a.Outcome = oms.OutcomeFailed
	}
	return a
}
