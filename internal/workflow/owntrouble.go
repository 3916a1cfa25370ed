package workflow

import (
	"cmp"
	"errors"
	"math/rand/v2"

	"github.com/orderhook/orderhook/internal/fair"
)

// errOwnTrouble tells a breaker that an attempt says nothing of the endpoint.
var errOwnTrouble = errors.New("the attempt met this server's own trouble")

// putOff has a run make the same attempt again soon: this server had too little of
// something for it, which uses up no attempt.
func (e *Engine) putOff(tenant string, h held, o outcome) held {
	e.trouble(orderKey{tenant, h.run.OrderID}, "a step waits for this server's own trouble to pass", errors.New(o.failure), "run", h.run.ID, "call", h.run.Position.CallID)
	h.later = e.clock.Now().Add(again + rand.N(again))
	return h
}

// caller is by whom outgoing calls are shared.
func (c *call) caller(tenant string) fair.Key {
	if con := c.target.Connector; con != nil {
		return fair.Key{Tenant: tenant, Member: cmp.Or(con.ConnectorID, con.Host)}
	}
	return fair.Key{Tenant: tenant, Member: c.target.URL}
}
