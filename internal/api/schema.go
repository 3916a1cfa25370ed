package api

import (
	"fmt"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/orderhook/orderhook/internal/schema"
	"github.com/orderhook/orderhook/internal/settings"
)

// Names of schemas that are made of shapes, not of Go types. Operations refer to them by
// name before they are made; a test fails where a reference leads nowhere.
const (
	orderSchema    = "Order"
	newOrderSchema = "NewOrder"
	orderPatch     = "OrderPatch"
	cartSchema     = "Cart"
	newCartSchema  = "NewCart"
	cartPatch      = "CartPatch"
	shipmentSchema = "Shipment"
	returnSchema   = "ReturnRequest"
	settingsSchema = "Settings"
	stockSchema    = "StockItem"
	amountSchema   = "Amount"
	textListSchema = "TextList"
	textsSchema    = "Texts"
)

// schemaRef refers to a schema of the document by its name.
func schemaRef(name string) *huma.Schema {
	return &huma.Schema{Ref: "#/components/schemas/" + name}
}

// modelSchemas makes the schemas of all documents. The model of an order gives three: as
// it comes in, as a patch, and as it is stored. Carts have the same fields.
func modelSchemas(s shapeSchemas) {
	s[amountSchema], s[textListSchema], s[textsSchema] = amount(), textList(), texts()
	order := schema.OrderShape()
	s[newOrderSchema] = s.document(order, "An order as it comes in. Without an id one is made; without a status it is New. Fields beyond these are kept as they are.")
	s[orderPatch] = s.patch(order, "The fields to change; those that are left out stay. null is as good as left out, unless forceUpdate names the field.")
	s[newCartSchema] = s.document(order, "A cart as it comes in. Fields beyond these are kept as they are.")
	s[cartPatch] = s.patch(order, "The fields to change, by the rules of a patch of an order.")
	s[orderSchema] = s.stored(order, "An order. A field that came in as something else than it is here is kept as it came.")
	s[cartSchema] = s.stored(order, "A cart. A field that came in as something else than it is here is kept as it came.")
	s[orderSchema].Required = append(s[orderSchema].Required, "status")
	s.add(schema.ReturnShape(), "The lines to return.")
	s.add(settings.Shape(), "The settings. Secrets are shown as ***; sent back so, the stored one stays.")
	s[stockSchema] = stockItem()
}

// shapeSchemas are schemas by their names. It is the map that Huma keeps the schemas of
// Go types in, too, so a name may stand for one thing only.
type shapeSchemas map[string]*huma.Schema

// add puts the schema of a shape among the others, under the shape's name, and
// those of the objects within.
func (all shapeSchemas) add(s *schema.Shape, description string) {
	if all[s.Name] == nil {
		// The place is taken before the fields are looked at.
		all[s.Name] = &huma.Schema{} // a shape may lead back to itself
		all[s.Name] = all.schema(s, description)
	}
}

// schema is the schema of one shape. Fields beyond the known ones are allowed, because
// documents keep what their users add (docs/contract.md#documents).
func (all shapeSchemas) schema(s *schema.Shape, description string) *huma.Schema {
	out := &huma.Schema{Type: huma.TypeObject, Description: description, AdditionalProperties: true, Properties: map[string]*huma.Schema{}}
	for _, f := range s.Fields {
		if f.Of != nil {
			all.add(f.Of, "")
		}
		p := fieldSchema(f)
		p.Description = f.Doc
		out.Properties[f.Name] = p
	}
	return out
}

// stored is the schema of a document that orderhook keeps: it has an id and
// versions. Those who read it can rely on these fields: orderhook sets them itself,
// whatever came in.
func (all shapeSchemas) stored(s *schema.Shape, description string) *huma.Schema {
	out := all.document(s, description)
	out.Properties["id"] = &huma.Schema{Type: huma.TypeString}
	out.Properties["status"] = &huma.Schema{Type: huma.TypeString}
	out.Properties["version"] = &huma.Schema{Type: huma.TypeInteger, Format: "int64", Description: "From 1, one more with each change"}
	out.Required = []string{"id", "version", "created", "modified"}
	for _, name := range []string{"created", "modified"} {
		out.Properties[name] = &huma.Schema{Type: huma.TypeString}
	}
	return out
}

// body makes the schema of a body that a handler reads by its shape, and names it. No
// field may be null, unless it is a change. A field that is not in the shape is refused, and the
// schema says so. A change may leave out every field, and null gives a field its default.
// Defaults are said in words, as in wordDefaults.
func (all shapeSchemas) body(s *schema.Shape, change bool) {
	out := &huma.Schema{Type: huma.TypeObject, AdditionalProperties: false, Properties: map[string]*huma.Schema{}}
	for _, f := range s.Fields {
		p := all.bodyField(f)
		if change {
			p = orNull(p)
		} else if f.Required {
			out.Required = append(out.Required, f.Name)
		}
		// A change has no defaults, because what it leaves out stays as it is.
		if f.Default != nil && f.Type != schema.ShapeTexts && !change {
			p.Description = strings.TrimSpace(fmt.Sprintf("%s %v if it is left out.", ended(p.Description), f.Default))
		}
		out.Properties[f.Name] = p
	}
	all[s.Name] = out
}

// bodyField is the schema of a field of such a body. What the reader checks of a field by
// itself, as the form of a time, is in Doc.
func (all shapeSchemas) bodyField(f schema.ShapeField) *huma.Schema {
	p := &huma.Schema{Type: huma.TypeString, Description: f.Doc, Format: f.Format}
	switch f.Type {
	case schema.ShapeNumber:
		p.Type, p.Format = huma.TypeNumber, "double"
	case schema.ShapeWhole:
		p.Type, p.Format = huma.TypeInteger, "int64"
	case schema.ShapeFlag:
		p.Type = huma.TypeBoolean
	case schema.ShapeTime:
		p.Format = "date-time"
	case schema.ShapeTexts:
		p.Type, p.Items = huma.TypeArray, &huma.Schema{Type: huma.TypeString, Enum: enum(f.Enum...)}
	case schema.ShapeNamed:
		p.Type, p.AdditionalProperties = huma.TypeObject, &huma.Schema{Type: huma.TypeString}
	case schema.ShapeObject:
		if f.Of != nil {
			// Two fields may have one shape, which is made once.
			if all[f.Of.Name] == nil {
				all.body(f.Of, false)
			}
			return &huma.Schema{Ref: schemaRef(f.Of.Name).Ref, Description: f.Doc}
		}
		p.Type, p.AdditionalProperties = huma.TypeObject, &huma.Schema{}
	}
	if f.Type == schema.ShapeText {
		p.Enum = enum(f.Enum...)
	}
	p.MinLength, p.MaxLength, p.MinItems, p.MaxItems = orNil(f.MinLength), orNil(f.MaxLength), orNil(f.MinItems), orNil(f.MaxItems)
	p.Minimum, p.Maximum = orNil(f.Min), orNil(f.Max)
	if f.Example != nil {
		p.Examples = []any{f.Example}
	}
	return p
}

// orNil returns nil for a limit that is none. In a shape 0 means that nothing is bounded;
// in a schema 0 would be a bound.
func orNil[T comparable](limit T) *T {
	if limit == *new(T) {
		return nil
	}
	return &limit
}

// controlDocs says of the fields of a patch that say how it is applied what
// they do (docs/contract.md#patches).
var controlDocs = map[string]string{
	"forceUpdate":                  "Fields, by path or name, whose null is meant: they are removed.",
	"keepExistingCustomProperties": "false replaces properties.",
	"keepExistingListItems":        "false replaces the lists without keys: tags, relatedOrders, externalIds, errors and other sets.",
	"keepExistingOrderLines":       "false replaces orderForm.lineItems.",
	"propertiesRemovalConditions":  "Properties to remove first, by key, and value where it is given.",
}

// patch is the schema of a change of a document. It has the fields of a document, and
// those that say how the patch is applied.
// No field is required: what a patch leaves out stays as it is.
func (all shapeSchemas) patch(s *schema.Shape, description string) *huma.Schema {
	out := all.schema(s, description)
	for _, f := range s.Fields {
		if f.Control {
			out.Properties[f.Name].Description = controlDocs[f.Name]
		}
	}
	return out
}

// document is the schema of a whole document, which has nothing that only a
// patch has.
func (all shapeSchemas) document(s *schema.Shape, description string) *huma.Schema {
	out := all.schema(s, description)
	for _, f := range s.Fields {
		if f.Control {
			// The field says how a patch is applied, and means nothing in a whole document.
			delete(out.Properties, f.Name)
		}
	}
	return out
}

// fieldSchema is the schema of a field, which may be null: a document with all
// its empty fields spelled out is a valid one. A loose field may come as something else
// than the model has, and stays so; its schema says which forms there are.
func fieldSchema(f schema.ShapeField) *huma.Schema {
	switch {
	case f.Type == schema.ShapeNumber && f.Loose:
		return schemaRef(amountSchema)
	case f.Type == schema.ShapeTexts && f.Loose:
		return schemaRef(textsSchema)
	}
	switch f.Type {
	case schema.ShapeNumber:
		return &huma.Schema{Type: huma.TypeNumber, Nullable: true}
	case schema.ShapeFlag:
		return &huma.Schema{Type: huma.TypeBoolean, Nullable: true}
	case schema.ShapeTexts:
		return &huma.Schema{Type: huma.TypeArray, Nullable: true, Items: &huma.Schema{Type: huma.TypeString}}
	case schema.ShapeList:
		s := &huma.Schema{Type: huma.TypeArray, Nullable: true, Items: &huma.Schema{}}
		if f.Of != nil {
			s.Items = schemaRef(f.Of.Name)
		}
		return s
	case schema.ShapeObject:
		if f.Of != nil {
			return &huma.Schema{AnyOf: []*huma.Schema{schemaRef(f.Of.Name), {Type: "null"}}}
		}
		return &huma.Schema{Type: huma.TypeObject, Nullable: true, AdditionalProperties: true}
	}
	if len(f.Enum) > 0 {
		return orNull(&huma.Schema{Type: huma.TypeString, Enum: enum(f.Enum...)})
	}
	return &huma.Schema{Type: huma.TypeString, Nullable: true}
}

// enum is a list of values as a schema has it; nil, which allows all, where there are
// none.
func enum(values ...string) []any {
	if len(values) == 0 {
		return nil
	}
	out := make([]any, len(values))
	for i, v := range values {
		out[i] = v
	}
	return out
}

// amount is a number of a document. The extension keeps clients that
// oapi-codegen makes from reading it as a float. Prices pass through no float on their
// way through orderhook, and should not at the client's, either.
func amount() *huma.Schema {
	return &huma.Schema{
		Description: "An exact decimal: read it as one. A number that came in as text stays text.",
		AnyOf:       []*huma.Schema{{Type: huma.TypeNumber}, {Type: huma.TypeString}, {Type: "null"}},
		Extensions:  map[string]any{"x-go-type": "json.Number"},
	}
}

// textList is a list of texts that is nothing else. It has a name of its own because
// generators of code make better types of named schemas.
func textList() *huma.Schema {
	return &huma.Schema{Type: huma.TypeArray, Items: &huma.Schema{Type: huma.TypeString}}
}

// texts is a list of texts of a document.
func texts() *huma.Schema {
	return &huma.Schema{Description: "A list of texts. One that came in as a text stays one.",
		AnyOf: []*huma.Schema{schemaRef(textListSchema), {Type: huma.TypeString}, {Type: "null"}}}
}

// stockItem is a stock item as the API shows it and events carry it. stock.StockItem has
// an exact decimal, which no Go type of Huma's would describe so.
func stockItem() *huma.Schema {
	text, number := &huma.Schema{Type: huma.TypeString}, &huma.Schema{Type: huma.TypeNumber, Description: "An exact decimal", Extensions: map[string]any{"x-go-type": "json.Number"}}
	at := &huma.Schema{Type: huma.TypeString, Format: "date-time"}
	return &huma.Schema{Type: huma.TypeObject, Description: "How much of a product variant a warehouse has to sell.",
		Properties: map[string]*huma.Schema{"id": text, "sku": text, "warehouseCode": text, "available": number,
			"version": {Type: huma.TypeInteger, Format: "int64"}, "created": at, "modified": at},
		Required: []string{"id", "sku", "warehouseCode", "available", "version", "created", "modified"}}
}
