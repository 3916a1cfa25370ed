package nodes

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"
)

const (
	// lookEvery is how often a node looks at the others, and asks for news that it was not
	// notified of.
	lookEvery = 500 * time.Millisecond
	// answerTime bounds how long the database may take to answer.
	answerTime = 5 * time.Second
	// reconnectTime is how long after the loss of its own connection a node does not take
	// others for dead whose connection is gone: after a restart of the server all
	// connections are.
	reconnectTime = 2 * time.Second
	// goneLooks is how many looks in a row must find the connection of a node gone.
	// A node that is alive makes another at once.
	goneLooks = 2
)

// keep keeps the node known and its leases renewed, and takes and gives back leases, until
// ctx ends. It is one of the three goroutines of a node, and the only one that uses the
// connection of [Database]; so it never does anything that may take long.
func (n *Node) keep(ctx context.Context) {
	notice := Changed
	for ctx.Err() == nil {
		err := n.round(ctx, notice)
		if ctx.Err() != nil {
			return
		}
		if errors.Is(err, ErrBarred) {
			n.bar(err)
			return
		}
		if err != nil {
			n.lostTouch(err)
			notice = Nothing
			pause(ctx, lookEvery/2)
			continue
		}
		n.failing = false
		notice = n.await(ctx)
	}
}

// round looks if it is time to, or worth it, and reads the news. News is read each time,
// since a notification may be lost.
func (n *Node) round(ctx context.Context, notice Notice) error {
	if notice == Changed || time.Since(n.looked) >= lookEvery || n.hasEnded() {
		if err := n.look(ctx); err != nil {
			return err
		}
	}
	return n.heard(ctx)
}

// await waits until it is time to look again, or worth it: a notification came, or a worker
// has ended the work of a lease.
func (n *Node) await(ctx context.Context) Notice {
	ctx, cancel := context.WithTimeout(ctx, lookEvery)
	defer cancel()
	n.mu.Lock()
	n.wake = cancel
	n.mu.Unlock()
	if n.hasEnded() { // it came before the wake was there
		return Nothing
	}
	return n.db.Await(ctx)
}

// lostTouch notes that the database does not answer. Other nodes may take this one for dead
// soon, so no work begins before it answers again. It is logged once for each time that
// this happens.
func (n *Node) lostTouch(err error) {
	n.reconnects = time.Now()
	clear(n.gone)
	n.mu.Lock()
	// One look may fail by itself; if the next one succeeds, nothing was held up.
	if soon := time.Now().Add(lookEvery); soon.Before(n.sure) {
		n.sure = soon
	}
	n.mu.Unlock()
	if !n.failing {
		n.Log.Warn("the node cannot reach the database, and begins no work until it can", "error", err)
	}
	n.failing = true
}

// bar ends the work of a node that may not join again.
func (n *Node) bar(err error) {
	n.mu.Lock()
	n.sure = time.Time{}
	n.mu.Unlock()
	n.Log.Error("the node does no work any more", "error", err)
	if n.Barred != nil {
		n.Barred(err)
	}
}

// look renews the leases if it is time to, sees what the others do, and takes and gives
// back leases. It renews six times within the time that a node may be silent, so that some
// of these may fail.
func (n *Node) look(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	var lasts time.Duration
	began, base := time.Now(), n.Clock.Clock.Now()
	if began.Sub(n.renewed) >= n.Lasts/6 || n.failing {
		lasts = n.Lasts
	}
	id := n.ID()
	v, err := n.db.Look(ctx, id, lasts)
	if err != nil {
		return err
	}
	n.Clock.put(v.Now, base, n.Clock.Clock.Now())
	n.looked = time.Now()
	// Somebody has removed this node from the database: its leases are free, or another's
	// already.
	if !v.knows(id) {
		return n.joinAgain(ctx)
	}
	if lasts > 0 {
		n.renewed = began
		n.beSure(began)
	}
	n.see(v)
	if err := n.bury(ctx, &v); err != nil {
		return err
	}
	return n.followPlan(ctx, &v)
}

// beSure notes that the leases were renewed, by a statement that was sent at a time. If the
// node had not been sure, its workers are told, so that what has waited begins.
func (n *Node) beSure(sent time.Time) {
	n.mu.Lock()
	was := time.Now().Before(n.sure)
	n.sure, n.touched = n.sureFrom(sent), sent
	n.mu.Unlock()
	if !was {
		n.hear([]News{{Kind: Sure}})
	}
}

// joinAgain is called by a node that others took for dead. It has no lease any more, and
// begins anew, under another id. What its workers had under way is refused when it is
// written.
func (n *Node) joinAgain(ctx context.Context) error {
	n.Log.Warn("other nodes took this one for dead, and have taken its work over: it begins anew")
	n.dropAll()
	if err := n.join(ctx); err != nil {
		return err
	}
	n.Tell(News{Kind: Anew}) // what this node told itself alone, since it took the work for its own
	return nil
}

// see notes a view. If a node has disappeared, what it committed last may not have been
// told: so everything is looked at anew. That is done once more when a transaction of that
// node cannot be under way any more (lookAnew).
func (n *Node) see(v View) {
	n.mu.Lock()
	before := n.view
	n.view = v
	n.mu.Unlock()
	for _, was := range before.Nodes {
		if !v.knows(was.ID) && was.ID != n.ID() {
			n.Log.Info("a node is gone", "node", was.Name, "id", was.ID)
			n.lookAnew()
		}
	}
	for _, is := range v.Nodes {
		if !before.knows(is.ID) && is.ID != n.ID() {
			n.Log.Info("another node is at work on the database", "node", is.Name, "id", is.ID, "version", is.Version)
		}
	}
}

// bury removes the nodes that are dead from the database, and from the view, so that followPlan
// takes their leases at once. Several nodes may do the same; the database looks again
// whether a node is dead.
func (n *Node) bury(ctx context.Context, v *View) error {
	id := n.ID()
	dead := slices.DeleteFunc(slices.Clone(v.Nodes), func(other Neighbor) bool { return other.ID == id || !n.isDead(&other) })
	for _, other := range dead {
		n.Log.Warn("a node has died: its work is taken over", "node", other.Name, "id", other.ID, "silent", other.Silent)
		if err := n.db.Bury(ctx, other.ID); err != nil {
			return err
		}
		v.Nodes = slices.DeleteFunc(slices.Clone(v.Nodes), func(o Neighbor) bool { return o.ID == other.ID })
	}
	return nil
}

// isDead reports whether a node has been silent for too long, or its connection has been
// gone for more than a moment. It counts the looks, so it is called once for each look.
func (n *Node) isDead(other *Neighbor) bool {
	if !other.Gone || time.Since(n.reconnects) < reconnectTime {
		delete(n.gone, other.ID)
	} else {
		n.gone[other.ID]++
	}
	return other.Silent || n.gone[other.ID] >= goneLooks
}

// followPlan takes the leases that this node is to have, and gives back those that it is not.
// What was lost is dropped first, then what has ended is given back, so that the plan is
// made of what the node really has.
func (n *Node) followPlan(ctx context.Context, v *View) error {
	n.dropLost(v)
	if err := n.endSome(ctx, v); err != nil {
		return err
	}
	if n.running == nil || n.isStopping() {
		return nil
	}
	n.begin(n.unbegun(v)) // where the answer to Take was lost
	take, give := plan(v, n.ID(), n.has())
	n.give(give)
	if len(take) == 0 {
		return nil
	}
	taken, err := n.db.Take(ctx, n.ID(), take)
	if err != nil {
		return err
	}
	n.begin(taken)
	return nil
}

// endSome gives back the leases whose work has ended, and takes them out of the view.
func (n *Node) endSome(ctx context.Context, v *View) error {
	ended := n.endedLeases()
	if len(ended) == 0 {
		return nil
	}
	if err := n.db.End(ctx, n.ID(), ended); err != nil {
		return err
	}
	n.forget(ended)
	v.Leases = maps.Clone(v.Leases) // others read the view
	for _, l := range ended {
		delete(v.Leases, l.Name)
	}
	return nil
}

// isStopping reports whether the node takes no more work.
func (n *Node) isStopping() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.stopping
}

// takeAll has all workers take leases, in the order of Start. After an error all of them
// are asked again, also those that had succeeded.
func (n *Node) takeAll(ctx context.Context, leases []Lease) error {
	var errs []error
	for _, w := range n.workers {
		errs = append(errs, w.Take(ctx, leases))
	}
	return errors.Join(errs...)
}

// giveAll has all workers end the work of leases, in the reverse order. It returns when all
// have.
func (n *Node) giveAll(ctx context.Context, leases []Lease) {
	for _, w := range slices.Backward(n.workers) {
		w.Give(ctx, leases)
	}
}

// namesOf returns the keys of a map, sorted.
func namesOf[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
