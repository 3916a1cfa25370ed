package sqlite

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
// subscribers without a query. A transaction that changes endpoints has a set
// of its own, which takes the place of the kept one once it is committed.
type endpointSet struct {
	byNo          []*oms.Endpoint // at No-1; nil: deleted
	subscriptions func() *oms.Subscriptions
}

func newEndpointSet(byNo []*oms.Endpoint) *endpointSet {
	return &endpointSet{byNo, sync.OnceValue(func() *oms.Subscriptions {
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

// with returns the set with another endpoint, or none, at a number.
func (s *endpointSet) with(no int64, e *oms.Endpoint) *endpointSet {
	byNo := make([]*oms.Endpoint, max(int64(len(s.byNo)), no))
	copy(byNo, s.byNo)
	byNo[no-1] = e
	return newEndpointSet(byNo)
}

// Subscriptions implements [store.EventReader].
func (q queries) Subscriptions(ctx context.Context, tenant string) (*oms.Subscriptions, error) {
	set, err := q.endpointsOf(ctx, tenant)
	if err != nil {
		return nil, err
	}
	return set.subscriptions(), nil
}

// endpointsOf returns the tenant's endpoints as this transaction, or else the
// last commit, left them. A set that was read meanwhile, or committed, is as
// new as the one read here, or newer.
func (q queries) endpointsOf(ctx context.Context, tenant string) (*endpointSet, error) {
	if set := q.q.endpoints(tenant); set != nil {
		return set, nil
	}
	if set, ok := q.endpoints.Load(tenant); ok {
		return set.(*endpointSet), nil
	}
	set, err := q.readEndpoints(ctx, tenant)
	if err != nil {
		return nil, err
	}
	kept, _ := q.endpoints.LoadOrStore(tenant, set)
	return kept.(*endpointSet), nil
}

func (q queries) readEndpoints(ctx context.Context, tenant string) (*endpointSet, error) {
	var byNo []*oms.Endpoint
	err := q.q.query(ctx, func(r row) error {
		var er endpointRow
		var deleted bool
		if err := r.Scan(append(er.columns(), &deleted)...); err != nil {
			return err
		}
		byNo = append(byNo, make([]*oms.Endpoint, int(er.no)-len(byNo))...)
		if deleted {
			return nil
		}
		e, err := q.endpoint(tenant, &er)
		byNo[er.no-1] = e
		return err
	}, `SELECT `+endpointColumns+`, deleted <> 0 FROM endpoints WHERE tenant = ? ORDER BY no`, tenant)
	return newEndpointSet(byNo), err
}

// hasEndpoint is [oms.NotFound] unless the tenant has the endpoint, not deleted.
func (q queries) hasEndpoint(ctx context.Context, tenant string, e *oms.Endpoint) error {
	set, err := q.endpointsOf(ctx, tenant)
	if err != nil {
		return err
	}
	if found := set.get(e.No); found == nil || found.ID != e.ID {
		return oms.Errorf(oms.NotFound, "no endpoint %q", e.ID)
	}
	return nil
}
