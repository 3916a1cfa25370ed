package clocktest

import (
	"sync/atomic"
	"time"

	"github.com/orderhook/orderhook/internal/clock"
)

// Jumping is the machine's clock for tests in which somebody sets it: its timers
// count the time that passes, as those of a machine do.
type Jumping struct {
	clock.Real
	by atomic.Int64
}

// Now returns the time that the clock shows. Round takes the monotonic reading off: with it
// two times would differ by what has passed, whatever the clock shows.
func (c *Jumping) Now() time.Time { return time.Now().Round(0).Add(time.Duration(c.by.Load())) }

// Jump sets the clock forward, or back.
func (c *Jumping) Jump(by time.Duration) { c.by.Add(int64(by)) }
