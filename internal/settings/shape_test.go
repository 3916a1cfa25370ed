package settings

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/schema"
)

// wrongFor is a value that each type of field refuses, and what is said then.
var wrongFor = map[schema.ShapeType][]string{
	schema.ShapeText: {`1`, "text", "a duration", "a time"}, schema.ShapeNumber: {`"1"`, "a number"}, schema.ShapeFlag: {`"x"`, "true or false"},
	schema.ShapeTexts: {`"x"`, "a list of"}, schema.ShapeList: {`"x"`, "a list of objects", "a list of conditions"}, schema.ShapeObject: {`"x"`, "an object"},
}

// The shape is what others are told of the settings; the parser must read each
// field as the type that the shape gives it.
func TestTheShapeIsWhatIsRead(t *testing.T) {
	eachField(Shape(), nil, func(way []schema.ShapeField) {
		f := way[len(way)-1]
		if f.Name == "implementations" && way[len(way)-2].Name == "workflowSteps" {
			return // stored and shown, and read by nobody
		}
		value, path := wrongFor[f.Type][0], ""
		for i, step := range slices.Backward(way) {
			value = fmt.Sprintf(`{%q:%s}`, step.Name, value)
			path = strings.TrimSuffix(step.Name+"."+path, ".")
			if i > 0 && way[i-1].Type == schema.ShapeList {
				value, path = "["+value+"]", "[0]."+path
			}
		}
		path = strings.ReplaceAll(path, ".[", "[")
		if !says(value, path, wrongFor[f.Type][1:]) {
			t.Errorf("%s: a value of another type is taken: %s", path, value)
		}
	})
}

func eachField(s *schema.Shape, way []schema.ShapeField, do func([]schema.ShapeField)) {
	for _, f := range s.Fields {
		here := append(slices.Clone(way), f)
		if do(here); f.Of != nil {
			eachField(f.Of, here, do)
		}
	}
}

func says(document, path string, any []string) bool {
	doc, err := schema.Parse([]byte(document))
	if err != nil {
		return false
	}
	_, _, err = Parse(doc)
	e, _ := errors.AsType[*apierr.Error](err)
	return e != nil && slices.ContainsFunc(e.Fields, func(f apierr.FieldError) bool {
		return f.Location == path && slices.ContainsFunc(any, func(what string) bool { return strings.Contains(f.Message, what) })
	})
}
