package delivery

import (
	"cmp"
	"slices"

	"github.com/orderhook/orderhook/internal/breaker"
	"github.com/orderhook/orderhook/internal/store"
)

// queueCapacity is how many deliveries a queue holds at most. What is more stays in the
// table. Only a delivery that somebody sent again by hand is taken in any case.
const queueCapacity = 8192

// item is a delivery that a queue holds. call is the zero value while the delivery waits,
// and for a trial by hand that an open circuit let through.
type item struct {
	store.Due
	call breaker.Call // the attempt, as the breaker knows it
}

// backlog is what an endpoint queue holds in memory: the deliveries that wait, and those
// of which an attempt is under way or is being written. The zero value is empty. The lock
// of the queue guards it. It knows neither time nor circuit: whether an attempt may begin
// is decided in state.go.
type backlog struct {
	items  []item          // the deliveries that wait, the longest due first
	held   map[int64]bool  // all that are held, by the event's Seq
	again  map[int64]bool  // those of held that became due again while they were held
	groups map[string]bool // the groups that have an attempt under way
	trials map[int64]bool  // those that were sent again by hand and not attempted since, by the event's Seq
}

// put sets a key of a map, and makes the map when it is first needed. Most queues never
// need most of theirs, and there are thousands of queues.
func put[K comparable](m *map[K]bool, key K) {
	if *m == nil {
		*m = map[K]bool{}
	}
	(*m)[key] = true
}

// offer takes a delivery that became due. It reports whether the queue has taken it, or
// holds it already. For one that is held it only notes that it is due again. When that is
// let go, the queue reads its table and finds it there.
func (b *backlog) offer(m *memory, due store.Due) bool {
	event := due.Delivery.Event
	if due.Trial {
		put(&b.trials, event)
	}
	switch {
	case b.held[event]:
		if !due.Trial || !b.queued(event) { // it became due again while its attempt is being written
			put(&b.again, event)
		}
		return true
	// What finds no place stays in the table. Only what a person asked for goes beyond the
	// capacity.
	case len(b.items) >= queueCapacity && !due.Trial:
		return false
	}
	return b.push(m, due)
}

// queued reports whether a delivery waits. One that is under way is held and does not wait.
func (b *backlog) queued(event int64) bool {
	return slices.ContainsFunc(b.items, func(it item) bool { return it.Delivery.Event == event })
}

// push queues a delivery, if the memory budget allows it. One that somebody sent again by
// hand is always queued, because a person waits for it.
func (b *backlog) push(m *memory, due store.Due) bool {
	if !m.take(&due, len(b.items), due.Trial) {
		return false
	}
	put(&b.held, due.Delivery.Event)
	b.items = append(b.items, item{Due: due})
	return true
}

// next returns the index of the next delivery that may be attempted, -1 if there is none.
// Those that were sent again by hand come first, and byHand reports that it is one. It
// changes nothing.
func (b *backlog) next() (at int, byHand bool) {
	// A delivery may not be attempted while another of its group is under way.
	free := func(it item) bool { return !b.groups[it.Delivery.Group] }
	if len(b.trials) > 0 {
		at = slices.IndexFunc(b.items, func(it item) bool { return b.trials[it.Delivery.Event] && free(it) })
		if at >= 0 {
			return at, true
		}
	}
	return slices.IndexFunc(b.items, free), false
}

// take removes the next delivery from those that wait, and returns it. It stays held. The
// caller has made sure with next that there is one.
func (b *backlog) take() item {
	at, _ := b.next()
	it := b.items[at]
	copy(b.items[1:at+1], b.items[:at]) // at is 0 as a rule
	b.items[0] = item{}
	if b.items = b.items[1:]; len(b.items) == 0 {
		b.items = nil
	}
	// The others of the group wait until leave.
	if it.Delivery.Group != "" {
		put(&b.groups, it.Delivery.Group)
	}
	delete(b.trials, it.Delivery.Event)
	return it
}

// cancel removes a delivery that was canceled from those that wait. If it was among them,
// the caller has to forget it. One that is under way stays held until its attempt is
// written.
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

// forget stops holding a delivery, and reports whether it became due again meanwhile. From
// here on it may be read from the table again.
func (b *backlog) forget(m *memory, it item) (again bool) {
	if again = b.again[it.Delivery.Event]; again {
		delete(b.again, it.Delivery.Event)
	}
	delete(b.held, it.Delivery.Event)
	m.give(it.Due)
	return again
}

// leave ends an attempt: the next delivery of its group may be attempted.
func (b *backlog) leave(it item) { delete(b.groups, it.Delivery.Group) }

// takeAll queues deliveries that were read from the table, except those that are held
// already and those in skip. Then it sorts all that wait: first those that were sent again
// by hand, then the longest due. It reports whether the memory budget allowed all. skip has
// what was completed while the table was read. The sort is stable, and by the number of the
// event in the end, so that events keep their order.
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
	// Nothing came, so all is sorted still.
	if len(b.items) == was {
		return all
	}
	slices.SortStableFunc(b.items, func(x, y item) int {
		return cmp.Or(b.byHand(y)-b.byHand(x), x.Delivery.Due.Compare(y.Delivery.Due), cmp.Compare(x.Delivery.Event, y.Delivery.Event))
	})
	return all
}

// overflow removes the deliveries that are due last from a queue that is too long, and
// returns them.
func (b *backlog) overflow() (over []item) {
	if len(b.items) <= queueCapacity {
		return nil
	}
	over = slices.Clone(b.items[queueCapacity:])
	clear(b.items[queueCapacity:])
	b.items = b.items[:queueCapacity]
	return over
}

// byHand is 1 for a delivery that was sent again by hand, else 0.
func (b *backlog) byHand(it item) int {
	if b.trials[it.Delivery.Event] {
		return 1
	}
	return 0
}
