package sqlite

import (
	"runtime/debug"
	"slices"

	"github.com/orderhook/orderhook/internal/oms"
	"github.com/orderhook/orderhook/internal/store"
)

// changes is what the listener is told of a write, or of all of a group, and
// the endpoints as they are after it. A write that is undone takes its own along.
type changes struct {
	due       []store.Due
	ended     []endedDelivery
	unjudged  []store.Unjudged
	endpoints []endpointChange
	sets      map[string]*endpointSet // by tenant
	secrets   bool                    // some may have been removed, retired, or taken into use again
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
func (c *changes) end(one endedDelivery) {
	c.due = slices.DeleteFunc(c.due, func(d store.Due) bool { return d.Tenant == one.tenant && d.Delivery.DeliveryKey == one.key })
	c.ended = append(c.ended, one)
}

func (c *changes) putEndpoint(tenant string, set *endpointSet, e *oms.Endpoint) {
	c.endpoint(endpointChange{tenant, e.No, e}, set)
}

func (c *changes) deleteEndpoint(tenant string, set *endpointSet, no int64) {
	c.endpoint(endpointChange{tenant, no, nil}, set)
}

func (c *changes) endpoint(change endpointChange, set *endpointSet) {
	c.endpoints = append(c.endpoints, change)
	c.setEndpoints(change.tenant, set.with(change.no, change.endpoint))
}

func (c *changes) setEndpoints(tenant string, set *endpointSet) {
	if c.sets == nil {
		c.sets = map[string]*endpointSet{}
	}
	c.sets[tenant] = set
}

// add adds the changes of one write to those of its group.
func (c *changes) add(one changes) {
	for _, e := range one.ended {
		c.end(e)
	}
	c.due = append(c.due, one.due...)
	c.unjudged = append(c.unjudged, one.unjudged...)
	c.endpoints = append(c.endpoints, one.endpoints...)
	c.secrets = c.secrets || one.secrets
	for tenant, set := range one.sets {
		c.setEndpoints(tenant, set)
	}
}

// Listen implements [store.Store].
func (db *DB) Listen(l store.Listener) { db.listener = l }

// committed puts a group's changes into effect, in memory, and tells the
// listener. The endpoints come first, for what is due may be new ones'.
func (s *shared) committed(c changes) {
	for tenant, set := range c.sets {
		s.endpoints.Store(tenant, set)
	}
	if c.secrets {
		s.opener.Changed()
	}
	if s.listener == nil {
		return
	}
	defer func() {
		if p := recover(); p != nil { // what is due stays in its table; the writer must go on
			s.log.Error("the listener of the store panicked", "panic", p, "stack", string(debug.Stack()))
		}
	}()
	for _, change := range c.endpoints {
		if change.endpoint == nil {
			s.listener.EndpointDeleted(change.tenant, change.no)
		} else {
			s.listener.EndpointChanged(change.tenant, change.endpoint)
		}
	}
	for _, e := range c.ended {
		s.listener.Ended(e.tenant, e.key)
	}
	for _, u := range c.unjudged {
		s.listener.Unjudged(u)
	}
	if len(c.due) > 0 {
		s.listener.Due(c.due)
	}
}
