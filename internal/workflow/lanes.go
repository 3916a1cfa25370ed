package workflow

import (
	"context"
	"sync"
	"time"

	"github.com/orderhook/orderhook/internal/clock"
)

// orderKey names an order across tenants.
type orderKey struct{ tenant, order string }

// lanes gives each order one lane of work: an order's runs come one after the
// other, those of different orders side by side. A lane that waits for a time
// costs a timer and no goroutine.
type lanes struct {
	clock clock.Clock
	// turn does what an order's runs need now and returns when to look again;
	// the zero time is "not before somebody kicks". What was just committed comes
	// with it, if anything was.
	turn func(orderKey, fresh) time.Time

	mu      sync.Mutex
	lanes   map[orderKey]*lane
	stopped bool
	idle    sync.WaitGroup // counts the running lanes
}

type lane struct {
	running bool  // or held
	again   bool  // kicked while it ran
	fresh   fresh // for its next turn
	timer   clock.Timer
}

// fresh is what was just committed, so that it need not be read.
type fresh struct {
	held
	first bool // nothing has moved the run since, and none comes before it
}

func newLanes(c clock.Clock, turn func(orderKey, fresh) time.Time) *lanes {
	return &lanes{clock: c, turn: turn, lanes: map[orderKey]*lane{}}
}

// kick makes an order's lane look at its runs. What was just committed of them may
// come with it.
func (l *lanes) kick(key orderKey, f fresh) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.stopped {
		return
	}
	ln := l.lanes[key]
	if ln == nil {
		ln = &lane{}
		l.lanes[key] = ln
	}
	if f.run != nil {
		ln.fresh = f
	}
	if ln.running {
		ln.again = true
		return
	}
	if ln.timer != nil {
		ln.timer.Stop()
		ln.timer = nil
	}
	ln.running = true
	l.idle.Add(1)
	go l.run(key, ln)
}

// hold keeps the lane of an order that is about to be stored from looking at its
// runs until letGo is called: what that is given is what its first turn begins
// with, whoever kicked the lane meanwhile. Without a run, nothing is looked at
// unless somebody kicked it. letGo is nil if the order has a lane already.
func (l *lanes) hold(key orderKey) (letGo func(held)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.stopped || l.lanes[key] != nil {
		return nil
	}
	ln := &lane{running: true}
	l.lanes[key] = ln
	l.idle.Add(1)
	return func(h held) {
		if h.run == nil && l.rest(key, ln, time.Time{}) {
			l.idle.Done()
			return
		}
		l.mu.Lock()
		if h.run != nil {
			ln.fresh = fresh{held: h, first: true}
		}
		l.mu.Unlock()
		go l.run(key, ln)
	}
}

func (l *lanes) run(key orderKey, ln *lane) {
	defer l.idle.Done()
	for {
		l.mu.Lock()
		f := ln.fresh
		ln.fresh = fresh{}
		l.mu.Unlock()
		wake := l.turn(key, f)
		if l.rest(key, ln, wake) {
			return
		}
	}
}

// rest ends a lane's running, unless it was kicked meanwhile.
func (l *lanes) rest(key orderKey, ln *lane, wake time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if ln.again && !l.stopped {
		ln.again = false
		return false
	}
	ln.running = false
	if wake.IsZero() || l.stopped {
		delete(l.lanes, key)
		return true
	}
	ln.timer = clock.At(l.clock, wake, func() { l.kick(key, fresh{}) })
	return true
}

// stop starts no more turns, and waits for those under way or for ctx.
func (l *lanes) stop(ctx context.Context) error {
	l.mu.Lock()
	l.stopped = true
	for _, ln := range l.lanes {
		if ln.timer != nil {
			ln.timer.Stop()
		}
	}
	l.mu.Unlock()
	done := make(chan struct{})
	go func() { l.idle.Wait(); close(done) }()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
