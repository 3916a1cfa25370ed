package api

import (
	"net/http"
	"strings"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	otel "go.opentelemetry.io/otel/trace"
)

// beginSpan begins the span of a request whose key is known, beneath the caller's, where
// spans are made. Requests without a key have none: the caller's header may say that the
// trace is sampled, and anybody could fill the traces so. The request that is returned goes
// on to the handlers.
func (a *api) beginSpan(r *http.Request) *http.Request {
	// Only the API has spans. The pages of the dashboard and the calls of monitoring have
	// none.
	if a.Tracer == nil || !strings.HasPrefix(r.URL.Path, "/api/") {
		return r
	}
	c := callOf(r.Context())
	ctx, span := a.Tracer.Start(r.Context(), r.Method, otel.WithSpanKind(otel.SpanKindServer))
	// The handlers and endSpan need the same request, since its context leads to the span.
	c.r, c.span = r.WithContext(ctx), span
	return c.r
}

// endSpan ends the span of a request with what is known of it now. The route names it,
// for there are few of them; the path may hold anything.
func (c *call) endSpan(status int) {
	span := c.span
	// The request got no span: none are made, or its key was not known.
	if span == nil {
		return
	}
	defer span.End()
	// The trace is not sampled, so nobody will read attributes.
	if !span.IsRecording() {
		return
	}
	method, path := c.r.Method, route(c.r)
	if path == "" { // else callers could make up methods without end, too
		method, path = "other", "none"
	}
	span.SetName(method + " " + path)
	span.SetAttributes(attribute.String("http.request.method", method), attribute.String("http.route", path), attribute.Int("http.response.status_code", status),
		attribute.String("orderhook.request.id", c.id), attribute.String("orderhook.tenant", c.key.Tenant))
	// A 4xx is an error of the caller. The server has done its part, so the span has not
	// failed.
	if status >= http.StatusInternalServerError {
		span.SetStatus(codes.Error, "")
	}
}
