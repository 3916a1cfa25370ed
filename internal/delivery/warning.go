package delivery

import (
	"log/slog"
	"sync"
	"time"

	"github.com/orderhook/orderhook/internal/attempt"
	"github.com/orderhook/orderhook/internal/clock"
	"github.com/orderhook/orderhook/internal/event"
)

// The limits of how many warnings of one kind are logged for one tenant. An endpoint that
// is down fails at thousands of deliveries a minute, and each attempt is in the database
// anyway.
const (
	mostWarnings = 20
	warningSpan  = 10 * time.Second
)

// warnings logs warnings of which there may be very many. It is safe for concurrent use.
type warnings struct {
	log   *slog.Logger
	clock clock.Clock

	mu sync.Mutex
	// kinds has at most one of each message for each tenant. The messages are those that this
	// package has, and tenants are made by the operator and stay in the database for ever.
	kinds map[warningKind]*flood
}

// warningKind is what the limits are counted by. The tenant is part of it, so that the
// warnings of one tenant do not hide those of another.
type warningKind struct{ tenant, message string }

// flood counts the warnings of one kind since a time. left goes into the next line that is
// logged.
type flood struct {
	since        time.Time
	logged, left int
}

// warn logs a warning, unless too many of its kind were logged recently. The next warning
// that is logged says how many were left out.
func (w *warnings) warn(tenant, message string, args ...any) {
	left, ok := w.admit(warningKind{tenant, message}, w.clock.Now())
	if !ok {
		return
	}
	if left > 0 {
		args = append(args, "linesLeftOut", left)
	}
	w.log.Warn(message, append([]any{"tenant", tenant}, args...)...)
}

// admit reports whether a warning may be logged now, and how many of its kind were left
// out before it. The count of those left out starts anew with each one that is logged.
func (w *warnings) admit(kind warningKind, now time.Time) (left int, ok bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	f := w.kinds[kind]
	if f == nil {
		f = &flood{since: now}
		w.kinds[kind] = f
	}
	// No clock ends a span: the first warning after it does.
	if now.Sub(f.since) >= warningSpan {
		f.since, f.logged = now, 0
	}
	if f.logged == mostWarnings {
		f.left++
		return 0, false
	}
	f.logged++
	left, f.left = f.left, 0
	return left, true
}

// tell logs the attempts that somebody may have to look into, and the endpoints that were
// turned off in their write. It is called after they are
// written, so that whoever follows the log finds them.
func (d *Dispatcher) tell(group []result, made *writeTry) {
	for i := range group {
		r := &group[i]
		if r.refused {
			d.warnings.warn(r.queue.key.tenant, "the target guard refused the target of a delivery", attemptIDs(r.target, r.it, r.completion.Attempt)...)
		}
		if r.completion.Status == event.DeliveryFailed {
			d.warnings.warn(r.queue.key.tenant, "a delivery failed for good", attemptIDs(r.target, r.it, r.completion.Attempt)...)
		}
	}
	off := made.off
	for _, h := range made.health {
		off = append(off, h.off...)
	}
	for _, e := range off {
		d.log.Warn("an endpoint was turned off", "tenant", e.tenant, "endpoint", e.endpoint, "reason", e.reason)
	}
}

// attemptIDs returns the ids that lead from a log line to an attempt, its delivery, event
// and order.
func attemptIDs(t *target, it item, a *attempt.Attempt) []any {
	ids := []any{"endpoint", t.ID, "delivery", it.Delivery.ID(), "event", it.Delivery.EventID, "type", a.EventType,
		"attempt", a.ID, "number", a.Number}
	if a.Status != 0 { // 0: there was no answer, and the error says why
		ids = append(ids, "status", a.Status)
	}
	return append(ids, "error", a.Error)
}
