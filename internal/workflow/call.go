package workflow

import (
	"context"
	"errors"
	"fmt"
	"slices"
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

// call is one attempt that is about to be made.
type call struct {
	run    *oms.Run
	step   *settings.Step
	target target
	order  *oms.Object // as it was when the call began: every attempt sends the same
}

// prepare reads what the attempt that a run is at needs.
func (e *Engine) prepare(ctx context.Context, tenant string, h held) (*call, error) {
	s, err := e.store.SettingsVersion(ctx, tenant, h.run.SettingsVersion)
	if err != nil {
		return nil, err
	}
	order := h.order
	if base := h.run.Position.BaseVersion; order == nil || order.Version != base {
		if order, err = e.store.OrderVersion(ctx, tenant, h.run.OrderID, base); err != nil {
			return nil, err
		}
	}
	return newCall(s, h.run, order.Doc)
}

// errNoTarget says that a call that was begun has nowhere to go any more.
var errNoTarget = errors.New("the connector of a call under way is gone")

func newCall(s *settings.Settings, run *oms.Run, order *oms.Object) (*call, error) {
	step := &stepsOf(s, run)[run.Results[run.Position.Step].ConfigIndex]
	t, ok := findTarget(s, step, order.Text("marketId"))
	if !ok {
		return nil, errNoTarget
	}
	return &call{run, step, t, order}, nil
}

// timeout is how long an attempt may take, the run's deadline aside.
func (c *call) timeout() time.Duration {
	if c.target.connector != nil {
		return c.target.connector.Timeout
	}
	return settings.DefaultTimeout
}

// request is the call as the hook package sends it.
func (c *call) request(now time.Time) hook.Request {
	r := hook.Request{
		URL: c.target.url, Header: c.step.RequestHeaders, Timeout: c.timeout(),
		Body:           oms.StepRequest(c.order, c.step.Wire, oms.StepScope{ShipmentID: c.run.ShipmentID, ReturnID: c.run.ReturnID}),
		IdempotencyKey: c.run.Position.CallID, Delivery: c.run.Position.Attempt, MaxDelivery: c.target.maxAttempts(),
	}
	if con := c.target.connector; con != nil {
		r.Header = slices.Concat(c.step.RequestHeaders, con.CustomHeaders)
		r.BearerToken, r.Token, r.Username, r.Password = con.BearerToken, con.Token, con.Username, con.Password
		r.SigningSecret = con.SigningSecret
	}
	if !c.run.Deadline.IsZero() {
		r.Timeout = max(time.Millisecond, min(r.Timeout, c.run.Deadline.Sub(now)))
	}
	return r
}

// attempt makes the call and returns its record and what came of it.
func (e *Engine) attempt(ctx context.Context, c *call) (*oms.Attempt, outcome) {
	r := c.request(e.clock.Now())
	x := e.client.Post(ctx, r)
	o := judge(x)
	o.late = o.retry && x.Status == 0 && r.Timeout < c.timeout() && x.Duration >= r.Timeout
	return record(c.run, c.target, x, o), o
}

// outcome is what one attempt came to.
type outcome struct {
	answer  *oms.StepAnswer // nil when the attempt failed
	failure string
	retry   bool // the failure may pass
	skip    bool // no call was made, and that is but a warning
	late    bool // it had no more time than the run's deadline left
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

func kindOf(run *oms.Run) string {
	if run.ReturnID != "" {
		return oms.KindReturnStep
	}
	return oms.KindStep
}

// record is the attempt as the attempts log keeps it.
func record(run *oms.Run, t target, x hook.Exchange, o outcome) *oms.Attempt {
	a := &oms.Attempt{
		ID: oms.NewID(oms.AttemptID), Kind: kindOf(run), CallID: run.Position.CallID,
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
