// Package delivery delivers events to their endpoints. Each endpoint has a queue, which
// makes the attempts and the retries and records them. The truth is in the rows of the
// deliveries: an endpoint queue holds only the next few of them in memory.
//
// A delivery goes through these stages:
//
//  1. The store tells the dispatcher that the delivery is due (Dispatcher.Due).
//  2. The endpoint queue takes it, and begins an attempt when it may (queue.go).
//  3. The request is sent, and its answer is classified (send.go).
//  4. The completer writes the result to the database (completer.go).
//  5. Only then does the queue forget the delivery. So the process can end at any
//     moment: what is not written yet is due, and is attempted again.
//
// It knows no SQL, and it neither signs a request nor opens a secret: package outbound
// does. What becomes of a delivery is decided in classify, whether an attempt may begin in
// situation.state.
package delivery

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/orderhook/orderhook/internal/clock"
	"github.com/orderhook/orderhook/internal/event"
	"github.com/orderhook/orderhook/internal/fair"
	"github.com/orderhook/orderhook/internal/nodes"
	"github.com/orderhook/orderhook/internal/outbound"
	"github.com/orderhook/orderhook/internal/store"
)

// DefaultDisableAfter is how long all attempts at an endpoint may fail before it is
// turned off.
const DefaultDisableAfter = 5 * 24 * time.Hour

// Options of a Dispatcher. All but Node, Slots, DisableAfter and WebHook are needed.
type Options struct {
	Store        store.Store
	Node         *nodes.Node // has the dispatcher take shards; nil: it takes all at its start
	Client       Client
	Slots        *fair.Budget // of all outgoing calls, as in [outbound.Options]; nil: as many as the default, for deliveries alone
	Clock        clock.Clock
	Log          *slog.Logger
	DisableAfter time.Duration // 0: DefaultDisableAfter
	WebHook      *WebHook      // nil: off
}

// Client makes the requests; [outbound.Client] is the one that does. Post never fails: what
// went wrong is in the exchange.
type Client interface {
	Post(ctx context.Context, r outbound.Request) outbound.Exchange
}

// Dispatcher delivers the events of all tenants, to the endpoints of the shards that this
// node has. It implements [store.Listener] and [nodes.Worker].
//
// No goroutine holds two of these locks: of a queue, of a completer, of the dispatcher. The
// dispatcher's is held for a look into the maps, a completer's for one into the list of queues
// that another node gets. What a queue asks its completer for with its own lock held takes none.
type Dispatcher struct {
	store        store.Store
	node         *nodes.Node
	alone        bool // it takes all shards at its start
	client       Client
	clock        clock.Clock
	log          *slog.Logger
	warnings     *warnings
	disableAfter time.Duration
	webHook      *WebHook

	slots    *fair.Budget // of all outgoing calls
	readings *fair.Budget // of what the queues read from the database: their tables, and large events
	memory   *memory
	starting atomic.Int32   // how many calls of Take are reading the endpoints that are stored
	stopping atomic.Bool    // Stop was called: no new attempt begins
	work     sync.WaitGroup // attempts, readings of tables
	ctx      context.Context
	cancel   context.CancelFunc

	mu     sync.RWMutex
	leases map[string]nodes.Lease // of the shards that this node has, by name
	queues map[queueKey]*queue    // of the endpoints of these shards
	// circuits has when the circuits of endpoints of other nodes are open until, as far as
	// they have told.
	circuits map[queueKey]time.Time
	// completers has one for each tenant that has a queue. None is removed, as no tenant is
	// removed from the database.
	completers map[string]*completer
}

// New returns a dispatcher that does nothing before Start. It reads nothing and begins no
// goroutine.
func New(o Options) *Dispatcher {
	if o.DisableAfter == 0 {
		o.DisableAfter = DefaultDisableAfter
	}
	alone := o.Node == nil
	if alone {
		o.Node = nodes.Alone()
	}
	if o.Slots == nil {
		o.Slots = fair.New(outbound.DefaultMaxOutgoing)
	}
	d := &Dispatcher{
		store: o.Store, node: o.Node, alone: alone, client: o.Client, clock: o.Clock, log: o.Log, disableAfter: o.DisableAfter, webHook: o.WebHook,
		slots: o.Slots, readings: fair.New(mostReadings), memory: &memory{},
		leases: map[string]nodes.Lease{}, queues: map[queueKey]*queue{}, circuits: map[queueKey]time.Time{}, completers: map[string]*completer{},
	}
	d.warnings = &warnings{log: o.Log, clock: o.Clock, kinds: map[warningKind]*flood{}}
	d.ctx, d.cancel = context.WithCancel(context.Background()) // attempts end with Stop, whoever began them
	return d
}

// Start begins to deliver what is due to the endpoints of the shards that are taken. ctx
// bounds the start only. What was due while nothing ran is found in the tables.
func (d *Dispatcher) Start(ctx context.Context) error {
	// From here on commits tell of what is due. For an endpoint that has no queue yet that
	// is no loss: its queue will read its table.
	d.store.Listen(d)
	if err := d.installWebHook(ctx); err != nil {
		return fmt.Errorf("the webHook section cannot be put to work: %w", err)
	}
	if d.alone {
		return d.Take(ctx, nodes.All())
	}
	return nil
}

// Stop ends the delivering. No new attempt begins. The attempts under way may end
// until ctx ends; then they are broken off. The results are written before Stop
// returns. An attempt that was broken off is made again after the next start.
func (d *Dispatcher) Stop(ctx context.Context) {
	d.stopping.Store(true)
	for _, q := range d.allQueues() {
		q.stop() // it waits for the queue's lock: whoever holds that now may not have seen stopping yet
	}
	// These run in reverse: first no call is left, then the completers write what came of
	// the calls.
	defer d.stopCompleters()
	defer d.cancel()
	ended := make(chan struct{})
	go func() {
		d.work.Wait()
		close(ended)
	}()
	select {
	case <-ended:
	case <-ctx.Done():
		d.cancel()
		<-ended
	}
}

// Due implements [store.Listener]. If this node has no queue for the endpoint, it tells the
// node that has one; that node reads the delivery from its table. The store calls it after
// the commit, so it does not wait for anything.
func (d *Dispatcher) Due(due []store.Due) {
	for _, one := range due {
		if q := d.queue(queueKey{one.Tenant, one.Delivery.Endpoint}); q != nil {
			q.offer(one)
			continue
		}
		// News has no event in it: the other node reads what it needs.
		news := nodes.News{Kind: nodes.Due, Tenant: one.Tenant, No: one.Delivery.Endpoint}
		if one.Trial {
			news.Kind, news.Event = nodes.Trial, one.Delivery.Event
		}
		d.node.Tell(news)
	}
}

// Ended implements [store.Listener]. The delivery was canceled.
func (d *Dispatcher) Ended(tenant string, key event.DeliveryKey) {
	if q := d.queue(queueKey{tenant, key.Endpoint}); q != nil {
		q.ended(key.Event)
		return
	}
	d.node.Tell(nodes.News{Kind: nodes.Ended, Tenant: tenant, No: key.Endpoint, Event: key.Event})
}

// Behind implements [store.Listener]. Rows were changed, or could not be read, so the queue
// reads its table.
func (d *Dispatcher) Behind(tenant string, endpoint int64) {
	if q := d.queue(queueKey{tenant, endpoint}); q != nil {
		q.readAnew()
		return
	}
	d.node.Tell(nodes.News{Kind: nodes.Behind, Tenant: tenant, No: endpoint})
}

// FilterFailed implements [store.Listener]. The endpoint gets the event nevertheless; its
// health says why.
func (d *Dispatcher) FilterFailed(u store.FilterFailure) {
	if q := d.queue(queueKey{u.Tenant, u.Endpoint}); q != nil {
		q.filterFailed(u)
		return
	}
	d.node.Tell(nodes.News{Kind: nodes.Filter, Tenant: u.Tenant, No: u.Endpoint, ID: u.EventID, Text: u.Why, Event: u.At.UnixMicro()})
}

// EndpointChanged implements [store.Listener]. An endpoint of another node's is left out.
// One that is off keeps its queue, so that attempts under way can end there.
func (d *Dispatcher) EndpointChanged(tenant string, e *event.Endpoint, version int64) {
	q := d.queueFor(queueKey{tenant, e.No})
	if q == nil {
		return
	}
	if !e.Enabled {
		q.change(nil, version)
		return
	}
	t, err := d.prepare(tenant, e)
	// The webHook section, which has the secrets of its endpoint, may be gone from the
	// config file. Without a target nothing is sent, and what is due stays in the table.
	if err != nil {
		d.log.Error("an endpoint cannot be put to work", "tenant", tenant, "endpoint", e.ID, "error", err)
		t = nil
	}
	q.change(t, version)
}

// queue returns the queue of an endpoint; nil if this node has none.
func (d *Dispatcher) queue(key queueKey) *queue {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return d.queues[key]
}

// queueFor returns the queue of an endpoint, and makes it if it does not exist; nil if the
// endpoint is of a shard that this node does not have. The first look is with the read
// lock, because nearly always the queue exists. Whoever makes a queue gives it a target.
func (d *Dispatcher) queueFor(key queueKey) *queue {
	if q := d.queue(key); q != nil {
		return q
	}
	shard := nodes.OfEndpoint(key.tenant, key.endpoint)
	d.mu.Lock()
	defer d.mu.Unlock()
	q := d.queues[key]
	if lease, have := d.leases[shard]; q == nil && have {
		q = newQueue(d, key, lease, d.completerOf(key.tenant))
		d.queues[key] = q
	}
	return q
}

// completerOf returns a tenant's completer, which stays until the process ends. The lock of
// queues is held.
func (d *Dispatcher) completerOf(tenant string) *completer {
	r := d.completers[tenant]
	if r == nil {
		r = newCompleter(d, tenant)
		d.completers[tenant] = r
	}
	return r
}

// stopCompleters has all of them write what is left, side by side, and waits for them.
func (d *Dispatcher) stopCompleters() {
	d.mu.RLock()
	all := slices.Collect(maps.Values(d.completers))
	d.mu.RUnlock()
	var ended sync.WaitGroup
	for _, r := range all {
		ended.Go(r.stop)
	}
	ended.Wait()
}

// allQueues returns a copy of the list, so that no lock is held while somebody goes through
// it.
func (d *Dispatcher) allQueues() []*queue {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return slices.Collect(maps.Values(d.queues))
}

// States returns how many endpoint queues are in each state, as they were when they last
// looked. The metrics ask for it.
func (d *Dispatcher) States() map[string]int {
	states := map[string]int{}
	for _, q := range d.allQueues() {
		q.mu.Lock()
		states[string(q.state)]++
		q.mu.Unlock()
	}
	return states
}

// pause waits for so long, and reports whether the caller should continue: not if the
// process ends.
func (d *Dispatcher) pause(wait time.Duration) bool {
	return clock.Pause(d.ctx, d.clock, wait) == nil && !d.stopping.Load()
}
