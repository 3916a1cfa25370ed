// Package tracing makes OpenTelemetry's spans of what a server does and sends them to a
// collector, where the standard variables OTEL_… ask for that; without them it is off,
// and costs nothing. Start reading at [Start].
//
// What begins a span, and what a span says, stands where the thing itself is done:
// api/trace.go, workflow/trace.go, outbound/span.go.
package tracing

import (
	"context"
	"crypto/rand"
	"log/slog"
	"time"

	"github.com/google/uuid"
	global "go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace"
	"go.opentelemetry.io/otel/sdk/resource"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	otel "go.opentelemetry.io/otel/trace"

	"github.com/orderhook/orderhook/internal/trace"
	"github.com/orderhook/orderhook/internal/weburl"
)

// Tracing makes spans, or does nothing: a nil one is that of a server that makes none.
type Tracing struct {
	provider *sdk.TracerProvider
	exporter *exporter
	now      func() time.Time
}

// Start reads the variables and begins what they ask for. It returns nil where they ask
// for nothing. A value that is wrong is said in the log, by its variable: it never keeps
// a server from starting. Spans begin at the time that now says.
func Start(lookup func(string) (string, bool), version string, now func() time.Time, log *slog.Logger) *Tracing {
	c, wrong := read(lookup)
	for _, w := range wrong {
		log.Warn("a variable of OpenTelemetry is not as it should be", "variable", w.variable, "problem", w.problem)
	}
	if !c.on {
		return nil
	}
	// All that the library would write to stderr: what of it concerns an operator is said above
	// and by the exporter, once.
	global.SetErrorHandler(global.ErrorHandlerFunc(func(err error) { log.Debug("OpenTelemetry", "error", err) }))
	e := newExporter(c, log)
	limits := sdk.NewSpanLimits() // as OTEL_SPAN_… has them
	if limits.AttributeValueLengthLimit < 0 {
		limits.AttributeValueLengthLimit = longestValue
	}
	p := sdk.NewTracerProvider(
		sdk.WithBatcher(otlptrace.NewUnstarted(e)), // drops what does not fit into its queue: nothing waits for a collector
		sdk.WithSampler(c.sampler), sdk.WithResource(described(version)), sdk.WithRawSpanLimits(limits), sdk.WithIDGenerator(generator{}),
		sdk.WithoutPanicRecording(), // the value of a panic may hold anything
	)
	log.Info("traces are exported", "to", weburl.PublicURL(c.endpoint.String()), "sampler", c.sampler.Description())
	return &Tracing{p, e, now}
}

// longestValue is how long a text of a span may be where OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT
// does not say it: callers give ids, and ids may be long.
const longestValue = 256

// described is what all spans have in common. OTEL_SERVICE_NAME and
// OTEL_RESOURCE_ATTRIBUTES win; each process has an id of its own, for there may be
// several nodes.
func described(version string) *resource.Resource {
	own := resource.NewSchemaless(attribute.String("service.name", "orderhook"), attribute.String("service.version", version),
		attribute.String("service.instance.id", uuid.NewString()))
	all, err := resource.Merge(own, resource.Environment())
	if err != nil {
		return own // both have no schema, so that they agree
	}
	return all
}

// Tracer returns what begins spans, nil where none are made.
func (t *Tracing) Tracer() trace.Tracer {
	if t == nil {
		return nil
	}
	return clocked{t.provider, t.now}.Tracer(trace.Name)
}

// flushTime bounds how long a stop waits for a collector to take the last spans.
const flushTime = 5 * time.Second

// Stop sends what is left, for [flushTime] at most, and not after ctx.
func (t *Tracing) Stop(ctx context.Context) {
	if t == nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, flushTime)
	defer cancel()
	t.exporter.stop()
	if err := t.provider.Shutdown(ctx); err != nil {
		t.exporter.log.Warn("the last traces were not exported before the end", "error", err)
	}
}

// generator gives out ids: that which was reserved for a span, or a random one.
type generator struct{}

// NewIDs implements [sdk.IDGenerator].
func (g generator) NewIDs(ctx context.Context) (t otel.TraceID, s otel.SpanID) {
	_, _ = rand.Read(t[:]) // never fails
	return t, g.NewSpanID(ctx, t)
}

// NewSpanID implements [sdk.IDGenerator].
func (generator) NewSpanID(ctx context.Context, _ otel.TraceID) (s otel.SpanID) {
	if id, ok := trace.Reserved(ctx); ok {
		return id
	}
	_, _ = rand.Read(s[:])
	return s
}
