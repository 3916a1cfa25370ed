package delivery

import (
	"sync/atomic"

	"github.com/orderhook/orderhook/internal/store"
)

// The limits of what queues have in memory. What is over a limit stays in its table, and
// is read from there later.
const (
	mostDeliveries = 32 << 10 // deliveries that all queues together may hold
	mostData       = 32 << 20 // bytes of their events' data
	leastHeld      = 32       // deliveries that each queue may hold in any case
)

// memory is the memory budget that all queues share. Queues ask and take without a common
// lock, so the limits may be passed by a few.
type memory struct {
	deliveries atomic.Int64
	data       atomic.Int64 // bytes; the data of an event counts once for each delivery of it
}

// take counts a delivery, if the budget allows it or if it must. holds is how many the
// queue has already. A queue may hold at most as many as are left for all others, so that
// one queue cannot use the whole budget. If the data of the event does not fit, the
// delivery is taken without the event, which is read again when its turn comes.
func (m *memory) take(due *store.Due, holds int, must bool) bool {
	if m.budget(holds) <= 0 && !must {
		return false
	}
	m.deliveries.Add(1)
	if n := size(*due); n > 0 && m.data.Add(n) > mostData {
		m.data.Add(-n)
		due.Event = nil
	}
	return true
}

// budget returns how many more deliveries a queue may hold that has so many already. It may
// be negative.
func (m *memory) budget(holds int) int {
	left := int(mostDeliveries - m.deliveries.Load())
	return max(leastHeld-holds, (left-holds+1)/2) // half, because each that it takes is one more for it and one less for the others
}

// give takes off the budget what take has counted. The event must still be there, or not,
// as take left it.
func (m *memory) give(due store.Due) {
	m.deliveries.Add(-1)
	m.data.Add(-size(due))
}

// size returns the bytes of the data that came with a delivery; 0 if none did.
func size(due store.Due) int64 {
	if due.Event == nil {
		return 0
	}
	return int64(len(due.Event.Data))
}
