package app

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

const (
	// How long a caller may take for the headers of a request, and how long a kept
	// connection may be idle.
	headerTimeout = 10 * time.Second
	idleTimeout   = 2 * time.Minute
	// The bodies of requests have limits of their own (docs/contract.md#limits).
	maxHeader = 64 << 10

	// lastWords is how much of the time for stopping is reserved for callers that were
	// told to wait no longer, to take their answers; and how much again for the
	// rest, with the database as the last.
	lastWords = 5 * time.Second / 2
)

// newServer makes a server that does not listen yet. It has no WriteTimeout and no
// ReadTimeout: a call may wait 55 s for its run, and both would count that time in. How
// slowly a body may come is up to the API.
func newServer(h http.Handler, log *slog.Logger) *http.Server {
	return &http.Server{
		Handler:           h,
		ReadHeaderTimeout: headerTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeader,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
}

// mounted gives each request to the API or to the dashboard. The API has some paths, and
// the pages have all others.
func mounted(api, pages http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// A path that nobody knows gets a page of the dashboard that says so.
		if p := r.URL.Path; p == "/api" || strings.HasPrefix(p, "/api/") || p == "/healthz" || p == "/readyz" || p == "/metrics" {
			api.ServeHTTP(w, r)
			return
		}
		pages.ServeHTTP(w, r)
	})
}

// listen opens the port, and fails if another process has it. Port 0 takes any that is
// free.
func listen(ctx context.Context, address string) (net.Listener, error) {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
	return l, userErrorUnlessCanceled(ctx, err)
}

// checkPublicURL accepts the address under which callers reach the server, ""
// where that is left open, and returns it without a slash at its end.
func checkPublicURL(text string) (string, error) {
	if text == "" {
		return "", nil
	}
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" {
		return "", UserErrorf("the public URL must be an absolute http or https URL")
	}
	if u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return "", UserErrorf("the public URL may have no user, query or fragment")
	}
	return strings.TrimSuffix(text, "/"), nil
}

// drain stops accepting and waits for the requests in flight. A little before ctx ends, it
// has answerWaiting answer those callers that wait for a run, with what there is so far.
// When ctx ends, it cuts off who is left.
func drain(ctx context.Context, s *http.Server, answerWaiting func()) error {
	// Shutdown returns when all requests are answered, or when this ends.
	patient, cancel := leaving(ctx)
	defer cancel()
	err := s.Shutdown(patient)
	// A caller that waits gets 202 with what there is; its run goes on at the next start.
	answerWaiting()
	if patient.Err() == nil || err == nil {
		return err
	}
	// These callers have their answers now, and take them.
	err = s.Shutdown(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		return s.Close()
	}
	return err
}
