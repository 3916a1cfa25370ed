package api

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"strings"
	"unicode/utf16"

	"github.com/danielgtaylor/huma/v2"

	"github.com/orderhook/orderhook/internal/oms"
	"github.com/orderhook/orderhook/internal/store"
)

// Documents as the API shows them: whatever fields they have, numbers to the
// digit. Each type says which schema describes it.
type (
	shownOrder       struct{ *oms.Object }
	shownCart        struct{ *oms.Object }
	newCartDocument  struct{ *oms.Object }
	settingsDocument struct{ *oms.Object }
	stockDocument    struct{ *oms.Object }
	patchDocument    struct{ *oms.Object }
)

// Documents in a list go out as they are stored.
type (
	orderDocument struct{ store.Document }
	cartDocument  struct{ store.Document }
)

func (d orderDocument) text() string { return d.JSON }
func (d cartDocument) text() string  { return d.JSON }

// Schema implements huma.SchemaProvider.
func (orderDocument) Schema(huma.Registry) *huma.Schema { return schemaRef(orderSchema) }

// Schema implements huma.SchemaProvider.
func (cartDocument) Schema(huma.Registry) *huma.Schema { return schemaRef(cartSchema) }

// Schema implements huma.SchemaProvider.
func (shownOrder) Schema(huma.Registry) *huma.Schema { return schemaRef(orderSchema) }

// Schema implements huma.SchemaProvider.
func (shownCart) Schema(huma.Registry) *huma.Schema { return schemaRef(cartSchema) }

// Schema implements huma.SchemaProvider.
func (newCartDocument) Schema(huma.Registry) *huma.Schema { return schemaRef(newCartSchema) }

// Schema implements huma.SchemaProvider.
func (settingsDocument) Schema(huma.Registry) *huma.Schema { return schemaRef(settingsSchema) }

// Schema implements huma.SchemaProvider.
func (stockDocument) Schema(huma.Registry) *huma.Schema { return schemaRef(stockSchema) }

// Schema implements huma.SchemaProvider.
func (patchDocument) Schema(huma.Registry) *huma.Schema { return schemaRef(orderPatch) }

func freeObject(description string) *huma.Schema {
	return &huma.Schema{Type: huma.TypeObject, AdditionalProperties: true, Description: description}
}

// documentAnswer is a document that has versions.
type documentAnswer[D any] struct {
	Status   int
	ETag     string `header:"ETag" doc:"The version, for If-Match"`
	Warnings string `header:"X-Warnings" doc:"What of the request's body is kept and not read, or was not applied: a JSON array of path and message. Only where there is something"`
	Body     D
}

// warned has the answer say what of the request's body nobody reads, and what
// was not applied. It is a header, because the body is the document itself.
func (d *documentAnswer[D]) warned(warnings []oms.Warning) *documentAnswer[D] {
	d.Warnings = warningsHeader(warnings)
	return d
}

// mostWarningBytes bounds the header, since proxies refuse an answer with long ones.
const mostWarningBytes = 4 << 10

// warningsHeader is the JSON of the warnings; "" where there are none. The last
// one says so where the header has no room for all.
func warningsHeader(warnings []oms.Warning) string {
	var list []string
	length := 0
	for _, w := range inBody(warnings) {
		one := asciiJSON(w)
		if length += len(one); length > mostWarningBytes {
			list = append(list, asciiJSON(oms.Warning{Path: "body", Message: "and more"}))
			break
		}
		list = append(list, one)
	}
	if list == nil {
		return ""
	}
	return "[" + strings.Join(list, ",") + "]"
}

// asciiJSON is the JSON of a warning in ASCII, as the value of a header must be.
func asciiJSON(w oms.Warning) string {
	text, err := json.Marshal(w)
	if err != nil {
		panic(err) // two strings always have a JSON form
	}
	var b strings.Builder
	for _, r := range string(text) {
		if r < 0x7f {
			b.WriteRune(r)
			continue
		}
		for _, unit := range utf16.AppendRune(nil, r) {
			fmt.Fprintf(&b, `\u%04x`, unit)
		}
	}
	return b.String()
}

func orderAnswer(o *oms.Order) *documentAnswer[shownOrder] {
	return &documentAnswer[shownOrder]{Status: http.StatusOK, ETag: etag(o.Version), Body: shownOrder{o.Doc}}
}

// documentBody describes a body that the handler reads itself, by the name of
// its schema.
func documentBody(schema, description string, example any) *huma.RequestBody {
	return jsonBody(schemaRef(schema), description, example)
}

func jsonBody(schema *huma.Schema, description string, example any) *huma.RequestBody {
	return &huma.RequestBody{Required: true, Description: description, Content: map[string]*huma.MediaType{
		"application/json": {Schema: schema, Example: example},
	}}
}

// optionalBody makes a body one that may be left out.
func optionalBody(b *huma.RequestBody) *huma.RequestBody {
	b.Required = false
	return b
}

// bodyOf describes a body that the handler reads itself, by a struct that has
// its fields.
func bodyOf[T any](a *api, description string, example any) *huma.RequestBody {
	return jsonBody(a.schemaOf(reflect.TypeFor[T]()), description, example)
}

// patchOf is bodyOf for a change, whose schema gets a name of its own: each
// field may be left out, and may be null.
func patchOf[T any](a *api, name, description string, example any) *huma.RequestBody {
	s := huma.SchemaFromType(a.huma.OpenAPI().Components.Schemas, reflect.TypeFor[T]())
	s.Required = nil
	for field, p := range s.Properties {
		p.Default = nil
		s.Properties[field] = orNull(p)
	}
	a.huma.OpenAPI().Components.Schemas.Map()[name] = s
	return documentBody(name, description, example)
}

// orNull is a schema that null fits, too. Without a null among its values, an
// enum stays a plain one for those who generate code.
func orNull(s *huma.Schema) *huma.Schema {
	if s.Ref == "" && len(s.Enum) == 0 {
		s.Nullable = true
		return s
	}
	return &huma.Schema{Description: s.Description, AnyOf: []*huma.Schema{s, {Type: "null"}}}
}

// answerOf declares an answer with a body of a type.
func (a *api) answerOf(t reflect.Type) *huma.Response {
	return &huma.Response{Content: map[string]*huma.MediaType{"application/json": {Schema: a.schemaOf(t)}}}
}

func (a *api) schemaOf(t reflect.Type) *huma.Schema {
	return a.huma.OpenAPI().Components.Schemas.Schema(t, true, "")
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
