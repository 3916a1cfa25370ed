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

	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/jsondoc"
	"github.com/orderhook/orderhook/internal/order"
	"github.com/orderhook/orderhook/internal/schema"
	"github.com/orderhook/orderhook/internal/store"
)

// Documents as the API shows them: with any fields, and numbers with all their digits.
// Each type says which schema describes it.
type (
	shownOrder       struct{ *jsondoc.Object }
	shownCart        struct{ *jsondoc.Object }
	newCartDocument  struct{ *jsondoc.Object }
	settingsDocument struct{ *jsondoc.Object }
	stockDocument    struct{ *jsondoc.Object }
	patchDocument    struct{ *jsondoc.Object }
)

// Documents in a list go out as they are stored. encodeItem finds the method text, and
// writes the stored text without parsing it.
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

// freeObject is the schema of an object of which nothing is known, as the data of an
// event.
func freeObject(description string) *huma.Schema {
	return &huma.Schema{Type: huma.TypeObject, AdditionalProperties: true, Description: description}
}

// documentAnswer is a document that has versions. Its body is the document itself,
// without a frame around it, so that what was read can be sent back. What else there is
// to say is in headers.
type documentAnswer[D any] struct {
	Status   int
	ETag     string `header:"ETag" doc:"The version, for If-Match"`
	Warnings string `header:"X-Warnings" doc:"What of the request's body is kept and not read, or was not applied: a JSON array of path and message. Only where there is something"`
	Body     D
}

// warned adds warnings to the answer: about what orderhook did not read in the body of
// the request, and about what was not applied. They are in a header, because the body of
// the answer is the document itself.
func (d *documentAnswer[D]) warned(warnings []apierr.Warning) *documentAnswer[D] {
	d.Warnings = warningsHeader(warnings)
	return d
}

// mostWarningBytes is the longest such header: proxies refuse answers with long headers.
const mostWarningBytes = 4 << 10

// warningsHeader returns the JSON of the warnings, "" if there are none. If the header
// cannot have all of them, the last one says so. The paths are those of the request's
// body, as in errors.
func warningsHeader(warnings []apierr.Warning) string {
	var list []string
	length := 0
	for _, w := range inBody(warnings) {
		one := asciiJSON(w)
		if length += len(one); length > mostWarningBytes {
			list = append(list, asciiJSON(apierr.Warning{Path: "body", Message: "and more"}))
			break
		}
		list = append(list, one)
	}
	if list == nil {
		return ""
	}
	return "[" + strings.Join(list, ",") + "]"
}

// asciiJSON is the JSON of a warning in ASCII, as the value of a header must be. What is
// beyond ASCII becomes \u escapes, which every JSON reader understands; a character
// beyond the first 65,536 becomes two of them.
func asciiJSON(w apierr.Warning) string {
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

// orderAnswer shows an order, or a version of it.
func orderAnswer(o *order.Order) *documentAnswer[shownOrder] {
	return &documentAnswer[shownOrder]{Status: http.StatusOK, ETag: etag(o.Version), Body: shownOrder{o.Doc}}
}

// documentBody describes a body that the handler reads itself, by the name of
// its schema. Such a body is described in the OpenAPI document and not read by Huma,
// which would turn its numbers into floats.
func documentBody(schema, description string, example any) *huma.RequestBody {
	return jsonBody(schemaRef(schema), description, example)
}

// jsonBody is a body that must be there, of the one content type that is read.
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

// bodyOf describes a body that the handler reads by its shape.
func bodyOf(a *api, s *schema.Shape, description string, example any) *huma.RequestBody {
	return a.describedBody(s, false, description, example)
}

// patchOf is bodyOf for a change: each field may be left out, and may be null.
func patchOf(a *api, s *schema.Shape, description string, example any) *huma.RequestBody {
	return a.describedBody(s, true, description, example)
}

// describedBody makes the schema of a shape, under its name, and a body that refers to
// it. So what is read and what is documented come from one table.
func (a *api) describedBody(s *schema.Shape, change bool, description string, example any) *huma.RequestBody {
	shapeSchemas(a.huma.OpenAPI().Components.Schemas.Map()).body(s, change)
	return documentBody(s.Name, description, example)
}

// readBody reads the request's body by its shape. The errors of single fields are
// gathered in the reader, so that a caller hears of all of them at once: handlers ask for
// the fields first, and then for Err. The error of readBody is that of a text that is no
// JSON object.
func readBody(ctx context.Context, s *schema.Shape) (*schema.ObjectReader, error) {
	doc, err := parsedBody(ctx)
	if err != nil {
		return nil, err
	}
	return schema.Read(doc, s), nil
}

// readGivenBody is readBody for a body that may be left out: {} then.
func readGivenBody(ctx context.Context, s *schema.Shape) (*schema.ObjectReader, error) {
	doc, err := givenBody(ctx)
	if err != nil {
		return nil, err
	}
	return schema.Read(doc, s), nil
}

// orNull returns a schema that also allows null. null is not added to the values of an
// enum, because then code generators would not make an enum of it.
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

// schemaOf returns the schema of a Go type, and registers it under the type's name where
// it has one.
func (a *api) schemaOf(t reflect.Type) *huma.Schema {
	return a.huma.OpenAPI().Components.Schemas.Schema(t, true, "")
}

// parsedBody is the request's body. It has the digits and the order of the text, and its
// names in camelCase. An error says where, with `body` in front.
func parsedBody(ctx context.Context) (*jsondoc.Object, error) {
	doc, err := schema.Parse(callOf(ctx).body)
	return doc, within(err)
}

// givenBody is parsedBody for a body that may be left out: {} then.
func givenBody(ctx context.Context) (*jsondoc.Object, error) {
	if len(callOf(ctx).body) == 0 {
		return &jsondoc.Object{}, nil
	}
	return parsedBody(ctx)
}
