package api

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	otel "go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"

	"github.com/orderhook/orderhook/internal/access"
	"github.com/orderhook/orderhook/internal/clock"
)

// begun counts the spans that begin.
type begun struct {
	noop.Tracer
	spans int
}

func (b *begun) Start(ctx context.Context, name string, o ...otel.SpanStartOption) (context.Context, otel.Span) {
	b.spans++
	return b.Tracer.Start(ctx, name, o...)
}

// jumping is a clock that is set between any two looks.
type jumping struct {
	clock.Real
	ahead time.Duration
}

func (j *jumping) Now() time.Time {
	j.ahead += time.Hour
	return time.Now().Add(j.ahead)
}

// took notes how long requests took.
type took struct{ all []time.Duration }

func (o *took) Request(_, _ string, _ int, d time.Duration) { o.all = append(o.all, d) }

// TestWhatIsToldOfARequest: a span only with a key, since anybody may send a header that says
// that the trace is sampled; and how long it took, whatever became of the clock.
func TestWhatIsToldOfARequest(t *testing.T) {
	spans, times := &begun{}, &took{}
	a := &api{Options: Options{Tracer: spans, Observer: times, Clock: &jumping{}, Log: slog.New(slog.DiscardHandler)}}
	var within bool
	h := a.observed(a.authenticated(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { within = callOf(r.Context()).r == r })))
	for _, c := range []struct {
		path          string
		known         bool
		status, spans int
	}{
		{"/api/orders", false, http.StatusUnauthorized, 0},
		{"/api/docs", false, http.StatusOK, 0},
		{"/readyz", false, http.StatusOK, 0},
		{"/api/orders", true, http.StatusOK, 1},
	} {
		r := httptest.NewRequest("GET", c.path, nil)
		r.Header.Set("Traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
		if c.known {
			r = r.WithContext(WithKey(r.Context(), access.Key{ID: "key_1", Tenant: "acme"}))
		}
		w := httptest.NewRecorder()
		spans.spans, within = 0, false
		h.ServeHTTP(w, r)
		if w.Code != c.status || spans.spans != c.spans || within != (c.status == http.StatusOK) {
			t.Errorf("%s, with a key: %t: status %d, %d spans, the handler has the request: %t", c.path, c.known, w.Code, spans.spans, within)
		}
	}
	for _, d := range times.all {
		if d > time.Minute {
			t.Errorf("a request took %v", d)
		}
	}
	if len(times.all) != 4 {
		t.Errorf("%d requests were told of", len(times.all))
	}
}
