package app

import (
	"context"
	"net"
	"os"

	"github.com/orderhook/orderhook/internal/admission"
	"github.com/orderhook/orderhook/internal/api"
	"github.com/orderhook/orderhook/internal/changes"
	"github.com/orderhook/orderhook/internal/dash"
	"github.com/orderhook/orderhook/internal/delivery"
	"github.com/orderhook/orderhook/internal/fair"
	"github.com/orderhook/orderhook/internal/maintenance"
	"github.com/orderhook/orderhook/internal/nodes"
	"github.com/orderhook/orderhook/internal/outbound"
	"github.com/orderhook/orderhook/internal/settings"
	"github.com/orderhook/orderhook/internal/store"
	"github.com/orderhook/orderhook/internal/telemetry"
	"github.com/orderhook/orderhook/internal/telemetry/tracing"
)

// starting is a server that is being started. Each of its methods is a step of [Start], which
// calls them in the order in which they stand here: a step uses what those before it have set.
type starting struct {
	o   Options
	app *App

	// prepare sets these.
	certificate *certificate      // nil: plain HTTP
	webHook     *delivery.WebHook // nil: off

	// listen sets these.
	listener net.Listener
	besides  beside
	network  outbound.Options

	// openDatabase sets these.
	store store.Store
	node  *nodes.Node
	hub   *changes.Hub

	// makeClients sets these.
	metrics         *telemetry.Metrics
	spans           *tracing.Tracing
	slots           *fair.Budget
	client, shadows *outbound.Client

	// assemble sets these.
	work  *admission.Work
	gate  *admission.Gate
	parts *Parts
}

// newStarting returns a start of which nothing has been done.
func newStarting(o Options) *starting {
	// There is a place for each that may fail, the node and the three servers, so that none of
	// them waits for a receiver.
	failed := make(chan error, 4)
	return &starting{o: o, app: &App{Failed: failed, failed: failed}}
}

// prepare checks the options, and reads the files that they name.
func (s *starting) prepare() (err error) {
	s.o.setDefaults()
	s.app.log = s.o.Log
	if err = s.o.check(); err != nil {
		return err
	}
	if s.certificate, err = newCertificate(s.o.TLSCert, s.o.TLSKey, s.o.Log); err != nil {
		return err
	}
	s.webHook, err = s.o.openWebHook()
	return err
}

// listen takes the addresses. Nobody is answered there yet.
func (s *starting) listen(ctx context.Context) (err error) {
	if s.listener, err = listen(ctx, s.o.Listen); err != nil {
		return err
	}
	s.app.onStop(func(context.Context) error { return doing("stop listening", closeListener(s.listener)) })
	if s.besides, err = s.o.Beside.listen(ctx, s.app); err != nil {
		return err
	}
	s.network, err = s.o.network(s.listener.Addr())
	return err
}

// openDatabase opens the database, and makes this process a node of it.
func (s *starting) openDatabase(ctx context.Context) (err error) {
	clock := nodes.NewClock(s.o.Clock)
	s.o.Clock = clock
	s.store, err = OpenStore(ctx, s.o.Database, StoreOptions{EncryptionKey: s.o.EncryptionKey, Exclusive: true, Clock: clock.Now, Log: s.o.Log})
	if err != nil {
		return err
	}
	s.app.onStop(func(context.Context) error { return doing("close the database", s.store.Close()) })
	s.app.Figures = s.store.Figures
	if s.node, err = s.o.join(ctx, s.store, clock, s.listener.Addr().String(), s.app.failed); err != nil {
		return err
	}
	s.app.onStop(func(ctx context.Context) error { s.node.Stop(ctx); return nil })
	// Both have to be set before the first write of this process. No option of OpenStore could
	// set the second: the node needs a database that is open.
	s.hub = changes.New(clock)
	s.store.Watch(s.hub)
	s.store.Tell(s.node.Tell)
	return nil
}

// storeWhatIsGiven stores the settings file and the admin key.
func (s *starting) storeWhatIsGiven(ctx context.Context) (err error) {
	if err = s.o.applySettings(ctx, s.store, s.network.Guard.For(s.o.Tenant).Refusal); err != nil {
		return err
	}
	if err = s.o.checkWebHook(ctx, s.store, s.webHook); err != nil {
		return err
	}
	// The key comes after all that is likely to fail: one that was made is lost if nobody gets
	// to see it.
	s.app.NewKey, err = adminKey(ctx, s.store, s.o.APIKey, s.o.Clock.Now())
	return err
}

// warn has the log tell of what works, and may not be meant.
func (s *starting) warn(ctx context.Context) error {
	if err := s.o.warnUnknown(ctx, s.store, s.o.Log); err != nil {
		return err
	}
	s.o.warnReadable()
	s.o.warnDescriptors()
	if !admission.CanLower() {
		s.o.Log.Info("large documents are worked on at the priority of everything else: the system does not let this process lower that of a thread and raise it again")
	}
	return nil
}

// makeClients makes what sends requests, and what counts and traces them.
func (s *starting) makeClients() {
	s.metrics = telemetry.New(s.o.Version)
	s.spans = tracing.Start(os.LookupEnv, s.o.Version, s.o.Clock.Now, s.o.Log)
	s.app.onStop(func(ctx context.Context) error { s.spans.Stop(ctx); return nil }) // after all that makes them
	s.slots = fair.New(s.o.MaxOutgoing)
	n := &s.network
	n.Version, n.Observer, n.UserAgent = s.o.Version, s.metrics, s.o.UserAgent
	n.Outgoing, n.MaxAnswerBytes, n.Secrets = s.slots, s.o.MaxAnswerBytes, s.store.Secrets()
	n.Now, n.Tracer = s.o.Clock.Now, s.spans.Tracer()
	s.client = outbound.New(*n)
	s.app.onStop(func(context.Context) error { s.client.Close(); return nil })
	s.shadows = outbound.New(ShadowRequests(*n))
	s.app.onStop(func(context.Context) error { s.shadows.Close(); return nil })
}

// assemble makes the parts, none of which works yet, and has the metrics ask them.
func (s *starting) assemble(ctx context.Context) {
	o := &s.o
	s.work, s.gate = admission.NewWork(admission.DefaultAtOnce()), admission.New(o.Limits.ofGate())
	uses := maintenance.NewKeyUses(ctx, s.store, o.Log)
	s.app.onStop(func(ctx context.Context) error { uses.Stop(ctx); return nil })
	s.parts = Assemble(Wiring{KeyUses: uses, Store: s.store, Node: s.node, Client: s.client, Shadows: s.shadows, Slots: s.slots, Work: s.work, Admission: s.gate, Telemetry: s.metrics, Tracer: s.spans.Tracer(),
		Limits:           api.Limits{Endpoints: o.Limits.Endpoints, SettingsBytes: o.Limits.SettingsBytes},
		MaxStatusChanges: o.MaxStatusChanges, MaxOrderBytes: o.Limits.OrderBytes, DisableAfter: o.DisableAfter, WebHook: s.webHook,
		Variables: settings.Variables{Lookup: os.LookupEnv, Allowed: o.SettingsVariables}, VariablesTenant: o.Tenant,
		Version: o.Version, PublicURL: o.PublicURL, Clock: o.Clock, Log: o.Log})
	s.metrics.Watch(ctx, telemetry.Sources{Store: s.store, Gate: s.gate, KeyRates: s.parts.KeyRates, WrongKeys: s.parts.WrongKeys, Work: s.work, Outgoing: s.slots, Answers: s.client.Answers(),
		Queues: s.parts.Dispatcher.States, Leases: s.node.Leases, Breakers: s.parts.Engine.BreakerStates, Now: o.Clock.Now, Log: o.Log})
}

// begin has the parts work. Operators are answered before that, and can look at a server that
// takes long to take up its work.
func (s *starting) begin(ctx context.Context) error {
	s.besides.serve(s.metrics.Handler(), s.o.Log, s.app)
	if err := s.parts.Start(ctx, s.app.onStop); err != nil {
		return err
	}
	// It pauses by the machine's clock: a clocktest.Fake would let it have no rest.
	keeper := &maintenance.Keeper{Options: maintenance.Options{Store: s.store, Now: s.o.Clock.Now, Log: s.o.Log}}
	s.app.onStop(func(context.Context) error { keeper.Stop(); return nil })
	// The store hears of other nodes first, since the others ask it.
	if err := s.node.Start(ctx, hearer{s.store}, s.parts.Dispatcher, s.parts.Engine, s.parts.Jobs, keeper); err != nil {
		return doing("begin the work", err)
	}
	s.app.onStop(func(context.Context) error { s.node.Stopping(); return nil })
	return nil
}

// serve answers the requests of others. From here on options can be changed by a reload.
func (s *starting) serve() {
	o, a := &s.o, s.app
	// The dashboard calls the API's own handler, so it needs no listener.
	pages := dash.New(dash.Options{API: s.parts.API, KeyRates: s.parts.KeyRates, Sessions: s.store, Changes: s.hub, Clock: o.Clock, Log: o.Log, PublicURL: o.PublicURL, Version: o.Version, Database: DatabaseName(o.Database)})
	front := newForwarded(o.Forwarding, mounted(s.parts.API, pages))
	server := newServer(front, o.Log)
	a.changing = &changing{at: s.listener.Addr(), store: s.store, clients: []*outbound.Client{s.client, s.shadows}, roots: s.network.RootCAs, certificate: s.certificate, gate: s.gate, front: front}
	s.metrics.WatchReloads(a.changing.state)
	if s.certificate != nil {
		server.TLSConfig = s.certificate.config()
		done := make(chan struct{})
		go s.certificate.watch(done)
		a.onStop(func(context.Context) error { close(done); return nil })
	}
	a.onStop(func(ctx context.Context) error {
		return doing("finish the requests in flight", drain(ctx, server, s.parts.Engine.StopWaits))
	})
	// This is done first: callers that listen, or wait for what may never come, would keep the
	// server from its end.
	a.onStop(func(context.Context) error { s.parts.Engine.Leave(); s.hub.Close(); return nil })
	a.URL = a.serve("requests", server, s.listener)
	o.Log.Info("orderhook serves", "version", o.Version, "address", a.URL, "database", DatabaseName(o.Database), "privateTargets", s.network.Guard.AllowPrivate)
}
