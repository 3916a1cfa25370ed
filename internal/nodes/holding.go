package nodes

import (
	"context"
	"time"
)

// holding is a lease that this node has, from Take to End, or until it is lost. The node's
// mu guards it.
type holding struct {
	lease Lease
	state holdingState
	lost  bool // another node has it, or nobody
}

// holdingState is how far the workers are with a lease. It only goes forward.
type holdingState int

const (
	taking  holdingState = iota // the workers begin
	working                     // they have begun
	giving                      // the workers end what is under way
	ended                       // they have: the lease can be given back
)

// has returns the leases of this node but for those that it is giving back, sorted by name:
// so each look plans the same.
func (n *Node) has() []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	own := map[string]bool{}
	for name, h := range n.holdings {
		if h.state == taking || h.state == working {
			own[name] = true
		}
	}
	return namesOf(own)
}

// begin has the workers take leases, in the background, because they read what there is to
// do. Until they have, the leases are this node's, and nobody does the work. If the
// database does not answer, they are asked again.
func (n *Node) begin(leases []Lease) {
	n.mu.Lock()
	var fresh []*holding
	var of []Lease
	for _, l := range leases {
		if n.holdings[l.Name] == nil {
			h := &holding{lease: l}
			n.holdings[l.Name] = h
			fresh, of = append(fresh, h), append(of, l)
		}
	}
	n.mu.Unlock()
	if len(of) == 0 {
		return
	}
	ctx := n.running
	n.ended.Go(func() {
		for err := n.takeAll(ctx, of); err != nil && ctx.Err() == nil; err = n.takeAll(ctx, of) {
			n.Log.Warn("what a node took over cannot be read yet", "leases", len(of), "error", err)
			pause(ctx, time.Second)
		}
		n.begun(fresh)
	})
}

// begun notes that the workers have taken leases. A lease that was lost meanwhile they give
// up again, at once.
func (n *Node) begun(holdings []*holding) {
	n.mu.Lock()
	var lost []Lease
	for _, h := range holdings {
		if h.state = working; h.lost {
			lost = append(lost, h.lease)
		}
	}
	n.mu.Unlock()
	if len(lost) > 0 {
		n.giveAll(over(), lost)
		n.forget(lost)
	}
}

// over returns a context that has ended: with it [Worker.Give] waits for nothing.
func over() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}

// give has the workers end the work of leases. Each lease has a goroutine of its own: what
// takes long in one shard does not hold up the others. When it has ended, keep is woken,
// and gives the lease back. If the work does not end in time, the lease is given back all
// the same, and what ends later is refused.
func (n *Node) give(names []string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, name := range names {
		h := n.holdings[name]
		if h == nil || h.state != working {
			continue
		}
		h.state = giving
		n.ended.Go(func() {
			ctx, cancel := context.WithTimeout(n.running, n.Lasts)
			defer cancel()
			n.giveAll(ctx, []Lease{h.lease})
			n.mu.Lock()
			h.state = ended
			n.wake()
			n.mu.Unlock()
		})
	}
}

// hasEnded reports whether there are leases whose work has ended.
func (n *Node) hasEnded() bool { return len(n.endedLeases()) > 0 }

// endedLeases returns the leases whose work has ended, and that are not given back yet.
func (n *Node) endedLeases() (all []Lease) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, h := range n.holdings {
		if h.state == ended {
			all = append(all, h.lease)
		}
	}
	return all
}

// unbegun returns the leases that are this node's by a view, and that it does not know of:
// it has taken them, and the answer was lost.
func (n *Node) unbegun(v *View) (all []Lease) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for name, held := range v.Leases {
		if held.Node == n.info.ID && n.holdings[name] == nil {
			all = append(all, Lease{name, held.Epoch})
		}
	}
	return all
}

// forget forgets leases that this node does not have any more. One that it has got again
// since, with another epoch, stays.
func (n *Node) forget(leases []Lease) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, l := range leases {
		if h := n.holdings[l.Name]; h != nil && h.lease == l {
			delete(n.holdings, l.Name)
		}
	}
}

// dropLost ends the work of leases that are another node's by a view. The view is newer
// than the last Take, because the same goroutine does both: so a lease that was just taken
// is in it.
func (n *Node) dropLost(v *View) {
	n.drop(func(h *holding) bool { return v.Leases[h.lease.Name] != Held{n.info.ID, h.lease.Epoch} })
}

// dropAll ends the work of all leases, when others took this node for dead.
func (n *Node) dropAll() { n.drop(func(*holding) bool { return true }) }

// drop ends the work of some leases at once. What is under way is not waited for: nothing
// that it comes to can be written, since the epoch of the lease is another one.
func (n *Node) drop(is func(*holding) bool) {
	n.mu.Lock()
	var lost []Lease
	for name, h := range n.holdings {
		if h.lost || !is(h) {
			continue
		}
		h.lost = true
		if h.state == working {
			lost = append(lost, h.lease)
		}
		if h.state != taking { // the end of the taking finds it
			delete(n.holdings, name)
		}
	}
	n.mu.Unlock()
	if len(lost) > 0 {
		n.giveAll(over(), lost)
	}
}
