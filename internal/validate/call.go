package validate

import (
	"github.com/orderhook/orderhook/internal/attempt"
	"github.com/orderhook/orderhook/internal/jsondoc"
	"github.com/orderhook/orderhook/internal/outbound"
	"github.com/orderhook/orderhook/internal/settings"
)

// request is the call of one validator: the cart in camelCase, bare or in an
// envelope (docs/contract.md#validators). version is that of the settings. They say which
// secrets the call may have. call names the request in the attempts log.
func request(tenant string, version int64, c *settings.Connector, cart *jsondoc.Object, call string) outbound.Request {
	body := cart.JSON()
	if c.WrapsRequest {
		body = jsondoc.NewObject(jsondoc.Member{Name: "cart", Value: cart}).JSON()
	}
	// The connector decides credentials, headers and the time that the call may take.
	r := outbound.ToConnector(tenant, settings.Target{URL: c.Host, Connector: c}, nil, version)
	r.Kind, r.Body, r.IdempotencyKey = attempt.KindValidator, body, call
	return r
}

// record is the call as the attempts log has it. It has the cart's id, by which it is
// found; a cart that is not stored may have none.
func record(c *settings.Connector, cart *jsondoc.Object, call string, x outbound.Exchange, failure string) *attempt.Attempt {
	a := x.Record(attempt.KindValidator, failure)
	a.CallID, a.ConnectorID, a.CartID = call, c.ConnectorID, cart.Text("id")
	return a
}
