package api

import (
	"github.com/danielgtaylor/huma/v2"

	"github.com/orderhook/orderhook/internal/oms"
	"github.com/orderhook/orderhook/internal/settings"
)

// Names of schemas that are made of shapes, not of Go types.
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

func schemaRef(name string) *huma.Schema {
	return &huma.Schema{Ref: "#/components/schemas/" + name}
}

// modelSchemas makes the schemas of all documents.
func modelSchemas(s shapeSchemas) {
	s[amountSchema], s[textListSchema], s[textsSchema] = amount(), textList(), texts()
	order := oms.OrderShape()
	s[newOrderSchema] = s.document(order, "An order as it comes in. Without an id one is made; without a status it is New. Fields beyond these are kept as they are.")
	s[orderPatch] = s.patch(order, "The fields to change; those that are left out stay. null is as good as left out, unless forceUpdate names the field.")
	s[newCartSchema] = s.document(order, "A cart as it comes in. Fields beyond these are kept as they are.")
	s[cartPatch] = s.patch(order, "The fields to change, by the rules of a patch of an order.")
	s[orderSchema] = s.stored(order, "An order. A field that came in as something else than it is here is kept as it came.")
	s[cartSchema] = s.stored(order, "A cart. A field that came in as something else than it is here is kept as it came.")
	s[orderSchema].Required = append(s[orderSchema].Required, "status")
	s.add(oms.ReturnShape(), "The lines to return.")
	s.add(settings.Shape(), "The settings. Secrets are shown as ***; sent back so, the stored one stays.")
	s[stockSchema] = stockItem()
}

// shapeSchemas are schemas by their names.
type shapeSchemas map[string]*huma.Schema

// add puts the schema of a shape among the others, under the shape's name, and
// those of the objects within.
func (all shapeSchemas) add(s *oms.Shape, description string) {
	if all[s.Name] == nil {
		all[s.Name] = &huma.Schema{} // a shape may lead back to itself
		all[s.Name] = all.schema(s, description)
	}
}

func (all shapeSchemas) schema(s *oms.Shape, description string) *huma.Schema {
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
// versions.
func (all shapeSchemas) stored(s *oms.Shape, description string) *huma.Schema {
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

// controlDocs says of the fields of a patch that say how it is applied what
// they do (CONTRACT.md, "Patch").
var controlDocs = map[string]string{
	"forceUpdate":                  "Fields, by path or name, whose null is meant: they are removed.",
	"keepExistingCustomProperties": "false replaces properties.",
	"keepExistingListItems":        "false replaces the lists without keys: tags, relatedOrders, externalIds, errors and other sets.",
	"keepExistingOrderLines":       "false replaces orderForm.lineItems.",
	"propertiesRemovalConditions":  "Properties to remove first, by key, and value where it is given.",
}

// patch is the schema of a change of a document.
func (all shapeSchemas) patch(s *oms.Shape, description string) *huma.Schema {
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
func (all shapeSchemas) document(s *oms.Shape, description string) *huma.Schema {
	out := all.schema(s, description)
	for _, f := range s.Fields {
		if f.Control {
			delete(out.Properties, f.Name)
		}
	}
	return out
}

// fieldSchema is the schema of a field, which may be null: a document with all
// its empty fields spelled out is a valid one.
func fieldSchema(f oms.ShapeField) *huma.Schema {
	switch {
	case f.Type == oms.ShapeNumber && f.Loose:
		return schemaRef(amountSchema)
	case f.Type == oms.ShapeTexts && f.Loose:
		return schemaRef(textsSchema)
	}
	switch f.Type {
	case oms.ShapeNumber:
		return &huma.Schema{Type: huma.TypeNumber, Nullable: true}
	case oms.ShapeFlag:
		return &huma.Schema{Type: huma.TypeBoolean, Nullable: true}
	case oms.ShapeTexts:
		return &huma.Schema{Type: huma.TypeArray, Nullable: true, Items: &huma.Schema{Type: huma.TypeString}}
	case oms.ShapeList:
		s := &huma.Schema{Type: huma.TypeArray, Nullable: true, Items: &huma.Schema{}}
		if f.Of != nil {
			s.Items = schemaRef(f.Of.Name)
		}
		return s
	case oms.ShapeObject:
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

func enum(values ...string) []any {
	out := make([]any, len(values))
	for i, v := range values {
		out[i] = v
	}
	return out
}

// amount is a number of a document. The extension keeps clients that
// oapi-codegen makes from reading it as a float.
func amount() *huma.Schema {
	return &huma.Schema{
		Description: "An exact decimal: read it as one. A number that came in as text stays text.",
		AnyOf:       []*huma.Schema{{Type: huma.TypeNumber}, {Type: huma.TypeString}, {Type: "null"}},
		Extensions:  map[string]any{"x-go-type": "json.Number"},
	}
}

func textList() *huma.Schema {
	return &huma.Schema{Type: huma.TypeArray, Items: &huma.Schema{Type: huma.TypeString}}
}

// texts is a list of texts of a document.
func texts() *huma.Schema {
	return &huma.Schema{Description: "A list of texts. One that came in as a text stays one.",
		AnyOf: []*huma.Schema{schemaRef(textListSchema), {Type: huma.TypeString}, {Type: "null"}}}
}

// stockItem is a stock item as the API shows it and events carry it.
func stockItem() *huma.Schema {
	text, number := &huma.Schema{Type: huma.TypeString}, &huma.Schema{Type: huma.TypeNumber, Description: "An exact decimal", Extensions: map[string]any{"x-go-type": "json.Number"}}
	at := &huma.Schema{Type: huma.TypeString, Format: "date-time"}
	return &huma.Schema{Type: huma.TypeObject, Description: "How much of a product variant a warehouse has to sell.",
		Properties: map[string]*huma.Schema{"id": text, "sku": text, "warehouseCode": text, "available": number,
			"version": {Type: huma.TypeInteger, Format: "int64"}, "created": at, "modified": at},
		Required: []string{"id", "sku", "warehouseCode", "available", "version", "created", "modified"}}
}
