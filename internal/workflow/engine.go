// Package workflow takes orders and returns through the steps of their
// statuses: it starts a run, makes one step's call, and applies what came back.
//
// A run's row in the store is its position. It is written together with what
// it follows from (the order's creation, the step before), so that after a crash
// every run goes on at the very attempt it was at; no write is open while a call
// is in flight.
//
// What becomes of an order is not decided here but in package decide. This package reads
// the facts for it, commits what it decides, and makes the calls. It knows neither SQL nor
// the paths of the API. Begin to read with change, which makes what callers ask for, and
// with turn, which takes runs from step to step.
package workflow

import (
	"cmp"
	"context"
	"log/slog"
	"sync"
	"sync/atomic"

	"github.com/orderhook/orderhook/internal/admission"
	"github.com/orderhook/orderhook/internal/clock"
	"github.com/orderhook/orderhook/internal/intercept"
	"github.com/orderhook/orderhook/internal/nodes"
	"github.com/orderhook/orderhook/internal/order"
	"github.com/orderhook/orderhook/internal/outbound"
	"github.com/orderhook/orderhook/internal/store"
	"github.com/orderhook/orderhook/internal/trace"
)

// Client makes the calls; [outbound.Client] is the real one. Post makes one request and
// never fails: what went wrong is in the exchange. Tests put an endpoint of their own in
// its place.
type Client interface {
	Post(ctx context.Context, r outbound.Request) outbound.Exchange
}

// Engine runs workflows. Its methods are safe for concurrent use. One engine serves all
// tenants of its process. It works on the orders whose shards this node has; callers may
// ask any node.
type Engine struct {
	node     *nodes.Node
	alone    bool // it takes all shards at its start
	store    store.Store
	client   Client
	work     *admission.Work
	clock    clock.Clock
	log      *slog.Logger
	queues   *orderQueues
	watchers *watchers
	breakers *breakers
	waking   sync.WaitGroup // those who wake runs that wait for a breaker
	lines    *lineLimiter   // keeps a database in trouble from filling the log
	statuses *statusLimiter
	board    *intercept.Board
	tracer   trace.Tracer // nil: no spans
	maxBytes int64        // of an order
	unstored atomic.Int64 // answers that the database did not take yet
	shadows  *shadows
	lifetimes
}

// Options of an engine; all but Node, MaxStatusChanges, MaxOrderBytes, Board, Tracer and those of
// shadows are needed.
type Options struct {
	Node   *nodes.Node // has the engine take shards; nil: it takes all at its start
	Store  store.Store
	Client Client
	Work   *admission.Work // on large documents
	Clock  clock.Clock
	Log    *slog.Logger
	// MaxStatusChanges is how often one order may enter a status through the API
	// within a minute; 0: as often as it likes.
	MaxStatusChanges int
	// MaxOrderBytes is how large a call of the API, or the answer of a step, may
	// make an order; 0: [order.DefaultOrderBytes].
	MaxOrderBytes int64
	// Board has the interceptions of calls; nil: one of the engine's own.
	Board *intercept.Board
	// Tracer makes a span of each run; nil: nobody does.
	Tracer trace.Tracer
	// Shadows makes the calls of shadow steps; nil: Client. A server has another client for
	// them, with slots, memory and connections of its own.
	Shadows Client
	// ShadowObserver counts those that are not made; nil: nobody does.
	ShadowObserver ShadowObserver
}

// New makes an engine that has not begun. It begins no goroutine: the first run that is to
// go on does.
func New(o Options) *Engine {
	alone := o.Node == nil
	if alone {
		o.Node = nodes.Alone()
	}
	if o.Board == nil {
		o.Board = intercept.New(0)
	}
	e := &Engine{lifetimes: newLifetimes(), board: o.Board, node: o.Node, alone: alone, store: o.Store, client: o.Client, work: o.Work, clock: o.Clock, log: o.Log, tracer: o.Tracer, watchers: newWatchers(), breakers: newBreakers(o.Clock, o.Log),
		lines: &lineLimiter{clock: o.Clock}, statuses: newStatusLimiter(o.MaxStatusChanges, o.Clock, o.Log), maxBytes: cmp.Or(o.MaxOrderBytes, order.DefaultOrderBytes)}
	e.queues = newOrderQueues(o.Clock, e.turn, e.elsewhere)
	e.shadows = newShadows(e, o.Shadows, o.ShadowObserver)
	o.Board.WhenLost(e.lostListener)
	if alone {
		e.queues.take(e.stopping, nodes.All())
	}
	return e
}

// Start goes on with every run that has not ended, where the engine is alone. With a node,
// the shards come one by one: see [Engine.Take].
func (e *Engine) Start(ctx context.Context) error {
	if e.alone {
		return e.Take(ctx, nodes.All())
	}
	return nil
}

// BreakerStates returns how many breakers of connectors are in each state, of those that
// this process has made a call with.
func (e *Engine) BreakerStates() map[string]int { return e.breakers.states() }
