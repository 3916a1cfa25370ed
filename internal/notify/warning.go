package notify

import (
	"log/slog"
	"sync"
	"time"

	"github.com/orderhook/orderhook/internal/clock"
	"github.com/orderhook/orderhook/internal/oms"
)

// Bounds of what is logged of one kind and one tenant: an endpoint that is down fails at
// thousands of deliveries a minute, and each of them is in the database.
const (
	mostWarnings = 20
	warningSpan  = 10 * time.Second
)

// warnings logs what may come in floods. It is safe for concurrent use.
type warnings struct {
	log   *slog.Logger
	clock clock.Clock

	mu    sync.Mutex
	kinds map[warningKind]*flood
}

// warningKind is what has a bound of its own: no tenant's flood hides what
// another one has to know.
type warningKind struct{ tenant, message string }

// flood is the warnings of one kind since a time.
type flood struct {
	since        time.Time
	logged, left int
}

// warn logs a warning, unless there were too many of its kind of late. The next
// one that is logged says how many were left out before it.
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

func (w *warnings) admit(kind warningKind, now time.Time) (left int, ok bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	f := w.kinds[kind]
	if f == nil {
		f = &flood{since: now}
		w.kinds[kind] = f
	}
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

// tell logs what somebody may have to look into of attempts that are durable.
func (d *Dispatcher) tell(group []result, off []turnedOff) {
	for i := range group {
		r := &group[i]
		if r.refused {
			d.warnings.warn(r.queue.key.tenant, "the target guard refused the target of a delivery", attemptIDs(r.target, r.it, r.settled.Attempt)...)
		}
		if r.settled.Status == oms.DeliveryFailed {
			d.warnings.warn(r.queue.key.tenant, "a delivery failed for good", attemptIDs(r.target, r.it, r.settled.Attempt)...)
		}
	}
	for _, e := range off {
		d.log.Warn("an endpoint was turned off", "tenant", e.tenant, "endpoint", e.endpoint, "reason", e.reason)
	}
}

// attemptIDs is what leads from the log to an attempt and all that it belongs to.
func attemptIDs(t *target, it item, a *oms.Attempt) []any {
	ids := []any{"endpoint", t.ID, "delivery", it.Delivery.ID(), "event", it.Delivery.EventID, "type", a.EventType,
		"attempt", a.ID, "number", a.Number}
	if a.Status != 0 { // 0: there was no answer, and the error says why
		ids = append(ids, "status", a.Status)
	}
	return append(ids, "error", a.Error)
}
