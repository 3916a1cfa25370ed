// Package trace hands on which trace something belongs to, as W3C Trace Context has
// it: from a request of the API through the rows that it leaves in the database to the
// requests that come of it. It does so whether this server makes spans of its own or
// not. The package telemetry/tracing decides whether spans are made, and where they go.
//
// While something is done, its trace is in the context, where OpenTelemetry has it.
// In the database it is a text: a traceparent, and behind a space the tracestate where
// there is one. Baggage is not handed on: it is for whoever the publisher calls, and an
// endpoint of events may be anybody's.
package trace

import (
	"context"
	"crypto/rand"
	"strings"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	otel "go.opentelemetry.io/otel/trace"
)

// Tracer begins spans. Code that has none, a nil one, begins none and pays nothing.
type Tracer = otel.Tracer

// Span is a span that goes on.
type Span = otel.Span

// MaxState is how many bytes of a tracestate are handed on: what W3C Trace Context
// asks for at least. Longer ones lose their last members, which are the oldest.
const MaxState = 512

// The names of the headers, in lower case, as the library asks for them.
const (
	parentHeader = "traceparent"
	stateHeader  = "tracestate"
)

// pair is both headers, as the library reads and writes them.
type pair struct{ parent, state string }

// Get implements [propagation.TextMapCarrier].
func (p *pair) Get(key string) string {
	if key == parentHeader {
		return p.parent
	}
	return p.state
}

// Set implements [propagation.TextMapCarrier].
func (p *pair) Set(key, value string) {
	if key == parentHeader {
		p.parent = value
	} else {
		p.state = value
	}
}

// Keys implements [propagation.TextMapCarrier]. Nobody asks: both names are known.
func (p *pair) Keys() []string { return []string{parentHeader, stateHeader} }

// With returns a context of the trace that a request's headers name. Headers that are
// no trace context count for nothing, as W3C Trace Context has it: the caller's request
// is none the worse, and begins a trace of its own.
func With(ctx context.Context, parent, state string) context.Context {
	if parent == "" {
		return ctx
	}
	return propagation.TraceContext{}.Extract(ctx, &pair{parent, shortened(state)})
}

// shortened returns the first members of a tracestate, as many as have room.
func shortened(state string) string {
	for len(state) > MaxState {
		end := strings.LastIndexByte(state[:MaxState+1], ',')
		if end < 0 {
			return ""
		}
		state = state[:end]
	}
	return state
}

// Headers returns what a request that belongs to the trace of a context says of it; ""
// where it belongs to none.
func Headers(ctx context.Context) (parent, state string) {
	if !otel.SpanContextFromContext(ctx).IsValid() {
		return "", "" // most often: nothing is put on the heap for it
	}
	var p pair
	propagation.TraceContext{}.Inject(ctx, &p)
	return p.parent, p.state
}

// Text returns the trace of a context as it is stored; "" where there is none.
func Text(ctx context.Context) string {
	parent, state := Headers(ctx)
	if state == "" {
		return parent
	}
	return parent + " " + state
}

// WithText returns a context of the trace that a text of [Text] says.
func WithText(ctx context.Context, text string) context.Context {
	parent, state, _ := strings.Cut(text, " ")
	return With(ctx, parent, state)
}

// ID returns the id of the trace of a context, for the log; "" where there is none.
func ID(ctx context.Context) string {
	if c := otel.SpanContextFromContext(ctx); c.HasTraceID() {
		return c.TraceID().String()
	}
	return ""
}

// Reserve gives out the id of a span that has begun and that another process may end,
// beneath the span of a context. It returns the span as [Text] has it, for what happens
// within it, and the id of its parent, which [Ended] needs. Both are "" in a context
// without a trace.
func Reserve(ctx context.Context) (text, parent string) {
	c := otel.SpanContextFromContext(ctx)
	if !c.IsValid() {
		return "", ""
	}
	var id otel.SpanID
	_, _ = rand.Read(id[:]) // never fails
	return Text(otel.ContextWithRemoteSpanContext(ctx, c.WithSpanID(id))), c.SpanID().String()
}

type reservedKey struct{}

// Reserved returns the id that the next span is to have, and whether there is one; for
// who gives out the ids of spans.
func Reserved(ctx context.Context) (otel.SpanID, bool) {
	id, ok := ctx.Value(reservedKey{}).(otel.SpanID)
	return id, ok
}

// Ended tells of a span of [Reserve] once it has ended. Whether it is sampled was
// decided when its trace began, and stands in its text. It is told of at most once: who
// dies between the commit that ends it and this leaves a trace without it.
func Ended(ctx context.Context, t Tracer, s Interval, about ...attribute.KeyValue) {
	own := otel.SpanContextFromContext(WithText(ctx, s.Text))
	parent, err := otel.SpanIDFromHex(s.Parent)
	if err != nil || !own.IsValid() {
		return
	}
	ctx = context.WithValue(ctx, reservedKey{}, own.SpanID())
	_, span := t.Start(otel.ContextWithRemoteSpanContext(ctx, own.WithSpanID(parent)), s.Name, otel.WithTimestamp(s.Began), otel.WithAttributes(about...))
	if s.Failed {
		span.SetStatus(codes.Error, "")
	}
	span.End(otel.WithTimestamp(s.Ended))
}

// Interval is a span that is told of when it is over. Text and Parent are what
// [Reserve] returned.
type Interval struct {
	Text, Parent string
	Name         string
	Began, Ended time.Time
	Failed       bool
}

// Child begins a span beneath the one of a context and returns what ends it. Where no
// span is being made, it does nothing. It is for packages that have no tracer.
func Child(ctx context.Context, name string) (end func()) {
	over := otel.SpanFromContext(ctx)
	if !over.IsRecording() {
		return nothing
	}
	_, span := over.TracerProvider().Tracer(Name).Start(ctx, name)
	return func() { span.End() }
}

func nothing() {}

// Name is that of the library whose spans these are.
const Name = "github.com/orderhook/orderhook"
