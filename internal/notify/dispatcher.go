// Package notify takes events to their endpoints: a queue for each endpoint,
// attempts and repeats, and what is recorded of them. The deliveries' rows are
// the truth; an endpoint queue holds but the next few of them.
//
// The store tells it what became due (Dispatcher.Due), the endpoint's queue begins
// an attempt (queue.go), which is made (send.go), the recorder makes what came of it
// durable (recorder.go), and only then does the queue let go of it.
package notify

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
	"github.com/orderhook/orderhook/internal/fair"
	"github.com/orderhook/orderhook/internal/hook"
	"github.com/orderhook/orderhook/internal/oms"
	"github.com/orderhook/orderhook/internal/store"
)

// DefaultDisableAfter is how long an endpoint may do nothing but fail before it
// is turned off.
const DefaultDisableAfter = 5 * 24 * time.Hour

// Options of a Dispatcher. All but Slots, DisableAfter and WebHook are needed.
type Options struct {
	Store        store.Store
	Client       Client
	Slots        *fair.Budget // of all outgoing calls, as of [hook.Options]; nil: as many as the default, for deliveries alone
	Clock        clock.Clock
	Log          *slog.Logger
	DisableAfter time.Duration // 0: DefaultDisableAfter
	WebHook      *WebHook      // nil: off
}

// Client makes the requests; [hook.Client] is the one that does.
type Client interface {
	Post(ctx context.Context, r hook.Request) hook.Exchange
}

// Dispatcher delivers the events of all tenants. It implements [store.Listener].
type Dispatcher struct {
	store        store.Store
	client       Client
	clock        clock.Clock
	log          *slog.Logger
	warnings     *warnings
	disableAfter time.Duration
	webHook      *WebHook

	slots    *fair.Budget // of all outgoing calls
	readings *fair.Budget // of tables and events, by those queues
	memory   *memory
	starting atomic.Bool    // the endpoints of earlier are being read
	stopping atomic.Bool    // nothing new is begun
	work     sync.WaitGroup // attempts, readings of tables
	ctx      context.Context
	cancel   context.CancelFunc

	mu     sync.RWMutex
	queues map[queueKey]*queue
	// recorders are those of the tenants that have a queue.
	recorders map[string]*recorder
}

// New returns a dispatcher that does nothing before Start.
func New(o Options) *Dispatcher {
	if o.DisableAfter == 0 {
		o.DisableAfter = DefaultDisableAfter
	}
	if o.Slots == nil {
		o.Slots = fair.New(hook.DefaultMaxOutgoing)
	}
	d := &Dispatcher{
		store: o.Store, client: o.Client, clock: o.Clock, log: o.Log, disableAfter: o.DisableAfter, webHook: o.WebHook,
		slots: o.Slots, readings: fair.New(mostReadings), memory: &memory{},
		queues: map[queueKey]*queue{}, recorders: map[string]*recorder{},
	}
	d.warnings = &warnings{log: o.Log, clock: o.Clock, kinds: map[warningKind]*flood{}}
	d.ctx, d.cancel = context.WithCancel(context.Background())
	return d
}

// Start begins to deliver what is due. ctx bounds the start only.
func (d *Dispatcher) Start(ctx context.Context) error {
	d.store.Listen(d)
	if err := d.installWebHook(ctx); err != nil {
		return fmt.Errorf("the webHook section cannot be put to work: %w", err)
	}
	d.starting.Store(true)
	defer d.starting.Store(false)
	err := d.store.EveryEndpoint(ctx, func(tenant string, e *oms.Endpoint) error {
		d.EndpointChanged(tenant, e)
		return nil
	})
	if err != nil {
		return fmt.Errorf("the endpoints cannot be read: %w", err)
	}
	d.work.Go(d.cancelOrphans)
	return nil
}

// Stop begins no more attempts, lets those under way end until ctx does, and
// makes durable what came of them. What was broken off is attempted again after
// the next start.
func (d *Dispatcher) Stop(ctx context.Context) {
	d.stopping.Store(true)
	for _, q := range d.allQueues() {
		q.stop() // behind its lock: whoever holds it now has not seen that it is over
	}
	defer d.stopRecorders()
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

// Due implements [store.Listener].
func (d *Dispatcher) Due(due []store.Due) {
	for _, one := range due {
		if q := d.queue(queueKey{one.Tenant, one.Delivery.Endpoint}); q != nil {
			q.offer(one)
		}
	}
}

// Ended implements [store.Listener].
func (d *Dispatcher) Ended(tenant string, key oms.DeliveryKey) {
	if q := d.queue(queueKey{tenant, key.Endpoint}); q != nil {
		q.ended(key.Event)
	}
}

// Behind implements [store.Listener].
func (d *Dispatcher) Behind(tenant string, endpoint int64) {
	if q := d.queue(queueKey{tenant, endpoint}); q != nil {
		q.readAnew()
	}
}

// Unjudged implements [store.Listener].
func (d *Dispatcher) Unjudged(u store.Unjudged) {
	if q := d.queue(queueKey{u.Tenant, u.Endpoint}); q != nil {
		q.unjudged(u)
	}
}

// EndpointChanged implements [store.Listener].
func (d *Dispatcher) EndpointChanged(tenant string, e *oms.Endpoint) {
	q := d.queueFor(queueKey{tenant, e.No})
	if !e.Enabled {
		q.change(nil)
		return
	}
	t, err := d.prepare(tenant, e)
	if err != nil {
		d.log.Error("an endpoint cannot be put to work", "tenant", tenant, "endpoint", e.ID, "error", err)
		t = nil
	}
	q.change(t)
}

func (d *Dispatcher) queue(key queueKey) *queue {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return d.queues[key]
}

func (d *Dispatcher) queueFor(key queueKey) *queue {
	if q := d.queue(key); q != nil {
		return q
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	q := d.queues[key]
	if q == nil {
		q = newQueue(d, key, d.recorderOf(key.tenant))
		d.queues[key] = q
	}
	return q
}

// recorderOf returns a tenant's recorder. The lock of queues is held.
func (d *Dispatcher) recorderOf(tenant string) *recorder {
	r := d.recorders[tenant]
	if r == nil {
		r = newRecorder(d, tenant)
		d.recorders[tenant] = r
	}
	return r
}

func (d *Dispatcher) stopRecorders() {
	d.mu.RLock()
	all := slices.Collect(maps.Values(d.recorders))
	d.mu.RUnlock()
	var ended sync.WaitGroup
	for _, r := range all {
		ended.Go(r.stop)
	}
	ended.Wait()
}

func (d *Dispatcher) allQueues() []*queue {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return slices.Collect(maps.Values(d.queues))
}

// pause waits, and reports whether there is reason to go on.
func (d *Dispatcher) pause(wait time.Duration) bool {
	return clock.Pause(d.ctx, d.clock, wait) == nil && !d.stopping.Load()
}
