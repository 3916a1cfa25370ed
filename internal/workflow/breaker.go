package workflow

import (
	"log/slog"
	"maps"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/orderhook/orderhook/internal/breaker"
	"github.com/orderhook/orderhook/internal/clock"
	"github.com/orderhook/orderhook/internal/settings"
)

// breakers keeps a breaker for each connector that asks for one. They live in
// this process: after a restart all are closed. Each node has breakers of its own and finds
// out by itself that an endpoint is down. One lock is enough for all of them: it is held
// for a look at the counts, never during a call.
type breakers struct {
	clock clock.Clock
	log   *slog.Logger
	mu    sync.Mutex // of all, which are asked for but a moment
	byKey map[breakerKey]*connectorBreaker
}

// breakerKey names a breaker. A connector whose breaker is configured anew
// gets another one. Only runs that began before ask the one from before.
type breakerKey struct {
	tenant, connectorID, name, host string
	config                          settings.Breaker
}

// connectorBreaker is a breaker, and what the runs that wait for it have to know beside its
// state.
type connectorBreaker struct {
	breaker.Breaker
	tried time.Time // when somebody last ended its wait
	asked time.Time // when somebody last asked for it
}

func newBreakers(c clock.Clock, log *slog.Logger) *breakers {
	return &breakers{clock: c, log: log, byKey: map[breakerKey]*connectorBreaker{}}
}

// of returns the breaker of a connector that asks for one. The lock is held.
func (b *breakers) of(tenant string, c *settings.Connector, now time.Time) *connectorBreaker {
	key := breakerKey{tenant, c.ConnectorID, c.Name, c.Host, *c.Breaker}
	if b.byKey[key] == nil {
		b.forget(now)
		policy := breaker.Policy{Failures: c.Breaker.Failures, Window: c.Breaker.Window, Wait: c.Breaker.OpenFor}
		b.byKey[key] = &connectorBreaker{Breaker: breaker.New(policy, now)}
	}
	b.byKey[key].asked = now
	return b.byKey[key]
}

// longCall is longer than a call takes, whose breaker must be there when it ends.
const longCall = time.Hour

// forget removes breakers that have not been asked for so long that a new one would behave the
// same. So those of connectors that are gone, or were configured anew, do not fill the memory.
// The lock is held.
func (b *breakers) forget(now time.Time) {
	maps.DeleteFunc(b.byKey, func(key breakerKey, br *connectorBreaker) bool {
		return now.Sub(br.asked) > key.config.Window+key.config.OpenFor+longCall
	})
}

// begin asks a connector's breaker for a call. Where it admits none, until is when
// to ask again; otherwise end is to be told of what came of the call. A connector that asks
// for no breaker admits every call.
func (b *breakers) begin(tenant string, c *settings.Connector) (call breaker.Call, until time.Time) {
	if c == nil || c.Breaker == nil {
		return breaker.Call{}, time.Time{}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	now := b.clock.Now()
	br := b.of(tenant, c, now)
	// The time is zero while a trial is under way: nobody knows how long that takes, so the
	// run asks again soon.
	if ok, again := br.Admits(now); !ok {
		return breaker.Call{}, notSooner(again, now)
	}
	return br.Begin(now), time.Time{}
}

// wait returns when a run that waits for a connector's breaker may ask again;
// the zero time is now, as it is for a connector that makes nobody wait.
func (b *breakers) wait(tenant string, c *settings.Connector) time.Time {
	if c == nil || c.Breaker == nil || c.Breaker.WhileOpen != settings.WaitWhileOpen {
		return time.Time{}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	now := b.clock.Now()
	if ok, again := b.of(tenant, c, now).Admits(now); !ok {
		return notSooner(again, now)
	}
	return time.Time{}
}

// admits reports whether a connector's breaker would let a call through now, whatever its runs do
// while it is open. Nothing is begun by it, and nobody is told how the call went.
func (b *breakers) admits(tenant string, c *settings.Connector) bool {
	if c == nil || c.Breaker == nil {
		return true
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	now := b.clock.Now()
	ok, _ := b.of(tenant, c, now).Admits(now)
	return ok
}

// states returns how many breakers are in each state.
func (b *breakers) states() map[string]int {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := b.clock.Now()
	n := map[string]int{string(breaker.Closed): 0, string(breaker.Open): 0, string(breaker.HalfOpen): 0}
	for _, br := range b.byKey {
		n[string(br.State(now))]++
	}
	return n
}

// waitAtLeast is how long a run waits for a breaker that is about to let calls
// through, or is trying one.
const waitAtLeast = 200 * time.Millisecond

// notSooner is a time to ask a breaker again. Those who wait for a trial come at
// different times. If all of them came at once, each would read its run and its order, and
// one of them would call.
func notSooner(again, now time.Time) time.Time {
	if soonest := now.Add(waitAtLeast + rand.N(waitAtLeast)); again.Before(soonest) {
		return soonest
	}
	return again
}

// end tells a connector's breaker how a call went. An endpoint that says no, or
// answers nonsense, is there: only failures that may pass count. Trouble of this server's
// own says nothing about the endpoint: if the call was the trial, another one may try.
func (b *breakers) end(tenant string, c *settings.Connector, call breaker.Call, o outcome) {
	if c == nil || c.Breaker == nil {
		return
	}
	b.mu.Lock()
	now, opened := b.clock.Now(), false
	if br := b.of(tenant, c, now); o.own {
		br.Cancel(call)
	} else {
		opened = br.End(now, call, !o.Retry)
	}
	b.mu.Unlock()
	if opened {
		b.log.Warn("the breaker of a connector opened", "tenant", tenant, "connector", c.Label(), "openFor", c.Breaker.OpenFor)
	}
}

// BreakerState is how a connector's breaker stands (docs/contract.md#breakers). The API
// shows it, for the node that was asked.
type BreakerState struct {
	Circuit   string     `json:"circuit" enum:"off,closed,open,halfOpen" doc:"off: the connector has no breaker; halfOpen: one call may try"`
	OpenUntil *time.Time `json:"openUntil,omitempty"`
}

// Waits reports whether calls wait, or one may try.
func (s BreakerState) Waits() bool {
	return s.Circuit == string(breaker.Open) || s.Circuit == string(breaker.HalfOpen)
}

// Breaker returns how a connector's breaker stands. OpenUntil is nil for a breaker that is
// closed, and for one that lets one call try.
func (e *Engine) Breaker(tenant string, c *settings.Connector) BreakerState {
	if c.Breaker == nil {
		return BreakerState{Circuit: "off"}
	}
	e.breakers.mu.Lock()
	defer e.breakers.mu.Unlock()
	now := e.clock.Now()
	br := e.breakers.of(tenant, c, now)
	s := BreakerState{Circuit: string(br.State(now))}
	if _, again := br.Admits(now); !again.IsZero() {
		again = again.UTC()
		s.OpenUntil = &again
	}
	return s
}
