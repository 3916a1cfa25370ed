package workflow

import (
	"log/slog"
	"runtime/debug"
	"sync"
	"time"

	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/clock"
)

// trouble has the log tell of an order whose work the database holds up. When it holds up
// many at once, one line for all of them is enough, and one every ten seconds. Trouble that the
// database says is its own, and passes, is a warning; anything else is an error.
func (e *Engine) trouble(key orderKey, message string, err error, attrs ...any) {
	left, now := e.lines.allow()
	if !now {
		return
	}
	attrs = append([]any{"tenant", key.tenant, "order", key.order}, attrs...)
	attrs = append(attrs, "error", err, "linesLeftOut", left)
	if apierr.KindOf(err) == apierr.Unavailable {
		e.log.Warn(message, attrs...)
		return
	}
	e.log.Error(message, attrs...)
}

// survive returns what do does, or what instead does where an error of this
// program stops do. The log says which. What comes from outside, a document or an answer,
// goes through it: if one of them meets an error here, the others go on.
func survive[T any](log *slog.Logger, message string, ids []any, do, instead func() T) (result T) {
	defer func() {
		if p := recover(); p != nil {
			log.Error(message, append(ids, "panic", p, "stack", string(debug.Stack()))...)
			result = instead()
		}
	}()
	return do()
}

// quietFor is how long one line about the database stands for all. A database that is down
// for an hour makes some hundreds of lines so, and not one for each run and second.
const quietFor = 10 * time.Second

// lineLimiter lets the first of many lines through, and then one at a time. It serves all
// order queues of an engine at once.
type lineLimiter struct {
	clock clock.Clock
	mu    sync.Mutex
	until time.Time
	left  int // out, since the last line
}

// allow reports whether a line may be written, and how many were left out before it.
func (l *lineLimiter) allow() (left int, now bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if at := l.clock.Now(); !at.Before(l.until) {
		left, l.left, l.until = l.left, 0, at.Add(quietFor)
		return left, true
	}
	l.left++
	return 0, false
}
