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

// take makes a delivery part of what is held, if there is room or it must.
func (r *room) take(due store.Due, must bool) bool {
	deliveries, data := r.deliveries.Add(1), r.data.Add(size(due))
	if must || deliveries <= totalRoom && data <= totalData {
		return true
	}
	r.give(due)
	return false
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
