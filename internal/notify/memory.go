package notify

import (
	"sync/atomic"

	"github.com/orderhook/orderhook/internal/store"
)

// Bounds of what queues keep in memory. What they have no room for stays in its
// table, due, and is read from there later.
const (
	mostDeliveries = 32 << 10 // of all queues together
	mostData       = 32 << 20 // bytes of their events' data
	leastHeld      = 32       // deliveries that a queue may hold in any case
)

// memory is the budget of what all queues together hold.
type memory struct {
	deliveries atomic.Int64
	data       atomic.Int64 // bytes; of an event that goes to many, once for each
}

// take makes a delivery part of what is held, if it must or there is room: a queue
// that holds so many already may hold no more than are left for all others, which
// are never starved by it. One whose event does not fit goes without it, to read it
// when its turn comes.
func (m *memory) take(due *store.Due, holds int, must bool) bool {
	if m.room(holds) <= 0 && !must {
		return false
	}
	m.deliveries.Add(1)
	if n := size(*due); n > 0 && m.data.Add(n) > mostData {
		m.data.Add(-n)
		due.Event = nil
	}
	return true
}

// room is how many deliveries more a queue may hold that holds so many.
func (m *memory) room(holds int) int {
	left := int(mostDeliveries - m.deliveries.Load())
	return max(leastHeld-holds, (left-holds+1)/2) // what it takes, it has more, and there is less left
}

func (m *memory) give(due store.Due) {
	m.deliveries.Add(-1)
	m.data.Add(-size(due))
}

func size(due store.Due) int64 {
	if due.Event == nil {
		return 0
	}
	return int64(len(due.Event.Data))
}
