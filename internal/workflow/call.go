package workflow

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/orderhook/orderhook/internal/fair"
	"github.com/orderhook/orderhook/internal/hook"
	"github.com/orderhook/orderhook/internal/oms"
	"github.com/orderhook/orderhook/internal/settings"
	"github.com/orderhook/orderhook/internal/workflow/decide"
)

// maxAttempts is how often a call to a target is made before it has failed.
func maxAttempts(t settings.Target) int {
	if t.Connector != nil && t.Connector.DisableStandardErrorPolicy {
		return 1
	}
	return 1 + len(decide.RetryDelays)
}

// call is one attempt that is about to be made.
type call struct {
	tenant string
	run    *oms.Run
	step   *settings.Step
	target settings.Target
	order  *oms.Object // as it was when the call began: every attempt sends the same
}

// prepare reads what the attempt that a run is at needs.
func (e *Engine) prepare(ctx context.Context, tenant string, h held) (*call, error) {
	s, err := e.store.SettingsVersion(ctx, tenant, h.run.SettingsVersion)
	if err != nil {
		return nil, gone(err)
	}
	order := h.order
	if base := h.run.Position.BaseVersion; order == nil || order.Version != base {
		if order, err = e.store.OrderVersion(ctx, tenant, h.run.OrderID, base); err != nil {
			return nil, err
		}
	}
	if err := (held{order: order}).begin(ctx); err != nil {
		return nil, err
	}
	return newCall(tenant, s, h.run, order.Doc)
}

// errNoTarget says that a call that was begun has nowhere to go any more.
var errNoTarget = errors.New("the connector of a call under way is gone")

func newCall(tenant string, s *settings.Settings, run *oms.Run, order *oms.Object) (*call, error) {
	step := decide.Step(s, run)
	t, ok := s.Target(step, order.Text("marketId"))
	if !ok {
		return nil, errNoTarget
	}
	return &call{tenant, run, step, t, order}, nil
}

// timeout is how long an attempt may take, the run's deadline aside.
func (c *call) timeout() time.Duration {
	if c.target.Connector != nil {
		return c.target.Connector.Timeout
	}
	return settings.DefaultTimeout
}

// request is the call as the hook package sends it.
func (c *call) request(now time.Time) hook.Request {
	r := hook.Request{
		For: c.caller(), Since: c.run.SecretsSince(), URL: c.target.URL, Header: c.step.RequestHeaders, Timeout: c.timeout(),
		Body:           oms.StepRequest(c.order, c.step.Wire, oms.StepScope{ShipmentID: c.run.ShipmentID, ReturnID: c.run.ReturnID}),
		IdempotencyKey: c.run.Position.CallID, Delivery: c.run.Position.Attempt, MaxDelivery: maxAttempts(c.target),
	}
	if con := c.target.Connector; con != nil {
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
	o := survive(e.log, "an answer could not be read", []any{"order", c.run.OrderID, "run", c.run.ID, "call", c.run.Position.CallID},
		func() outcome { return judge(x) },
		func() outcome {
			return outcome{Outcome: decide.Invalid("orderhook could not read it, by a mistake of its own")}
		})
	o.memory = x.Memory
	o.Late = o.Retry && x.Status == 0 && r.Timeout < c.timeout() && x.Duration >= r.Timeout
	return c.record(x, o.Outcome), o
}

// outcome is what one attempt came to, here and for the decision.
type outcome struct {
	decide.Outcome
	own    bool       // it is this server's own trouble, and no attempt
	memory *fair.Part // of the answer; to be given back once it is applied
}

// judge reads an exchange as CONTRACT.md's table "Outcome of one attempt" says.
func judge(x hook.Exchange) outcome {
	switch x.Class() {
	case hook.Answered:
		if x.TooLarge {
			return outcome{Outcome: decide.Invalid(fmt.Sprintf("the body is larger than %d bytes", hook.MaxBody))}
		}
		answer, err := oms.ParseStepAnswer(x.Body)
		if err != nil {
			return outcome{Outcome: decide.Invalid(err.Error())}
		}
		return outcome{Outcome: decide.Outcome{Answer: answer}}
	case hook.Retry:
		return outcome{Outcome: decide.Outcome{Failure: x.Failure(), Retry: true}}
	case hook.OwnTrouble:
		return outcome{Outcome: decide.Outcome{Failure: x.Failure()}, own: true}
	}
	return outcome{Outcome: decide.Outcome{Failure: x.Failure(), Refused: x.Refused()}}
}

func kindOf(run *oms.Run) string {
	if run.ReturnID != "" {
		return oms.KindReturnStep
	}
	return oms.KindStep
}

// record is the attempt as the attempts log keeps it.
func (c *call) record(x hook.Exchange, o decide.Outcome) *oms.Attempt {
	run := c.run
	a := &oms.Attempt{
		ID: oms.NewIDAt(oms.AttemptID, x.StartedAt), Kind: kindOf(run), CallID: run.Position.CallID,
		Number: run.Position.Attempt, MaxNumber: maxAttempts(c.target),
		StartedAt: x.StartedAt, DurationMs: float64(x.Duration.Microseconds()) / 1000,
		URL: x.URL, Host: x.Host, Status: x.Status, Outcome: oms.OutcomeSucceeded, Error: o.Failure,
		Related: oms.Related{OrderID: run.OrderID, ShipmentID: run.ShipmentID, ReturnID: run.ReturnID, SubscriptionID: c.order.Text("subscriptionId")},
		RunID:   run.ID,
		Detail:  x.Detail(),
	}
	if con := c.target.Connector; con != nil {
		a.ConnectorID = con.ConnectorID
	}
	if o.Answer == nil {
		a.Outcome = oms.OutcomeFailed
	}
	return a
}
