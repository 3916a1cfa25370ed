package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/orderhook/orderhook/internal/access"
	"github.com/orderhook/orderhook/internal/rerun"
)

// calls registers the operation that shows a recorded call with all that its answer was
// decided by (docs/building-an-endpoint.md#rerun).
func calls(a *api) {
	handle(a, access.Reader, huma.Operation{OperationID: "get-call", Method: http.MethodGet, Path: "/api/attempts/{id}/call", Tags: []string{"Attempts"},
		Summary: "Read a request with all that its answer was decided by", Errors: []int{http.StatusConflict},
		Description: "Enough to make the call again anywhere, without effect, and to say what would have come of another answer. `orderhook rerun` and `orderhook ci` do that."}, a.getCall)
}

// callDocument is a recorded call as the API shows it: as in the files of `orderhook ci`.
type callDocument struct{ *rerun.Call }

// MarshalJSON implements json.Marshaler.
func (d callDocument) MarshalJSON() ([]byte, error) { return d.Text() }

// Schema implements huma.SchemaProvider. The schema has a name, by which generated clients
// call the type.
func (callDocument) Schema(r huma.Registry) *huma.Schema {
	text := func(about string) *huma.Schema { return &huma.Schema{Type: huma.TypeString, Description: about} }
	r.Map()[callSchema] = &huma.Schema{Type: huma.TypeObject, AdditionalProperties: true,
		Description: "A recorded call. Its form is that of the files of `orderhook ci`, and `format` counts its versions",
		Required:    []string{"format", "id", "kind", "request", "answer"},
		Properties: map[string]*huma.Schema{
			"format":    {Type: huma.TypeInteger, Description: "1"},
			"id":        text("The attempt's id"),
			"kind":      {Type: huma.TypeString, Enum: []any{"step", "return", "validator", "event"}},
			"request":   freeObject("What was sent, without secrets"),
			"step":      freeObject("Of a workflow step: its configuration, and the order as it was sent"),
			"validator": freeObject("Of a validator: the cart as it was sent"),
			"event":     freeObject("Of a delivery"),
			"answer":    freeObject("What came back"),
			"decision":  freeObject("What became of the answer. Absent where that is not on record any more"),
		}}
	return schemaRef(callSchema)
}

// callSchema is the name of the schema of a recorded call.
const callSchema = "RecordedCall"

type callAnswer struct{ Body callDocument }

// getCall reads the call of an attempt; 409 for a replay, which repeats the call of another
// attempt, for one of a shadow, which decided nothing, and for one whose body was erased.
func (a *api) getCall(ctx context.Context, in *AttemptID) (*callAnswer, error) {
	at, err := a.Store.Attempt(ctx, tenantOf(ctx), in.ID)
	if err != nil {
		return nil, err
	}
	call, err := rerun.Recorded(ctx, a.Store, tenantOf(ctx), at)
	if err != nil {
		return nil, err
	}
	return &callAnswer{callDocument{call}}, nil
}
