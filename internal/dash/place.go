package dash

import (
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/jsondoc"
	"github.com/orderhook/orderhook/internal/schema"
	"github.com/orderhook/orderhook/internal/settings"
)

// place is where an object stands in the settings, as the API's warnings name it:
// orderTypes[0].orderStatuses[1].workflowSteps[2]. The last index may be a +, for one that is
// to be added. The empty place is the whole document. A page of the settings has it in
// its URL, so that one form serves every kind of object. It holds for one version of the
// settings alone: in another one something else may stand there.
type place []placeStep

// placeStep is one list on the way, and the position in it.
type placeStep struct {
	list  string
	index int // isNew: it is to be added
}

// isNew is the index of an element that is to be added.
const isNew = -1

// settingsShape says which fields the settings have, and what they are for.
var settingsShape = settings.Shape()

// placeText is one step of a place as a text.
var placeText = regexp.MustCompile(`^([a-zA-Z]+)\[(\d{1,6}|\+)\]$`)

// parsePlace reads the place of an object that has a form of its own. It refuses what the
// settings have no list for, and what has no form, so that whoever changes the URL gets a
// 404 and no strange form. Whether something stands at the place, find says.
func parsePlace(text string) (p place, err error) {
	if text == "" {
		return nil, nil
	}
	for part := range strings.SplitSeq(text, ".") {
		m := placeText.FindStringSubmatch(part)
		if m == nil || nouns[m[1]] == "" || p.isNew() {
			return nil, apierr.Errorf(apierr.NotFound, "the settings have no place %q", text)
		}
		step := placeStep{list: m[1], index: isNew}
		if m[2] != "+" {
			step.index, _ = strconv.Atoi(m[2])
		}
		p = append(p, step)
	}
	if p.shape() == nil {
		return nil, apierr.Errorf(apierr.NotFound, "the settings have no place %q", text)
	}
	return p, nil
}

// String is the place as parsePlace reads it.
func (p place) String() string {
	var b strings.Builder
	for i, step := range p {
		if i > 0 {
			b.WriteByte('.')
		}
		b.WriteString(step.list + "[")
		if step.index == isNew {
			b.WriteByte('+')
		} else {
			b.WriteString(strconv.Itoa(step.index))
		}
		b.WriteByte(']')
	}
	return b.String()
}

// at is the place of an object within the one at this place. The place itself stays as it
// is: a copy is appended to.
func (p place) at(list string, index int) place {
	return append(slices.Clone(p), placeStep{list, index})
}

// isNew reports whether the object is to be added.
func (p place) isNew() bool { return len(p) > 0 && p[len(p)-1].index == isNew }

// list is the name of the list that the object stands in; "" for the document.
func (p place) list() string {
	if len(p) == 0 {
		return ""
	}
	return p[len(p)-1].list
}

// returns reports whether the object is part of what is for returns.
func (p place) returns() bool { return len(p) > 0 && p[0].list == "returnStatuses" }

// shape describes the object that belongs here; nil if nothing does. It is the shape that
// the settings are read by, so the form has every field that they take.
func (p place) shape() *schema.Shape {
	s := settingsShape
	for _, step := range p {
		f := s.Field(step.list)
		if f == nil || f.Type != schema.ShapeList || f.Of == nil {
			return nil
		}
		s = f.Of
	}
	return s
}

// edit is the path of the page that edits what is at the place. The empty place is the
// whole document, which is edited as JSON.
func (p place) edit() string { return with(&url.URL{Path: "/workflows/edit"}, "at", p.String()) }

// remove is the path of the page that takes away what is at the place.
func (p place) remove() string { return with(&url.URL{Path: "/workflows/remove"}, "at", p.String()) }

// parent returns the object that holds the list which the place is in. The place must not
// be empty. What is returned is a part of doc, so a change of it changes doc.
func (p place) parent(doc *jsondoc.Object) (*jsondoc.Object, error) {
	o := doc
	for _, step := range p[:len(p)-1] {
		list := o.List(step.list)
		if step.index < 0 || step.index >= len(list) {
			return nil, p.gone()
		}
		var ok bool
		if o, ok = list[step.index].(*jsondoc.Object); !ok {
			return nil, p.gone()
		}
	}
	return o, nil
}

// gone is the error of a place that was there when the form was opened: somebody has removed it,
// or what is around it, since.
func (p place) gone() error {
	return apierr.Errorf(apierr.NotFound, "the settings have nothing at %s", p)
}

// find returns the object at the place: an empty one where it is to be added. It is a
// part of doc, and is not to be changed.
func (p place) find(doc *jsondoc.Object) (*jsondoc.Object, error) {
	if len(p) == 0 {
		return doc, nil
	}
	in, err := p.parent(doc)
	if err != nil {
		return nil, err
	}
	last := p[len(p)-1]
	if last.index == isNew {
		return jsondoc.NewObject(), nil
	}
	if list := in.List(last.list); last.index < len(list) {
		if o, ok := list[last.index].(*jsondoc.Object); ok {
			return o, nil
		}
	}
	return nil, p.gone()
}

// around returns a document that holds nothing but an object at this place, for what has to
// know where in the settings the object stands. As an example, whether a value is a
// secret depends on where its list stands.
func (p place) around(o *jsondoc.Object) *jsondoc.Object {
	for _, step := range slices.Backward(p) {
		o = jsondoc.NewObject(jsondoc.Member{Name: step.list, Value: []any{o}})
	}
	return o
}

// size is how many elements the list has that the place is in.
func (p place) size(doc *jsondoc.Object) int {
	in, err := p.parent(doc)
	if err != nil {
		return 0
	}
	return len(in.List(p.list()))
}

// put returns a copy of the document with an object at the place, which is the position
// in its list where that is not negative. A nil object takes away what is there. The
// position moves the object within its list: first it is taken out of where it was, and
// then put in.
func (p place) put(doc, o *jsondoc.Object, position int) (*jsondoc.Object, error) {
	if len(p) == 0 {
		return o, nil
	}
	doc = doc.Clone()
	in, err := p.parent(doc)
	if err != nil {
		return nil, err
	}
	last := p[len(p)-1]
	list := in.List(last.list)
	if last.index >= len(list) {
		return nil, p.gone()
	}
	if last.index != isNew {
		list = slices.Delete(list, last.index, last.index+1)
	}
	if o != nil {
		if position < 0 {
			position = last.index
		}
		if position < 0 || position > len(list) {
			position = len(list)
		}
		list = slices.Insert(list, position, any(o))
	}
	in.Set(last.list, list)
	return doc, nil
}
