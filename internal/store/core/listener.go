package core

import (
	"runtime/debug"
	"slices"

	"github.com/orderhook/orderhook/internal/changes"
	"github.com/orderhook/orderhook/internal/event"
	"github.com/orderhook/orderhook/internal/store"
)

// effects is what a commit means for others: what the listener has to be told after it, and
// what changes in the memory of this process. A draft gathers it in its batch, and it takes
// effect after the commit only: a write that is refused has none.
type effects struct {
	// due are the deliveries that became due, in the order of the writes.
	due            []store.Due
	ended          []endedDelivery
	filterFailures []store.FilterFailure
	endpoints      []endpointChange
	// sets are the new endpoints, by tenant.
	sets map[string]*endpointSet
	// The secrets in memory must be read again: some may have been removed, retired or
	// restored.
	secrets bool
	// Something was erased, and the journal still has it.
	erased  bool
	touched []touched
}

// touched is the kinds of things of a tenant that a write changed. The pages that show such
// things are fetched again (docs/design.md#the-dashboard).
type touched struct {
	tenant string
	what   changes.Topics
}

// touch notes that a write changed things of a kind. Nearly every write is for one tenant
// only; the cleaning up may be for several.
func (e *effects) touch(tenant string, what changes.Topics) {
	for i := range e.touched {
		if e.touched[i].tenant == tenant {
			e.touched[i].what |= what
			return
		}
	}
	e.touched = append(e.touched, touched{tenant, what})
}

// endedDelivery is a delivery that was canceled.
type endedDelivery struct {
	tenant string
	key    event.DeliveryKey
}

// endpointChange is the new state of an endpoint; nil: it was deleted.
type endpointChange struct {
	tenant   string
	no       int64
	endpoint *event.Endpoint
	version  int64 // of the tenant's endpoints
}

// end notes that a delivery was canceled. One that an earlier write of the same commit had
// made due is not due any more.
func (e *effects) end(one endedDelivery) {
	e.due = slices.DeleteFunc(e.due, func(d store.Due) bool { return d.Tenant == one.tenant && d.Delivery.DeliveryKey == one.key })
	e.ended = append(e.ended, one)
}

// endpoint notes a new state of an endpoint, and the endpoints that its tenant has with it.
func (e *effects) endpoint(change endpointChange, set *endpointSet) {
	e.endpoints = append(e.endpoints, change)
	e.setEndpoints(change.tenant, set)
}

// setEndpoints notes the endpoints of a tenant. Those of a later write replace these.
func (e *effects) setEndpoints(tenant string, set *endpointSet) {
	if e.sets == nil {
		e.sets = map[string]*endpointSet{}
	}
	e.sets[tenant] = set
}

// add appends the effects of a later write of the same commit. The order matters: what a later
// write ends must not be told as due.
func (e *effects) add(later effects) {
	for _, one := range later.ended {
		e.end(one)
	}
	e.due = append(e.due, later.due...)
	e.filterFailures = append(e.filterFailures, later.filterFailures...)
	e.endpoints = append(e.endpoints, later.endpoints...)
	e.secrets = e.secrets || later.secrets
	e.erased = e.erased || later.erased
	for tenant, set := range later.sets {
		e.setEndpoints(tenant, set)
	}
	for _, c := range later.touched {
		e.touch(c.tenant, c.what)
	}
}

// Listen implements [store.Store]. No lock guards the field, so no write may be under way.
func (s *Store) Listen(l store.Listener) { s.listener = l }

// Watch implements [store.Store].
func (s *Store) Watch(w store.Watcher) { s.watcher = w }

// Committed is called by the engine after each commit, in the order of the commits, and
// before the writers get their answers. So whoever has an answer finds its write in effect:
// an event that is published next goes to an endpoint that was just made. First comes what
// is in memory, then the listener, and to it changed endpoints come first, because a
// delivery that became due may be for a new one. It runs on the goroutine that writes, so
// all of this must be quick and must not block.
func (s *Store) Committed(together []*Batch) {
	var all effects
	for i, b := range together {
		if i == 0 {
			all = b.effects
		} else {
			all.add(b.effects)
		}
	}
	for tenant, set := range all.sets {
		s.keepEndpoints(tenant, set)
	}
	for _, b := range together {
		s.feeds.wake(b.feed)
	}
	if all.secrets {
		s.opener.Changed()
	}
	if all.erased {
		s.erased.Store(true)
	}
	s.tell(func(l store.Listener) { all.tell(l) })
	if s.teller != nil {
		s.teller(append(all.forOthers(), s.latenessForOthers()...)...)
	}
	if s.watcher != nil {
		for _, c := range all.touched {
			s.watcher.Changed(c.tenant, c.what)
		}
	}
}

// tell tells a listener what became due, and what else it is told of.
func (e *effects) tell(l store.Listener) {
	for _, change := range e.endpoints {
		if change.endpoint == nil {
			l.EndpointDeleted(change.tenant, change.no, change.version)
		} else {
			l.EndpointChanged(change.tenant, change.endpoint, change.version)
		}
	}
	for _, one := range e.ended {
		l.Ended(one.tenant, one.key)
	}
	for _, u := range e.filterFailures {
		l.FilterFailed(u)
	}
	if len(e.due) > 0 {
		l.Due(e.due)
	}
}

// tell calls the listener. If the listener panics, the panic is logged and the writing
// continues: what it did not take stays in its table, due.
func (s *Store) tell(what func(store.Listener)) {
	if s.listener == nil {
		return
	}
	defer func() {
		if p := recover(); p != nil {
			// The writes are committed, and their callers must get their answers.
			s.log.Error("the listener of the store panicked", "panic", p, "stack", string(debug.Stack()))
		}
	}()
	what(s.listener)
}
