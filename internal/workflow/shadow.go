package workflow

import (
	"context"
	"errors"
	"log/slog"
	"sync"

	"github.com/orderhook/orderhook/internal/admission"
	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/attempt"
	"github.com/orderhook/orderhook/internal/clock"
	"github.com/orderhook/orderhook/internal/fair"
	"github.com/orderhook/orderhook/internal/ids"
	"github.com/orderhook/orderhook/internal/order"
	"github.com/orderhook/orderhook/internal/outbound"
	"github.com/orderhook/orderhook/internal/rerun"
	"github.com/orderhook/orderhook/internal/settings"
	"github.com/orderhook/orderhook/internal/store"
	"github.com/orderhook/orderhook/internal/workflow/decide"
)

// Bounds of shadow calls (docs/contract.md#shadow-steps). They are of their own: a shadow never
// has a slot, or memory, that a live call could have.
const (
	// MaxShadows is how many shadow calls there are at a time, in one process.
	MaxShadows = 32
	// MaxShadowBytes is how many bytes of their answers may be read at a time, and how much
	// the calls that wait may take.
	MaxShadowBytes = 64 << 20
	// leastTaskBytes is what a call that waits takes at least, so that their number is
	// bounded, too: 1024 of them wait at most.
	leastTaskBytes = 64 << 10
	// memoryTimes is how many times its text a document takes in memory once it is parsed. It was
	// measured with orders.
	memoryTimes = 20
)

// ShadowObserver counts the shadow calls that were not made. It must not wait.
type ShadowObserver interface{ ShadowSkipped(tenant string) }

// shadows makes the calls of shadow steps, once those of their live steps are decided. It
// changes no order and no run, and nobody waits for it. What is under way when the process
// ends is lost.
type shadows struct {
	store    store.Store
	clock    clock.Clock
	log      *slog.Logger
	breakers *breakers
	calls    context.Context                                             // the engine's, under which writes are made
	stopping context.Context                                             // the engine's: no call goes on once it has ended
	trouble  func(key orderKey, message string, err error, attrs ...any) // the engine's
	client   Client
	observer ShadowObserver
	memory   *fair.Budget    // bytes of the calls that wait or are under way
	work     *admission.Work // on large documents, apart from that of live calls
	lines    *lineLimiter    // keeps skipped calls from filling the log
	tasks    sync.WaitGroup

	mu sync.Mutex
	// missed counts the calls that were skipped and are not stored yet. A key with 0 is being
	// stored.
	missed map[shadowKey]int64
}

// shadowKey is a shadow of a tenant, as it is configured.
type shadowKey struct{ tenant, id, digest string }

// newShadows makes shadows for an engine.
func newShadows(e *Engine, client Client, observer ShadowObserver) *shadows {
	if client == nil {
		client = e.client
	}
	return &shadows{store: e.store, clock: e.clock, log: e.log, breakers: e.breakers, calls: e.calls, stopping: e.stopping, trouble: e.trouble,
		client: client, observer: observer, memory: fair.New(MaxShadowBytes), work: admission.NewWork(1), lines: &lineLimiter{clock: e.clock}, missed: map[shadowKey]int64{}}
}

// decided is a call of a live step whose answer was applied, or that failed for good: the facts
// by which that was decided, and what the attempt came to. Nobody changes them any more.
type decided struct {
	tenant  string
	facts   decide.Facts
	attempt *attempt.Attempt
	outcome decide.Outcome
}

// follow has the shadows of a live step called beside it, by goroutines of their own. It is
// called once the decision is durable, and waits for nothing.
func (s *shadows) follow(d *decided) {
	if d == nil {
		return
	}
	for _, sh := range d.facts.Settings.StatusOf(d.facts.Run).ShadowsOf(d.facts.Run.Current().ConfigIndex) {
		// An error of this program in a shadow must not hold up the run.
		survive(s.log, "a shadow call could not begin", []any{"tenant", d.tenant, "shadow", sh.ID, "order", d.facts.Order.ID},
			func() bool { s.begin(d, sh); return true }, func() bool { return false })
	}
}

// final returns the call that a decision has ended; nil if it is to be made again, or if
// something else than its answer has ended it: the end of the run's time, or somebody who has
// canceled the run meanwhile.
func final(tenant string, f decide.Facts, d *decide.Decision, a *attempt.Attempt, o decide.Outcome) *decided {
	end := f.Run.Deadline
	expired := o.Late || o.Answer == nil && !end.IsZero() && !f.Now.Before(end)
	if d == nil || d.Attempt == nil || f.Run.Status.Ended() || f.Run.Position.CallID != a.CallID || d.Run.Position.CallID == a.CallID && !d.Run.Status.Ended() || expired {
		return nil
	}
	return &decided{tenant, f, a, o}
}

// begin begins the call of a shadow, unless it is not for the order or there is no room.
func (s *shadows) begin(d *decided, sh *settings.Shadow) {
	if decide.NotFor(d.facts, &sh.Step) != "" {
		return
	}
	key := shadowKey{d.tenant, sh.ID, sh.Digest}
	target, ok := d.facts.Settings.Target(&sh.Step, d.facts.Sent.Text("marketId"))
	if !ok {
		s.skip(key, "its connector was not found")
		return
	}
	if !s.breakers.admits(d.tenant, target.Connector) {
		s.skip(key, "the breaker of its connector is open")
		return
	}
	// A call that does not fit now is left out: nothing waits for room.
	part, withdraw := s.memory.Ask(fair.Key{Tenant: d.tenant, Member: sh.ID}, taskBytes(d.attempt), (*fair.Part).Give)
	if part == nil {
		withdraw()
		s.skip(key, "too many shadow calls wait")
		return
	}
	s.tasks.Go(func() {
		defer part.Give()
		if why := survive(s.log, "a shadow call panicked", []any{"tenant", d.tenant, "shadow", sh.ID, "order", d.facts.Order.ID},
			func() string { return s.makeCall(d, sh, target) }, func() string { return "an error of orderhook's own" }); why != "" {
			s.skip(key, why)
		}
	})
}

// taskBytes is about how much memory a call takes while it waits: the order that it will send
// and the answer of the live step, both parsed.
func taskBytes(live *attempt.Attempt) int64 {
	n := int64(0)
	if d := live.Detail; d != nil {
		n = d.Request.BodyBytes
		if d.Response != nil {
			n += d.Response.BodyBytes
		}
	}
	return max(leastTaskBytes, memoryTimes*n)
}

// makeCall makes the call of a shadow, compares what came of it, and stores both. It returns why
// there was no call; "" also where the process ends, or the order was erased.
func (s *shadows) makeCall(d *decided, sh *settings.Shadow, target settings.Target) (skipped string) {
	ctx, end := s.work.Task(within(s.stopping, d.facts.Run), d.tenant)
	defer end()
	if err := beginWork(ctx, &order.Order{Doc: d.facts.Sent}); err != nil {
		return ""
	}
	c := &call{d.tenant, d.facts.Run, &sh.Step, target, d.facts.Sent, attempt.KindShadow}
	// It is a call of its own, which is made once.
	r := c.content()
	r.IdempotencyKey, r.Delivery, r.MaxDelivery, r.Shadow = ids.New(ids.Call), 1, 1, true
	x := s.client.Post(ctx, r)
	defer x.Memory.Give()
	switch {
	case errors.Is(x.Err, outbound.ErrCanceled):
		return ""
	case x.Class() == outbound.OwnTrouble:
		return "this server could not make the call"
	}
	o := classify(x)
	a := c.record(x, r, o.Failure)
	a.Detail.Comparison = compareShadow(d, sh, a, o.Outcome)
	s.record(ctx, d.tenant, sh, a)
	return ""
}

// compareShadow decides by both answers as if each had come alone, at the same time, and
// compares the two decisions. Both are about the order as it was when the live answer came.
func compareShadow(d *decided, sh *settings.Shadow, a *attempt.Attempt, o decide.Outcome) *attempt.Comparison {
	live := *d.attempt
	live.Number = live.MaxNumber // what has ended the call was no attempt that is repeated
	c := rerun.CompareShadow(rerun.DecideStep(d.facts, live, d.outcome), rerun.DecideShadow(d.facts, sh, *a, o), d.attempt, a)
	c.ShadowID = sh.ID
	return c
}

// record stores an attempt of a shadow and counts it, in one write. It is tried once: what the
// database does not take now is lost, and neither recorded nor counted.
func (s *shadows) record(ctx context.Context, tenant string, sh *settings.Shadow, a *attempt.Attempt) {
	admission.Pause(ctx)
	key := shadowKey{tenant, sh.ID, sh.Digest}
	err := store.Recording(func() error {
		return s.store.Write(s.calls, func(tx store.Tx) error {
			if err := tx.AddAttempt(s.calls, tenant, a); err != nil {
				return err
			}
			return s.count(tx, key, func(g *attempt.Agreement) { g.Add(a, s.clock.Now().UTC()) })
		})
	}, a)
	if err == nil || errors.Is(err, store.ErrRecorded) {
		return
	}
	if apierr.KindOf(err) != apierr.NotFound { // the order was erased
		s.trouble(orderKey{tenant, a.OrderID}, "what came of a shadow call is not stored", err, "shadow", sh.ID, "attempt", a.ID)
	}
}

// count changes what is counted of a shadow, as long as the settings in force have it, as it is
// configured. With another configuration it begins anew: then what was counted of shadows that
// are in the settings no more is removed, too, so that there are never more than those.
func (s *shadows) count(tx store.Tx, key shadowKey, add func(*attempt.Agreement)) error {
	today, err := tx.Settings(s.calls, key.tenant)
	if err != nil {
		return err
	}
	if sh := today.Shadow(key.id); sh == nil || sh.Digest != key.digest {
		return nil
	}
	g, err := tx.Agreement(s.calls, key.tenant, key.id)
	if err != nil {
		return err
	}
	if g == nil || g.Digest != key.digest {
		revision := int64(0)
		if g != nil {
			revision = g.Revision
		}
		now := s.clock.Now().UTC()
		g = &attempt.Agreement{ID: key.id, Digest: key.digest, Since: now, Updated: now, Revision: revision}
		if err := s.dropOthers(tx, key.tenant, today); err != nil {
			return err
		}
	}
	add(g)
	return tx.PutAgreement(s.calls, key.tenant, g)
}

// dropOthers removes what was counted of shadows that the settings do not have.
func (s *shadows) dropOthers(tx store.Tx, tenant string, today *settings.Settings) error {
	all, err := tx.Agreements(s.calls, tenant)
	for _, g := range all {
		if err == nil && today.Shadow(g.ID) == nil {
			err = tx.DropAgreement(s.calls, tenant, g.ID)
		}
	}
	return err
}

// skip counts a call that was not made. Many may be skipped at once, so their number is stored
// by one goroutine for each shadow.
func (s *shadows) skip(key shadowKey, why string) {
	if s.stopping.Err() != nil {
		return
	}
	if s.observer != nil {
		s.observer.ShadowSkipped(key.tenant)
	}
	if left, now := s.lines.allow(); now {
		s.log.Warn("a shadow was not called", "tenant", key.tenant, "shadow", key.id, "reason", why, "linesLeftOut", left)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	_, storing := s.missed[key]
	s.missed[key]++
	if !storing {
		s.tasks.Go(func() { s.storeMissed(key) })
	}
}

// storeMissed stores how many calls of a shadow were skipped, until no more are.
func (s *shadows) storeMissed(key shadowKey) {
	for {
		s.mu.Lock()
		n := s.missed[key]
		if n == 0 {
			delete(s.missed, key)
			s.mu.Unlock()
			return
		}
		s.missed[key] = 0
		s.mu.Unlock()
		err := s.store.Write(s.calls, func(tx store.Tx) error {
			return s.count(tx, key, func(g *attempt.Agreement) { g.Skipped, g.Updated = g.Skipped+n, s.clock.Now().UTC() })
		})
		if err != nil {
			s.trouble(orderKey{tenant: key.tenant}, "how many shadow calls were skipped is not stored", err, "shadow", key.id, "calls", n)
		}
	}
}
