package api

import (
	"context"
	"sync"

	"github.com/orderhook/orderhook/internal/admission"
	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/event"
	"github.com/orderhook/orderhook/internal/nodes"
	"github.com/orderhook/orderhook/internal/store"
)

// endpointCount counts the endpoints that were made through the API, so that a write
// needs no query to check their limit. They are counted when the first one is to be made,
// and again when another node has made or removed one. So the limit may be exceeded by what
// several nodes make at the same moment.
//
// A caller takes one before its write, and gives it back if the endpoint was not stored;
// so what is under way is counted, too. The endpoints of the config file and of exports
// do not count, because no caller can make many of those.
type endpointCount struct {
	limit admission.Limit
	node  *nodes.Node

	// mu guards what follows. It is held while the endpoints are counted, so that they
	// are counted once.
	mu      sync.Mutex
	loaded  bool
	heard   uint64 // how often others had changed endpoints when they were counted
	all     int64
	tenants map[string]int64
}

// load counts what is stored. Requests that make or remove an endpoint wait for it. If it
// fails, the next caller counts again. The number of changes is read before the counting,
// so that a change by another node during it has the next caller count once more.
func (c *endpointCount) load(ctx context.Context, st store.Store) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	heard := c.node.Times(nodes.Endpoint)
	if c.loaded && c.heard == heard {
		return nil
	}
	c.all, c.tenants = 0, map[string]int64{}
	err := st.EveryEndpoint(ctx, func(tenant string, e *event.Endpoint, _ int64) error {
		if e.Origin == event.OriginAPI {
			c.all++
			c.tenants[tenant]++
		}
		return nil
	})
	c.loaded, c.heard = err == nil, heard
	return err
}

// take counts one more endpoint, before it is stored. If that would be over a limit, the
// error names the limit; waiting does not help then. load must have been called before.
func (c *endpointCount) take(tenant string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.tenants[tenant] >= c.limit.PerTenant:
		return apierr.Errorf(apierr.Invalid, "your tenant has as many endpoints as it may have, %d (--max-endpoints)", c.limit.PerTenant)
	case c.all >= c.limit.All:
		return apierr.Errorf(apierr.Invalid, "there are as many endpoints as there may be of all tenants, %d (--max-endpoints)", c.limit.All)
	}
	c.all++
	c.tenants[tenant]++
	return nil
}

// giveBack counts one less, because it was removed, or was not stored.
func (c *endpointCount) giveBack(tenant string) { c.add(tenant, -1) }

// add counts so many more, or less, whatever the limit: they are stored, or removed, already.
// A tenant without endpoints has no entry, so that the map does not grow with the tenants
// that there ever were.
func (c *endpointCount) add(tenant string, more int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.all += more
	if c.tenants[tenant] += more; c.tenants[tenant] == 0 {
		delete(c.tenants, tenant)
	}
}
