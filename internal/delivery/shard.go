package delivery

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/breaker"
	"github.com/orderhook/orderhook/internal/event"
	"github.com/orderhook/orderhook/internal/nodes"
	"github.com/orderhook/orderhook/internal/store"
)

// Take implements [nodes.Worker]. It makes the queues of the endpoints of shards, which read
// what is due. After an error the node calls it again; a queue that is there only gets its
// target once more.
func (d *Dispatcher) Take(ctx context.Context, leases []nodes.Lease) error {
	taken := map[string]bool{}
	// The leases are noted before the endpoints are read, so an endpoint that is stored
	// meanwhile gets its queue, too.
	d.mu.Lock()
	for _, l := range leases {
		d.leases[l.Name], taken[l.Name] = l, true
	}
	d.mu.Unlock()
	// While this is above 0, rate limiters begin with nothing left, as the node before may
	// have sent a request just now.
	d.starting.Add(1)
	defer d.starting.Add(-1)
	err := d.store.EveryEndpoint(ctx, func(tenant string, e *event.Endpoint, version int64) error {
		if taken[nodes.OfEndpoint(tenant, e.No)] {
			d.EndpointChanged(tenant, e, version)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("the endpoints cannot be read: %w", err)
	}
	// A process may have died before it canceled what was pending for a deleted endpoint.
	if !d.stopping.Load() {
		d.work.Go(d.cancelOrphans)
	}
	return nil
}

// Give implements [nodes.Worker]. The queues of the shards begin no more attempts. Give waits
// until those that are under way are written, and the health of the endpoints is. What ends
// after ctx is not written: the lease is another node's by then.
func (d *Dispatcher) Give(ctx context.Context, leases []nodes.Lease) {
	var queues []*queue
	d.mu.Lock()
	for _, l := range leases {
		// The node may have got a lease of this name again since. That one stays.
		if d.leases[l.Name] == l {
			delete(d.leases, l.Name)
		}
	}
	// Without its queue in the map, what becomes due from here on is told to other nodes.
	for key, q := range d.queues {
		if slices.Contains(leases, q.lease) {
			queues = append(queues, q)
			delete(d.queues, key)
		}
	}
	d.mu.Unlock()
	// All queues stop before one of them is waited for, so they end side by side.
	for _, q := range queues {
		q.retire()
	}
	for _, q := range queues {
		select {
		case <-q.drained:
		case <-ctx.Done():
			return
		}
	}
	byCompleter := map[*completer][]*queue{}
	for _, q := range queues {
		byCompleter[q.completer] = append(byCompleter[q.completer], q)
	}
	for r, some := range byCompleter {
		r.leave(ctx, some)
	}
}

// retire ends the work of a queue whose endpoint another node has, or gets. What waits is
// in the table. It may be called more than once.
func (q *queue) retire() {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.retired {
		return
	}
	// Without a target nothing is taken and nothing begins. Attempts under way end as they
	// would.
	q.retired, q.target, q.state = true, nil, stateOff
	q.drop()
	q.backlog.trials = nil
	q.alarm.stop()
	q.noteDrained()
}

// noteDrained closes drained once nothing is held any more. Give waits for that. The lock
// is held.
func (q *queue) noteDrained() {
	if !q.retired || len(q.backlog.held) > 0 {
		return
	}
	// To close a channel a second time would panic.
	select {
	case <-q.drained:
	default:
		close(q.drained)
	}
}

// Hear implements [nodes.Worker]. What is said of one endpoint is for the node that has it;
// others have no queue for it.
func (d *Dispatcher) Hear(ctx context.Context, news []nodes.News) {
	for _, n := range news {
		switch n.Kind {
		case nodes.Anew:
			d.lookAnew(ctx)
			continue
		case nodes.Sure:
			for _, q := range d.allQueues() {
				q.resume()
			}
			continue
		case nodes.Circuit:
			d.noteCircuit(n)
			continue
		}
		// All other kinds are about one endpoint.
		q := d.queue(queueKey{n.Tenant, n.No})
		if q == nil {
			continue
		}
		switch n.Kind {
		case nodes.Due:
			q.fallBehind()
		case nodes.Behind:
			q.readAnew()
		case nodes.Trial:
			d.tryNow(ctx, q, event.DeliveryKey{Event: n.Event, Endpoint: n.No})
		case nodes.Ended:
			q.ended(n.Event)
		case nodes.Filter:
			q.filterFailed(store.FilterFailure{Tenant: n.Tenant, Endpoint: n.No, EventID: n.ID, Why: n.Text, At: time.UnixMicro(n.Event)})
		}
	}
}

// lookAnew reads the endpoints again, and has all queues read their tables. It is called
// when news may be missing (docs/design.md#several-nodes).
func (d *Dispatcher) lookAnew(ctx context.Context) {
	found := map[queueKey]bool{}
	// A queue that is made while the endpoints are read is not in this list, so nobody
	// takes its endpoint for a deleted one.
	before := d.allQueues()
	err := d.store.EveryEndpoint(ctx, func(tenant string, e *event.Endpoint, version int64) error {
		found[queueKey{tenant, e.No}] = true
		d.EndpointChanged(tenant, e, version)
		return nil
	})
	if err != nil && ctx.Err() == nil {
		d.log.Warn("the endpoints cannot be read, and are read again", "error", err)
		// The next try waits in the background, because the caller has more news to hear.
		d.work.Go(func() {
			if d.pause(lookAgain) {
				d.lookAnew(ctx)
			}
		})
		return
	}
	for _, q := range before {
		// Deleted endpoints are not among those that were read.
		if !found[q.key] {
			q.offIfDeleted(ctx)
		}
		q.readAnew()
	}
}

// offIfDeleted turns the queue of an endpoint off that was deleted.
func (q *queue) offIfDeleted(ctx context.Context) {
	target := q.current()
	if target == nil {
		return
	}
	// Any other error says nothing about the endpoint, so the queue stays as it is.
	if _, err := q.d.store.Endpoint(ctx, q.key.tenant, target.ID); apierr.KindOf(err) == apierr.NotFound {
		q.mu.Lock()
		version := q.version
		q.mu.Unlock()
		q.change(nil, version)
	}
}

// fallBehind has the queue read its table: a delivery is due that it does not know of.
func (q *queue) fallBehind() {
	q.mu.Lock()
	defer q.mu.Unlock()
	// Without a target nothing is sent, so nothing has to be read.
	if q.target != nil {
		q.table.is(fellBehind)
		q.pump()
	}
}

// resume has the queue look for work after a time in which none might begin.
func (q *queue) resume() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.pump()
}

// tryNow takes a delivery that was sent again by hand on another node. A person waits for
// it, so it comes before what is due. If it cannot be read now, the table has it.
func (d *Dispatcher) tryNow(ctx context.Context, q *queue, key event.DeliveryKey) {
	delivery, err := d.store.Delivery(ctx, q.key.tenant, key)
	switch {
	case err != nil && apierr.KindOf(err) != apierr.NotFound:
		q.fallBehind()
	// A delivery without a due time has ended, or waits for another one of its group.
	case err == nil && !delivery.Due.IsZero():
		q.offer(store.Due{Tenant: q.key.tenant, Delivery: *delivery, Trial: true})
	}
}

// tellCircuit tells other nodes how the circuit of the endpoint is. A time of 0 says that
// it is closed. It is called when the end of an attempt has opened or closed the circuit; half
// open it becomes by time alone, of which the others need not be told.
func (q *queue) tellCircuit(now time.Time) {
	news := nodes.News{Kind: nodes.Circuit, Tenant: q.key.tenant, No: q.key.endpoint}
	if q.breaker.State(now) != breaker.Closed {
		_, until := q.breaker.Admits(now)
		news.Event = until.UnixMicro()
	}
	q.d.node.Tell(news)
}

// noteCircuit notes how the circuit of an endpoint of another node's is.
func (d *Dispatcher) noteCircuit(n nodes.News) {
	d.mu.Lock()
	defer d.mu.Unlock()
	now := d.clock.Now()
	// What nobody has told of for long is forgotten, so that the map cannot grow for ever.
	maps.DeleteFunc(d.circuits, func(_ queueKey, until time.Time) bool { return now.After(until.Add(breakerMost)) })
	if key := (queueKey{n.Tenant, n.No}); n.Event == 0 {
		delete(d.circuits, key)
	} else {
		d.circuits[key] = time.UnixMicro(n.Event)
	}
}

// circuitElsewhere returns the state of the circuit of an endpoint of another node's, as
// far as that has told. When the wait is over, the next attempt is a trial. It is for
// people who look at the endpoint on this node; attempts go by the breaker itself.
func (d *Dispatcher) circuitElsewhere(key queueKey) breaker.State {
	d.mu.RLock()
	until, told := d.circuits[key]
	d.mu.RUnlock()
	switch now := d.clock.Now(); {
	case !told || now.After(until.Add(breakerMost)):
		return breaker.Closed
	case now.Before(until):
		return breaker.Open
	}
	return breaker.HalfOpen
}

// leasesOf returns the leases that results and changes of health are written by. One lease
// may be in it more than once.
func leasesOf(group []result, health healthChanges) []nodes.Lease {
	var all []nodes.Lease
	for i := range group {
		all = append(all, group[i].queue.lease)
	}
	for q := range health {
		all = append(all, q.lease)
	}
	return all
}
