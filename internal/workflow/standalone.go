package workflow

import (
	"github.com/orderhook/orderhook/internal/outbound"
	"github.com/orderhook/orderhook/internal/workflow/decide"
)

// StandaloneRequest is what an engine would send for the attempt that the run of f is at, for
// who has no store and asks what would be sent. An engine goes through the same code. The
// order that is sent is f.Sent, and the settings are those that the run began with.
func StandaloneRequest(tenant string, f decide.Facts) (outbound.Request, error) {
	c, err := newCall(tenant, f.Settings, f.Run, f.Sent)
	if err != nil {
		return outbound.Request{}, err
	}
	r, _ := c.request(f.Now)
	return r, nil
}
