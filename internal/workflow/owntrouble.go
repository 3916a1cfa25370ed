package workflow

import (
	"errors"

	"github.com/orderhook/orderhook/internal/outbound"
)

// putOff has a run make the same attempt again soon: this server had too little of
// something for it, which uses up no attempt. The pause is in memory alone: it is not worth
// a write.
func (e *Engine) putOff(tenant string, s snapshot, o outcome) snapshot {
	e.trouble(orderKey{tenant, s.run.OrderID}, "a step waits for this server's own trouble to pass", errors.New(o.Failure), "run", s.run.ID, "call", s.run.Position.CallID)
	s.notBefore = e.clock.Now().Add(outbound.AfterOwnTrouble())
	return s
}
