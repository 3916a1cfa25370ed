package notify

import (
	"cmp"
	"slices"

	"github.com/orderhook/orderhook/internal/store"
)

// queueRoom is how many deliveries a queue holds at most that came straight from a
// commit.
const queueRoom = 8192

// item is a delivery that a queue holds.
type item struct {
	store.Due
	trial bool // it is the one attempt of a breaker that is half open
}

// backlog is what an endpoint queue holds in memory: deliveries that wait, and those
// of which an attempt is under way or being recorded. The zero value holds nothing.
type backlog struct {
	items  []item          // the longest due first
	held   map[int64]bool  // by the event's Seq
	again  map[int64]bool  // of those held, the ones that became due once more meanwhile
	groups map[string]bool // those of which one is under way
	trials map[int64]bool  // by the event's Seq: sent again by hand, and not attempted since
}

// put sets a key of a map that is made when it is needed: most queues need few of
// theirs.
func put[K comparable](m *map[K]bool, key K) {
	if *m == nil {
		*m = map[K]bool{}
	}
	(*m)[key] = true
}

// offer takes a delivery that became due, if there is room.
func (b *backlog) offer(m *memory, due store.Due) bool {
	event := due.Delivery.Event
	if due.Trial {
		put(&b.trials, event)
	}
	switch {
	case b.held[event]:
		if !due.Trial || !b.queued(event) { // sent again while its attempt is being recorded
			put(&b.again, event)
		}
		return true
	case len(b.items) >= queueRoom && !due.Trial:
		return false
	}
	return b.push(m, due)
}

func (b *backlog) queued(event int64) bool {
	return slices.ContainsFunc(b.items, func(it item) bool { return it.Delivery.Event == event })
}

// push queues a delivery, if there is room. There always is for one that somebody
// sent by hand, and waits for.
func (b *backlog) push(m *memory, due store.Due) bool {
	if !m.take(&due, len(b.items), due.Trial) {
		return false
	}
	put(&b.held, due.Delivery.Event)
	b.items = append(b.items, item{Due: due})
	return true
}

// next returns where the next one is that may be attempted, -1 if there is none,
// and whether it was sent again by hand: those come first.
func (b *backlog) next() (at int, byHand bool) {
	if len(b.trials) > 0 {
		at = slices.IndexFunc(b.items, func(it item) bool { return b.trials[it.Delivery.Event] && b.free(it) })
		if at >= 0 {
			return at, true
		}
	}
	return slices.IndexFunc(b.items, b.free), false
}

// free reports whether no other of a delivery's group is under way.
func (b *backlog) free(it item) bool { return !b.groups[it.Delivery.Group] }

// take takes the next one out of the queue, of which there is one. It stays held.
func (b *backlog) take() item {
	at, _ := b.next()
	it := b.items[at]
	copy(b.items[1:at+1], b.items[:at]) // at is 0 as a rule
	b.items[0] = item{}
	if b.items = b.items[1:]; len(b.items) == 0 {
		b.items = nil
	}
	if it.Delivery.Group != "" {
		put(&b.groups, it.Delivery.Group)
	}
	delete(b.trials, it.Delivery.Event)
	return it
}

// cancel takes a delivery that was canceled out of the queue, if it is there; it is
// to be forgotten then.
func (b *backlog) cancel(event int64) (it item, queued bool) {
	delete(b.again, event)
	delete(b.trials, event)
	at := slices.IndexFunc(b.items, func(it item) bool { return it.Delivery.Event == event })
	if at < 0 {
		return item{}, false
	}
	it = b.items[at]
	b.items = slices.Delete(b.items, at, at+1)
	return it, true
}

// forget ends the holding of a delivery, and reports whether it became due once more
// meanwhile.
func (b *backlog) forget(m *memory, it item) (again bool) {
	if again = b.again[it.Delivery.Event]; again {
		delete(b.again, it.Delivery.Event)
	}
	delete(b.held, it.Delivery.Event)
	m.give(it.Due)
	return again
}

// leave ends an attempt: the next of its group may follow.
func (b *backlog) leave(it item) { delete(b.groups, it.Delivery.Group) }

// takeAll queues deliveries that were read from the table, but those that are held or
// that skip names, and has all of them wait in the order that they are due, behind
// those that were sent by hand. It reports whether there was room for all.
func (b *backlog) takeAll(m *memory, due []store.Due, skip map[int64]bool) (all bool) {
	all = true
	was := len(b.items)
	for _, one := range due {
		if e := one.Delivery.Event; b.held[e] || skip[e] {
			continue
		}
		if !b.push(m, one) {
			all = false
			break
		}
	}
	if len(b.items) == was {
		return all
	}
	slices.SortStableFunc(b.items, func(x, y item) int {
		return cmp.Or(b.byHand(y)-b.byHand(x), x.Delivery.Due.Compare(y.Delivery.Due), cmp.Compare(x.Delivery.Event, y.Delivery.Event))
	})
	return all
}

// overflow takes the last to be due out of a queue that is longer than it may be.
func (b *backlog) overflow() (rest []item) {
	if len(b.items) <= queueRoom {
		return nil
	}
	rest = slices.Clone(b.items[queueRoom:])
	clear(b.items[queueRoom:])
	b.items = b.items[:queueRoom]
	return rest
}

// byHand is 1 for a delivery that was sent again by hand, else 0.
func (b *backlog) byHand(it item) int {
	if b.trials[it.Delivery.Event] {
		return 1
	}
	return 0
}
