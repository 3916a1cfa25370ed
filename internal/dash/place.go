package dash

import (
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/orderhook/orderhook/internal/oms"
	"github.com/orderhook/orderhook/internal/settings"
)

// place is where an object stands in the settings, as the API's warnings name it:
// orderTypes[0].orderStatuses[1].workflowSteps[2]. The last index may be a +, for one that is
// to be added. The empty place is the whole document.
type place []placeStep

type placeStep struct {
	list  string
	index int // isNew: it is to be added
}

const isNew = -1

// settingsShape says which fields the settings have, and what they are for.
var settingsShape = settings.Shape()

var placeText = regexp.MustCompile(`^([a-zA-Z]+)\[(\d{1,6}|\+)\]$`)

// parsePlace reads the place of an object that has a form of its own.
func parsePlace(text string) (p place, err error) {
	if text == "" {
		return nil, nil
	}
	for part := range strings.SplitSeq(text, ".") {
		m := placeText.FindStringSubmatch(part)
		if m == nil || nouns[m[1]] == "" || p.isNew() {
			return nil, oms.Errorf(oms.NotFound, "the settings have no place %q", text)
		}
		step := placeStep{list: m[1], index: isNew}
		if m[2] != "+" {
			step.index, _ = strconv.Atoi(m[2])
		}
		p = append(p, step)
	}
	if p.shape() == nil {
		return nil, oms.Errorf(oms.NotFound, "the settings have no place %q", text)
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

// at is the place of an object within the one at this place.
func (p place) at(list string, index int) place {
	return append(slices.Clone(p), placeStep{list, index})
}

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

// shape describes the object that belongs here; nil if nothing does.
func (p place) shape() *oms.Shape {
	s := settingsShape
	for _, step := range p {
		f := s.Field(step.list)
		if f == nil || f.Type != oms.ShapeList || f.Of == nil {
			return nil
		}
		s = f.Of
	}
	return s
}

// edit is the path of the page that edits what is at the place.
func (p place) edit() string { return with(&url.URL{Path: "/workflows/edit"}, "at", p.String()) }

// remove is the path of the page that takes away what is at the place.
func (p place) remove() string { return with(&url.URL{Path: "/workflows/remove"}, "at", p.String()) }

// parent returns the object that holds the list which the place is in.
func (p place) parent(doc *oms.Object) (*oms.Object, error) {
	o := doc
	for _, step := range p[:len(p)-1] {
		list := o.List(step.list)
		if step.index < 0 || step.index >= len(list) {
			return nil, p.gone()
		}
		var ok bool
		if o, ok = list[step.index].(*oms.Object); !ok {
			return nil, p.gone()
		}
	}
	return o, nil
}

func (p place) gone() error {
	return oms.Errorf(oms.NotFound, "the settings have nothing at %s", p)
}

// find returns the object at the place: an empty one where it is to be added.
func (p place) find(doc *oms.Object) (*oms.Object, error) {
	if len(p) == 0 {
		return doc, nil
	}
	in, err := p.parent(doc)
	if err != nil {
		return nil, err
	}
	last := p[len(p)-1]
	if last.index == isNew {
		return oms.NewObject(), nil
	}
	if list := in.List(last.list); last.index < len(list) {
		if o, ok := list[last.index].(*oms.Object); ok {
			return o, nil
		}
	}
	return nil, p.gone()
}

// size is how many elements the list has that the place is in.
func (p place) size(doc *oms.Object) int {
	in, err := p.parent(doc)
	if err != nil {
		return 0
	}
	return len(in.List(p.list()))
}

// put returns a copy of the document with an object at the place, which is the position
// in its list where that is not negative. A nil object takes away what is there.
func (p place) put(doc, o *oms.Object, position int) (*oms.Object, error) {
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
