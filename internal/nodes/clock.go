package nodes

import (
	"sync/atomic"
	"time"

	"github.com/orderhook/orderhook/internal/clock"
)

// Clock is a clock that is put right by that of the database, so that all nodes of a
// database have the same time: what one node puts off until a time, another one does. It is
// as wrong as the way to the database is slow. It is safe for concurrent use.
type Clock struct {
	clock.Clock
	offset atomic.Int64 // in nanoseconds
}

// NewClock returns a clock that is not put right yet. The first look of a node does that.
func NewClock(c clock.Clock) *Clock { return &Clock{Clock: c} }

// Now returns the time of the database.
func (c *Clock) Now() time.Time { return c.Clock.Now().Add(time.Duration(c.offset.Load())) }

// leastOffset is how wrong a clock is left, so that it is not set again and again.
const leastOffset = 10 * time.Millisecond

// put puts the clock right: the database said that it is now, between two times of the
// clock beneath. Where that took long the answer is not exact, so a difference that the
// way may have made is left.
func (c *Clock) put(now, before, after time.Time) {
	way := after.Sub(before) / 2
	offset := now.Sub(before.Add(way))
	if wrong := offset - time.Duration(c.offset.Load()); wrong.Abs() > way+leastOffset {
		c.offset.Store(int64(offset))
	}
}
