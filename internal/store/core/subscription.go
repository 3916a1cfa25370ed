package core

import (
	"context"
	"slices"
	"sync"

	"github.com/orderhook/orderhook/internal/oms"
)

// endpointSet is a tenant's endpoints as they were at one moment. It is never
// changed; nor are its endpoints.
//
// The sets of all tenants are kept in memory, so that an event finds its
// subscribers without a query. A write that changes endpoints has a set of its
// own, which takes the place of the kept one once it is committed. A write that
// rests on a set is overtaken if the tenant's endpoints have another version by
// then.
type endpointSet struct {
	version       int64           // one more at each change of an endpoint of the tenant; 0 before the first
	byNo          []*oms.Endpoint // at No-1; nil: deleted
	subscriptions func() *oms.Subscriptions
}

func newEndpointSet(version int64, byNo []*oms.Endpoint) *endpointSet {
	return &endpointSet{version, byNo, sync.OnceValue(func() *oms.Subscriptions {
		return oms.NewSubscriptions(slices.DeleteFunc(slices.Clone(byNo), func(e *oms.Endpoint) bool { return e == nil }))
	})}
}

// get returns an endpoint, nil if there is none of that number.
func (s *endpointSet) get(no int64) *oms.Endpoint {
	if no < 1 || no > int64(len(s.byNo)) {
		return nil
	}
	return s.byNo[no-1]
}

// byID returns an endpoint, nil if there is none of that id.
func (s *endpointSet) byID(id string) *oms.Endpoint {
	for _, e := range s.byNo {
		if e != nil && e.ID == id {
			return e
		}
	}
	return nil
}

// with returns the set of another version, with another endpoint, or none, at a
// number.
func (s *endpointSet) with(version, no int64, e *oms.Endpoint) *endpointSet {
	byNo := make([]*oms.Endpoint, max(int64(len(s.byNo)), no))
	copy(byNo, s.byNo)
	byNo[no-1] = e
	return newEndpointSet(version, byNo)
}

// Subscriptions implements [store.EventReader].
func (q queries) Subscriptions(ctx context.Context, tenant string) (*oms.Subscriptions, error) {
	set, err := q.endpointsOf(ctx, tenant)
	if err != nil {
		return nil, err
	}
	return set.subscriptions(), nil
}

// EndpointURLs implements [store.EventReader].
func (q queries) EndpointURLs(ctx context.Context, tenant string) (func(no int64) string, error) {
	set, err := q.endpointsOf(ctx, tenant)
	if err != nil {
		return nil, err
	}
	return func(no int64) string {
		if e := set.get(no); e != nil && e.URL != "" {
			return oms.PublicURL(e.URL)
		}
		return ""
	}, nil
}

// endpointsOf returns the tenant's endpoints as this write, or else the last
// commit, left them. Of two that are committed, or read, at the same time the
// later version is kept.
func (q queries) endpointsOf(ctx context.Context, tenant string) (*endpointSet, error) {
	if q.own != nil && q.own.sets[tenant] != nil {
		return q.own.sets[tenant], nil
	}
	if set, ok := q.endpoints.Load(tenant); ok {
		return set.(*endpointSet), nil
	}
	set, err := q.readEndpoints(ctx, tenant)
	if err != nil {
		return nil, err
	}
	q.keepEndpoints(tenant, set)
	return set, nil
}

// keepEndpoints keeps a set unless a later one is kept.
func (s *shared) keepEndpoints(tenant string, set *endpointSet) {
	for {
		have, there := s.endpoints.LoadOrStore(tenant, set)
		if !there || have.(*endpointSet).version >= set.version || s.endpoints.CompareAndSwap(tenant, have, set) {
			return
		}
	}
}

// readEndpoints reads the version first: a change meanwhile makes what rests on
// the set overtaken, and not wrong.
func (q queries) readEndpoints(ctx context.Context, tenant string) (*endpointSet, error) {
	var version int64
	err := one(ctx, q.q, []any{&version}, `SELECT coalesce(max(version), 0) FROM endpoint_sets WHERE tenant = ?`, tenant)
	if err != nil {
		return nil, err
	}
	var byNo []*oms.Endpoint
	err = q.q.Query(ctx, func(r Row) error {
		var er endpointRow
		var deleted bool
		if err := r.Scan(append(er.columns(), &deleted)...); err != nil {
			return err
		}
		byNo = append(byNo, make([]*oms.Endpoint, int(er.no)-len(byNo))...)
		if deleted {
			return nil
		}
		e, err := q.shared.endpoint(tenant, &er)
		byNo[er.no-1] = e
		return err
	}, `SELECT `+endpointColumns+`, deleted <> 0 FROM endpoints WHERE tenant = ? ORDER BY no`, tenant)
	return newEndpointSet(version, byNo), err
}

// rests has a write be overtaken if a tenant's endpoints are not those of a set
// any more.
func (d *draft) rests(tenant string, set *endpointSet) {
	if d.sets[tenant] == nil {
		d.checkOnce(key{tenant, "endpoints"}, checkEndpoints, tenant, set.version)
	}
}

const checkEndpoints = `SELECT 1 WHERE coalesce((SELECT version FROM endpoint_sets WHERE tenant = ?), 0) = ?`

// putEndpoint notes an endpoint's new state, nil for one that is deleted. The
// first change of a write gives the tenant's endpoints their next version.
func (d *draft) putEndpoint(tenant string, set *endpointSet, no int64, e *oms.Endpoint) {
	version := set.version
	if d.sets[tenant] == nil {
		if d.sets == nil {
			d.sets = map[string]*endpointSet{}
		}
		version++
		d.of(tenant).changeOne(`
			INSERT INTO endpoint_sets (tenant, version) VALUES (?1, ?2) ON CONFLICT DO UPDATE SET version = ?2 WHERE version = ?2 - 1`, tenant, version)
	}
	d.sets[tenant] = set.with(version, no, e)
	d.batch.news.endpoint(endpointChange{tenant, no, e}, d.sets[tenant])
}

// forget has what a write was overtaken at be read anew.
func (s *Store) forget(d *draft) {
	for k := range d.seen {
		if k.id == "endpoints" {
			s.endpoints.Delete(k.tenant)
		}
	}
	for tenant := range d.sets {
		s.endpoints.Delete(tenant)
	}
}

// hasEndpoint is [oms.NotFound] unless the tenant has the endpoint, not deleted,
// which must be so when the write is committed.
func (d *draft) hasEndpoint(ctx context.Context, tenant string, e *oms.Endpoint) error {
	set, err := d.endpointsOf(ctx, tenant)
	if err != nil {
		return err
	}
	d.rests(tenant, set)
	if found := set.get(e.No); found == nil || found.ID != e.ID {
		return oms.Errorf(oms.NotFound, "no endpoint %q", e.ID)
	}
	return nil
}
