package rerun

import (
	"cmp"
	"slices"

	"github.com/orderhook/orderhook/internal/jsondoc"
	"github.com/orderhook/orderhook/internal/schema"
)

// inOrder returns a copy of an order or a cart whose sets, and whose lists of elements with
// keys, stand in an order of their own. By it, two documents are alike that differ in the
// order of such lists alone.
func inOrder(doc *jsondoc.Object) *jsondoc.Object {
	out := doc.Clone()
	arrange(out, schema.Order)
	return out
}

func arrange(o *jsondoc.Object, model *schema.Model) {
	for i, m := range o.Members() {
		field, known := model.Field(m.Name)
		switch v := m.Value.(type) {
		case *jsondoc.Object:
			arrange(v, field.Of)
		case []any:
			for _, e := range v {
				if e, ok := e.(*jsondoc.Object); ok {
					arrange(e, field.Of)
				}
			}
			if known {
				o.SetValue(i, arranged(v, field))
			}
		}
	}
}

// arranged returns a list in an order of its own if its order says nothing: that of a set of
// texts, and of elements of which each has a key of its own.
func arranged(list []any, field schema.Field) []any {
	if field.Kind == schema.TextList {
		return sorted(list)
	}
	if _, keyed := field.ByIdentity(list); !keyed || len(field.Keys) == 0 {
		return list
	}
	out := slices.Clone(list)
	slices.SortStableFunc(out, func(a, b any) int { return cmp.Compare(field.Identity(a), field.Identity(b)) })
	return out
}
