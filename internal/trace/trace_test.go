package trace

import (
	"context"
	"strings"
	"testing"
	"time"

	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	otel "go.opentelemetry.io/otel/trace"
)

const (
	id     = "0af7651916cd43dd8448eb211c80319c"
	parent = "00-" + id + "-b7ad6b7169203331-01"
)

func TestATraceComesBackAsItWas(t *testing.T) {
	for _, c := range []struct{ parent, state, text string }{
		{parent, "", parent},
		{parent, "shop=a,other=b", parent + " shop=a,other=b"},
		{strings.TrimSuffix(parent, "01") + "00", "", strings.TrimSuffix(parent, "01") + "00"},
		{parent, "no tracestate", parent},
		{"", "shop=a", ""},
		{"no traceparent", "shop=a", ""},
		{strings.ToUpper(parent), "", ""},
		{"00-" + strings.Repeat("0", 32) + "-b7ad6b7169203331-01", "", ""},
		{"ff-" + id + "-b7ad6b7169203331-01", "", ""},
	} {
		ctx := With(t.Context(), c.parent, c.state)
		if got := Text(ctx); got != c.text {
			t.Errorf("%q, %q is stored as %q, want %q", c.parent, c.state, got, c.text)
		}
		again := WithText(t.Context(), Text(ctx))
		if got := Text(again); got != c.text {
			t.Errorf("%q comes back as %q", c.text, got)
		}
		if want := map[bool]string{true: id}[c.text != ""]; ID(ctx) != want {
			t.Errorf("%q has the id %q", c.parent, ID(ctx))
		}
	}
}

func TestALongStateLosesItsLastMembers(t *testing.T) {
	members := make([]string, 30)
	for i := range members {
		members[i] = "k" + string(rune('a'+i%26)) + strings.Repeat("k", i) + "=" + strings.Repeat("v", 40)
	}
	_, state := Headers(With(t.Context(), parent, strings.Join(members, ",")))
	if len(state) > MaxState || len(state) < MaxState-80 || !strings.HasPrefix(strings.Join(members, ","), state) {
		t.Errorf("of %d bytes %d are handed on: %q", len(strings.Join(members, ",")), len(state), state)
	}
	if _, state := Headers(With(t.Context(), parent, "k="+strings.Repeat("v", MaxState))); state != "" {
		t.Errorf("one that has no room is handed on: %q", state)
	}
}

// reserved gives out the ids that were reserved.
type reserved struct{ sdk.IDGenerator }

func (reserved) NewIDs(context.Context) (t otel.TraceID, s otel.SpanID) {
	return otel.TraceID{1}, otel.SpanID{1}
}

func (reserved) NewSpanID(ctx context.Context, _ otel.TraceID) otel.SpanID {
	if id, ok := Reserved(ctx); ok {
		return id
	}
	return otel.SpanID{2}
}

func TestASpanThatEndsElsewhere(t *testing.T) {
	exported := tracetest.NewInMemoryExporter()
	tracer := sdk.NewTracerProvider(sdk.WithSyncer(exported), sdk.WithIDGenerator(reserved{})).Tracer(Name)
	text, above := Reserve(With(t.Context(), parent, "shop=a"))
	if above != "b7ad6b7169203331" || !strings.HasPrefix(text, "00-"+id+"-") || !strings.HasSuffix(text, "-01 shop=a") || strings.Contains(text, above) {
		t.Fatalf("reserved %q beneath %q", text, above)
	}
	began, ended := time.Unix(100, 0), time.Unix(400, 0)
	Ended(t.Context(), tracer, Interval{Text: text, Parent: above, Name: "run", Began: began, Ended: ended, Failed: true})
	Ended(t.Context(), tracer, Interval{Name: "of no trace", Began: began, Ended: ended})
	all := exported.GetSpans()
	if len(all) != 1 {
		t.Fatalf("%d spans", len(all))
	}
	s := all[0]
	if s.SpanContext.TraceID().String() != id || s.Parent.SpanID().String() != above || !strings.Contains(text, s.SpanContext.SpanID().String()) {
		t.Errorf("told of %v beneath %v, reserved was %q", s.SpanContext, s.Parent, text)
	}
	if !s.StartTime.Equal(began) || !s.EndTime.Equal(ended) || s.Status.Code.String() != "Error" {
		t.Errorf("it began %v, ended %v, as %v", s.StartTime, s.EndTime, s.Status)
	}
	if text, above := Reserve(t.Context()); text != "" || above != "" {
		t.Errorf("reserved %q beneath %q of no trace", text, above)
	}
	unsampled, above := Reserve(With(t.Context(), strings.TrimSuffix(parent, "01")+"00", ""))
	Ended(t.Context(), tracer, Interval{Text: unsampled, Parent: above, Name: "run", Began: began, Ended: ended})
	if n := len(exported.GetSpans()); n != 1 {
		t.Errorf("%d spans, one of them of a trace that its caller does not sample", n)
	}
}

func TestAChildOfWhatIsGoingOn(t *testing.T) {
	exported := tracetest.NewInMemoryExporter()
	tracer := sdk.NewTracerProvider(sdk.WithSyncer(exported)).Tracer(Name)
	Child(With(t.Context(), parent, ""), "commit")()
	if n := len(exported.GetSpans()); n != 0 {
		t.Errorf("%d spans where none is being made", n)
	}
	ctx, span := tracer.Start(t.Context(), "request")
	Child(ctx, "commit")()
	span.End()
	all := exported.GetSpans()
	if len(all) != 2 || all[0].Parent.SpanID() != span.SpanContext().SpanID() {
		t.Errorf("spans %v", all)
	}
}

func TestWhatIsOfNoTraceCostsNothing(t *testing.T) {
	ctx := t.Context()
	if n := testing.AllocsPerRun(100, func() {
		Headers(ctx)
		Text(ctx)
		With(ctx, "", "")
		Child(ctx, "commit")()
	}); n > 0 {
		t.Errorf("it takes %v allocations", n)
	}
}
