package schema_test

import (
	"fmt"
	"testing"

	"github.com/orderhook/orderhook/internal/jsondoc"
	"github.com/orderhook/orderhook/internal/run"
	"github.com/orderhook/orderhook/internal/schema"
)

// What a shape says of a field is what the checker lets pass: a value of the
// type, and no other.
func TestShapesSayWhatTheModelsTake(t *testing.T) {
	values := map[schema.ShapeType]string{schema.ShapeText: `"x"`, schema.ShapeNumber: `1.5`, schema.ShapeFlag: `true`, schema.ShapeTexts: `["x"]`, schema.ShapeList: `[]`, schema.ShapeObject: `{}`}
	each := 0
	eachShapeField(schema.OrderShape(), "%s", map[*schema.Shape]bool{}, func(f schema.ShapeField, around string) {
		each++
		body := fmt.Sprintf(around, fmt.Sprintf(`{%q:%s}`, f.Name, values[f.Type]))
		if _, warnings, err := schema.ParseOrderPatch([]byte(body)); err != nil || len(warnings) > 0 {
			t.Errorf("%s is said to be of type %d: %v, %v", body, f.Type, warnings, err)
		}
	})
	if each < 300 {
		t.Errorf("there are only %d fields", each)
	}
}

// eachShapeField visits the fields of a shape and of those below it, each shape
// once; around is a document with a place for an object of the shape.
func eachShapeField(s *schema.Shape, around string, seen map[*schema.Shape]bool, do func(f schema.ShapeField, around string)) {
	if seen[s] {
		return
	}
	seen[s] = true
	for _, f := range s.Fields {
		do(f, around)
		switch {
		case f.Of != nil && f.Type == schema.ShapeList:
			eachShapeField(f.Of, fmt.Sprintf(around, fmt.Sprintf(`{%q:[%%s]}`, f.Name)), seen, do)
		case f.Of != nil:
			eachShapeField(f.Of, fmt.Sprintf(around, fmt.Sprintf(`{%q:%%s}`, f.Name)), seen, do)
		}
	}
}

func TestShapesOnTheWireHaveTheFirstLetterRaised(t *testing.T) {
	wire := schema.OrderShape().Wire()
	for i, f := range schema.OrderShape().Fields {
		if want := string(jsondoc.NewObject(jsondoc.Pair(f.Name, nil)).PascalJSON()); `{"`+wire.Fields[i].Name+`":null}` != want {
			t.Errorf("%s is %s on the wire, want the name in %s", f.Name, wire.Fields[i].Name, want)
		}
	}
	for _, f := range wire.Fields {
		if f.Name == "OrderForm" && (f.Of.Name != "OrderFormOnTheWire" || f.Of.Fields[0].Name[0] > 'Z') {
			t.Errorf("an order form on the wire is %q with the field %q", f.Of.Name, f.Of.Fields[0].Name)
		}
	}
}

func TestEveryShapeHasANameOfItsOwn(t *testing.T) {
	names := map[string]*schema.Shape{}
	for _, root := range []*schema.Shape{schema.OrderShape(), schema.ReturnShape(), run.StepAnswerShape(), schema.ValidatorAnswerShape()} {
		eachShapeField(root, "%s", map[*schema.Shape]bool{}, func(f schema.ShapeField, _ string) {
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
