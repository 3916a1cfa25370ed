package workflow

import (
	"log/slog"
	"sync"
	"time"

	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/clock"
)

// statusSpan is the time in which an order may enter only so many statuses.
const statusSpan = time.Minute

// mostLimited bounds the orders that are remembered: some ten megabytes. Beyond it an order
// may be forgotten and enter more statuses than it should. That is better than memory
// without a bound.
const mostLimited = 100_000

// statusLimiter stops an order that enters one status after the other through the API.
// It is nearly always an endpoint that changes the status of its own order,
// whose workflow calls the endpoint again. It counts in memory, each process
// for itself.
type statusLimiter struct {
	most  int // statuses an order may enter in statusSpan; 0: any number
	clock clock.Clock
	log   *slog.Logger

	mu     sync.Mutex
	counts map[orderKey]*statusCount
	tidied time.Time // when the counts that are over were last removed
}

// statusCount is how many statuses an order entered since the first of them.
type statusCount struct {
	began   time.Time
	entered int
	logged  bool
}

func (c *statusCount) over(now time.Time) bool { return !now.Before(c.began.Add(statusSpan)) }

func newStatusLimiter(most int, clock clock.Clock, log *slog.Logger) *statusLimiter {
	return &statusLimiter{most: most, clock: clock, log: log, counts: map[orderKey]*statusCount{}}
}

// take counts one more status that an order enters, if it may: [apierr.TooMany]
// says when it may again.
func (l *statusLimiter) take(key orderKey) (*statusCount, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.clock.Now()
	c := l.counts[key]
	if c == nil || c.over(now) {
		c = &statusCount{began: now}
		l.tidy(now)
		l.counts[key] = c
	}
	if c.entered < l.most {
		c.entered++
		return c, nil
	}
	err := apierr.Errorf(apierr.TooMany, "the order %q entered a status %d times within a minute, which is the most that --max-status-changes allows; "+
		"most often an endpoint changes the status of its own order, in a loop", key.order, l.most)
	err.RetryAfter = c.began.Add(statusSpan).Sub(now)
	return nil, err
}

// tell has the log say once that an order was refused.
func (l *statusLimiter) tell(key orderKey) {
	l.mu.Lock()
	c := l.counts[key]
	first := c != nil && !c.logged
	if first {
		c.logged = true
	}
	l.mu.Unlock()
	if first {
		l.log.Warn("an order enters statuses too often through the API: does one of its endpoints change its status?",
			"tenant", key.tenant, "order", key.order, "most", l.most, "within", statusSpan)
	}
}

// tidy removes the counts that are over, once in a while, and any one if
// there are still too many.
func (l *statusLimiter) tidy(now time.Time) {
	if !now.Before(l.tidied.Add(statusSpan)) {
		l.tidied = now
		for key, c := range l.counts {
			if c.over(now) {
				delete(l.counts, key)
			}
		}
	}
	// Which one goes is left to chance. It only counts from 0 again.
	for key := range l.counts {
		if len(l.counts) < mostLimited {
			return
		}
		delete(l.counts, key)
	}
}

// undo takes back one that was counted.
func (l *statusLimiter) undo(c *statusCount) {
	l.mu.Lock()
	defer l.mu.Unlock()
	c.entered--
}

// permit is what one call asks the limiter for. The function passed to a store's
// Write may run more than once, and so asks it each time: what it counts, it
// counts once.
type permit struct {
	limiter *statusLimiter
	key     orderKey
	count   *statusCount // that this call was counted in
	err     error
}

// take counts that the call has an order enter a status, or refuses it.
func (p *permit) take(key orderKey) error {
	if p.limiter.most > 0 && p.count == nil && p.err == nil {
		p.key = key
		p.count, p.err = p.limiter.take(key)
	}
	return p.err
}

// done ends a call that has asked the limiter, outside of any write. A call that failed did
// not enter a status, and does not count against the limit.
func (p *permit) done(err error) {
	if p.err != nil {
		p.limiter.tell(p.key)
	}
	if err != nil && p.count != nil {
		p.limiter.undo(p.count)
	}
}
