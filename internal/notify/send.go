package notify

import (
	"context"
	"errors"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/orderhook/orderhook/internal/fair"
	"github.com/orderhook/orderhook/internal/hook"
	"github.com/orderhook/orderhook/internal/oms"
	"github.com/orderhook/orderhook/internal/store"
)

// attempt sends one delivery in a slot and hands what came of it to the recorder.
func (d *Dispatcher) attempt(q *queue, t *target, it item, slot *fair.Part) {
	e, err := d.event(d.ctx, t, it.Due)
	switch {
	case err != nil && oms.KindOf(err) != oms.NotFound:
		q.release(it, d.clock.Now().Add(lookAgain))
		return
	case err != nil, e.Data == nil:
		d.drop(q, it)
		return
	}
	a, x := d.post(d.ctx, q.key.tenant, t, e, &it.Delivery, slot)
	now := d.clock.Now()
	switch {
	case x.Err == hook.ErrCanceled:
		q.release(it, time.Time{})
		return
	case errors.Is(x.Err, errSettings), errors.Is(x.Err, hook.ErrUnread): // nothing was sent, and nobody is to blame but the database
		q.release(it, now.Add(lookAgain))
		return
	case d.overtaken(q.key.tenant, t, e, x.Err):
		q.release(it, now.Add(lookAgain))
		return
	case x.Class() == hook.OwnTrouble: // nor is the endpoint
		d.warnings.warn(q.key.tenant, "a delivery waits for this server's own trouble to pass", attemptIDs(t, it, a)...)
		q.pause(it, now.Add(afterOwnTrouble()))
		return
	}
	a.Detail.Request.Body = nil // it is made of the event, wherever it is shown
	r := d.judge(q, t, it, e, a, x, now)
	q.answered(t, it, a, now, r.settled.Status == oms.DeliveryPending)
	q.recorder.add(r)
}

// overtaken reports whether a request was not made because of a secret that it
// would not carry any more: somebody replaced it, or deleted the endpoint, after
// the request was put together. That is no attempt, for nothing was sent.
func (d *Dispatcher) overtaken(tenant string, t *target, e *oms.Event, err error) bool {
	refused, ok := errors.AsType[*hook.SecretError](err)
	if !ok {
		return false
	}
	stored, err := d.store.Endpoint(d.ctx, tenant, t.ID)
	if err != nil {
		return true
	}
	now, err := d.request(d.ctx, tenant, &target{stored, t.trust, t.bodyKey}, e, 1)
	return err != nil || !now.Carries(refused.Secret)
}

// afterOwnTrouble is how long an endpoint's deliveries wait after this server had
// too little of something for one of them: not all as long.
func afterOwnTrouble() time.Duration { return time.Second + rand.N(time.Second) }

// event returns the event of a delivery, from memory or from its table.
func (d *Dispatcher) event(ctx context.Context, t *target, due store.Due) (*oms.Event, error) {
	if due.Event != nil {
		return due.Event, nil
	}
	turn, err := d.readings.Take(ctx, t.caller(due.Tenant), 1)
	if err != nil {
		return nil, err
	}
	defer turn.Give()
	return d.store.EventBySeq(ctx, due.Tenant, due.Delivery.Event)
}

// drop cancels a delivery whose event was erased: there is nothing to send.
func (d *Dispatcher) drop(q *queue, it item) {
	now := d.clock.Now()
	err := d.store.Write(d.ctx, func(tx store.Tx) error {
		err := tx.CancelDelivery(d.ctx, q.key.tenant, it.Delivery.DeliveryKey, now)
		if kind := oms.KindOf(err); kind == oms.Conflict || kind == oms.NotFound {
			return nil // somebody else did
		}
		return err
	})
	if err != nil {
		q.release(it, now.Add(lookAgain))
		return
	}
	q.release(it, time.Time{})
}

// caller is by whom slots are shared: an export's connector has other calls, too.
func (t *target) caller(tenant string) fair.Key {
	if t.Origin == oms.OriginConnector {
		return fair.Key{Tenant: tenant, Member: t.Connector.ID}
	}
	return fair.Key{Tenant: tenant, Member: t.ID}
}

// post makes one attempt, in a slot or, without one, once there is one, and its
// record. What could not even be asked for is a failed attempt, too.
func (d *Dispatcher) post(ctx context.Context, tenant string, t *target, e *oms.Event, dv *oms.Delivery, slot *fair.Part) (*oms.Attempt, hook.Exchange) {
	r, err := d.request(ctx, tenant, t, e, dv.Attempts+1)
	r.Slot = slot
	x := hook.Exchange{StartedAt: d.clock.Now(), Err: err}
	if err == nil {
		x = d.client.Post(ctx, r)
	}
	a := &oms.Attempt{
		ID: oms.NewIDAt(oms.AttemptID, x.StartedAt), Kind: oms.KindEvent, Number: dv.Attempts + 1, MaxNumber: dv.MaxAttempts,
		StartedAt: x.StartedAt, DurationMs: float64(x.Duration.Microseconds()) / 1000,
		URL: x.URL, Host: x.Host, Status: x.Status, Outcome: oms.OutcomeSucceeded, Error: x.Failure(),
		Related: e.Related, EventType: e.Type, Delivery: dv.DeliveryKey, Format: t.Format, Detail: x.Detail(),
	}
	if t.Origin == oms.OriginConnector {
		a.Kind, a.ConnectorID = oms.KindExport, t.Connector.ID
	}
	if a.Error != "" {
		a.Outcome = oms.OutcomeFailed
	}
	return a, x
}

// judge says what becomes of a delivery by an attempt (CONTRACT.md, "Event
// notifications").
func (d *Dispatcher) judge(q *queue, t *target, it item, e *oms.Event, a *oms.Attempt, x hook.Exchange, now time.Time) result {
	dv := it.Delivery
	dv.Attempts++
	r := result{queue: q, target: t, it: it, event: e, memory: x.Memory, settled: store.Settlement{Key: dv.DeliveryKey, Attempt: a, Attempts: dv.Attempts, At: now, Status: oms.DeliverySucceeded}}
	if a.Error == "" {
		return r
	}
	r.settled.Status = oms.DeliveryFailed
	_, r.refused = errors.AsType[*hook.RefusedError](x.Err)
	if x.Gone() && t.Origin != oms.OriginConnector {
		r.disable = reasonGone
		return r
	}
	wait, again := delay(t.Schedule, &dv, x.RetryAfter(now))
	if again {
		r.settled.Status, r.settled.Due = oms.DeliveryPending, now.Add(wait)
	}
	return r
}

// Test sends an example event to an endpoint, once, whether it is on or off,
// and returns the attempt, which is recorded.
func (d *Dispatcher) Test(ctx context.Context, tenant string, e *oms.Endpoint) (*oms.Attempt, error) {
	t, err := d.prepare(tenant, e)
	if err != nil {
		return nil, err
	}
	event := exampleFor(e, d.clock.Now())
	a, x := d.post(ctx, tenant, t, event, &oms.Delivery{MaxAttempts: 1}, nil)
	defer x.Memory.Give()
	switch {
	case x.Err == hook.ErrCanceled:
		return nil, ctx.Err()
	case x.Class() == hook.OwnTrouble:
		return nil, oms.Errorf(oms.Unavailable, "the test could not be made: %s", x.Failure())
	}
	a.CallID, a.EndpointID, a.Delivery = oms.NewID(oms.CallID), e.ID, oms.DeliveryKey{Endpoint: e.No}
	return a, d.store.Write(context.WithoutCancel(ctx), func(tx store.Tx) error { return tx.AddAttempt(ctx, tenant, a) })
}

// exampleFor returns an example of the first type that an endpoint subscribes to.
func exampleFor(e *oms.Endpoint, now time.Time) *oms.Event {
	for _, pattern := range e.EventTypes {
		if !strings.HasSuffix(pattern, "*") {
			return oms.ExampleEvent(pattern, now)
		}
		alone := oms.Endpoint{EventTypes: []string{pattern}}
		for _, t := range oms.EventTypes() {
			if alone.Wants(t.Name) {
				return oms.ExampleEvent(t.Name, now)
			}
		}
	}
	return oms.ExampleEvent(oms.TypeOrderCreated, now)
}
