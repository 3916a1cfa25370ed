package workflow

import (
	"github.com/orderhook/orderhook/internal/outbound"
	"github.com/orderhook/orderhook/internal/workflow/decide"
)

// StandaloneRequest returns the request that the engine would send for the run of f. It is for
// callers without a store, such as `orderhook check`. An engine goes through the same code. The
// order that is sent is f.Sent, and the settings are those that the run began with.
func StandaloneRequest(tenant string, f decide.Facts) (outbound.Request, error) {
	c, err := newCall(tenant, f.Settings, f.Run, f.Sent)
	if err != nil {
		return outbound.Request{}, err
	}
	r, _ := c.request(f.Now)
	return r, nil
}
