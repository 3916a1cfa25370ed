package workflow

import (
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/clock/clocktest"
)

func fakeLimiter(most int) (*statusLimiter, *clocktest.Fake, *strings.Builder) {
	now, log := clocktest.NewFake(time.Date(2026, 11, 28, 3, 0, 0, 0, time.UTC)), &strings.Builder{}
	return newStatusLimiter(most, now, slog.New(slog.NewTextHandler(log, nil))), now, log
}

// enter is a call that succeeds, or is refused.
func enter(b *statusLimiter, key orderKey) error {
	p := &permit{limiter: b}
	err := p.take(key)
	p.done(err)
	return err
}

func TestTheStatusLimitRefusesTheOneTooMany(t *testing.T) {
	b, now, log := fakeLimiter(3)
	key := orderKey{"acme", "o1"}
	for i := range 3 {
		if err := enter(b, key); err != nil {
			t.Fatalf("number %d: %v", i+1, err)
		}
		now.Advance(10 * time.Second)
	}
	for range 2 {
		err := enter(b, key)
		e, ok := errors.AsType[*apierr.Error](err)
		if !ok || e.Kind != apierr.TooMany || e.RetryAfter != 30*time.Second || !strings.Contains(e.Detail, `"o1"`) {
			t.Fatalf("one too many: %v", err)
		}
	}
	if said := log.String(); strings.Count(said, "\n") != 1 || !strings.Contains(said, "level=WARN") || !strings.Contains(said, "tenant=acme order=o1") {
		t.Errorf("the log says %s", said)
	}
	for _, another := range []orderKey{{"acme", "o2"}, {"other", "o1"}} {
		if err := enter(b, another); err != nil {
			t.Errorf("%v pays for it: %v", another, err)
		}
	}
	now.Advance(30*time.Second - 1)
	if enter(b, key) == nil {
		t.Error("it may go on before the minute is over")
	}
	now.Advance(1)
	if err := enter(b, key); err != nil {
		t.Errorf("after a minute: %v", err)
	}
}

func TestACallIsCountedOnceAndOnlyIfItSucceeds(t *testing.T) {
	b, _, _ := fakeLimiter(2)
	key := orderKey{"acme", "o1"}
	for range 5 { // calls that fail
		p := &permit{limiter: b}
		if err := p.take(key); err != nil {
			t.Fatal(err)
		}
		p.done(errors.New("the disk is full"))
	}
	p := &permit{limiter: b}
	for range 5 { // one call whose transaction is run again and again
		if err := p.take(key); err != nil {
			t.Fatal(err)
		}
	}
	p.done(nil)
	if err := enter(b, key); err != nil {
		t.Errorf("the second: %v", err)
	}
	refused := &permit{limiter: b}
	for range 2 {
		if apierr.KindOf(refused.take(key)) != apierr.TooMany {
			t.Error("the third is let through")
		}
	}
}

func TestAStatusLimitOfNothingIsOff(t *testing.T) {
	b, _, _ := fakeLimiter(0)
	for range 1000 {
		if err := enter(b, orderKey{"acme", "o1"}); err != nil {
			t.Fatal(err)
		}
	}
	if len(b.counts) != 0 {
		t.Error("it counts")
	}
}

func TestTheStatusLimitForgets(t *testing.T) {
	b, now, _ := fakeLimiter(1)
	fill := func(from, n int) {
		for i := range n {
			if err := enter(b, orderKey{"acme", fmt.Sprint(from + i)}); err != nil {
				t.Fatal(err)
			}
		}
	}
	fill(0, mostLimited+1000)
	if len(b.counts) != mostLimited {
		t.Errorf("%d orders are remembered", len(b.counts))
	}
	now.Advance(statusSpan)
	fill(0, 1)
	if len(b.counts) != 1 {
		t.Errorf("a minute later %d orders are remembered", len(b.counts))
	}
}
