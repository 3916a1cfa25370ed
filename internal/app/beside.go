package app

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"net/http/pprof"
)

// Beside are further addresses that a server listens at, for operators; "" is none. They
// have no keys: whoever reaches them is answered.
type Beside struct {
	// MetricsListen answers GET /metrics to everybody who reaches it.
	MetricsListen string
	// DebugListen answers with profiles and goroutines under /debug/pprof/. It has to be a
	// loopback address: whoever reaches it sees what is in memory, secrets included.
	DebugListen string
}

// check refuses an address for profiles that others could reach.
func (b Beside) check() error {
	if b.DebugListen == "" {
		return nil
	}
	host, _, err := net.SplitHostPort(b.DebugListen)
	if err != nil {
		return UserErrorf("--debug-listen %s: it is not of the form 127.0.0.1:6060", b.DebugListen)
	}
	// A name other than localhost could be anything by the time that it is resolved.
	if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return UserErrorf("--debug-listen %s: it must be a loopback address, as 127.0.0.1:6060: profiles show what is in memory", b.DebugListen)
	}
	return nil
}

// beside are the listeners of [Beside], nil where one is not asked for.
type beside struct{ metrics, profiles net.Listener }

// listen takes the addresses, before anything is stored: a key that a start makes is lost if
// that start fails.
func (b Beside) listen(ctx context.Context, a *App) (at beside, err error) {
	for _, one := range []struct {
		address  string
		listener *net.Listener
	}{{b.MetricsListen, &at.metrics}, {b.DebugListen, &at.profiles}} {
		if one.address == "" {
			continue
		}
		listener, err := listen(ctx, one.address)
		if err != nil {
			return beside{}, err
		}
		*one.listener = listener
		a.onStop(func(context.Context) error { return doing("stop listening", closeListener(listener)) })
	}
	return at, nil
}

// serve serves what is asked for beside the API, as a part of a server. If one of these ends by
// itself later, that server hears of it.
func (at beside) serve(metrics http.Handler, log *slog.Logger, a *App) {
	figures := http.NewServeMux()
	figures.Handle("GET /metrics", metrics)
	for _, one := range []struct {
		what     string
		listener net.Listener
		handler  http.Handler
	}{{"metrics", at.metrics, figures}, {"profiles", at.profiles, profiles()}} {
		if one.listener == nil {
			continue
		}
		// They have no TLS: they are for the same machine, or for a network that the
		// operator trusts.
		server := newServer(one.handler, log)
		log.Info("orderhook serves its "+one.what, "address", a.serve(one.what, server, one.listener))
		a.onStop(func(context.Context) error { return doing("stop serving "+one.what, server.Close()) })
	}
}

// profiles answers with what the Go runtime knows of this process. The handlers are named
// one by one: to import net/http/pprof registers them in the default mux as well, which no
// server here uses.
func profiles() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /debug/pprof/", pprof.Index)
	mux.HandleFunc("GET /debug/pprof/cmdline", pprof.Cmdline)
	mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	return mux
}
