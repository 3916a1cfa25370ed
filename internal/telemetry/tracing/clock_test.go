package tracing

import (
	"log/slog"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/orderhook/orderhook/internal/trace"
)

// TestSpansGoByOneClock: those that last and those beneath them begin at the clock's time, which
// is not the machine's; one during which the clock is put right lasts as long as it did; and one
// that is told of when it is over has the times that it is told of with.
func TestSpansGoByOneClock(t *testing.T) {
	c := &collector{}
	server := httptest.NewServer(c)
	defer server.Close()
	began := time.Now()
	ahead := time.Hour
	traces := Start(variables{endpoint: server.URL}.lookup, "1.2.3", func() time.Time { return time.Now().Add(ahead) }, slog.New(slog.DiscardHandler))
	tracer := traces.Tracer()
	ctx, request := tracer.Start(t.Context(), "request")
	end := trace.Child(ctx, "commit")
	text, parent := trace.Reserve(ctx)
	ahead = -time.Hour
	end()
	_, call := request.TracerProvider().Tracer("other").Start(ctx, "call")
	call.End()
	request.End()
	at := time.Unix(1_700_000_000, 0)
	trace.Ended(t.Context(), tracer, trace.Interval{Text: text, Parent: parent, Name: "run", Began: at, Ended: at.Add(time.Minute)})
	traces.Stop(t.Context())
	took := time.Since(began)

	for name, off := range map[string]time.Duration{"request": time.Hour, "commit": time.Hour, "call": -time.Hour} {
		times, there := c.times[name]
		if late := times[0].Sub(began.Add(off)); !there || late < 0 || late > took {
			t.Errorf("%s began %v after the clock's time", name, late)
		}
		if lasted := times[1].Sub(times[0]); lasted < 0 || lasted > took {
			t.Errorf("%s lasted %v, of %v", name, lasted, took)
		}
	}
	if got := c.times["run"]; !got[0].Equal(at) || !got[1].Equal(at.Add(time.Minute)) {
		t.Errorf("the run lasted from %v to %v", got[0], got[1])
	}
}
