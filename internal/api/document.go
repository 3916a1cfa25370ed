package api

import (
	"context"
	"net/http"
	"reflect"

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

// optionalBody is documentBody for a body that may be left out.
func optionalBody(description string, example any) *huma.RequestBody {
	b := documentBody(description, example)
	b.Required = false
	return b
}

// bodyOf describes a body that the handler reads itself, by a struct that has
// its fields.
func bodyOf[T any](a *api, description string, example any) *huma.RequestBody {
	b := documentBody(description, example)
	b.Content["application/json"].Schema = a.huma.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[T](), true, "")
	return b
}

// patchOf is bodyOf for a change: each field may be left out, and may be null.
func patchOf[T any](a *api, description string, example any) *huma.RequestBody {
	b := documentBody(description, example)
	s := huma.SchemaFromType(a.huma.OpenAPI().Components.Schemas, reflect.TypeFor[T]())
	s.Required = nil
	for _, p := range s.Properties {
		p.Nullable = p.Ref == ""
		if len(p.Enum) > 0 {
			p.Enum = append(p.Enum, nil)
		}
	}
	b.Content["application/json"].Schema = s
	return b
}

// parsedBody is the request's body.
func parsedBody(ctx context.Context) (*oms.Object, error) {
	doc, err := oms.Parse(callOf(ctx).body)
	return doc, within(err)
}

// givenBody is parsedBody for a body that may be left out: {} then.
func givenBody(ctx context.Context) (*oms.Object, error) {
	if len(callOf(ctx).body) == 0 {
		return &oms.Object{}, nil
	}
	return parsedBody(ctx)
}
