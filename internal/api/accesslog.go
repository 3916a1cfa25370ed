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
		w.Header().Set("X-Content-Type-Options", "nosniff")
		w.Header().Set("Cache-Control", "no-store") // an answer is for its caller alone; docs.go says otherwise of its files
		counted := &countedWriter{ResponseWriter: w}
		counted.begin(r)
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

// countedWriter notes what was answered, and gives up a caller who does not take
// it.
type countedWriter struct {
	http.ResponseWriter
	status int   // 0: nothing was answered
	bytes  int64 // of the body
	pace   pace
}

// begin sets a deadline for the body of a GET, which nobody reads: net/http reads
// a little of it, and has none of its own. Those of other methods get theirs
// where they are read, or refused. Where there is no connection, as in a test,
// there is nothing to set.
func (w *countedWriter) begin(r *http.Request) {
	if r.ContentLength != 0 && (r.Method == http.MethodGet || r.Method == http.MethodHead) {
		_ = http.NewResponseController(w.ResponseWriter).SetReadDeadline(time.Now().Add(paceStart))
	}
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
	w.pace.bytes += int64(len(p))
	_ = http.NewResponseController(w.ResponseWriter).SetWriteDeadline(w.pace.deadline(time.Now()))
	n, err := w.ResponseWriter.Write(p)
	w.pace.rest(time.Now())
	w.bytes += int64(n)
	return n, err
}

// Unwrap lets http.ResponseController reach the connection.
func (w *countedWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
