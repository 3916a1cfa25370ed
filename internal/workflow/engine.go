// Package workflow takes orders and returns through the steps of their
// statuses: it starts a run, makes one step's call, and applies what came back.
//
// A run's row in the store is its position. It is written together with what
// it follows from (the order's creation, the step before), so that after a crash
// every run goes on at the very attempt it was at; no write is open while a call
// is in flight.
package workflow

import (
	"cmp"
	"context"
	"log/slog"
	"runtime/debug"
	"sync/atomic"
	"time"

	"github.com/orderhook/orderhook/internal/admission"
	"github.com/orderhook/orderhook/internal/clock"
	"github.com/orderhook/orderhook/internal/hook"
	"github.com/orderhook/orderhook/internal/oms"
	"github.com/orderhook/orderhook/internal/store"
)

// Client makes the calls; [hook.Client] is the real one.
type Client interface {
	Post(ctx context.Context, r hook.Request) hook.Exchange
}

// Engine runs workflows. Its methods are safe for concurrent use.
type Engine struct {
	store    store.Store
	client   Client
	work     *admission.Work
	clock    clock.Clock
	log      *slog.Logger
	lanes    *lanes
	watchers *watchers
	breakers *breakers
	quiet    *quiet // keeps a database in trouble from filling the log
	brake    *brake
	maxBytes int64        // of an order
	kept     atomic.Int64 // answers that the database did not take yet

	calls     context.Context // ends when calls in flight must be given up
	giveUp    context.CancelFunc
	stopping  context.Context // ends when no new call may begin
	stopCalls context.CancelFunc
	released  context.Context // ends when nobody may wait for a run any longer
	release   context.CancelFunc
}

// Options of an engine; all but MaxStatusChanges and MaxOrderBytes are needed.
type Options struct {
	Store  store.Store
	Client Client
	Work   *admission.Work // on large documents
	Clock  clock.Clock
	Log    *slog.Logger
	// MaxStatusChanges is how often one order may enter a status through the API
	// within a minute; 0: as often as it likes.
	MaxStatusChanges int
	// MaxOrderBytes is how large a call of the API, or the answer of a step, may
	// make an order; 0: [oms.DefaultOrderBytes].
	MaxOrderBytes int64
}

// New makes an engine that has not begun.
func New(o Options) *Engine {
	e := &Engine{store: o.Store, client: o.Client, work: o.Work, clock: o.Clock, log: o.Log, watchers: newWatchers(), breakers: newBreakers(o.Clock, o.Log),
		quiet: &quiet{clock: o.Clock}, brake: newBrake(o.MaxStatusChanges, o.Clock, o.Log), maxBytes: cmp.Or(o.MaxOrderBytes, oms.DefaultOrderBytes)}
	e.lanes = newLanes(o.Clock, e.turn)
	e.calls, e.giveUp = context.WithCancel(context.Background())
	e.stopping, e.stopCalls = context.WithCancel(context.Background())
	e.released, e.release = context.WithCancel(context.Background())
	return e
}

// Start goes on with every run that has not ended.
func (e *Engine) Start(ctx context.Context) error {
	return e.store.UnfinishedOrders(ctx, func(tenant, orderID string) error {
		e.lanes.kick(orderKey{tenant, orderID}, fresh{})
		return nil
	})
}

// Release answers all who wait for a run: their runs go on without them.
func (e *Engine) Release() { e.release() }

// Stop begins no new attempt and waits for those in flight. When ctx ends
// first it gives them up: their runs repeat that attempt at the next start.
func (e *Engine) Stop(ctx context.Context) {
	e.release()
	e.stopCalls()
	if e.lanes.stop(ctx) != nil {
		e.giveUp()
		_ = e.lanes.stop(context.Background())
	}
	e.giveUp()
}

// again is how long a lane waits after the store failed it.
const again = time.Second

// afterPanic is how long it waits after a mistake in this program.
const afterPanic = time.Minute

// next returns the first of an order's runs that have not ended, nothing if there
// is none.
func (e *Engine) next(key orderKey, f fresh) (held, error) {
	if f.first {
		return f.held, nil
	}
	run, err := e.store.NextRun(e.calls, key.tenant, key.order)
	if err == nil && run != nil && f.run != nil && f.run.ID == run.ID {
		return held{run: run, order: f.order}, nil
	}
	return held{run: run}, err
}

// turn does what the runs of one order need now.
func (e *Engine) turn(key orderKey, f fresh) (wake time.Time) {
	defer func() {
		if p := recover(); p != nil { // of one order, not of all
			e.log.Error("a run panicked and is tried again", "order", key.order, "panic", p, "stack", string(debug.Stack()))
			wake = e.clock.Now().Add(afterPanic)
		}
	}()
	for e.stopping.Err() == nil {
		h, err := e.next(key, f)
		if err == nil && h.run == nil {
			return time.Time{}
		}
		if err == nil {
			wake, err = e.advance(key.tenant, h)
		}
		f = fresh{}
		if err != nil {
			e.trouble(key, "a run could not go on and is tried again", err)
			return e.clock.Now().Add(again)
		}
		if !wake.IsZero() {
			return wake
		}
	}
	return time.Time{}
}
