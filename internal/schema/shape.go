package schema

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/orderhook/orderhook/internal/jsondoc"
	"github.com/orderhook/orderhook/internal/spelling"
)

// Shape is the schema of one noun: what is known of one kind of object. Whoever
// reads such objects ([Read]) and whoever describes them to others go by the same
// shape, so a description cannot differ from the code. The shapes of documents are
// made from the models that those are read by, and allow fields beyond their own;
// the shapes of bodies are tables, and what they do not have is refused.
type Shape struct {
	Name   string // as LineItem; no two shapes share one
	Noun   string // as messages name it, as "an endpoint"; "" for documents
	Fields []ShapeField
}

// ShapeField is one known field. null is as good as absent in all of them. Limits, form and
// hint are about values; what a field is for, Doc says to readers of the API.
type ShapeField struct {
	Name string
	Type ShapeType
	Of   *Shape   // the object, or the elements of the list; nil: anything
	Enum []string // the values of a text, or of the texts of a list, that has no others; in documents in any letter case
	Limits
	Required bool
	Hint     string                 // what a message adds where a field is needed and not there
	Form     string                 // how a message says what a number, or a text of a list, must be; "" where the limits say it
	Each     func(text string) bool // reports whether a text of a list is as Form says; nil takes all
	Blank    bool                   // "" is as good as absent, though it is none of Enum
	Default  any                    // what an [ObjectReader] returns where the field is left out
	Example  any
	Format   string // of a text, as "uri"
	// Loose fields are stored as they come where they are of another type
	// (docs/contract.md#documents).
	Loose bool
	// Control fields say how a patch is applied; no document that is stored has them.
	Control bool
	Doc     string // what the name alone does not say; "" if it says it all
}

// Limits bound a field's value; what is 0 bounds nothing. Messages and the OpenAPI document
// tell them.
type Limits struct {
	MinLength, MaxLength int     // of a text, in characters
	MinItems, MaxItems   int     // of a list
	Min, Max             float64 // of a number
}

// ShapeType is the JSON type of a field.
type ShapeType int

// The types of fields.
const (
	ShapeText   ShapeType = iota
	ShapeNumber           // an exact decimal
	ShapeFlag             // true or false
	ShapeTexts            // a list of texts
	ShapeList
	ShapeObject
	ShapeWhole  // a whole number
	ShapeTime   // a point in time, as text
	ShapeNamed  // texts by name: an object, or a list of objects with key and value
	ShapeAmount // a number, or a text that says one in units
)

// String names what a value of the type must be, as messages do.
func (t ShapeType) String() string {
	return [...]string{"text", "a number", "true or false", "a list of texts", "a list", "an object", "a number", "text", "an object",
		"a number, or text such as 10MiB or 1024/256"}[t]
}

// fits reports whether a value is of the type; of a list, whatever it holds.
func (t ShapeType) fits(v any) (ok bool) {
	switch t {
	case ShapeText, ShapeTime:
		_, ok = v.(string)
	case ShapeNumber, ShapeWhole:
		_, ok = v.(jsondoc.Number)
	case ShapeFlag:
		_, ok = v.(bool)
	case ShapeTexts, ShapeList:
		_, ok = v.([]any)
	case ShapeObject:
		_, ok = v.(*jsondoc.Object)
	case ShapeNamed:
		_, isList := v.([]any)
		_, isObject := v.(*jsondoc.Object)
		ok = isList || isObject
	case ShapeAmount:
		_, isText := v.(string)
		_, isNumber := v.(jsondoc.Number)
		ok = isText || isNumber
	}
	return ok
}

// modelNames are the names of the models as others see them. One that is not
// here has the name of the first that it is a field of, and the field's. Clients that are
// made from the OpenAPI document depend on them.
var modelNames = map[*Model]string{
	Order: "Order", OrderForm: "OrderForm", orderLineModel: "OrderLine", Shipment: "Shipment",
	returnFormModel: "ReturnOrderForm", paymentModel: "Payment", Address: "Address", Property: "Property",
	commentModel: "Note", externalIDModel: "ExternalId", assetModel: "Asset", entityErrorModel: "OrderError",
	discountModel: "Discount", contactPersonModel: "ContactPerson", groupModel: "OrderGroup", chargeModel: "Charge",
	StepAnswer: "StepAnswer", StepResult: "StepAnswerResult", Validation: "ValidatorAnswer", validationErrorModel: "ValidatorMessage",
	Return: "ReturnRequest",
}

// ShapeOf is the shape of a model. Fields stand in it in the order of their names.
func ShapeOf(m *Model) *Shape { return shapes{}.of(m, "") }

// OrderShape is an order, a cart, and a patch of either.
func OrderShape() *Shape { return ShapeOf(Order) }

// ReturnShape is the body that asks for a return.
func ReturnShape() *Shape { return ShapeOf(Return) }

// ValidatorAnswerShape is what a validator may answer (docs/contract.md#validators).
func ValidatorAnswerShape() *Shape { return ShapeOf(Validation) }

// Field returns the field of a name, nil if there is none.
func (s *Shape) Field(name string) *ShapeField {
	for i := range s.Fields {
		if s.Fields[i].Name == name {
			return &s.Fields[i]
		}
	}
	return nil
}

// Named returns the field that a member's name stands for, in any letter case; nil
// if there is none. Bodies have few fields, so they are gone through.
func (s *Shape) Named(name string) *ShapeField {
	for i := range s.Fields {
		if spelling.SameField(s.Fields[i].Name, name) {
			return &s.Fields[i]
		}
	}
	return nil
}

// Names lists the fields.
func (s *Shape) Names() []string {
	out := make([]string, len(s.Fields))
	for i, f := range s.Fields {
		out[i] = f.Name
	}
	return out
}

// mostListed is how many fields a message lists.
const mostListed = 10

// NoField says that a name is no field of a noun. Every message about a field that is refused
// because nobody knows it begins so, those of the settings too, which know more of what would
// happen without it.
func NoField(noun string) string { return "is no field of " + noun }

// Unknown says that a name is no field, and what may be meant by it. Few fields are listed;
// many would only hide what is wrong.
func (s *Shape) Unknown(name string) string {
	known, message := s.Names(), NoField(s.Noun)
	switch meant := spelling.Nearest(name, known); {
	case meant != "":
		return message + "; is " + meant + " meant?"
	case len(known) <= mostListed:
		return message + "; there are " + strings.Join(known, ", ")
	}
	return message
}

// shapes remembers the shape of each model, since models name one another.
type shapes map[*Model]*Shape

// of returns the shape of a model. It is remembered before its fields are, since a model
// may lead back to itself. otherwise is its name if modelNames has none.
func (all shapes) of(m *Model, otherwise string) *Shape {
	if m == nil {
		return nil
	}
	if s, ok := all[m]; ok {
		return s
	}
	s := &Shape{Name: cmp.Or(modelNames[m], otherwise)}
	all[m] = s
	for _, name := range slices.Sorted(maps.Keys(m.Fields)) {
		f := m.Fields[name]
		s.Fields = append(s.Fields, ShapeField{Name: name, Type: f.Kind.shapeType(), Of: all.of(f.Of, s.Name+jsondoc.Raised(name)), Loose: !f.must, Control: f.Control})
	}
	return s
}

// shapeType returns the type that others are told. Where the model says no more than that there
// is an object or a list, the shape does not either.
func (t FieldType) shapeType() ShapeType {
	switch t {
	case Number:
		return ShapeNumber
	case boolean:
		return ShapeFlag
	case TextList:
		return ShapeTexts
	case AnyList, ModelList:
		return ShapeList
	case anyObject, ModelObject:
		return ShapeObject
	}
	return ShapeText
}

// Wire returns the shape as requests to workflow steps spell it: each name has
// its first letter raised, at every depth (docs/contract.md#requests). The shape itself
// stays as it is.
func (s *Shape) Wire() *Shape { return s.wire(map[*Shape]*Shape{}) }

// wire is Wire with the shapes that are done already, to which others may lead back.
func (s *Shape) wire(done map[*Shape]*Shape) *Shape {
	if s == nil {
		return nil
	}
	if w, ok := done[s]; ok {
		return w
	}
	w := &Shape{Name: s.Name + "OnTheWire"}
	done[s] = w
	for _, f := range s.Fields {
		f.Name, f.Of = jsondoc.Raised(f.Name), f.Of.wire(done)
		w.Fields = append(w.Fields, f)
	}
	return w
}
