// Package clocktest has clocks for the tests of all packages: [Fake], whose waits take no time, and
// [Jumping], which somebody sets.
package clocktest

import (
	"slices"
	"sync"
	"time"

	"github.com/orderhook/orderhook/internal/clock"
)

// Fake is a clock for tests. Its time jumps to each timer as it is set, so waits take no
// time, and a test can ask what was waited for. While it holds, timers wait until the test
// releases them.
type Fake struct {
	mu    sync.Mutex
	now   time.Time
	waits []time.Duration
	held  []*heldTimer
	hold  bool
}

// NewFake returns a clock that stands at a time.
func NewFake(now time.Time) *Fake { return &Fake{now: now} }

// Now returns the clock's time.
func (c *Fake) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// Advance moves the clock's time.
func (c *Fake) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// Waits returns the durations of all timers set so far.
func (c *Fake) Waits() []time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.waits)
}

// Hold keeps timers from now on until Release.
func (c *Fake) Hold() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.hold = true
}

// Release lets the held timers, and later ones, go off.
func (c *Fake) Release() {
	c.mu.Lock()
	held := c.held
	c.held, c.hold = nil, false
	c.mu.Unlock()
	for _, t := range held {
		c.fire(t)
	}
}

// AfterFunc jumps to the time and calls f, or keeps f while the clock holds.
func (c *Fake) AfterFunc(d time.Duration, f func()) clock.Timer {
	c.mu.Lock()
	c.waits = append(c.waits, d)
	t := &heldTimer{at: c.now.Add(d), f: f}
	if c.hold {
		c.held = append(c.held, t)
		c.mu.Unlock()
		return t
	}
	c.mu.Unlock()
	c.fire(t)
	return t
}

// fire moves the time to that of a timer, never back, and calls its function in a
// goroutine, as a real timer does.
func (c *Fake) fire(t *heldTimer) {
	c.mu.Lock()
	if t.at.After(c.now) {
		c.now = t.at
	}
	c.mu.Unlock()
	if t.take() {
		go t.f()
	}
}

// heldTimer is a timer that was set. It goes off once, or is stopped.
type heldTimer struct {
	mu   sync.Mutex
	gone bool
	at   time.Time
	f    func()
}

// Stop implements [clock.Timer].
func (t *heldTimer) Stop() bool { return t.take() }

// take reports whether the timer had neither gone off nor been stopped, and notes that it
// has now.
func (t *heldTimer) take() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	was := t.gone
	t.gone = true
	return !was
}
