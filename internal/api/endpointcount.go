package api

import (
	"context"
	"sync"

	"github.com/orderhook/orderhook/internal/admission"
	"github.com/orderhook/orderhook/internal/oms"
	"github.com/orderhook/orderhook/internal/store"
)

// endpointCount knows how many endpoints there are that were made through the
// API, so that their limit costs a write no query. They are counted once, when
// the first one is to be made; from then on this process makes and removes them
// all. Several processes would need a row of their own for it.
type endpointCount struct {
	limit admission.Limit

	mu      sync.Mutex
	loaded  bool
	all     int64
	tenants map[string]int64
}

// load counts what is stored. Who makes or removes an endpoint waits for it.
func (c *endpointCount) load(ctx context.Context, st store.Store) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.loaded {
		return nil
	}
	c.all, c.tenants = 0, map[string]int64{}
	err := st.EveryEndpoint(ctx, func(tenant string, e *oms.Endpoint) error {
		if e.Origin == oms.OriginAPI {
			c.all++
			c.tenants[tenant]++
		}
		return nil
	})
	c.loaded = err == nil
	return err
}

// take counts one more, before it is stored; the error names the limit that it
// would be over. Waiting does not help against that.
func (c *endpointCount) take(tenant string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.tenants[tenant] >= c.limit.PerTenant:
		return oms.Errorf(oms.Invalid, "your tenant has as many endpoints as it may have, %d (--max-endpoints)", c.limit.PerTenant)
	case c.all >= c.limit.All:
		return oms.Errorf(oms.Invalid, "there are as many endpoints as there may be of all tenants, %d (--max-endpoints)", c.limit.All)
	}
	c.all++
	c.tenants[tenant]++
	return nil
}

// giveBack counts one less: it was removed, or was not stored after all.
func (c *endpointCount) giveBack(tenant string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.all--
	if c.tenants[tenant]--; c.tenants[tenant] == 0 {
		delete(c.tenants, tenant)
	}
}
