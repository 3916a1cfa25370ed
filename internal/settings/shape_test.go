package settings

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/orderhook/orderhook/internal/oms"
)

// wrongFor is a value that each type of field refuses, and what is said then.
var wrongFor = map[oms.ShapeType][]string{
	oms.ShapeText: {`1`, "text", "a duration", "a time"}, oms.ShapeNumber: {`"1"`, "a number"}, oms.ShapeFlag: {`"x"`, "true or false"},
	oms.ShapeTexts: {`"x"`, "a list of"}, oms.ShapeList: {`"x"`, "a list of objects", "a list of conditions"}, oms.ShapeObject: {`"x"`, "an object"},
}

// The shape is what others are told of the settings; the parser must read each
// field as the type that the shape gives it.
func TestTheShapeIsWhatIsRead(t *testing.T) {
	eachField(Shape(), nil, func(way []oms.ShapeField) {
		f := way[len(way)-1]
		if f.Name == "implementations" && way[len(way)-2].Name == "workflowSteps" {
			return // kept and shown, and read by nobody
		}
		value, path := wrongFor[f.Type][0], ""
		for i, step := range slices.Backward(way) {
			value = fmt.Sprintf(`{%q:%s}`, step.Name, value)
			path = strings.TrimSuffix(step.Name+"."+path, ".")
			if i > 0 && way[i-1].Type == oms.ShapeList {
				value, path = "["+value+"]", "[0]."+path
			}
		}
		path = strings.ReplaceAll(path, ".[", "[")
		if !says(value, path, wrongFor[f.Type][1:]) {
			t.Errorf("%s: a value of another type is taken: %s", path, value)
		}
	})
}

func eachField(s *oms.Shape, way []oms.ShapeField, do func([]oms.ShapeField)) {
	for _, f := range s.Fields {
		here := append(slices.Clone(way), f)
		if do(here); f.Of != nil {
			eachField(f.Of, here, do)
		}
	}
}

func says(document, path string, any []string) bool {
	doc, err := oms.Parse([]byte(document))
	if err != nil {
		return false
	}
	_, _, err = Parse(doc)
	e, _ := errors.AsType[*oms.Error](err)
	return e != nil && slices.ContainsFunc(e.Fields, func(f oms.FieldError) bool {
		return f.Location == path && slices.ContainsFunc(any, func(what string) bool { return strings.Contains(f.Message, what) })
	})
}
