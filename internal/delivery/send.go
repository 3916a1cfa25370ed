package delivery

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/orderhook/orderhook/internal/answer"
	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/attempt"
	"github.com/orderhook/orderhook/internal/event"
	"github.com/orderhook/orderhook/internal/fair"
	"github.com/orderhook/orderhook/internal/ids"
	"github.com/orderhook/orderhook/internal/outbound"
	"github.com/orderhook/orderhook/internal/store"
	"github.com/orderhook/orderhook/internal/trace"
)

// attempt makes one attempt at a delivery, in a slot, and gives the result to the
// completer, with the slot: the completer gives it back when the result is written. So no
// more begins than can be written. If no request was sent, the delivery goes back to the
// table: then it was not an attempt, nothing is recorded, and made is false. It runs in a
// goroutine of the queue, without the lock of the queue.
func (d *Dispatcher) attempt(q *queue, t *target, it item, slot *fair.Part) (made bool) {
	e, err := it.Due.Event, error(nil)
	if e == nil {
		e, err = d.event(d.ctx, t, it.Due)
	}
	switch {
	case err != nil && apierr.KindOf(err) != apierr.NotFound:
		q.returnToTable(it, d.clock.Now().Add(lookAgain))
		return false
	case err != nil, e.Data == nil:
		d.drop(d.ctx, q, it)
		return false
	}
	// What came from memory, or with others from the table, has its place already.
	if it.Delivery.Place == nil && t.Origin != event.OriginConnector {
		if it.Delivery.Place, err = d.store.Place(d.ctx, q.key.tenant, it.Delivery.DeliveryKey); err != nil {
			q.returnToTable(it, d.clock.Now().Add(lookAgain))
			return false
		}
	}
	a, x := d.post(d.ctx, q.key.tenant, t, e, &it.Delivery, slot)
	now := d.clock.Now()
	switch {
	case x.Err == outbound.ErrCanceled:
		q.returnToTable(it, time.Time{})
		return false
	case errors.Is(x.Err, errSettings), errors.Is(x.Err, outbound.ErrUnread): // nothing was sent, because the database could not be read
		q.returnToTable(it, now.Add(lookAgain))
		return false
	case x.Err != nil && d.overtaken(d.ctx, q.key.tenant, t, e, x.Err):
		q.returnToTable(it, now.Add(lookAgain))
		return false
	case x.Class() == outbound.OwnTrouble: // the endpoint is not the cause
		d.warnings.warn(q.key.tenant, "a delivery waits for this server's own trouble to pass", attemptIDs(t, it, a)...)
		q.pause(it, now.Add(outbound.AfterOwnTrouble()))
		return false
	}
	a.Detail.Request.Body = nil // where it is shown, it is made from the event again: it need not be stored twice
	r := result{queue: q, target: t, it: it, event: e, slot: slot, memory: x.Memory}
	r.classify(a, x, now)
	// The circuit and the health must not wait until the database has taken the result.
	q.answered(t, it, a, now, r.completion.Status == event.DeliveryPending)
	q.completer.add(r)
	return true
}

// overtaken reports whether a request was not sent because its secret is not in use any
// more: somebody replaced the secret, or deleted the endpoint, after the request was
// built. That is not an attempt, because nothing was sent.
func (d *Dispatcher) overtaken(ctx context.Context, tenant string, t *target, e *event.Event, err error) bool {
	refused, ok := errors.AsType[*outbound.SecretError](err)
	if !ok {
		return false
	}
	stored, err := d.store.Endpoint(ctx, tenant, t.ID)
	if err != nil {
		// That cannot be found out now. A failure would use up an attempt, so it counts as
		// none.
		return true
	}
	// The request that would be sent now says whether the secret is still one of the endpoint's.
	now, err := d.request(ctx, tenant, &target{stored, t.trust, t.bodyKey}, e, 1)
	return err != nil || !now.Carries(refused.Secret)
}

// event reads the event of a delivery that came without it: only small events come with
// their deliveries. The error is [apierr.NotFound] if the event was removed.
func (d *Dispatcher) event(ctx context.Context, t *target, due store.Due) (*event.Event, error) {
	// Readings are shared in turn, so that not all queues have large events in memory at
	// once.
	turn, err := d.readings.Take(ctx, t.caller(due.Tenant), 1)
	if err != nil {
		return nil, err
	}
	defer turn.Give()
	return d.store.EventBySeq(ctx, due.Tenant, due.Delivery.Event)
}

// drop cancels a delivery whose event was erased, because there is nothing to send. The row
// has to go, since it would be found due again and again.
func (d *Dispatcher) drop(ctx context.Context, q *queue, it item) {
	now := d.clock.Now()
	err := d.store.Write(ctx, func(tx store.Tx) error {
		err := tx.CancelDelivery(ctx, q.key.tenant, it.Delivery.DeliveryKey, now)
		if kind := apierr.KindOf(err); kind == apierr.Conflict || kind == apierr.NotFound {
			return nil // somebody else has canceled it
		}
		return err
	})
	if err != nil {
		q.returnToTable(it, now.Add(lookAgain))
		return
	}
	// The row is not due any more, so the table does not show it again.
	q.returnToTable(it, time.Time{})
}

// caller returns the name by which the slots are shared among endpoints. For an export it
// is the connector, because steps make calls to the same connector.
func (t *target) caller(tenant string) fair.Key {
	if t.Origin == event.OriginConnector {
		return fair.Key{Tenant: tenant, Member: t.Connector.ID}
	}
	return fair.Key{Tenant: tenant, Member: t.ID}
}

// kind is what the attempts at a target are called.
func (t *target) kind() string {
	if t.Origin == event.OriginConnector {
		return attempt.KindExport
	}
	return attempt.KindEvent
}

// post sends one request and returns the attempt as it will be recorded. It uses the given
// slot or, if that is nil, waits for one. A request that could not even be built is a
// failed attempt, too. It stores nothing.
func (d *Dispatcher) post(ctx context.Context, tenant string, t *target, e *event.Event, dv *event.Delivery, slot *fair.Part) (*attempt.Attempt, outbound.Exchange) {
	r, err := d.request(ctx, tenant, t, e, dv.Attempts+1)
	r.Slot, r.Place = slot, dv.Place
	x := outbound.Exchange{StartedAt: d.clock.Now(), Err: err}
	if err == nil {
		if e.Trace != "" {
			ctx = trace.WithText(ctx, e.Trace)
		}
		x = d.client.Post(ctx, r)
	}
	a := x.Record(t.kind(), x.Failure())
	// Attempts of before a redelivery count on.
	a.Number, a.MaxNumber = dv.Attempts+1, dv.MaxAttempts
	a.Related, a.EventType, a.Delivery, a.Format = e.Related, e.Type, dv.DeliveryKey, t.Format
	if t.Origin == event.OriginConnector {
		a.ConnectorID = t.Connector.ID
	}
	return a, x
}

// classify decides what an attempt means for its delivery: it succeeded, it will be
// retried, or it failed for good (docs/contract.md#delivery). Which of them, package answer
// says; when it is retried, the schedule.
func (r *result) classify(a *attempt.Attempt, x outbound.Exchange, now time.Time) {
	dv := r.it.Delivery
	dv.Attempts++
	var wait time.Duration
	more, export := false, r.target.Origin == event.OriginConnector
	if x.Class() != outbound.Answered { // after a success no attempt follows
		wait, more = delay(r.target.Schedule, &dv, x.RetryAfter(now))
		r.refused = x.Refused()
	}
	was := answer.Delivery(x, more, export)
	r.completion = store.Completion{Key: dv.DeliveryKey, Attempt: a, Attempts: dv.Attempts, At: now, Status: was.Status}
	if was.Gone {
		r.disable = reasonGone
	}
	if was.Status == event.DeliveryPending {
		r.completion.Due = now.Add(wait)
	}
}

// Test sends an example event to an endpoint, once, whether it is on or off,
// and returns the attempt, which is recorded. It changes neither the health of the endpoint
// nor its circuit.
func (d *Dispatcher) Test(ctx context.Context, tenant string, e *event.Endpoint) (*attempt.Attempt, error) {
	t, err := d.prepare(tenant, e)
	if err != nil {
		return nil, err
	}
	ev := exampleFor(e, d.clock.Now())
	a, x := d.post(ctx, tenant, t, ev, &event.Delivery{MaxAttempts: 1}, nil)
	defer x.Memory.Give()
	switch {
	case x.Err == outbound.ErrCanceled:
		return nil, ctx.Err()
	case x.Class() == outbound.OwnTrouble:
		return nil, apierr.Errorf(apierr.Unavailable, "the test could not be made: %s", x.Failure())
	}
	// There is no delivery, so the attempt is found by its call and its endpoint.
	a.CallID, a.EndpointID, a.Delivery = ids.New(ids.Call), e.ID, event.DeliveryKey{Endpoint: e.No}
	ctx = context.WithoutCancel(ctx) // the attempt was made, and is recorded
	return a, store.Recording(func() error {
		return d.store.Write(ctx, func(tx store.Tx) error { return tx.AddAttempt(ctx, tenant, a) })
	}, a)
}

// exampleFor returns an example of the first type that an endpoint subscribes to.
func exampleFor(e *event.Endpoint, now time.Time) *event.Event {
	for _, pattern := range e.EventTypes {
		if !strings.HasSuffix(pattern, "*") {
			return event.ExampleEvent(pattern, now)
		}
		alone := event.Endpoint{EventTypes: []string{pattern}}
		for _, t := range event.EventTypes() {
			if alone.Wants(t.Name) {
				return event.ExampleEvent(t.Name, now)
			}
		}
	}
	return event.ExampleEvent(event.TypeOrderCreated, now)
}
