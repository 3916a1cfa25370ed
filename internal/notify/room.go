package notify

import (
	"sync/atomic"

	"github.com/orderhook/orderhook/internal/store"
)

// room is what all lanes together may hold in memory.
type room struct {
	deliveries atomic.Int64
	data       atomic.Int64 // bytes; of an event that goes to many, once for each
}

// take makes a delivery part of what is held, if there is room or it must. One
// whose event does not fit goes without it, to read it when its turn comes.
func (r *room) take(due *store.Due, must bool) bool {
	if r.deliveries.Add(1) > totalRoom && !must {
		r.deliveries.Add(-1)
		return false
	}
	if n := size(*due); n > 0 && r.data.Add(n) > totalData {
		r.data.Add(-n)
		due.Event = nil
	}
	return true
}

func (r *room) give(due store.Due) {
	r.deliveries.Add(-1)
	r.data.Add(-size(due))
}

func size(due store.Due) int64 {
	if due.Event == nil {
		return 0
	}
	return int64(len(due.Event.Data))
}
