package core

import (
	"runtime/debug"
	"slices"

	"github.com/orderhook/orderhook/internal/oms"
	"github.com/orderhook/orderhook/internal/store"
)

// news is what the listener is told of a write, or of all that are committed
// together, and the endpoints as they are after it.
type news struct {
	due       []store.Due
	ended     []endedDelivery
	unjudged  []store.Unjudged
	endpoints []endpointChange
	sets      map[string]*endpointSet // by tenant
	secrets   bool                    // some may have been removed, retired, or taken into use again
	touched   []touched
}

// touched is what of a tenant a write changed.
type touched struct {
	tenant string
	what   oms.Topics
}

// touch notes that something of a tenant changed. A write is of one tenant, but
// for the clearing up.
func (n *news) touch(tenant string, what oms.Topics) {
	for i := range n.touched {
		if n.touched[i].tenant == tenant {
			n.touched[i].what |= what
			return
		}
	}
	n.touched = append(n.touched, touched{tenant, what})
}

// endedDelivery is one that was canceled.
type endedDelivery struct {
	tenant string
	key    oms.DeliveryKey
}

// endpointChange is an endpoint's new state; nil: it was deleted.
type endpointChange struct {
	tenant   string
	no       int64
	endpoint *oms.Endpoint
}

// end notes a delivery that was canceled: it is due no more.
func (n *news) end(one endedDelivery) {
	n.due = slices.DeleteFunc(n.due, func(d store.Due) bool { return d.Tenant == one.tenant && d.Delivery.DeliveryKey == one.key })
	n.ended = append(n.ended, one)
}

func (n *news) endpoint(change endpointChange, set *endpointSet) {
	n.endpoints = append(n.endpoints, change)
	n.setEndpoints(change.tenant, set)
}

func (n *news) setEndpoints(tenant string, set *endpointSet) {
	if n.sets == nil {
		n.sets = map[string]*endpointSet{}
	}
	n.sets[tenant] = set
}

// add adds the news of a later write.
func (n *news) add(later news) {
	for _, e := range later.ended {
		n.end(e)
	}
	n.due = append(n.due, later.due...)
	n.unjudged = append(n.unjudged, later.unjudged...)
	n.endpoints = append(n.endpoints, later.endpoints...)
	n.secrets = n.secrets || later.secrets
	for tenant, set := range later.sets {
		n.setEndpoints(tenant, set)
	}
	for _, c := range later.touched {
		n.touch(c.tenant, c.what)
	}
}

// Listen implements [store.Store].
func (s *Store) Listen(l store.Listener) { s.listener = l }

// Watch implements [store.Store].
func (s *Store) Watch(w store.Watcher) { s.watcher = w }

// Committed puts what was committed together into effect, in memory, and tells
// the listener. The engine calls it in the order of the commits, before it answers.
// The endpoints come first, for what is due may be new ones'.
func (s *Store) Committed(together []*Batch) {
	var all news
	for i, b := range together {
		if i == 0 {
			all = b.news
		} else {
			all.add(b.news)
		}
	}
	for tenant, set := range all.sets {
		s.keepEndpoints(tenant, set)
	}
	if all.secrets {
		s.opener.Changed()
	}
	s.tell(func(l store.Listener) { all.tell(l) })
	if s.watcher != nil {
		for _, c := range all.touched {
			s.watcher.Changed(c.tenant, c.what)
		}
	}
}

// tell tells a listener what became due, and what else it is told of.
func (n *news) tell(l store.Listener) {
	for _, change := range n.endpoints {
		if change.endpoint == nil {
			l.EndpointDeleted(change.tenant, change.no)
		} else {
			l.EndpointChanged(change.tenant, change.endpoint)
		}
	}
	for _, e := range n.ended {
		l.Ended(e.tenant, e.key)
	}
	for _, u := range n.unjudged {
		l.Unjudged(u)
	}
	if len(n.due) > 0 {
		l.Due(n.due)
	}
}

// tell tells the listener something. If it panics, what is due stays in its
// table, and the writes go on.
func (s *Store) tell(what func(store.Listener)) {
	if s.listener == nil {
		return
	}
	defer func() {
		if p := recover(); p != nil {
			s.log.Error("the listener of the store panicked", "panic", p, "stack", string(debug.Stack()))
		}
	}()
	what(s.listener)
}
