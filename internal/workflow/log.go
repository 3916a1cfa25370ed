package workflow

import (
	"strings"
	"sync"
	"time"

	"github.com/orderhook/orderhook/internal/clock"
	"github.com/orderhook/orderhook/internal/oms"
)

// trouble is a line for the log: what a person has to look at, with the ids that
// lead there.
type trouble struct {
	message string
	attrs   []any
}

// warn has the log tell of something once the transition is durable: what a
// transaction that is tried again, or undone, says twice, or did not happen.
func (t *transition) warn(message string, attrs ...any) {
	t.troubles = append(t.troubles, trouble{message, attrs})
}

// tell writes what a transition that was committed has for the log.
func (e *Engine) tell(t *transition) {
	if t == nil {
		return
	}
	for _, tr := range t.troubles {
		ids := []any{"tenant", t.tenant, "order", t.order.ID, "run", t.run.ID}
		e.log.Warn(tr.message, append(ids, tr.attrs...)...)
	}
}

// attemptID is the attempt that the transition applies; "" for none.
func (t *transition) attemptID() string {
	if t.attempt == nil {
		return ""
	}
	return t.attempt.ID
}

// clip keeps what an endpoint wrote from filling the log.
func clip(reason string) string {
	const most = 500
	if len(reason) <= most {
		return reason
	}
	return strings.ToValidUTF8(reason[:most], "") + "…"
}

// trouble has the log tell of an order whose work the database holds up. Of many
// that it holds up at once one line is enough, and one every ten seconds.
func (e *Engine) trouble(key orderKey, message string, err error, attrs ...any) {
	left, now := e.quiet.pass()
	if !now {
		return
	}
	attrs = append([]any{"tenant", key.tenant, "order", key.order}, attrs...)
	attrs = append(attrs, "error", err, "linesLeftOut", left)
	if oms.KindOf(err) == oms.Unavailable {
		e.log.Warn(message, attrs...)
		return
	}
	e.log.Error(message, attrs...)
}

// quietFor is how long one line about the database stands for all.
const quietFor = 10 * time.Second

// quiet lets the first of many lines through, and then one at a time.
type quiet struct {
	clock clock.Clock
	mu    sync.Mutex
	until time.Time
	left  int // out, since the last line
}

// pass reports whether a line may be written, and how many were left out before it.
func (q *quiet) pass() (left int, now bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if at := q.clock.Now(); !at.Before(q.until) {
		left, q.left, q.until = q.left, 0, at.Add(quietFor)
		return left, true
	}
	q.left++
	return 0, false
}
