package delivery

import "context"

// leaving is queues that another node gets, once their health is written.
type leaving struct {
	queues []*queue
	done   chan struct{} // closed then
}

// leave writes the health of queues that another node gets. If ctx ends first, what is not
// written is lost. The queues have no attempt under way or unwritten any more.
func (r *completer) leave(ctx context.Context, queues []*queue) {
	r.start()
	l := leaving{queues, make(chan struct{})}
	r.mu.Lock()
	r.leaving = append(r.leaving, l)
	r.mu.Unlock()
	r.signal()
	select {
	case <-l.done:
	case <-r.ended:
	case <-ctx.Done():
	}
}

// recordLeaving does what leave has asked for, on the goroutine of the completer, to which
// dirty belongs.
func (r *completer) recordLeaving() {
	r.mu.Lock()
	all := r.leaving
	r.leaving = nil
	r.mu.Unlock()
	for _, l := range all {
		for _, q := range l.queues {
			q.mu.Lock()
			if q.health.dirty {
				r.dirty[q] = true
			}
			q.mu.Unlock()
		}
		r.recordHealth()
		// What could not be written is lost. The queues are not this node's any more, so
		// there is no later time for it.
		for _, q := range l.queues {
			delete(r.dirty, q)
			delete(r.unsure, q)
		}
		close(l.done)
	}
}
