package workflow

import "github.com/orderhook/orderhook/internal/oms"

// tellFailed stores the event of a run that ends with this transition and failed,
// so that both are durable or neither (CONTRACT.md, "Event notifications").
func (t *transition) tellFailed() error {
	if t.run == nil || !t.ended || !t.run.WorkflowFailed() {
		return nil
	}
	return t.tx.AddEvents(t.ctx, t.tenant, oms.WorkflowFailedEvent(t.run, t.order, t.now))
}
