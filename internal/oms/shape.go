package oms

import (
	"cmp"
	"maps"
	"slices"
)

// Shape is what is known of one kind of object, for whoever describes
// documents to others. The shapes of this package are made from the models
// that documents are read by, so a description cannot differ from the code.
// Every shape allows fields beyond its own.
type Shape struct {
	Name   string // as LineItem; no two shapes share one
	Fields []ShapeField
}

// ShapeField is one known field. null is as good as absent in all of them.
type ShapeField struct {
	Name string
	Type ShapeType
	Of   *Shape   // the object, or the elements of the list; nil: anything
	Enum []string // the values of a text that has no others, in any letter case
	// Loose fields are kept as they come where they are of another type
	// (CONTRACT.md, "Names").
	Loose bool
	// Control fields say how a patch is applied; no document that is kept has them.
	Control bool
	Doc     string // what the name alone does not say; "" if it says it all
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
)

// modelNames are the names of the models as others see them. One that is not
// here has the name of the first that it is a field of, and the field's.
var modelNames = map[*model]string{
	orderModel: "Order", orderFormModel: "OrderForm", orderLineModel: "OrderLine", shipmentModel: "Shipment",
	returnFormModel: "ReturnOrderForm", paymentModel: "Payment", addressModel: "Address", propertyModel: "Property",
	commentModel: "Note", externalIDModel: "ExternalId", assetModel: "Asset", entityErrorModel: "OrderError",
	discountModel: "Discount", contactPersonModel: "ContactPerson", groupModel: "OrderGroup", chargeModel: "Charge",
	answerModel: "StepAnswer", resultModel: "StepAnswerResult", validationModel: "ValidatorAnswer", validationErrorModel: "ValidatorMessage",
	returnModel: "ReturnRequest",
}

// OrderShape is an order, a cart, and a patch of either.
func OrderShape() *Shape { return shapes{}.of(orderModel, "") }

// ReturnShape is the body that asks for a return.
func ReturnShape() *Shape { return shapes{}.of(returnModel, "") }

// StepAnswerShape is what an endpoint may answer to a workflow step
// (order-workflow-step.txt, "Building Your Webhook Endpoint").
func StepAnswerShape() *Shape {
	s := shapes{}.of(answerModel, "")
	s.Field("orderPatch").Of = OrderShape()
	s.Field("orderActionExecutionResults").Of.Field("actionStatus").Enum = []string{string(ActionSuccess), string(ActionWarning), string(ActionError)}
	return s
}

// ValidatorAnswerShape is what a validator may answer (cart-validator.txt,
// "Response — what your endpoint must return").
func ValidatorAnswerShape() *Shape { return shapes{}.of(validationModel, "") }

// Field returns the field of a name, nil if there is none.
func (s *Shape) Field(name string) *ShapeField {
	for i := range s.Fields {
		if s.Fields[i].Name == name {
			return &s.Fields[i]
		}
	}
	return nil
}

// shapes remembers the shape of each model, since models name one another.
type shapes map[*model]*Shape

func (all shapes) of(m *model, otherwise string) *Shape {
	if m == nil {
		return nil
	}
	if s, ok := all[m]; ok {
		return s
	}
	s := &Shape{Name: cmp.Or(modelNames[m], otherwise)}
	all[m] = s
	for _, name := range slices.Sorted(maps.Keys(m.fields)) {
		f := m.fields[name]
		s.Fields = append(s.Fields, ShapeField{Name: name, Type: f.kind.shape(), Of: all.of(f.of, s.Name+raised(name)), Loose: !f.must, Control: f.control})
	}
	return s
}

func (t fieldType) shape() ShapeType {
	switch t {
	case number:
		return ShapeNumber
	case boolean:
		return ShapeFlag
	case textList:
		return ShapeTexts
	case anyList, modelList:
		return ShapeList
	case anyObject, modelObject:
		return ShapeObject
	}
	return ShapeText
}

// Wire returns the shape as requests to workflow steps spell it: each name has
// its first letter raised, at every depth (CONTRACT.md, "Request").
func (s *Shape) Wire() *Shape { return s.wire(map[*Shape]*Shape{}) }

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
		f.Name, f.Of = raised(f.Name), f.Of.wire(done)
		w.Fields = append(w.Fields, f)
	}
	return w
}
