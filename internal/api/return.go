package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/orderhook/orderhook/internal/oms"
)

func returns(a *api) {
	example := map[string]any{"lineItems": []any{map[string]any{"lineItemId": "1", "returnQuantity": 1, "returnReason": "Too small"}}, "returnComment": "Sent back in its box"}
	handle(a, oms.Publisher, huma.Operation{OperationID: "create-return", Method: http.MethodPost, Path: "/api/orders/{id}/returns", Tags: []string{"Orders"},
		Summary: "Return lines of an order and run the return workflow", DefaultStatus: http.StatusCreated,
		Description: "The order becomes Returned when nothing that was bought is left, else PartiallyReturned. 201 with the workflow's result; 202 when it is not done within `wait`.",
		RequestBody: documentBody(returnSchema, "The lines to return", example)}, a.createReturn)
	handle(a, oms.Publisher, huma.Operation{OperationID: "cancel-return", Method: http.MethodPost, Path: "/api/orders/{id}/returns/{returnId}/cancel", Tags: []string{"Orders"},
		Summary: "Cancel a return, so that its quantities can be returned again", DefaultStatus: http.StatusOK,
		Description: "The form stays, with the status Cancelled. A run of the return that goes on is superseded. An order that is Returned or PartiallyReturned " +
			"gets the status that its other returns give it, or the one from before its returns; no workflow runs. 409 for a return that is cancelled already."}, a.cancelReturn)
}

// cancelReturn answers as createReturn does; no workflow runs.
func (a *api) cancelReturn(ctx context.Context, in *struct {
	OrderID
	OnceParams
	MatchParams
	ReturnID string `path:"returnId"`
}) (*resultAnswer, error) {
	started, err := a.Engine.CancelReturn(ctx, a.caller(ctx, in.OnceParams, in.MatchParams), in.ID, in.ReturnID)
	if err != nil {
		return nil, err
	}
	out, err := a.answerResult(ctx, started, 0, http.StatusOK)
	if err == nil {
		out.Body.ReturnID = in.ReturnID
	}
	return out, err
}

func (a *api) createReturn(ctx context.Context, in *struct {
	OrderID
	OnceParams
	MatchParams
	WaitParams
}) (*resultAnswer, error) {
	wait, err := in.duration()
	if err != nil {
		return nil, err
	}
	doc, err := oms.Parse(callOf(ctx).body)
	if err != nil {
		return nil, within(err)
	}
	request, err := oms.ParseReturn(doc)
	if err != nil {
		return nil, within(err)
	}
	started, err := a.Engine.CreateReturn(ctx, a.caller(ctx, in.OnceParams, in.MatchParams), in.ID, request)
	if err != nil {
		return nil, within(err)
	}
	out, err := a.answerResult(ctx, started, wait, http.StatusCreated)
	if err == nil {
		out.Body.Warnings = inBody(request.Warnings)
	}
	return out, err
}
