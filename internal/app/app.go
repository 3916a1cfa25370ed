// Package app wires a server in one straight function and stops it in the
// reverse order.
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
	"github.com/orderhook/orderhook/internal/hook"
	"github.com/orderhook/orderhook/internal/job"
	"github.com/orderhook/orderhook/internal/notify"
	"github.com/orderhook/orderhook/internal/settings"
	"github.com/orderhook/orderhook/internal/store/sqlite"
	"github.com/orderhook/orderhook/internal/upkeep"
	"github.com/orderhook/orderhook/internal/validate"
	"github.com/orderhook/orderhook/internal/workflow"
)

// Options of a server. Listen and Database are needed.
type Options struct {
	Listen        string // host:port; port 0 takes any that is free
	Database      string
	EncryptionKey string // "": that of DATABASE.key
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

	TLSCert, TLSKey string // files; "": plain HTTP
	PublicURL       string

	Targets

	WebHook      *config.WebHook // nil: off
	DisableAfter time.Duration   // of endpoints that do nothing but fail; 0: as [notify.Options] has it

	// MaxStatusChanges is as of [workflow.Options].
	MaxStatusChanges int

	// MaxOutgoing is how many calls there may be at once, and MaxAnswerBytes how many
	// bytes of their answers may be in memory, as of [hook.Options]; 0: the defaults.
	MaxOutgoing, MaxAnswerBytes int64
	Limits                      Limits

	Version   string       // of orderhook
	UserAgent string       // of outgoing requests; "": OmniumOms/Version
	Clock     clock.Clock  // nil: the machine's
	Log       *slog.Logger // nil: no log
}

// App is a server that runs.
type App struct {
	// URL is where the server is reached, with the actual port.
	URL string
	// NewKey is the admin key that this start made, "" if it made none. It is
	// to be shown once: it is kept nowhere.
	NewKey string
	// Failed gets the error of a server that ended by itself.
	Failed <-chan error

	log   *slog.Logger
	stops []func(context.Context) error // in the order of starting
}

// Start starts a server. Everything that can be wrong in o is an error that
// [IsMistake] reports as such. ctx bounds the start only.
func Start(ctx context.Context, o Options) (_ *App, err error) {
	a := &App{}
	defer func() {
		if err != nil {
			err = errors.Join(err, a.Stop(context.WithoutCancel(ctx)))
		}
	}()
	o.setDefaults()
	a.log = o.Log
	certificate, err := o.check()
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
	a.onStop(func(context.Context) error { return closeListener(listener) })
	st, err := OpenStore(ctx, o.Database, sqlite.Options{EncryptionKey: o.EncryptionKey, Exclusive: true, Clock: o.Clock.Now, Log: o.Log})
	if err != nil {
		return nil, err
	}
	a.onStop(func(context.Context) error { return st.Close() })
	hub := changes.New(o.Clock)
	st.Watch(hub)
	guard := o.guard(listener.Addr())
	if err := o.applySettings(ctx, st, guard.Refusal); err != nil {
		return nil, err
	}
	if err := o.checkWebHook(ctx, st, webHook); err != nil {
		return nil, err
	}
	// After all that is likely to fail: a key that was made is lost if nobody gets to see it.
	if a.NewKey, err = adminKey(ctx, st, o.APIKey, o.Clock.Now()); err != nil {
		return nil, err
	}

	o.warnReadable()
	o.warnDescriptors()
	if !admission.CanLower() {
		o.Log.Info("large documents are worked on at the priority of everything else: the system does not let this process lower that of a thread and raise it again")
	}

	slots := fair.New(o.MaxOutgoing)
	client := hook.New(hook.Options{Version: o.Version, UserAgent: o.UserAgent, Guard: guard, Outgoing: slots, MaxAnswerBytes: o.MaxAnswerBytes, Secrets: st.Secrets()})
	a.onStop(func(context.Context) error { client.Close(); return nil })
	dispatcher := notify.New(notify.Options{Store: st, Client: client, Slots: slots, Clock: o.Clock, Log: o.Log, DisableAfter: o.DisableAfter, WebHook: webHook})
	a.onStop(func(ctx context.Context) error { dispatcher.Stop(ctx); return nil })
	if err := dispatcher.Start(ctx); err != nil {
		return nil, err
	}
	work := admission.NewWork(admission.DefaultAtOnce())
	engine := workflow.New(workflow.Options{Store: st, Client: client, Work: work, Clock: o.Clock, Log: o.Log, MaxStatusChanges: o.MaxStatusChanges, MaxOrderBytes: o.Limits.OrderBytes})
	a.onStop(func(ctx context.Context) error { engine.Stop(ctx); return nil })
	if err := engine.Start(ctx); err != nil {
		return nil, err
	}
	jobs := job.New(job.Options{Store: st, Clock: o.Clock, Log: o.Log}, dispatcher.Jobs(), engine.Jobs())
	a.onStop(func(context.Context) error { jobs.Stop(); return nil })
	if err := jobs.Start(ctx); err != nil {
		return nil, err
	}
	// By the machine's clock: a clock.Fake would let it have no rest.
	keeper := upkeep.Start(upkeep.Options{Store: st, Log: o.Log})
	a.onStop(func(context.Context) error { keeper.Stop(); return nil })
	validator := &validate.Validator{Store: st, Client: client, Clock: o.Clock, Log: o.Log}
	handler := api.New(api.Options{Store: st, Engine: engine, Validator: validator, Notify: dispatcher, Jobs: jobs, Client: client, Guard: guard,
		Variables: settings.Variables{Lookup: os.LookupEnv, Allowed: o.SettingsVariables}, VariablesTenant: o.Tenant,
		Work: work, Admission: admission.New(admission.Limits{Requests: o.Limits.Requests, Bytes: o.Limits.RequestBytes}),
		Limits: api.Limits{Endpoints: o.Limits.Endpoints, SettingsBytes: o.Limits.SettingsBytes},
		Clock:  o.Clock, Log: o.Log, Version: o.Version, PublicURL: o.PublicURL})

	pages := dash.New(dash.Options{API: handler, Sessions: st, Changes: hub, Clock: o.Clock, Log: o.Log, PublicURL: o.PublicURL, Version: o.Version})
	server := newServer(mounted(handler, pages), o.Log)
	server.TLSConfig = certificate
	a.onStop(func(ctx context.Context) error { return drain(ctx, server, engine.Release) })
	a.onStop(func(context.Context) error { hub.Close(); return nil }) // first: who listens would keep the server from its end
	a.URL, a.Failed = serve(server, listener)
	o.Log.Info("orderhook serves", "version", o.Version, "address", a.URL, "database", o.Database, "privateTargets", guard.AllowPrivate)
	return a, nil
}

// Stop stops the server: it accepts no more, finishes what is in flight, and
// gives the database free. A little before ctx ends, what is not finished is cut
// off, so that all is over when it does; what still goes on then is left behind:
// the process is to end. It is to be called once.
func (a *App) Stop(ctx context.Context) error {
	work, cancel := leaving(ctx, lastWords)
	defer cancel()
	stopped := make(chan error, 1)
	go func() {
		var errs []error
		for i := len(a.stops) - 1; i >= 0; i-- {
			errs = append(errs, a.stops[i](work))
		}
		stopped <- errors.Join(errs...)
	}()
	select {
	case err := <-stopped:
		return err
	case <-ctx.Done():
		a.log.Warn("stopping took too long, and was not waited for: what goes on is taken up at the next start")
		return nil
	}
}

// leaving returns a context that ends before ctx does, by so much, or by a
// quarter of what is left of it.
func leaving(ctx context.Context, last time.Duration) (context.Context, context.CancelFunc) {
	end, ok := ctx.Deadline()
	if !ok {
		return context.WithCancel(ctx)
	}
	return context.WithDeadline(ctx, end.Add(-min(last, time.Until(end)/4)))
}

func (a *App) onStop(stop func(context.Context) error) { a.stops = append(a.stops, stop) }

// serve answers requests in a goroutine of its own, which ends with the server.
func serve(s *http.Server, l net.Listener) (url string, failed <-chan error) {
	errs := make(chan error, 1)
	run, scheme := func() error { return s.Serve(l) }, "http"
	if s.TLSConfig != nil {
		run, scheme = func() error { return s.ServeTLS(l, "", "") }, "https"
	}
	go func() {
		if err := run(); !errors.Is(err, http.ErrServerClosed) {
			errs <- err
		}
	}()
	return scheme + "://" + l.Addr().String(), errs
}

// closeListener closes the listener of a start that failed; a server that ran
// has closed it already.
func closeListener(l net.Listener) error {
	if err := l.Close(); !errors.Is(err, net.ErrClosed) {
		return err
	}
	return nil
}
