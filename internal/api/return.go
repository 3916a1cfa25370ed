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
	return a.answerResult(ctx, started, wait, http.StatusCreated)
}
