package workflow

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/orderhook/orderhook/internal/answer"
	"github.com/orderhook/orderhook/internal/attempt"
	"github.com/orderhook/orderhook/internal/event"
	"github.com/orderhook/orderhook/internal/fair"
	"github.com/orderhook/orderhook/internal/jsondoc"
	"github.com/orderhook/orderhook/internal/order"
	"github.com/orderhook/orderhook/internal/outbound"
	"github.com/orderhook/orderhook/internal/run"
	"github.com/orderhook/orderhook/internal/settings"
	"github.com/orderhook/orderhook/internal/workflow/decide"
)

// call is one attempt that is about to be made. It is made anew for each attempt, from the
// position of the run.
type call struct {
	tenant string
	run    *run.Run
	step   *settings.Step
	target settings.Target
	order  *jsondoc.Object // as it was when the call began: every attempt sends the same
	kind   string          // of step, as the record of an attempt says it
}

// prepare reads what the attempt that a run is at needs. The settings are those of the
// run's version, and the order is the version that the first attempt has sent. The error is
// [apierr.NotFound] only where the order was erased.
func (e *Engine) prepare(ctx context.Context, tenant string, s snapshot) (*call, error) {
	config, err := e.store.SettingsVersion(ctx, tenant, s.run.SettingsVersion)
	if err != nil {
		return nil, gone("read the settings of the run", err)
	}
	order := s.order
	if base := s.run.Position.BaseVersion; order == nil || order.Version != base {
		if order, err = e.store.OrderVersion(ctx, tenant, s.run.OrderID, base); err != nil {
			return nil, fmt.Errorf("read the order as the call sends it: %w", err)
		}
	}
	if err := beginWork(ctx, order); err != nil {
		return nil, err
	}
	return newCall(tenant, config, s.run, order.Doc)
}

// errNoTarget says that a call that was begun has nowhere to go any more.
var errNoTarget = errors.New("the connector of a call under way is gone")

// newCall finds the step that a run is at, and where its call goes. The market of the order
// is part of that choice (docs/contract.md#connectors). It reads nothing and sends nothing.
func newCall(tenant string, s *settings.Settings, run *run.Run, order *jsondoc.Object) (*call, error) {
	step := decide.Step(s, run)
	t, ok := s.Target(step, order.Text("marketId"))
	if !ok {
		return nil, errNoTarget
	}
	kind := attempt.KindStep
	if run.ReturnID != "" {
		kind = attempt.KindReturnStep
	}
	return &call{tenant, run, step, t, order, kind}, nil
}

// content is what the call sends, of a live step and of a shadow alike. Which attempt of
// which call it is, its caller adds.
func (c *call) content() outbound.Request {
	r := outbound.ToConnector(c.tenant, c.target, c.step.RequestHeaders, c.run.SecretsSince())
	r.Kind, r.About = c.kind, outbound.About{OrderID: c.run.OrderID, RunID: c.run.ID, Step: c.step.Name}
	r.Body = run.StepRequest(c.order, c.step.Wire, order.StepScope{ShipmentID: c.run.ShipmentID, ReturnID: c.run.ReturnID})
	return r
}

// request is the attempt that the run is at. The time that it may take is cut short where
// the run's deadline comes before, which cut says. A time-out of such an attempt ends the
// run instead of being repeated.
func (c *call) request(now time.Time) (r outbound.Request, cut bool) {
	r = c.content()
	r.IdempotencyKey, r.Delivery, r.MaxDelivery = c.run.Position.CallID, c.run.Position.Attempt, decide.MaxAttempts(c.target)
	if end := c.run.Deadline; !end.IsZero() && end.Sub(now) < r.Timeout {
		r.Timeout, cut = max(time.Millisecond, end.Sub(now)), true
	}
	return r, cut
}

// attempt makes the call and returns its record and what came of it. It stores nothing. An
// answer over which this program panics counts as one that is not valid, so that the call
// is not made over and over. The caller applies the outcome, and then gives its memory back. A
// carrier takes the request to a listener; nil: it goes to the target.
func (e *Engine) attempt(ctx context.Context, c *call, carrier outbound.Carrier) (*attempt.Attempt, outcome) {
	r, cut := c.request(e.clock.Now())
	if carrier != nil {
		r = r.ByCarrier(carrier)
	}
	x := e.client.Post(ctx, r)
	o := survive(e.log, "an answer could not be read", []any{"order", c.run.OrderID, "run", c.run.ID, "call", c.run.Position.CallID},
		func() outcome { return classify(x) },
		func() outcome {
			return outcome{Outcome: decide.Invalid("orderhook could not read it, by an error of its own")}
		})
	o.memory = x.Memory
	// The attempt ended when the time of the run did. That does not say that the endpoint
	// needs longer than its timeout.
	o.Late = o.Retry && x.Status == 0 && cut && x.Duration >= r.Timeout
	a := c.record(x, r, o.Failure)
	a.Number, a.MaxNumber = c.run.Position.Attempt, decide.MaxAttempts(c.target)
	return a, o
}

// record makes the record of an attempt. It names the call, the run and what they are about,
// by which people find it.
func (c *call) record(x outbound.Exchange, r outbound.Request, failure string) *attempt.Attempt {
	a := x.Record(c.kind, failure)
	a.CallID, a.RunID = r.IdempotencyKey, c.run.ID
	a.Related = event.Related{OrderID: c.run.OrderID, ShipmentID: c.run.ShipmentID, ReturnID: c.run.ReturnID, SubscriptionID: c.order.Text("subscriptionId")}
	if c.target.Connector != nil {
		a.ConnectorID = c.target.Connector.ConnectorID
	}
	return a
}

// outcome is what one attempt came to, here and for the decision. What the decision must
// not know of, as memory, stays here.
type outcome struct {
	decide.Outcome
	own    bool       // it is this server's own trouble, and no attempt
	memory *fair.Part // of the answer; to be given back once it is applied
}

// classify reads an exchange as docs/contract.md#outcomes says.
func classify(x outbound.Exchange) outcome {
	return outcome{Outcome: answer.Step(x), own: x.Class() == outbound.OwnTrouble}
}
