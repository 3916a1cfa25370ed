package dash

import (
	"cmp"
	"net/url"

	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/jsondoc"
)

// nouns are what people call the objects of the settings that have a form, by the lists
// that they stand in. A list that is not here has no form of its own (parsePlace).
var nouns = map[string]string{
	"connectors": "connector", "orderTypes": "order type", "orderStatuses": "status", "returnStatuses": "return status", "workflowSteps": "step",
	"markets": "market", "marketGroups": "market group", "storeGroups": "store group",
}

// what is what people call the object at a place. Buttons and titles say it after a verb:
// "Edit the step Send to ERP of New".
func (p place) what(doc *jsondoc.Object) string {
	if len(p) == 0 {
		return "the settings"
	}
	noun := nouns[p.list()]
	o, err := p.find(doc)
	// What is not there yet has no name, so the text begins with a.
	if p.isNew() || err != nil {
		return "a " + noun + p.of(doc)
	}
	if name := nameOf(o); name != "" {
		return "the " + noun + " " + name + p.of(doc)
	}
	return "the " + noun + p.of(doc)
}

// of is where the object stands: of the status New. An object at the top is in nothing
// that has a name.
func (p place) of(doc *jsondoc.Object) string {
	if len(p) < 2 {
		return ""
	}
	// The object around it is that of the place without its last step.
	in := p[:len(p)-1]
	o, err := in.find(doc)
	if err != nil {
		return ""
	}
	return " of " + nameOf(o)
}

// nameOf is what people call an object. Each kind of object has other fields that name
// it; the first that says something is taken.
func nameOf(o *jsondoc.Object) string {
	return cmp.Or(o.Text("displayName"), o.Text("connectorId"), o.Text("name"), o.Text("marketId"), o.Text("groupId"), o.Text("key"))
}

// status is the status that the place is in; "" for what is in none. A trial of the
// settings begins with it.
func (p place) status(doc *jsondoc.Object) string {
	// The place leads from the outside in, so the status comes before its step.
	for i, step := range p {
		if step.list != "orderStatuses" && step.list != "returnStatuses" {
			continue
		}
		if o, err := p[:i+1].find(doc); err == nil {
			return o.Text("name")
		}
	}
	return ""
}

// back is the page that shows what is at the place. After a form one wants to see the
// object among its neighbours.
func (p place) back(doc *jsondoc.Object) string {
	switch {
	case len(p) == 0:
		return "/workflows"
	case p[0].list == "connectors":
		return "/workflows/connectors"
	case p.returns():
		return "/workflows?tab=returns"
	case p[0].list == "orderTypes":
		if o, err := p[:1].find(doc); err == nil {
			return with(&url.URL{Path: "/workflows"}, "type", o.Text("name"))
		}
	}
	return "/workflows"
}

// placedWarning is a warning with the page that mends it.
type placedWarning struct {
	apierr.Warning
	Edit string
}

// placed is a warning with the page that mends it, if its place has one. A warning may be
// about a field deep within an object; the form is that of the nearest object which has
// one.
func placed(w apierr.Warning) placedWarning {
	out := placedWarning{Warning: w}
	// From the place of the warning outwards, until there is a form.
	for path := w.Path; path != ""; {
		if p, err := parsePlace(path); err == nil && !p.isNew() {
			out.Edit = p.edit()
			return out
		}
		path = upper(path)
	}
	return out
}

// upper is a path without its last step. It ends with "".
func upper(path string) string {
	for i := len(path) - 1; i >= 0; i-- {
		if path[i] == '.' {
			return path[:i]
		}
	}
	return ""
}
