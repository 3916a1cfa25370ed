package notify

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/orderhook/orderhook/internal/hook"
	"github.com/orderhook/orderhook/internal/oms"
	"github.com/orderhook/orderhook/internal/store"
)

// attempt sends one delivery and hands what came of it to the recorder.
func (d *Dispatcher) attempt(l *lane, t *target, it item) {
	e, err := d.event(d.ctx, it.Due)
	switch {
	case err != nil && oms.KindOf(err) != oms.NotFound:
		l.release(it, d.clock.Now().Add(lookAgain))
		return
	case err != nil, e.Data == nil:
		d.drop(l, it)
		return
	}
	a, x := d.post(d.ctx, l.key.tenant, t, e, &it.Delivery)
	switch {
	case x.Err == hook.ErrCanceled:
		l.release(it, time.Time{})
		return
	case errors.Is(x.Err, errSettings), errors.Is(x.Err, hook.ErrUnread): // nothing was sent, and nobody is to blame but the database
		l.release(it, d.clock.Now().Add(lookAgain))
		return
	}
	now := d.clock.Now()
	r := d.judge(l, t, it, e, a, x, now)
	l.answered(t, it, a, now, r.settled.Status == oms.DeliveryPending)
	d.recorder.results <- r
}

// event returns the event of a delivery, from memory or from its table.
func (d *Dispatcher) event(ctx context.Context, due store.Due) (*oms.Event, error) {
	if due.Event != nil {
		return due.Event, nil
	}
	return d.store.EventBySeq(ctx, due.Tenant, due.Delivery.Event)
}

// drop cancels a delivery whose event was erased: there is nothing to send.
func (d *Dispatcher) drop(l *lane, it item) {
	now := d.clock.Now()
	err := d.store.Write(d.ctx, func(tx store.Tx) error {
		err := tx.CancelDelivery(d.ctx, l.key.tenant, it.Delivery.DeliveryKey, now)
		if kind := oms.KindOf(err); kind == oms.Conflict || kind == oms.NotFound {
			return nil // somebody else did
		}
		return err
	})
	if err != nil {
		l.release(it, now.Add(lookAgain))
		return
	}
	l.release(it, time.Time{})
}

// post makes one attempt and its record. What could not even be asked for is a
// failed attempt, too.
func (d *Dispatcher) post(ctx context.Context, tenant string, t *target, e *oms.Event, dv *oms.Delivery) (*oms.Attempt, hook.Exchange) {
	r, err := d.request(ctx, tenant, t, e, dv.Attempts+1)
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
func (d *Dispatcher) judge(l *lane, t *target, it item, e *oms.Event, a *oms.Attempt, x hook.Exchange, now time.Time) result {
	dv := it.Delivery
	dv.Attempts++
	r := result{lane: l, target: t, it: it, event: e, settled: store.Settlement{Key: dv.DeliveryKey, Attempt: a, Attempts: dv.Attempts, At: now, Status: oms.DeliverySucceeded}}
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
	a, x := d.post(ctx, tenant, t, event, &oms.Delivery{MaxAttempts: 1})
	if x.Err == hook.ErrCanceled {
		return nil, ctx.Err()
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
