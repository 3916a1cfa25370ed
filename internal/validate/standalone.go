package validate

import (
	"github.com/orderhook/orderhook/internal/jsondoc"
	"github.com/orderhook/orderhook/internal/outbound"
	"github.com/orderhook/orderhook/internal/settings"
)

// StandaloneRequest is what a validator would be sent about a cart, for who has no store and
// asks what would be sent. call is the Idempotency-Key.
func StandaloneRequest(tenant string, c *settings.Connector, cart *jsondoc.Object, call string) outbound.Request {
	return request(tenant, 0, c, cart, call)
}
