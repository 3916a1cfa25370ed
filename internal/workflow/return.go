package workflow

import (
	"context"

	"github.com/orderhook/orderhook/internal/oms"
)

// CreateReturn makes a return order form, sets the order Returned or
// PartiallyReturned, and begins that status's return workflow.
func (e *Engine) CreateReturn(ctx context.Context, c Caller, orderID string, r oms.ReturnRequest) (Started, error) {
	return e.start(ctx, c, func(t *transition) error {
		if err := t.read(orderID, c.IfMatch); err != nil {
			return err
		}
		id, status, err := oms.AddReturn(t.edit(), r, t.now)
		if err != nil {
			return err
		}
		t.log(oms.HistoryEntry{Category: oms.CategoryOrder, Operation: oms.OpReturned, ReturnID: id, Message: "a return was made"})
		t.setStatus(status)
		return t.enter(scope{status: status, returnID: id}, true)
	})
}
