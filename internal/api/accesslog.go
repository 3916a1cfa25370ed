package api

import (
	"context"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/orderhook/orderhook/internal/trace"
)

// observed gives each request its id, and writes a line of the access log after the
// answer. It is the outermost handler, so that every answer has a line. It stands around
// recovered and authenticated (see New): a request that was refused for its key has a
// line, and so has one whose handler panicked. The id is in the context from here on, and
// in a header of the answer.
func (a *api) observed(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		began := time.Now() // a.Clock may be set meanwhile, which is no part of how long an answer takes
		c := &call{id: requestID(r.Header.Get(requestIDHeader))}
		// All that comes of the request belongs to the trace that its caller names.
		ctx := r.Context()
		if parents := r.Header["Traceparent"]; len(parents) == 1 { // several are none, by W3C Trace Context
			ctx = trace.With(ctx, parents[0], strings.Join(r.Header["Tracestate"], ","))
		}
		c.r = r.WithContext(context.WithValue(ctx, callKey{}, c))
		w.Header().Set(requestIDHeader, c.id)
		w.Header().Set("X-Content-Type-Options", "nosniff")
		w.Header().Set("Cache-Control", "no-store") // an answer is for its caller alone; docs.go says otherwise of its files
		// No handler reads the body of a GET. net/http reads a little of it, and has no deadline
		// for that. Other methods get theirs where the body is read or refused. In a test there may
		// be no connection, and then there is nothing to set.
		if r.ContentLength != 0 && (r.Method == http.MethodGet || r.Method == http.MethodHead) {
			_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(paceStart))
		}
		counted := &countedWriter{ResponseWriter: w}
		// This is deferred, so that an answer that http.ErrAbortHandler breaks off is
		// counted and logged, too.
		defer func() {
			took := time.Since(began)
			if a.Observer != nil {
				a.Observer.Request(r.Method, route(c.r), counted.status, took)
			}
			c.endSpan(counted.status)
			a.logAccess(c, counted, took)
		}()
		next.ServeHTTP(counted, c.r)
	})
}

// longestPath is how much of a path the access log shows, in bytes. Anybody may send a
// path of many KiB, without a key, and each would be a line of the log.
const longestPath = 300

// logAccess writes neither query nor headers, because they may contain secrets. The route
// is logged beside the path: it has no ids, so lines of one operation can be found by it.
// The tenant and the key are empty where the request was refused before its key was
// known.
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
		"status", w.status, "bytes", w.bytes, "duration", took, "tenant", c.key.Tenant, "key", c.key.ID, "address", AddressOf(c.r).String(), "trace", trace.ID(ctx))
}

// route is the pattern that the request's path matched, as /api/orders/{id}; ""
// if it matched none, or was refused before that was known. The mux sets Pattern on the
// request that it is given, so it is known once the handlers have run. Metrics are
// counted by the route, because the number of paths has no bound.
func route(r *http.Request) string {
	if _, path, ok := strings.Cut(r.Pattern, " "); ok {
		return path
	}
	return ""
}

// countedWriter notes what was answered, and breaks off the answer to a caller that does
// not receive it. There is one for each request, and the goroutine of the request alone
// uses it.
type countedWriter struct {
	http.ResponseWriter
	status int   // 0: nothing was answered
	bytes  int64 // of the body
	// pace says by when the caller must have received what was written.
	pace pace
}

// WriteHeader implements http.ResponseWriter. The first status is the one that the caller
// gets, and the one that is noted.
func (w *countedWriter) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter. Each call is one wait for the caller. What is to
// be sent is added to the pace before the wait, so that a large piece has the time that
// its size needs; the time between two calls is the server's own, and does not count
// against the caller. Once the deadline has passed, every further write fails, and
// net/http closes the connection.
func (w *countedWriter) Write(p []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	w.pace.bytes += int64(len(p))
	_ = http.NewResponseController(w.ResponseWriter).SetWriteDeadline(w.pace.deadline(time.Now()))
	n, err := w.ResponseWriter.Write(p)
	w.pace.pause(time.Now())
	w.bytes += int64(n)
	return n, err
}

// Unwrap lets http.ResponseController reach the connection.
func (w *countedWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
