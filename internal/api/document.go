package api

import (
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/orderhook/orderhook/internal/oms"
)

// document is an order, a cart or settings as the API shows it: whatever
// fields it has, numbers to the digit.
type document struct{ *oms.Object }

// Schema implements huma.SchemaProvider.
func (document) Schema(huma.Registry) *huma.Schema {
	return freeObject("A document; unknown fields are kept")
}

func freeObject(description string) *huma.Schema {
	return &huma.Schema{Type: huma.TypeObject, AdditionalProperties: true, Description: description}
}

// documentAnswer is a document that has versions.
type documentAnswer struct {
	Status int
	ETag   string `header:"ETag"`
	Body   document
}

func orderAnswer(o *oms.Order) *documentAnswer {
	return &documentAnswer{Status: http.StatusOK, ETag: etag(o.Version), Body: document{o.Doc}}
}

// documentBody describes a body that the handler reads itself.
func documentBody(description string, example any) *huma.RequestBody {
	return &huma.RequestBody{Required: true, Description: description, Content: map[string]*huma.MediaType{
		"application/json": {Schema: freeObject(description), Example: example},
	}}
}
