// Package app starts a server step by step, and stops it in the reverse order.
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
	"time"

	"github.com/orderhook/orderhook/internal/clock"
	"github.com/orderhook/orderhook/internal/config"
	"github.com/orderhook/orderhook/internal/store"
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

	// MaxStatusChanges is as in the Options of package workflow.
	MaxStatusChanges int

	// MaxOutgoing is how many calls there may be at once, and MaxAnswerBytes how many
	// bytes of their answers may be in memory, as in [outbound.Options]; 0: the defaults.
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
	s := newStarting(o)
	defer func() {
		if err != nil {
			err = errors.Join(err, s.app.Stop(context.WithoutCancel(ctx)))
		}
	}()
	if err := s.prepare(); err != nil {
		return nil, err
	}
	// An address that cannot be had leaves no database behind.
	if err := s.listen(ctx); err != nil {
		return nil, err
	}
	if err := s.openDatabase(ctx); err != nil {
		return nil, err
	}
	if err := s.storeWhatIsGiven(ctx); err != nil {
		return nil, err
	}
	if err := s.warn(ctx); err != nil {
		return nil, err
	}
	s.makeClients()
	s.assemble(ctx)
	if err := s.begin(ctx); err != nil {
		return nil, err
	}
	s.serve()
	return s.app, nil
}

// Stop stops the server: it accepts no more, finishes what is in flight, and gives the
// database free. A little before ctx ends, what is not finished is cut off, so that all is
// over when it does. What still goes on then is left behind, because the process is to end;
// the database has all that the next start needs. It must be called once.
func (a *App) Stop(ctx context.Context) error {
	work, cancel := leaving(ctx)
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

// leaving returns a context that ends before ctx does, by lastWords, or by a quarter of what
// is left of it. If ctx has no deadline, both end together.
func leaving(ctx context.Context) (context.Context, context.CancelFunc) {
	end, ok := ctx.Deadline()
	if !ok {
		return context.WithCancel(ctx)
	}
	return context.WithDeadline(ctx, end.Add(-min(lastWords, time.Until(end)/4)))
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
