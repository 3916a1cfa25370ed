package core

import (
	"context"
	"slices"
	"sync"

	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/event"
	"github.com/orderhook/orderhook/internal/store"
	"github.com/orderhook/orderhook/internal/weburl"
)

// endpointSet is the endpoints of a tenant at one moment. Neither the set nor its
// endpoints are ever changed.
//
// The sets of all tenants are in memory, so that the subscribers of an event are found
// without a query. A write that changes endpoints makes a new set, which replaces the one
// in memory after the commit. If the version of the tenant's endpoints has changed before
// the commit of a write that used the set, the write is overtaken.
type endpointSet struct {
	version       int64             // grows by 1 with each change of an endpoint of the tenant; it begins with 0
	outdated      bool              // another node has made this version, and it is to be read yet; there are no endpoints
	byNo          []*event.Endpoint // the endpoint with the number No is at No-1; nil: it was deleted
	subscriptions func() *event.Subscriptions
}

// newEndpointSet returns a set. What finds the subscribers of an event is made when it is
// asked for first, and once: many sets replace each other before anybody publishes.
func newEndpointSet(version int64, byNo []*event.Endpoint) *endpointSet {
	return &endpointSet{version: version, byNo: byNo, subscriptions: sync.OnceValue(func() *event.Subscriptions {
		return event.NewSubscriptions(slices.DeleteFunc(slices.Clone(byNo), func(e *event.Endpoint) bool { return e == nil }))
	})}
}

// get returns the endpoint with a number, nil if there is none.
func (s *endpointSet) get(no int64) *event.Endpoint {
	if no < 1 || no > int64(len(s.byNo)) {
		return nil
	}
	return s.byNo[no-1]
}

// byID returns the endpoint with an id, nil if there is none. It looks at all of them: only
// writes that are about one endpoint need it.
func (s *endpointSet) byID(id string) *event.Endpoint {
	for _, e := range s.byNo {
		if e != nil && e.ID == id {
			return e
		}
	}
	return nil
}

// with returns a copy of the set with another version, and with one endpoint replaced, or
// removed if e is nil.
func (s *endpointSet) with(version, no int64, e *event.Endpoint) *endpointSet {
	// The slice is copied, since readers use the old set without a lock.
	byNo := make([]*event.Endpoint, max(int64(len(s.byNo)), no))
	copy(byNo, s.byNo)
	byNo[no-1] = e
	return newEndpointSet(version, byNo)
}

// Subscriptions implements [store.EventReader]. Within a write they are those of the
// endpoints as the write has left them.
func (q queries) Subscriptions(ctx context.Context, tenant string) (*event.Subscriptions, error) {
	set, err := q.endpointsOf(ctx, tenant)
	if err != nil {
		return nil, err
	}
	return set.subscriptions(), nil
}

// EndpointStates implements [store.EventReader]. It answers for a whole page of deliveries
// without a query for each. URLs are as every role may see them.
func (q queries) EndpointStates(ctx context.Context, tenant string) (func(no int64) store.EndpointState, error) {
	set, err := q.endpointsOf(ctx, tenant)
	if err != nil {
		return nil, err
	}
	return func(no int64) (state store.EndpointState) {
		e := set.get(no)
		if e == nil {
			return state
		}
		if e.URL != "" {
			state.URL = weburl.PublicURL(e.URL)
		}
		state.Exists, state.Enabled = true, e.Enabled
		return state
	}, nil
}

// endpointsOff returns the numbers of the endpoints that are off, as a JSON list.
func (q queries) endpointsOff(ctx context.Context, tenant string) (string, error) {
	set, err := q.endpointsOf(ctx, tenant)
	if err != nil {
		return "", err
	}
	off := []int64{}
	for at, e := range set.byNo {
		if e != nil && !e.Enabled {
			off = append(off, int64(at)+1)
		}
	}
	return jsonNumbers(off), nil
}

// endpointsOf returns the endpoints of the tenant as this write has changed them, or else
// as the last commit left them. If they are not in memory, it reads them. Of two goroutines
// that read or commit at the same time, the later version stays in memory.
func (q queries) endpointsOf(ctx context.Context, tenant string) (*endpointSet, error) {
	if q.own != nil && q.own.sets[tenant] != nil {
		return q.own.sets[tenant], nil
	}
	if set, ok := q.endpoints.Load(tenant); ok && !set.(*endpointSet).outdated {
		return set.(*endpointSet), nil
	}
	anew := q.anew.Load()
	set, err := q.readEndpoints(ctx, tenant)
	if err != nil {
		return nil, err
	}
	if q.keepEndpoints(tenant, set); anew != q.anew.Load() {
		q.endpoints.Delete(tenant) // another node may have changed them while they were read
	}
	return set, nil
}

// keepEndpoints puts a set into memory, unless a later one is there, or is known of. It is
// called by readers and by the goroutine that commits, without a lock between them: so it
// compares and swaps until one of them has won.
func (s *shared) keepEndpoints(tenant string, set *endpointSet) {
	for {
		have, there := s.endpoints.LoadOrStore(tenant, set)
		if !there || !have.(*endpointSet).before(set) || s.endpoints.CompareAndSwap(tenant, have, set) {
			return
		}
	}
}

// before reports whether the other set is to replace this one: it is of a later version, or
// of the same one, which is only known by name here (outdated).
func (s *endpointSet) before(other *endpointSet) bool {
	return s.version < other.version || s.version == other.version && s.outdated && !other.outdated
}

// readEndpoints reads the version before the endpoints. If an endpoint changes between
// the two, the version is too low, and a write that uses the set is overtaken. In the
// other order it would use old endpoints without noticing.
func (q queries) readEndpoints(ctx context.Context, tenant string) (*endpointSet, error) {
	var version int64
	err := one(ctx, q.q, []any{&version}, `SELECT coalesce(max(version), 0) FROM endpoint_sets WHERE tenant = ?`, tenant)
	if err != nil {
		return nil, err
	}
	var byNo []*event.Endpoint
	err = q.q.Query(ctx, func(r Row) error {
		var er endpointRow
		var deleted bool
		if err := r.Scan(append(er.columns(), &deleted)...); err != nil {
			return err
		}
		byNo = append(byNo, make([]*event.Endpoint, int(er.no)-len(byNo))...)
		if deleted {
			return nil
		}
		e, err := q.shared.endpoint(tenant, &er)
		byNo[er.no-1] = e
		return err
	}, `SELECT `+endpointColumns+`, deleted <> 0 FROM endpoints WHERE tenant = ? ORDER BY no`, tenant)
	return newEndpointSet(version, byNo), err
}

// dependsOn adds a check to the write: it is overtaken if the endpoints of the tenant
// have another version by then.
func (d *draft) dependsOn(tenant string, set *endpointSet) {
	if d.sets[tenant] == nil {
		d.of(tenant).lockShared(tenant, "endpoints")
		d.checkOnce(key{tenant, "endpoints"}, checkEndpoints, tenant, set.version)
	}
}

// checkEndpoints holds while the endpoints of a tenant have a version.
const checkEndpoints = `SELECT 1 WHERE coalesce((SELECT version FROM endpoint_sets WHERE tenant = ?), 0) = ?`

// putEndpoint notes the new state of an endpoint, nil for one that is deleted. The first
// change in a write raises the version of the tenant's endpoints.
func (d *draft) putEndpoint(tenant string, set *endpointSet, no int64, e *event.Endpoint) {
	version := set.version
	if d.sets[tenant] == nil {
		if d.sets == nil {
			d.sets = map[string]*endpointSet{}
		}
		version++
		d.of(tenant).lock(tenant, "endpoints")
		d.of(tenant).changeOne(`
			INSERT INTO endpoint_sets (tenant, version) VALUES (?1, ?2) ON CONFLICT (tenant) DO UPDATE SET version = ?2 WHERE endpoint_sets.version = ?2 - 1`, tenant, version)
	}
	d.sets[tenant] = set.with(version, no, e)
	d.batch.effects.endpoint(endpointChange{tenant, no, e, version}, d.sets[tenant])
}

// forget removes from memory what made a write overtaken, so that it is read again before
// the write is decided again. Without that a set that is too old would have it overtaken
// every time.
func (s *Store) forget(d *draft) {
	for k := range d.seen {
		if k.id == "endpoints" {
			s.endpoints.Delete(k.tenant)
		}
	}
	for tenant := range d.sets {
		s.endpoints.Delete(tenant)
	}
	for tenant := range d.assumed {
		s.settings.forgetNewest(tenant)
	}
}

// hasEndpoint returns [apierr.NotFound] unless the tenant has the endpoint, with this
// number and this id. The write checks again at the commit that it was not deleted
// meanwhile.
func (d *draft) hasEndpoint(ctx context.Context, tenant string, e *event.Endpoint) error {
	set, err := d.endpointsOf(ctx, tenant)
	if err != nil {
		return err
	}
	d.dependsOn(tenant, set)
	if found := set.get(e.No); found == nil || found.ID != e.ID {
		return apierr.Errorf(apierr.NotFound, "no endpoint %q", e.ID)
	}
	return nil
}
