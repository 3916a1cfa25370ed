package receiver

import (
	"context"
	"encoding/json"
	"net/http"
)

// ExportRequest is what an ExportOrder step sends (docs/contract.md#exports).
type ExportRequest struct {
	Call
	Order           Order
	ReturnOrderForm *ReturnOrderForm // nil where the step is for no return
	Shipment        *Shipment        // nil where it is for no shipment
}

// Export returns a handler for ExportOrder steps, which are one-way: each is handled once, and
// acknowledged.
func (r *Receiver) Export(name string, handle func(context.Context, *ExportRequest) error) http.Handler {
	return r.handler(func(ctx context.Context, call Call) ([]byte, error) {
		req := &ExportRequest{Call: call}
		var body struct {
			Order           *Order
			ReturnOrderForm *ReturnOrderForm
			Shipment        *Shipment
		}
		if err := json.Unmarshal(call.Body, &body); err != nil {
			return nil, unreadable(err)
		}
		if body.Order == nil {
			return nil, &StatusError{http.StatusBadRequest, "this is no export: it has no order"}
		}
		req.Order, req.ReturnOrderForm, req.Shipment = *body.Order, body.ReturnOrderForm, body.Shipment
		return r.once(ctx, name, call, func(ctx context.Context) ([]byte, error) { return nil, handle(ctx, req) })
	})
}
