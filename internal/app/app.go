// Package app wires a server in one straight function, and stops it in the reverse order.
// It also has what the commands of the command line do with a database: keys, settings,
// backup, export and the like.
//
// All packages of a server meet here. It decides nothing about orders or events, and reads
// no flags: cmd/orderhook does, and calls it. Start reading at [Start] and [Assemble].
package app

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/orderhook/orderhook/internal/admission"
	"github.com/orderhook/orderhook/internal/api"
	"github.com/orderhook/orderhook/internal/changes"
	"github.com/orderhook/orderhook/internal/clock"
	"github.com/orderhook/orderhook/internal/config"
	"github.com/orderhook/orderhook/internal/dash"
	"github.com/orderhook/orderhook/internal/fair"
	"github.com/orderhook/orderhook/internal/maintenance"
	"github.com/orderhook/orderhook/internal/nodes"
	"github.com/orderhook/orderhook/internal/outbound"
	"github.com/orderhook/orderhook/internal/settings"
	"github.com/orderhook/orderhook/internal/store"
	"github.com/orderhook/orderhook/internal/telemetry"
	"github.com/orderhook/orderhook/internal/telemetry/tracing"
)

// Options of a server, as flags, variables and the config file say. Listen and Database are
// required; the zero value of each other field is its default. Start completes and checks
// them.
type Options struct {
	Listen        string // host:port; port 0 takes any that is free
	Database      string
	EncryptionKey string // "": that of DATABASE.key, where the database is a file
	APIKey        string // an admin key of the default tenant; "": one is made if that has none

	SettingsFile string // applied to Tenant at the start; "": none
	Tenant       string // "": the default one
	// ReplaceSettings has SettingsFile replace settings that others have stored
	// since it was applied last.
	ReplaceSettings bool
	// SettingsVariables are the variables of the environment that Tenant's settings
	// may name through the API, as Allowed of [settings.Variables].
	SettingsVariables []string
	// SecretFiles are further files with secrets in them, for a warning if others
	// can read them; "" is none.
	SecretFiles []string

	// Both or neither are given.
	TLSCert, TLSKey string // files; "": plain HTTP
	// PublicURL is where callers reach the server, if that is not where it listens; ""
	// leaves it open.
	PublicURL string

	Targets
	Outgoing
	Forwarding
	Beside

	WebHook      *config.WebHook // nil: off
	DisableAfter time.Duration   // of endpoints that do nothing but fail; 0: as [delivery.Options] has it

	// LeaseTime is how long a node of a database on a server may be silent before others
	// take its work over; 0: [nodes.DefaultLasts].
	LeaseTime time.Duration

	// MaxStatusChanges is as of the Options of package workflow.
	MaxStatusChanges int

	// MaxOutgoing is how many calls there may be at once, and MaxAnswerBytes how many
	// bytes of their answers may be in memory, as of [outbound.Options]; 0: the defaults.
	MaxOutgoing, MaxAnswerBytes int64
	Limits                      Limits

	Version   string       // of orderhook
	UserAgent string       // of outgoing requests; "": OmniumOms/Version
	Clock     clock.Clock  // nil: the machine's
	Log       *slog.Logger // nil: no log
}

// App is a server that runs. Start makes it, and Stop ends it.
type App struct {
	// URL is where the server is reached, with the actual port.
	URL string
	// NewKey is the admin key that this start made, "" if it made none. It is
	// to be shown once: it is stored nowhere.
	NewKey string
	// Failed gets the error of a server that ended by itself: that of the API, or one of those
	// beside it.
	Failed <-chan error
	// Figures tells what the metrics tell of the database, as it is now: theirs may be some
	// seconds old.
	Figures func(context.Context) (store.Figures, error)

	log      *slog.Logger
	changing *changing
	failed   chan error                    // what Failed receives from
	stops    []func(context.Context) error // in the order of starting
}

// Start starts a server. Everything that can be wrong in o is an error that [IsUserError]
// reports as such. ctx bounds the start only. After an error all that was started is
// stopped again.
//
// The order is that of need: what is likely to fail comes first, so that it leaves nothing
// behind; then the database, and this process as a node of it; then the parts, none of
// which works yet; and last the requests of others.
func Start(ctx context.Context, o Options) (_ *App, err error) {
	// There is a place for each that may fail, the node and the three servers, so that none of
	// them waits for a receiver.
	failed := make(chan error, 4)
	a := &App{Failed: failed, failed: failed}
	defer func() {
		if err != nil {
			err = errors.Join(err, a.Stop(context.WithoutCancel(ctx)))
		}
	}()
	o.setDefaults()
	a.log = o.Log
	if err := o.check(); err != nil {
		return nil, err
	}
	certificate, err := newCertificate(o.TLSCert, o.TLSKey, o.Log)
	if err != nil {
		return nil, err
	}
	webHook, err := o.openWebHook()
	if err != nil {
		return nil, err
	}

	listener, err := listen(ctx, o.Listen) // first: an address that cannot be had leaves no database behind
	if err != nil {
		return nil, err
	}
	a.onStop(func(context.Context) error { return doing("stop listening", closeListener(listener)) })
	besides, err := o.Beside.listen(ctx, a)
	if err != nil {
		return nil, err
	}
	network, err := o.network(listener.Addr())
	if err != nil {
		return nil, err
	}
	clock := nodes.NewClock(o.Clock)
	o.Clock = clock
	st, err := OpenStore(ctx, o.Database, StoreOptions{EncryptionKey: o.EncryptionKey, Exclusive: true, Clock: o.Clock.Now, Log: o.Log})
	if err != nil {
		return nil, err
	}
	a.onStop(func(context.Context) error { return doing("close the database", st.Close()) })
	a.Figures = st.Figures
	node, err := o.join(ctx, st, clock, listener.Addr().String(), a.failed)
	if err != nil {
		return nil, err
	}
	a.onStop(func(ctx context.Context) error { node.Stop(ctx); return nil })
	// The watcher and the teller have to be set before the first write of this process.
	hub := changes.New(o.Clock)
	st.Watch(hub)
	st.Tell(node.Tell)
	if err := o.applySettings(ctx, st, network.Guard.For(o.Tenant).Refusal); err != nil {
		return nil, err
	}
	if err := o.checkWebHook(ctx, st, webHook); err != nil {
		return nil, err
	}
	// After all that is likely to fail: a key that was made is lost if nobody gets to see it.
	if a.NewKey, err = adminKey(ctx, st, o.APIKey, o.Clock.Now()); err != nil {
		return nil, err
	}

	if err := o.warnUnknown(ctx, st, o.Log); err != nil {
		return nil, err
	}
	o.warnReadable()
	o.warnDescriptors()
	if !admission.CanLower() {
		o.Log.Info("large documents are worked on at the priority of everything else: the system does not let this process lower that of a thread and raise it again")
	}

	metrics := telemetry.New(o.Version)
	spans := tracing.Start(os.LookupEnv, o.Version, o.Clock.Now, o.Log)
	a.onStop(func(ctx context.Context) error { spans.Stop(ctx); return nil }) // after all that makes them
	slots := fair.New(o.MaxOutgoing)
	network.Version, network.Observer, network.UserAgent = o.Version, metrics, o.UserAgent
	network.Outgoing, network.MaxAnswerBytes, network.Secrets = slots, o.MaxAnswerBytes, st.Secrets()
	network.Now, network.Tracer = o.Clock.Now, spans.Tracer()
	client := outbound.New(network)
	a.onStop(func(context.Context) error { client.Close(); return nil })
	shadows := outbound.New(ShadowRequests(network))
	a.onStop(func(context.Context) error { shadows.Close(); return nil })
	work, gate := admission.NewWork(admission.DefaultAtOnce()), admission.New(o.Limits.ofGate())
	uses := maintenance.NewKeyUses(ctx, st, o.Log)
	a.onStop(func(ctx context.Context) error { uses.Stop(ctx); return nil })
	parts := Assemble(Wiring{KeyUses: uses, Store: st, Node: node, Client: client, Shadows: shadows, Slots: slots, Work: work, Admission: gate, Telemetry: metrics, Tracer: spans.Tracer(),
		Limits:           api.Limits{Endpoints: o.Limits.Endpoints, SettingsBytes: o.Limits.SettingsBytes},
		MaxStatusChanges: o.MaxStatusChanges, MaxOrderBytes: o.Limits.OrderBytes, DisableAfter: o.DisableAfter, WebHook: webHook,
		Variables: settings.Variables{Lookup: os.LookupEnv, Allowed: o.SettingsVariables}, VariablesTenant: o.Tenant,
		Version: o.Version, PublicURL: o.PublicURL, Clock: o.Clock, Log: o.Log})
	metrics.Watch(ctx, telemetry.Sources{Store: st, Gate: gate, KeyRates: parts.KeyRates, WrongKeys: parts.WrongKeys, Work: work, Outgoing: slots, Answers: client.Answers(), Queues: parts.Dispatcher.States, Leases: node.Leases, Breakers: parts.Engine.BreakerStates, Now: o.Clock.Now, Log: o.Log})
	// Operators can look at a server that takes long to take up its work.
	besides.serve(metrics.Handler(), o.Log, a)
	if err := parts.Start(ctx, a.onStop); err != nil {
		return nil, err
	}
	// It pauses by the machine's clock: a clock.Fake would let it have no rest.
	keeper := &maintenance.Keeper{Options: maintenance.Options{Store: st, Now: o.Clock.Now, Log: o.Log}}
	a.onStop(func(context.Context) error { keeper.Stop(); return nil })
	// The store hears of other nodes first, since the others ask it.
	if err := node.Start(ctx, hearer{st}, parts.Dispatcher, parts.Engine, parts.Jobs, keeper); err != nil {
		return nil, doing("begin the work", err)
	}
	a.onStop(func(context.Context) error { node.Stopping(); return nil })
	// The dashboard calls the API's own handler, so it needs no listener.
	pages := dash.New(dash.Options{API: parts.API, KeyRates: parts.KeyRates, Sessions: st, Changes: hub, Clock: o.Clock, Log: o.Log, PublicURL: o.PublicURL, Version: o.Version, Database: DatabaseName(o.Database)})
	front := newForwarded(o.Forwarding, mounted(parts.API, pages))
	server := newServer(front, o.Log)
	a.changing = &changing{at: listener.Addr(), store: st, clients: []*outbound.Client{client, shadows}, roots: network.RootCAs, certificate: certificate, gate: gate, front: front}
	metrics.WatchReloads(a.changing.state)
	if certificate != nil {
		server.TLSConfig = certificate.config()
		done := make(chan struct{})
		go certificate.watch(done)
		a.onStop(func(context.Context) error { close(done); return nil })
	}
	a.onStop(func(ctx context.Context) error {
		return doing("finish the requests in flight", drain(ctx, server, parts.Engine.StopWaits))
	})
	// First: who listens, or waits for what may never come, would keep the server from its end.
	a.onStop(func(context.Context) error { parts.Engine.Leave(); hub.Close(); return nil })
	a.URL = a.serve("requests", server, listener)
	o.Log.Info("orderhook serves", "version", o.Version, "address", a.URL, "database", DatabaseName(o.Database), "privateTargets", network.Guard.AllowPrivate)
	return a, nil
}

// Stop stops the server: it accepts no more, finishes what is in flight, and gives the
// database free. A little before ctx ends, what is not finished is cut off, so that all is
// over when it does. What still goes on then is left behind, because the process is to end;
// the database has all that the next start needs. It must be called once.
func (a *App) Stop(ctx context.Context) error {
	work, cancel := leaving(ctx, lastWords)
	defer cancel()
	// The channel has a buffer, so that the goroutine ends also if it ends too late to be
	// waited for.
	stopped := make(chan error, 1)
	go func() {
		var errs []error
		// All of them are tried: one that fails must not leave the database open.
		for i := len(a.stops) - 1; i >= 0; i-- {
			errs = append(errs, a.stops[i](work))
		}
		stopped <- errors.Join(errs...)
	}()
	select {
	case err := <-stopped:
		return err
	// Nothing is lost: what was acknowledged is in the database.
	case <-ctx.Done():
		a.log.Warn("stopping took too long, and was not waited for: what goes on is taken up at the next start")
		return nil
	}
}

// leaving returns a context that ends before ctx does, by so much, or by a quarter of what
// is left of it. If ctx has no deadline, both end together.
func leaving(ctx context.Context, last time.Duration) (context.Context, context.CancelFunc) {
	end, ok := ctx.Deadline()
	if !ok {
		return context.WithCancel(ctx)
	}
	return context.WithDeadline(ctx, end.Add(-min(last, time.Until(end)/4)))
}

// onStop notes what stops something that was started. What was started last is stopped
// first.
func (a *App) onStop(stop func(context.Context) error) { a.stops = append(a.stops, stop) }

// serve answers requests in a goroutine of its own, which ends with the server, and returns where
// that is reached. If it ends by itself, the error is logged and goes to Failed: a process
// of which a part is silently gone looks well to whoever watches over it.
func (a *App) serve(what string, s *http.Server, l net.Listener) (url string) {
	run, scheme := func() error { return s.Serve(l) }, "http"
	if s.TLSConfig != nil {
		run, scheme = func() error { return s.ServeTLS(l, "", "") }, "https"
	}
	go func() {
		// That error says that the server was stopped, and not that it ended by itself.
		if err := run(); !errors.Is(err, http.ErrServerClosed) {
			a.log.Error("a server ended by itself", "serves", what, "address", l.Addr().String(), "error", err)
			a.failed <- doing("serve "+what, err)
		}
	}()
	return scheme + "://" + l.Addr().String()
}

// closeListener closes the listener of a start that failed; a server that ran
// has closed it already.
func closeListener(l net.Listener) error {
	if err := l.Close(); !errors.Is(err, net.ErrClosed) {
		return err
	}
	return nil
}
