package workflow

import (
	"log/slog"
	"testing"
	"time"

	"github.com/orderhook/orderhook/internal/clock"
	"github.com/orderhook/orderhook/internal/clock/clocktest"
	"github.com/orderhook/orderhook/internal/settings"
	"github.com/orderhook/orderhook/internal/workflow/decide"
)

// The very first call of a connector counts, on a clock that never shows the same
// time twice; what it came to is told in one of three ways.
func TestTheBreakerOfAConnector(t *testing.T) {
	for name, row := range map[string]struct {
		o    outcome
		open bool
	}{
		"a failure that may pass":      {outcome{Outcome: decide.Outcome{Retry: true}}, true},
		"a failure that will not":      {outcome{Outcome: decide.Outcome{Failure: "answered 400"}}, false},
		"this server's own trouble":    {outcome{own: true}, false},
		"no answer, and the last time": {outcome{Outcome: decide.Outcome{Retry: true, Late: true}}, true},
	} {
		c := &settings.Connector{Name: "W", Breaker: &settings.Breaker{Failures: 1, Window: time.Minute, OpenFor: time.Hour, WhileOpen: settings.WaitWhileOpen}}
		b := newBreakers(&ticking{}, slog.New(slog.DiscardHandler))
		call, until := b.begin("acme", c)
		b.end("acme", c, call, row.o)
		if _, again := b.begin("acme", c); !until.IsZero() || again.IsZero() == row.open || b.wait("acme", c).IsZero() == row.open {
			t.Errorf("%s: at first until %v, then until %v", name, until, again)
		}
		if tried := b.tryNow("acme", c); tried != row.open || b.triedSince("acme", c, time.Time{}) != row.open {
			t.Errorf("%s: tried by hand: %v", name, tried)
		}
		if _, again := b.begin("acme", c); !again.IsZero() {
			t.Errorf("%s: after the try until %v", name, again)
		}
	}
}

// A breaker that no settings have any more is forgotten; one that counts, or is open, is not.
func TestBreakersThatNobodyAsksForAreForgotten(t *testing.T) {
	c := clocktest.NewFake(time.Unix(1_000_000, 0))
	b := newBreakers(c, slog.New(slog.DiscardHandler))
	connector := func(name string, openFor time.Duration) *settings.Connector {
		return &settings.Connector{Name: name, Breaker: &settings.Breaker{Failures: 1, Window: time.Minute, OpenFor: openFor, WhileOpen: settings.WaitWhileOpen}}
	}
	open := connector("open", 24*time.Hour)
	call, _ := b.begin("acme", open)
	b.end("acme", open, call, outcome{Outcome: decide.Outcome{Retry: true}})
	// Each is configured anew, and asked for once.
	for i := range 500 {
		b.begin("acme", connector("W", time.Second+time.Duration(i)))
		c.Advance(time.Minute)
	}
	if n := len(b.byKey); n > 70 {
		t.Errorf("there are %d breakers", n)
	}
	if b.wait("acme", open).IsZero() {
		t.Error("the one that is open was forgotten")
	}
	// The open one has been asked for just now, and stays for its time and an hour more.
	c.Advance(25 * time.Hour)
	b.begin("acme", connector("W", time.Second))
	if n := len(b.byKey); n != 2 {
		t.Errorf("there are %d breakers, and not the open one and W's", n)
	}
	c.Advance(2 * time.Minute)
	b.begin("acme", connector("W", time.Minute))
	if n := len(b.byKey); n != 2 {
		t.Errorf("there are %d breakers, and not W's two", n)
	}
}

// ticking is a clock that goes on by a nanosecond with each look.
type ticking struct {
	clock.Real
	now time.Time
}

func (c *ticking) Now() time.Time {
	c.now = c.now.Add(1)
	return c.now
}
