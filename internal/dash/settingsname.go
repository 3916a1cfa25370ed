package dash

import (
	"cmp"
	"net/url"

	"github.com/orderhook/orderhook/internal/oms"
)

// nouns are what people call the objects of the settings that have a form, by the lists that they stand in.
var nouns = map[string]string{
	"connectors": "connector", "orderTypes": "order type", "orderStatuses": "status", "returnStatuses": "return status", "workflowSteps": "step",
	"markets": "market", "marketGroups": "market group", "storeGroups": "store group",
}

// what is what people call the object at a place.
func (p place) what(doc *oms.Object) string {
	if len(p) == 0 {
		return "the settings"
	}
	noun := nouns[p.list()]
	o, err := p.find(doc)
	if p.isNew() || err != nil {
		return "a " + noun + p.of(doc)
	}
	if name := nameOf(o); name != "" {
		return "the " + noun + " " + name + p.of(doc)
	}
	return "the " + noun + p.of(doc)
}

// of is where the object stands: of the status New.
func (p place) of(doc *oms.Object) string {
	if len(p) < 2 {
		return ""
	}
	in := p[:len(p)-1]
	o, err := in.find(doc)
	if err != nil {
		return ""
	}
	return " of " + nameOf(o)
}

// nameOf is what people call an object.
func nameOf(o *oms.Object) string {
	return cmp.Or(o.Text("displayName"), o.Text("connectorId"), o.Text("name"), o.Text("marketId"), o.Text("groupId"), o.Text("key"))
}

// status is the status that the place is in; "" for what is in none.
func (p place) status(doc *oms.Object) string {
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

// back is the page that shows what is at the place.
func (p place) back(doc *oms.Object) string {
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
	oms.Warning
	Edit string
}

// placed is a warning with the page that mends it, if its place has one.
func placed(w oms.Warning) placedWarning {
	out := placedWarning{Warning: w}
	for path := w.Path; path != ""; {
		if p, err := parsePlace(path); err == nil && !p.isNew() {
			out.Edit = p.edit()
			return out
		}
		path = upper(path)
	}
	return out
}

// upper is a path without its last step.
func upper(path string) string {
	for i := len(path) - 1; i >= 0; i-- {
		if path[i] == '.' {
			return path[:i]
		}
	}
	return ""
}
