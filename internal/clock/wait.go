package clock

import (
	"context"
	"sync"
	"time"
)

// LookEvery is how long at most a wait for a time of day goes on without a look at
// the clock. A timer counts the time that passes; where somebody sets the machine's
// clock, or it slept, what is due by the clock is another matter.
const LookEvery = time.Minute

// At calls f in its own goroutine once the clock shows a time. A clock that was set
// forward meanwhile is followed within [LookEvery], one that was set back, too.
func At(c Clock, at time.Time, f func()) Timer {
	w := &wait{clock: c, at: at, f: f}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.look()
	return w
}

// wait is a call that is to come at a time.
type wait struct {
	clock Clock
	at    time.Time
	f     func()

	mu    sync.Mutex
	timer Timer
	over  bool // stopped, or f was called
}

// look sets the timer for the next look. The lock is held.
func (w *wait) look() {
	left := max(0, w.at.Sub(w.clock.Now()))
	w.timer = w.clock.AfterFunc(min(left, LookEvery), w.woken)
}

// woken is called by the timer. It calls f if the clock shows the time, and looks again
// later if it does not: f is called without the lock, since it may stop other waits.
func (w *wait) woken() {
	w.mu.Lock()
	if w.over {
		w.mu.Unlock()
		return
	}
	if w.clock.Now().Before(w.at) {
		w.look()
		w.mu.Unlock()
		return
	}
	w.over = true
	w.mu.Unlock()
	w.f()
}

// Stop implements [Timer].
func (w *wait) Stop() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	stopped := !w.over
	w.over = true
	w.timer.Stop()
	return stopped
}

// Pause waits for so long, and returns ctx's error if that ends before. It counts the time
// that passes, as a timer does.
func Pause(ctx context.Context, c Clock, d time.Duration) error {
	over := make(chan struct{})
	timer := c.AfterFunc(d, func() { close(over) })
	defer timer.Stop()
	select {
	case <-over:
		return ctx.Err()
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Await waits until a function returns, and returns ctx's error if that ends before. The
// function then goes on in its own goroutine.
func Await(ctx context.Context, until func()) error {
	over := make(chan struct{})
	go func() {
		until()
		close(over)
	}()
	select {
	case <-over:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
