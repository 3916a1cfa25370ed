// Package notify takes events to their endpoints: a lane for each endpoint,
// attempts and repeats, and what is recorded of them. The deliveries' rows are
// the queue; a lane holds but the next few of them.
//
// The store tells it what became due (Dispatcher.Due), a lane's worker attempts
// it (send.go), the recorder makes what came of it durable (recorder.go), and
// only then does the lane let go of it.
package notify

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/orderhook/orderhook/internal/clock"
	"github.com/orderhook/orderhook/internal/hook"
	"github.com/orderhook/orderhook/internal/oms"
	"github.com/orderhook/orderhook/internal/store"
)

// DefaultDisableAfter is how long an endpoint may do nothing but fail before it
// is turned off.
const DefaultDisableAfter = 5 * 24 * time.Hour

// Options of a Dispatcher. All but DisableAfter and WebHook are needed.
type Options struct {
	Store        store.Store
	Client       Client
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

	room     room
	workers  atomic.Int64 // of all lanes
	recorder *recorder
	starting atomic.Bool    // the endpoints of earlier are being read
	stopping atomic.Bool    // nothing new is begun
	work     sync.WaitGroup // workers, readings of tables
	ctx      context.Context
	cancel   context.CancelFunc

	mu    sync.RWMutex
	lanes map[laneKey]*lane
}

// New returns a dispatcher that does nothing before Start.
func New(o Options) *Dispatcher {
	if o.DisableAfter == 0 {
		o.DisableAfter = DefaultDisableAfter
	}
	d := &Dispatcher{
		store: o.Store, client: o.Client, clock: o.Clock, log: o.Log, disableAfter: o.DisableAfter, webHook: o.WebHook,
		lanes: map[laneKey]*lane{},
	}
	d.warnings = &warnings{log: o.Log, clock: o.Clock, kinds: map[warningKind]*flood{}}
	d.recorder = newRecorder(d)
	d.ctx, d.cancel = context.WithCancel(context.Background())
	return d
}

// Start begins to deliver what is due. ctx bounds the start only.
func (d *Dispatcher) Start(ctx context.Context) error {
	d.store.Listen(d)
	d.recorder.start()
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
	for _, l := range d.allLanes() {
		l.stop() // behind its lock: whoever holds it now has not seen that it is over
	}
	defer d.recorder.stop()
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
		if l := d.lane(laneKey{one.Tenant, one.Delivery.Endpoint}); l != nil {
			l.offer(one)
		}
	}
}

// Ended implements [store.Listener].
func (d *Dispatcher) Ended(tenant string, key oms.DeliveryKey) {
	if l := d.lane(laneKey{tenant, key.Endpoint}); l != nil {
		l.ended(key.Event)
	}
}

// Unjudged implements [store.Listener].
func (d *Dispatcher) Unjudged(u store.Unjudged) {
	if l := d.lane(laneKey{u.Tenant, u.Endpoint}); l != nil {
		l.unjudged(u)
	}
}

// EndpointChanged implements [store.Listener].
func (d *Dispatcher) EndpointChanged(tenant string, e *oms.Endpoint) {
	l := d.laneFor(laneKey{tenant, e.No})
	if !e.Enabled {
		l.change(nil)
		return
	}
	t, err := d.prepare(tenant, e)
	if err != nil {
		d.log.Error("an endpoint cannot be put to work", "tenant", tenant, "endpoint", e.ID, "error", err)
		t = nil
	}
	l.change(t)
}

func (d *Dispatcher) lane(key laneKey) *lane {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return d.lanes[key]
}

func (d *Dispatcher) laneFor(key laneKey) *lane {
	if l := d.lane(key); l != nil {
		return l
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	l := d.lanes[key]
	if l == nil {
		l = &lane{d: d, key: key, low: loadSize / 2, held: map[int64]bool{}, again: map[int64]bool{}, groups: map[string]bool{}, trials: map[int64]bool{}}
		l.health.written, l.health.silence = d.clock.Now(), longestSilence(d.disableAfter)
		d.lanes[key] = l
	}
	return l
}

func (d *Dispatcher) allLanes() []*lane {
	d.mu.RLock()
	defer d.mu.RUnlock()
	lanes := make([]*lane, 0, len(d.lanes))
	for _, l := range d.lanes {
		lanes = append(lanes, l)
	}
	return lanes
}

// pause waits, and reports whether there is reason to go on.
func (d *Dispatcher) pause(wait time.Duration) bool {
	over := make(chan struct{})
	timer := d.clock.AfterFunc(wait, func() { close(over) })
	defer timer.Stop()
	select {
	case <-over:
		return !d.stopping.Load()
	case <-d.ctx.Done():
		return false
	}
}
