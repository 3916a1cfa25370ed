package api

import (
	"context"
	"log/slog"
	"net/http"
	"strings"
	"time"
)

// observed gives each request its id and writes a line of the access log when
// it has been answered. Nothing stands before it, so that no answer goes
// without.
func (a *api) observed(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		began := a.Clock.Now()
		c := &call{id: requestID(r.Header.Get(requestIDHeader))}
		c.r = r.WithContext(context.WithValue(r.Context(), callKey{}, c))
		w.Header().Set(requestIDHeader, c.id)
		counted := &countedWriter{ResponseWriter: w}
		defer func() { a.logAccess(c, counted, a.Clock.Now().Sub(began)) }()
		next.ServeHTTP(counted, c.r)
	})
}

// longestPath is how much of a path the access log shows, in bytes.
const longestPath = 300

// logAccess writes no query and no header: they may hold secrets.
func (a *api) logAccess(c *call, w *countedWriter, took time.Duration) {
	ctx := c.r.Context()
	if !a.Log.Enabled(ctx, slog.LevelDebug) {
		return
	}
	path := c.r.URL.EscapedPath()
	if len(path) > longestPath {
		path = path[:longestPath] + "…"
	}
	a.Log.DebugContext(ctx, "request", "request", c.id, "method", c.r.Method, "route", route(c.r), "path", path,
		"status", w.status, "bytes", w.bytes, "duration", took, "tenant", c.key.Tenant, "key", c.key.ID)
}

// route is the pattern that the request's path matched, as /api/orders/{id}; ""
// if it matched none, or was refused before that was known.
func route(r *http.Request) string {
	if _, path, ok := strings.Cut(r.Pattern, " "); ok {
		return path
	}
	return ""
}

// countedWriter notes what was answered.
type countedWriter struct {
	http.ResponseWriter
	status int   // 0: nothing was answered
	bytes  int64 // of the body
}

// WriteHeader implements http.ResponseWriter.
func (w *countedWriter) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (w *countedWriter) Write(p []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	n, err := w.ResponseWriter.Write(p)
	w.bytes += int64(n)
	return n, err
}

// Unwrap lets http.ResponseController reach the connection.
func (w *countedWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
