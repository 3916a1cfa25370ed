package workflow

import (
	"log/slog"
	"sync"
	"time"

	"github.com/orderhook/orderhook/internal/clock"
	"github.com/orderhook/orderhook/internal/oms"
)

// brakeTime is the time in which an order may enter only so many statuses.
const brakeTime = time.Minute

// mostBraked bounds the orders that a brake remembers: some ten megabytes.
const mostBraked = 100_000

// brake stops an order that enters one status after the other through the API.
// It is nearly always an endpoint that changes the status of its own order,
// whose workflow calls the endpoint again. It counts in memory, each process
// for itself.
type brake struct {
	most  int // statuses an order may enter in brakeTime; 0: any number
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

func (c *statusCount) over(now time.Time) bool { return !now.Before(c.began.Add(brakeTime)) }

func newBrake(most int, clock clock.Clock, log *slog.Logger) *brake {
	return &brake{most: most, clock: clock, log: log, counts: map[orderKey]*statusCount{}}
}

// take counts one more status that an order enters, if it may: [oms.TooMany]
// says when it may again.
func (b *brake) take(key orderKey) (*statusCount, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := b.clock.Now()
	c := b.counts[key]
	if c == nil || c.over(now) {
		c = &statusCount{began: now}
		b.makeRoom(now)
		b.counts[key] = c
	}
	if c.entered < b.most {
		c.entered++
		return c, nil
	}
	err := oms.Errorf(oms.TooMany, "the order %q entered a status %d times within a minute, which is the most that --max-status-changes allows; "+
		"most often an endpoint changes the status of its own order, in a loop", key.order, b.most)
	err.RetryAfter = c.began.Add(brakeTime).Sub(now)
	return nil, err
}

// tell has the log say once that an order was refused.
func (b *brake) tell(key orderKey) {
	b.mu.Lock()
	c := b.counts[key]
	first := c != nil && !c.logged
	if first {
		c.logged = true
	}
	b.mu.Unlock()
	if first {
		b.log.Warn("an order enters statuses too often through the API: does one of its endpoints change its status?",
			"tenant", key.tenant, "order", key.order, "most", b.most, "within", brakeTime)
	}
}

// makeRoom removes the counts that are over, once in a while, and any one if
// there are still too many.
func (b *brake) makeRoom(now time.Time) {
	if !now.Before(b.tidied.Add(brakeTime)) {
		b.tidied = now
		for key, c := range b.counts {
			if c.over(now) {
				delete(b.counts, key)
			}
		}
	}
	for key := range b.counts {
		if len(b.counts) < mostBraked {
			return
		}
		delete(b.counts, key)
	}
}

// giveBack takes back one that was counted.
func (b *brake) giveBack(c *statusCount) {
	b.mu.Lock()
	defer b.mu.Unlock()
	c.entered--
}

// pass is one call's way through the brake. The function passed to a store's
// Write may run more than once, and so asks it each time: what it counts, it
// counts once.
type pass struct {
	brake *brake
	key   orderKey
	count *statusCount // that this call was counted in
	err   error
}

// enter counts that the call has an order enter a status, or refuses it.
func (p *pass) enter(key orderKey) error {
	if p.brake.most > 0 && p.count == nil && p.err == nil {
		p.key = key
		p.count, p.err = p.brake.take(key)
	}
	return p.err
}

// done ends the call, outside of any write. One that failed was no
// entering of a status.
func (p *pass) done(err error) {
	if p.err != nil {
		p.brake.tell(p.key)
	}
	if err != nil && p.count != nil {
		p.brake.giveBack(p.count)
	}
}
