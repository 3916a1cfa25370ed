package workflow

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/sony/gobreaker/v2"

	"github.com/orderhook/orderhook/internal/clock"
	"github.com/orderhook/orderhook/internal/oms"
	"github.com/orderhook/orderhook/internal/settings"
)

// breakers keeps a breaker for each connector that asks for one. They live in
// this process: after a restart all are closed.
type breakers struct {
	clock clock.Clock
	log   *slog.Logger
	mu    sync.Mutex
	byKey map[breakerKey]*breaker
}

// breakerKey names a breaker. A connector whose breaker is configured anew
// gets another one.
type breakerKey struct {
	tenant, connectorID, name, host string
	config                          settings.Breaker
}

type breaker struct {
	*gobreaker.TwoStepCircuitBreaker[any]
	mu     sync.Mutex
	opened time.Time // when it last opened
	trial  bool      // half open, and the one call that it lets through is under way
}

func newBreakers(c clock.Clock, log *slog.Logger) *breakers {
	return &breakers{clock: c, log: log, byKey: map[breakerKey]*breaker{}}
}

// windowParts is how finely a breaker's window slides.
const windowParts = 10

func (b *breakers) of(tenant string, c *settings.Connector) *breaker {
	key := breakerKey{tenant, c.ConnectorID, c.Name, c.Host, *c.Breaker}
	b.mu.Lock()
	defer b.mu.Unlock()
	if br := b.byKey[key]; br != nil {
		return br
	}
	br := &breaker{}
	br.TwoStepCircuitBreaker = gobreaker.NewTwoStepCircuitBreaker[any](gobreaker.Settings{
		MaxRequests: 1, Interval: c.Breaker.Window, BucketPeriod: max(time.Millisecond, c.Breaker.Window/windowParts), Timeout: c.Breaker.OpenFor,
		IsExcluded:  func(err error) bool { return err == errOwnTrouble },
		ReadyToTrip: func(n gobreaker.Counts) bool { return int(n.TotalFailures) >= c.Breaker.Failures },
		OnStateChange: func(_ string, _, to gobreaker.State) {
			if to == gobreaker.StateOpen {
				br.mu.Lock()
				br.opened = b.clock.Now()
				br.mu.Unlock()
				b.log.Warn("the breaker of a connector opened", "tenant", tenant, "connector", connectorName(c), "openFor", c.Breaker.OpenFor)
			}
		},
	})
	b.byKey[key] = br
	return br
}

// gate is a breaker as one attempt finds it.
type gate struct {
	shut  bool      // the attempt must not be made
	until time.Time // when it can be tried again
	done  func(error)
	of    *breaker
}

// waitAtLeast is how long a run waits for a breaker that is about to let calls
// through, or is trying one.
const waitAtLeast = 200 * time.Millisecond

// enter asks a connector's breaker for an attempt; there is none without a
// connector, or where it does not ask for one.
func (b *breakers) enter(tenant string, c *settings.Connector) gate {
	if c == nil || c.Breaker == nil {
		return gate{}
	}
	br := b.of(tenant, c)
	done, err := br.Allow()
	if err == nil {
		br.setTrial(br.State() == gobreaker.StateHalfOpen)
		return gate{done: done, of: br}
	}
	return gate{shut: true, until: b.until(br, c)}
}

// wait returns when a run that waits for a connector's breaker may ask again;
// the zero time is now, as it is for a connector that makes nobody wait.
func (b *breakers) wait(tenant string, c *settings.Connector) time.Time {
	if c == nil || c.Breaker == nil || c.Breaker.WhileOpen != settings.WaitWhileOpen {
		return time.Time{}
	}
	br := b.of(tenant, c)
	if state := br.State(); state == gobreaker.StateOpen || state == gobreaker.StateHalfOpen && br.onTrial() {
		return b.until(br, c)
	}
	return time.Time{}
}

// connectorName is what people know a connector by.
func connectorName(c *settings.Connector) string { return cmp.Or(c.ConnectorID, c.Name) }

// until is when a breaker that is shut can be tried again. Those who wait come
// at different times.
func (b *breakers) until(br *breaker, c *settings.Connector) time.Time {
	until, soonest := br.openedAt().Add(c.Breaker.OpenFor), b.clock.Now().Add(waitAtLeast+rand.N(waitAtLeast))
	if until.Before(soonest) {
		return soonest
	}
	return until
}

func (br *breaker) setTrial(on bool) {
	br.mu.Lock()
	defer br.mu.Unlock()
	br.trial = on
}

func (br *breaker) onTrial() bool {
	br.mu.Lock()
	defer br.mu.Unlock()
	return br.trial
}

func (br *breaker) openedAt() time.Time {
	br.mu.Lock()
	defer br.mu.Unlock()
	return br.opened
}

var errAttemptFailed = errors.New("the attempt failed")

// leave tells the breaker how the attempt went. An endpoint that says no, or
// answers nonsense, is there: only failures that may pass count.
func (g gate) leave(o outcome) {
	if g.of != nil {
		g.of.setTrial(false)
	}
	switch {
	case g.done == nil:
	case o.own:
		g.done(errOwnTrouble)
	case o.retry:
		g.done(errAttemptFailed)
	default:
		g.done(nil)
	}
}

// keptBack does with the step what its connector says while its breaker is open.
func (t *transition) keptBack(c *settings.Connector, g gate) error {
	if t.idle = t.run.Status.Ended(); t.idle {
		return nil
	}
	name := connectorName(c)
	if c.Breaker.WhileOpen == settings.WaitWhileOpen {
		t.waitForBreaker(fmt.Sprintf("the breaker of connector %s is open: the run waits for it", name), g.until)
		return nil
	}
	reason := fmt.Sprintf("the breaker of connector %s is open: no call was made", name)
	return t.settlement(outcome{failure: reason, skip: c.Breaker.WhileOpen == settings.SkipWhileOpen}).take()
}

// waitForBreaker puts the attempt off. The history says so once a wait.
func (t *transition) waitForBreaker(reason string, until time.Time) {
	r := &t.run.Results[t.run.Position.Step]
	t.run.Status, t.run.Position.DueAt = oms.RunWaiting, until
	if r.ErrorReason != reason {
		r.ErrorReason = reason
		t.by = "workflow"
		t.log(oms.HistoryEntry{Operation: oms.OpStepWaits, Step: r.Step, CallID: r.CallID, Message: t.about(t.run.Position.Step, reason)})
	}
}

// BreakerState is how a connector's breaker stands (API.md, `GET /api/connectors/health`).
type BreakerState struct {
	Circuit   string     `json:"circuit" enum:"off,closed,open,halfOpen" doc:"off: the connector has no breaker; halfOpen: one call may try"`
	OpenUntil *time.Time `json:"openUntil,omitempty"`
}

// circuits are the states of a breaker as the API spells them, for endpoints too.
var circuits = map[gobreaker.State]string{gobreaker.StateClosed: "closed", gobreaker.StateOpen: "open", gobreaker.StateHalfOpen: "halfOpen"}

// Breaker returns how a connector's breaker stands.
func (e *Engine) Breaker(tenant string, c *settings.Connector) BreakerState {
	if c.Breaker == nil {
		return BreakerState{Circuit: "off"}
	}
	br := e.breakers.of(tenant, c)
	s := BreakerState{Circuit: circuits[br.State()]}
	if br.State() == gobreaker.StateOpen {
		until := br.openedAt().Add(c.Breaker.OpenFor).UTC()
		s.OpenUntil = &until
	}
	return s
}
