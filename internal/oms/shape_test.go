package oms

import (
	"fmt"
	"testing"
)

// What a shape says of a field is what the checker lets pass: a value of the
// type, and no other.
func TestShapesSayWhatTheModelsTake(t *testing.T) {
	values := map[ShapeType]string{ShapeText: `"x"`, ShapeNumber: `1.5`, ShapeFlag: `true`, ShapeTexts: `["x"]`, ShapeList: `[]`, ShapeObject: `{}`}
	each := 0
	eachShapeField(OrderShape(), "%s", map[*Shape]bool{}, func(f ShapeField, around string) {
		each++
		body := fmt.Sprintf(around, fmt.Sprintf(`{%q:%s}`, f.Name, values[f.Type]))
		if _, warnings, err := ParseOrderPatch([]byte(body)); err != nil || len(warnings) > 0 {
			t.Errorf("%s is said to be of type %d: %v, %v", body, f.Type, warnings, err)
		}
	})
	if each < 300 {
		t.Errorf("there are only %d fields", each)
	}
}

// eachShapeField visits the fields of a shape and of those below it, each shape
// once; around is a document with a place for an object of the shape.
func eachShapeField(s *Shape, around string, seen map[*Shape]bool, do func(f ShapeField, around string)) {
	if seen[s] {
		return
	}
	seen[s] = true
	for _, f := range s.Fields {
		do(f, around)
		switch {
		case f.Of != nil && f.Type == ShapeList:
			eachShapeField(f.Of, fmt.Sprintf(around, fmt.Sprintf(`{%q:[%%s]}`, f.Name)), seen, do)
		case f.Of != nil:
			eachShapeField(f.Of, fmt.Sprintf(around, fmt.Sprintf(`{%q:%%s}`, f.Name)), seen, do)
		}
	}
}

func TestShapesOnTheWireHaveTheFirstLetterRaised(t *testing.T) {
	wire := OrderShape().Wire()
	for i, f := range OrderShape().Fields {
		if want := string(appendName(nil, f.Name, true)); `"`+wire.Fields[i].Name+`"` != want {
			t.Errorf("%s is %s on the wire, want %s", f.Name, wire.Fields[i].Name, want)
		}
	}
	for _, f := range wire.Fields {
		if f.Name == "OrderForm" && (f.Of.Name != "OrderFormOnTheWire" || f.Of.Fields[0].Name[0] > 'Z') {
			t.Errorf("an order form on the wire is %q with the field %q", f.Of.Name, f.Of.Fields[0].Name)
		}
	}
}

func TestEveryShapeHasANameOfItsOwn(t *testing.T) {
	names := map[string]*Shape{}
	for _, root := range []*Shape{OrderShape(), ReturnShape(), StepAnswerShape(), ValidatorAnswerShape()} {
		eachShapeField(root, "%s", map[*Shape]bool{}, func(f ShapeField, _ string) {
			if f.Of == nil {
				return
			}
			if other := names[f.Of.Name]; f.Of.Name == "" || other != nil && len(other.Fields) != len(f.Of.Fields) {
				t.Errorf("%s: %q is the name of two shapes, or none", f.Name, f.Of.Name)
			}
			names[f.Of.Name] = f.Of
		})
	}
}
