package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/orderhook/orderhook/internal/access"
	"github.com/orderhook/orderhook/internal/order"
	"github.com/orderhook/orderhook/internal/schema"
)

// returns registers the operations on the returns of an order (docs/contract.md#returns).
// A publisher may call both, since a shop takes its customers' returns.
func returns(a *api) {
	example := map[string]any{"lineItems": []any{map[string]any{"lineItemId": "1", "returnQuantity": 1, "returnReason": "Too small"}}, "returnComment": "Sent back in its box"}
	handle(a, access.Publisher, huma.Operation{OperationID: "create-return", Method: http.MethodPost, Path: "/api/orders/{id}/returns", Tags: []string{"Orders"},
		Summary: "Return lines of an order and run the return workflow", DefaultStatus: http.StatusCreated,
		Description: "The order becomes Returned when nothing that was bought is left, else PartiallyReturned. 201 with the workflow's result; 202 when it is not done within `wait`.",
		RequestBody: documentBody(returnSchema, "The lines to return", example)}, a.createReturn)
	handle(a, access.Publisher, huma.Operation{OperationID: "cancel-return", Method: http.MethodPost, Path: "/api/orders/{id}/returns/{returnId}/cancel", Tags: []string{"Orders"},
		Summary: "Cancel a return, so that its quantities can be returned again", DefaultStatus: http.StatusOK,
		Description: "The form stays, with the status Cancelled. A run of the return that goes on is superseded. An order that is Returned or PartiallyReturned " +
			"gets the status that its other returns give it, or the one from before its returns; no workflow runs. 409 for a return that is cancelled already."}, a.cancelReturn)
}

// cancelReturn answers as createReturn does; no workflow runs. With a wait of 0 the
// answer is the order as the cancellation left it: there is no run to wait for.
func (a *api) cancelReturn(ctx context.Context, in *struct {
	OrderID
	OnceParams
	MatchParams
	ReturnID string `path:"returnId"`
}) (*resultAnswer, error) {
	// The engine checks within its write that the return is there and not cancelled yet.
	c := a.caller(ctx, in.OnceParams)
	c.IfMatch = version(in.IfMatch)
	started, err := a.Engine.CancelReturn(ctx, c, in.ID, in.ReturnID)
	if err != nil {
		return nil, err
	}
	// The answer names the return, as that of a new one does.
	out, err := a.answerResult(ctx, started, 0, http.StatusOK)
	if err == nil {
		out.Body.ReturnID = in.ReturnID
	}
	return out, err
}

// createReturn makes a return, and runs the return workflow. The caller waits for the
// run, up to the time that it gave. The quantities are checked within the write, so two
// returns at the same moment cannot take more than was bought.
func (a *api) createReturn(ctx context.Context, in *struct {
	OrderID
	OnceParams
	MatchParams
	WaitParams
}) (*resultAnswer, error) {
	// A wait that is no duration is refused before anything is stored.
	wait, err := in.duration()
	if err != nil {
		return nil, err
	}
	// The body is read by hand, because a return has numbers that must keep their digits.
	doc, err := schema.Parse(callOf(ctx).body)
	if err != nil {
		return nil, within(err)
	}
	request, err := order.ParseReturn(doc)
	if err != nil {
		return nil, within(err)
	}
	c := a.caller(ctx, in.OnceParams)
	c.IfMatch = version(in.IfMatch)
	started, err := a.Engine.CreateReturn(ctx, c, in.ID, request)
	if err != nil {
		return nil, within(err)
	}
	// Warnings are about the request, and so are part of the answer to it alone.
	out, err := a.answerResult(ctx, started, wait, http.StatusCreated)
	if err == nil {
		out.Body.Warnings = inBody(request.Warnings)
	}
	return out, err
}
