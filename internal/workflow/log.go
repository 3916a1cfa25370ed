package workflow

import (
	"log/slog"
	"runtime/debug"
	"sync"
	"time"

	"github.com/orderhook/orderhook/internal/clock"
	"github.com/orderhook/orderhook/internal/oms"
)

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

// survive returns what do does, or what instead does where a mistake of this
// program keeps do from its end. The log says which.
func survive[T any](log *slog.Logger, message string, ids []any, do, instead func() T) (result T) {
	defer func() {
		if p := recover(); p != nil {
			log.Error(message, append(ids, "panic", p, "stack", string(debug.Stack()))...)
			result = instead()
		}
	}()
	return do()
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
