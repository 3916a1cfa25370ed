package tracing

import (
	"context"
	"time"

	otel "go.opentelemetry.io/otel/trace"
)

// clocked makes tracers whose spans begin at the time of a clock: that of the database,
// which all nodes share. By the machine's own a call could begin before the run that it
// lies beneath, whose times come from the database.
type clocked struct {
	otel.TracerProvider
	now func() time.Time
}

// Tracer implements [otel.TracerProvider].
func (p clocked) Tracer(name string, o ...otel.TracerOption) otel.Tracer {
	return clockedTracer{p.TracerProvider.Tracer(name, o...), p}
}

type clockedTracer struct {
	otel.Tracer
	of clocked
}

// Start implements [otel.Tracer]. A time among the options wins over the clock's, since
// the library goes by the last one.
func (t clockedTracer) Start(ctx context.Context, name string, o ...otel.SpanStartOption) (context.Context, otel.Span) {
	s := clockedSpan{began: t.of.now(), since: time.Now(), of: t.of}
	_, s.Span = t.Tracer.Start(ctx, name, append([]otel.SpanStartOption{otel.WithTimestamp(s.began)}, o...)...)
	return otel.ContextWithSpan(ctx, s), s
}

// clockedSpan lasts as long as the machine measures: a clock that is put right meanwhile
// makes it neither longer nor shorter.
type clockedSpan struct {
	otel.Span
	began, since time.Time
	of           clocked
}

// End implements [otel.Span].
func (s clockedSpan) End(o ...otel.SpanEndOption) {
	s.Span.End(append([]otel.SpanEndOption{otel.WithTimestamp(s.began.Add(time.Since(s.since)))}, o...)...)
}

// TracerProvider implements [otel.Span]: the spans beneath this one go by the same clock.
func (s clockedSpan) TracerProvider() otel.TracerProvider { return s.of }
