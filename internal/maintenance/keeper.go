package maintenance

import (
	"context"
	"slices"
	"sync"

	"github.com/orderhook/orderhook/internal/nodes"
)

// Keeper has the maintenance run while this node has the lease of it. It implements
// [nodes.Worker]. Its Options are required. With one node it has the lease from the start
// on. It runs one [Worker] at most.
type Keeper struct {
	Options

	mu      sync.Mutex
	running *Worker // nil: another node does it
	lease   nodes.Lease
	ending  []*Worker // that were given back, and may not have ended yet
	stopped bool
}

// Take implements [nodes.Worker]. A second call for the same lease, as after an error of
// another worker, changes nothing.
func (k *Keeper) Take(_ context.Context, leases []nodes.Lease) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, l := range leases {
		if l.Name == nodes.Maintenance && k.running == nil && !k.stopped {
			k.running, k.lease = Start(l, k.Options), l
		}
	}
	return nil
}

// Give implements [nodes.Worker]. A step that is under way when ctx ends goes on by itself:
// the database refuses what it writes once another node has the lease.
func (k *Keeper) Give(ctx context.Context, leases []nodes.Lease) {
	w := k.end(leases)
	if w == nil {
		return
	}
	w.cancel()
	select {
	case <-w.ended:
	case <-ctx.Done():
	}
}

// end returns the maintenance that runs by one of some leases, which is to end; nil if
// none does.
func (k *Keeper) end(leases []nodes.Lease) *Worker {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.running == nil || !slices.Contains(leases, k.lease) {
		return nil
	}
	w := k.running
	k.running, k.ending = nil, append(slices.DeleteFunc(k.ending, (*Worker).hasEnded), w)
	return w
}

// Hear implements [nodes.Worker]. The maintenance looks for itself.
func (k *Keeper) Hear(context.Context, []nodes.News) {}

// Stop ends the maintenance for good, and waits for all of it: the store is closed next.
func (k *Keeper) Stop() {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.stopped = true; k.running != nil {
		k.ending, k.running = append(k.ending, k.running), nil
	}
	for _, w := range k.ending {
		w.Stop()
	}
	k.ending = nil
}
