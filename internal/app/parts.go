package app

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/orderhook/orderhook/internal/admission"
	"github.com/orderhook/orderhook/internal/api"
	"github.com/orderhook/orderhook/internal/clock"
	"github.com/orderhook/orderhook/internal/delivery"
	"github.com/orderhook/orderhook/internal/fair"
	"github.com/orderhook/orderhook/internal/intercept"
	"github.com/orderhook/orderhook/internal/jobrunner"
	"github.com/orderhook/orderhook/internal/nodes"
	"github.com/orderhook/orderhook/internal/outbound"
	"github.com/orderhook/orderhook/internal/settings"
	"github.com/orderhook/orderhook/internal/store"
	"github.com/orderhook/orderhook/internal/telemetry"
	"github.com/orderhook/orderhook/internal/trace"
	"github.com/orderhook/orderhook/internal/validate"
	"github.com/orderhook/orderhook/internal/workflow"
)

// Wiring is what the parts of a server stand on. A server of a test is wired by it, too, so
// that what is tested is put together in the same way as what is served.
type Wiring struct {
	Store store.Store
	Node  *nodes.Node // nil: this process is alone with its database
	// EventStore is the store of what goes on in the background with events and jobs;
	// nil: Store.
	EventStore store.Store
	Client     api.Client // makes the requests of all parts
	// Shadows makes the requests of shadow steps, as [ShadowRequests] says; nil: Client.
	Shadows   workflow.Client
	Slots     *fair.Budget // of all outgoing calls; nil: the dispatcher has its own
	Work      *admission.Work
	Admission *admission.Gate
	Limits    api.Limits

	// These are as of [Options].
	MaxStatusChanges int
	MaxOrderBytes    int64
	DisableAfter     time.Duration
	WebHook          *delivery.WebHook

	// InterceptionLease is how long a listener may be silent; 0: [intercept.DefaultLease].
	InterceptionLease time.Duration

	// Variables are what settings may name, and only those of VariablesTenant.
	Variables       settings.Variables
	VariablesTenant string
	Version         string
	PublicURL       string

	// KeyUses keeps when keys were used last; nil: nobody does.
	KeyUses api.KeyUses

	// Telemetry counts what happens, and is told where to ask for states; nil: nobody counts.
	Telemetry *telemetry.Metrics

	// Tracer makes spans of what the parts do; nil: nobody does.
	Tracer trace.Tracer

	Clock clock.Clock
	Log   *slog.Logger
}

// ShadowRequests says how the requests of shadow steps are made: as all others, but with slots,
// memory and connections of their own (docs/contract.md#shadow-steps). So however many of them
// hang, no other call waits for them. The client of each is to be made of one call.
func ShadowRequests(o outbound.Options) outbound.Options {
	o.Outgoing, o.MaxAnswerBytes = fair.New(workflow.MaxShadows), workflow.MaxShadowBytes
	return o
}

// Parts are the parts of a server between its store and its HTTP server. They stop in the
// reverse order of Start.
type Parts struct {
	Dispatcher *delivery.Dispatcher
	Engine     *workflow.Engine
	Jobs       *jobrunner.Runner
	API        http.Handler
	// KeyRates and WrongKeys count the requests with keys, those of the API and of pages.
	KeyRates  *admission.KeyRates
	WrongKeys *admission.WrongKeys
}

// Assemble makes the parts and connects them. None of them runs before [Parts.Start], and
// none makes a request or a write.
func Assemble(w Wiring) *Parts {
	if w.EventStore == nil {
		w.EventStore = w.Store
	}
	dispatcher := delivery.New(delivery.Options{Store: w.EventStore, Node: w.Node, Client: w.Client, Slots: w.Slots, Clock: w.Clock, Log: w.Log, DisableAfter: w.DisableAfter, WebHook: w.WebHook})
	var skips workflow.ShadowObserver
	if w.Telemetry != nil {
		skips = w.Telemetry
	}
	board := intercept.New(w.InterceptionLease)
	engine := workflow.New(workflow.Options{Board: board, Shadows: w.Shadows, ShadowObserver: skips, Store: w.Store, Node: w.Node, Client: w.Client, Work: w.Work, Clock: w.Clock, Log: w.Log, MaxStatusChanges: w.MaxStatusChanges, MaxOrderBytes: w.MaxOrderBytes, Tracer: w.Tracer})
	jobs := jobrunner.New(jobrunner.Options{Store: w.EventStore, Node: w.Node, Clock: w.Clock, Log: w.Log}, dispatcher.Jobs(), engine.Jobs())
	validator := &validate.Validator{Store: w.Store, Client: w.Client, Clock: w.Clock, Log: w.Log}
	rates, wrong := new(admission.KeyRates), new(admission.WrongKeys)
	options := api.Options{KeyRates: rates, WrongKeys: wrong, Store: w.Store, Node: w.Node, Engine: engine, Board: board, Validator: validator, Deliveries: dispatcher, Jobs: jobs, Client: w.Client,
		Variables: w.Variables, VariablesTenant: w.VariablesTenant, Work: w.Work, Admission: w.Admission, Limits: w.Limits,
		Install: w.install, Tracer: w.Tracer, KeyUses: w.KeyUses, Clock: w.Clock, Log: w.Log, Version: w.Version, PublicURL: w.PublicURL}
	if w.Telemetry != nil {
		options.Observer, options.Metrics = w.Telemetry, w.Telemetry.Handler()
	}
	handler := api.New(options)
	return &Parts{Dispatcher: dispatcher, Engine: engine, Jobs: jobs, API: handler, KeyRates: rates, WrongKeys: wrong}
}

// Start sets the parts going, one after the other. onStop is given what stops each of them,
// before it is started: a part that fails half-way has to be stopped, too. What was given
// last is to be done first.
func (p *Parts) Start(ctx context.Context, onStop func(stop func(context.Context) error)) error {
	// The dispatcher is the first, because runs and jobs make deliveries: what they make
	// goes to queues that are there.
	onStop(func(ctx context.Context) error { p.Dispatcher.Stop(ctx); return nil })
	if err := p.Dispatcher.Start(ctx); err != nil {
		return err
	}
	onStop(func(ctx context.Context) error { p.Engine.Stop(ctx); return nil })
	if err := p.Engine.Start(ctx); err != nil {
		return doing("go on with the runs that have not ended", err)
	}
	onStop(func(context.Context) error { p.Jobs.Stop(); return nil })
	if err := p.Jobs.Start(ctx); err != nil {
		return doing("go on with the jobs that have not ended", err)
	}
	return nil
}
