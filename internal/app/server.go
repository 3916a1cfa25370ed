package app

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

const (
	headerTimeout = 10 * time.Second
	idleTimeout   = 2 * time.Minute
	maxHeader     = 64 << 10

	// lastWords is how much of the time for stopping is kept for callers that were
	// told to wait no longer, to take their answers; and how much again for the
	// rest, with the database as the last.
	lastWords = 5 * time.Second / 2
)

// newServer has no WriteTimeout and no ReadTimeout: a call may wait 55 s for
// its run, and both would count that time in.
func newServer(h http.Handler, log *slog.Logger) *http.Server {
	return &http.Server{
		Handler:           h,
		ReadHeaderTimeout: headerTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeader,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
}

// mounted gives each request to the API or to the dashboard, whose pages have all the
// paths that the API does not.
func mounted(api, pages http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if p := r.URL.Path; p == "/api" || strings.HasPrefix(p, "/api/") || p == "/healthz" || p == "/readyz" {
			api.ServeHTTP(w, r)
			return
		}
		pages.ServeHTTP(w, r)
	})
}

// listen opens the port, and fails where another process has it.
func listen(ctx context.Context, address string) (net.Listener, error) {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
	return l, mistakeUnlessCanceled(ctx, err)
}

// loadTLS reads the certificate and its key; it returns nil where neither is given.
func loadTLS(cert, key string) (*tls.Config, error) {
	switch {
	case cert == "" && key == "":
		return nil, nil
	case key == "":
		return nil, Mistakef("--tls-cert needs --tls-key")
	case cert == "":
		return nil, Mistakef("--tls-key needs --tls-cert")
	}
	pair, err := tls.LoadX509KeyPair(cert, key)
	if err != nil {
		return nil, Mistakef("the TLS certificate %s with the key %s: %w", cert, key, err)
	}
	return &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{pair}}, nil
}

// checkPublicURL accepts the address under which callers reach the server, ""
// where that is left open, and returns it without a slash at its end.
func checkPublicURL(text string) (string, error) {
	if text == "" {
		return "", nil
	}
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" {
		return "", Mistakef("the public URL must be an absolute http or https URL")
	}
	if u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return "", Mistakef("the public URL may have no user, query or fragment")
	}
	return strings.TrimSuffix(text, "/"), nil
}

// drain stops accepting and waits for the requests in flight. A little before ctx
// ends it has release answer those that wait, and when it ends, cuts off who is left.
func drain(ctx context.Context, s *http.Server, release func()) error {
	patient, cancel := leaving(ctx, lastWords)
	defer cancel()
	err := s.Shutdown(patient)
	release()
	if patient.Err() == nil || err == nil {
		return err
	}
	err = s.Shutdown(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		return s.Close()
	}
	return err
}
