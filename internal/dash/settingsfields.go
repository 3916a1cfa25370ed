package dash

import (
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/orderhook/orderhook/internal/jsondoc"
	"github.com/orderhook/orderhook/internal/schema"
	"github.com/orderhook/orderhook/internal/spelling"
)

// stepType is a step that there is, as the API lists them. The page shows it beside the
// form of such a step.
type stepType struct {
	Key                string         `json:"key"`
	Group              string         `json:"group"`
	ApplicableStatuses []string       `json:"applicableStatuses"`
	Description        string         `json:"description"`
	Properties         []stepProperty `json:"properties"`
	ListedProperties   []stepProperty `json:"listedProperties"`
}

// stepProperty is one thing that can be configured on a step. Known names are suggested;
// others may be written, too.
type stepProperty struct {
	Name        string `json:"name"`
	KeyGroup    string `json:"keyGroup"`
	Description string `json:"description"`
}

// Where is in which statuses a step runs. The API says "All" for every status.
func (s stepType) Where() string {
	if slices.Equal(s.ApplicableStatuses, []string{"All"}) {
		return "all statuses"
	}
	return strings.Join(s.ApplicableStatuses, ", ")
}

// stepTypes asks which steps there are. They are part of the program, so the answer is
// always the same.
func (v *visit) stepTypes() ([]stepType, error) {
	var list List[stepType]
	return list.Items, v.get("/api/workflow-steps", nil, &list)
}

// mainFields are those that a form begins with; the others follow by what they are for.
// Those who write a step for the first time need no others. An object that is not named
// here has all its fields under "More".
var mainFields = map[string][]string{
	"workflowSteps":  {"name", "displayName", "active", "connector", "connectorId", "stopOnError", "runAfterOrderIsSaved", "conditions"},
	"connectors":     {"name", "connectorId", "displayName", "host", "bearerToken", "timeout", "signingSecret"},
	"orderStatuses":  {"name", "maxDuration", "events", "shipmentStatusUpdate", "mainOrderStatus"},
	"returnStatuses": {"name", "maxDuration"},
	"orderTypes":     {"name", "default", "disableWorkflow"},
}

// fieldLabels are the labels of fields whose names do not say it as plainly. The names of
// fields without one are good enough, and are what the documents say.
var fieldLabels = map[string]string{
	"name": "Name", "displayName": "Name for people", "connector": "Connector (its name)", "connectorId": "Connector id", "stopOnError": "Stop the workflow on an error",
	"runAfterOrderIsSaved": "Run in the background, after the order is saved", "active": "Active", "conditions": "Conditions, one a line", "host": "URL (host)", "timeout": "Time-out of an attempt",
	"default": "Default order type", "maxDuration": "Longest duration", "events": "Events, one a line", "bearerToken": "Bearer token", "signingSecret": "Signing secret",
	"disableWorkflow": "Run no steps", "isInvisible": "Invisible to users", "disableStandardErrorPolicy": "No repeats after an error",
}

// fieldLabel is a field's label: its name, where that says it. The limits are many, and
// all have names of one form, which becomes a label.
func fieldLabel(f schema.ShapeField) string {
	// A label that was written for people comes before one that is made of the name.
	if l, ok := fieldLabels[f.Name]; ok {
		return l
	}
	if kind, ok := strings.CutPrefix(f.Name, "enabledFor"); ok {
		return "Only for " + spaced(kind)
	}
	if kind, ok := strings.CutPrefix(f.Name, "disabledFor"); ok {
		return "Not for " + spaced(kind)
	}
	return f.Name
}

// newSettingsForm fills the form of an object. What was written into it already is shown
// again in place of what the object has. p is where the object stands, doc the settings
// around it, for suggestions, and steps what the API knows of steps. A group is open if
// anything in it has a value.
func newSettingsForm(p place, o, doc *jsondoc.Object, steps []stepType, written url.Values) settingsForm {
	shape := p.shape()
	// Every field is in one of three groups: what it is, for which orders, and the
	// others.
	main := formGroup{}
	who := formGroup{Title: "For which orders"}
	more := formGroup{Title: "More"}
	for _, f := range fieldsOf(shape, "") {
		// The value is what the object has, unless the form came back with another.
		kind, value := shownField(o, f)
		field := formField{Name: f.Name, Label: fieldLabel(f), Kind: kind, Value: value, Help: f.Doc}
		suggest(&field, p, steps)
		if text, ok := posted(written, "f."+f.Name); ok {
			field.Value = text
		}
		group := &more
		switch {
		case slices.Contains(mainFields[p.list()], f.Name):
			group = &main
		// There are many limits, and most steps have none, so they are folded up
		// together.
		case strings.HasPrefix(f.Name, "enabledFor"), strings.HasPrefix(f.Name, "disabledFor"):
			group = &who
		}
		group.Fields = append(group.Fields, field)
		group.Open = group.Open || field.Value != ""
	}
	// The main fields stand in the order in which one fills them in; the others keep that
	// of the schema.
	slices.SortStableFunc(main.Fields, func(a, b formField) int {
		order := mainFields[p.list()]
		return slices.Index(order, a.Name) - slices.Index(order, b.Name)
	})
	form := settingsForm{Lists: suggestions(doc, steps)}
	for _, g := range []formGroup{main, who, more} {
		if len(g.Fields) > 0 {
			form.Groups = append(form.Groups, g)
		}
	}
	// Properties and headers follow behind the groups.
	for _, list := range rowLists(shape) {
		form.Rows = append(form.Rows, newRows(o, list, p, written))
	}
	form.positions(p, doc)
	if text, ok := posted(written, "position"); ok {
		form.Position = text
	}
	return form
}

// suggest makes a choice of the name of a step, and says which values a field may have. A
// name that orderhook does not know stays among the choices, or saving the form would
// change it.
func suggest(f *formField, p place, steps []stepType) {
	switch {
	case f.Name == "name" && p.list() == "workflowSteps":
		f.Kind, f.Help = "choice", ""
		known := f.Value == ""
		for _, s := range steps {
			// The group of the step stands before its name, so that the list is in a
			// useful order.
			pick := Option{s.Key, s.Group + ": " + s.Key}
			if spelling.SameName(s.Key, f.Value) { // as it is spelled, so that it stays as it is
				pick.Value, known = f.Value, true
			}
			f.Picks = append(f.Picks, pick)
		}
		if !known {
			f.Picks = append(f.Picks, Option{f.Value, f.Value + " (orderhook has no such step)"})
		}
	case f.Name == "connector":
		f.List = "connector-names"
	case f.Name == "connectorId" && p.list() == "workflowSteps":
		f.List = "connector-ids"
	case f.Name == "mainOrderStatus":
		f.List = "statuses"
	// The API takes three words, and none.
	case f.Name == "breaker.whileOpen":
		f.Kind, f.Picks = "choice", []Option{{"", "as without it: fail"}, {"fail", "fail"}, {"skip", "skip"}, {"wait", "wait"}}
	}
}

// suggestions are the names that the settings have. Browsers offer them while somebody
// types. They bind nobody: settings may name what is not there yet.
func suggestions(doc *jsondoc.Object, steps []stepType) []formList {
	names := map[string][]string{}
	// Names of connectors and statuses come from the settings; names of properties from
	// the API's list of steps.
	for _, c := range doc.Objects("connectors") {
		names["connector-names"] = append(names["connector-names"], c.Text("name"))
		names["connector-ids"] = append(names["connector-ids"], c.Text("connectorId"))
	}
	for _, t := range doc.Objects("orderTypes") {
		for _, s := range t.Objects("orderStatuses") {
			names["statuses"] = append(names["statuses"], s.Text("name"))
		}
	}
	for _, s := range steps {
		for _, p := range s.ListedProperties {
			names["property-keys"] = append(names["property-keys"], p.Name)
			names["key-groups"] = append(names["key-groups"], p.KeyGroup)
		}
	}
	var out []formList
	for _, id := range []string{"connector-names", "connector-ids", "statuses", "property-keys", "key-groups"} {
		values := names[id]
		slices.Sort(values)
		values = slices.DeleteFunc(slices.Compact(values), func(name string) bool { return name == "" })
		out = append(out, formList{id, values[:min(len(values), mostSuggestions)]})
	}
	return out
}

// mostSuggestions bounds a list of names, which would otherwise be in every form of large
// settings.
const mostSuggestions = 200

// newRows are the rows of a list of names and values, with some empty ones at its end, as nothing
// can add one without a script. Rows that were added in a form which comes back are there
// again. A row has its index in its inputs' names, so that it finds the element that it
// is about.
func newRows(o *jsondoc.Object, list string, p place, written url.Values) formRows {
	rows := formRows{List: list, Title: "Headers", Help: "Sent with every request. The values are secrets.", HasGroup: list == "properties"}
	if rows.HasGroup {
		rows.Title, rows.Help = "Properties", "A connector's own settings."
		if p.list() == "workflowSteps" {
			rows.Help = "Host is the URL to call in place of the connector's, ErrorStatus the order's status after an error that stops the workflow. A value of the group RequestHeaders is sent as a header, and is a secret. All others reach the endpoint as they are."
		}
	}
	all := o.List(list)
	// A row of another form stays in the settings and is not shown.
	for i, e := range all {
		if row, ok := e.(*jsondoc.Object); ok {
			rows.Rows = append(rows.Rows, formRow{i, rowText(row, "key"), rowText(row, "value"), rowText(row, "keyGroup"), rows.HasGroup})
		}
	}
	next := len(all)
	// As many rows are shown as were filled in, and then some empty ones.
	for i := range mostNewRows {
		if text, _ := posted(written, rowField(list, len(all)+i, "key")); text != "" {
			next = len(all) + i + 1
		}
	}
	for i := len(all); i < next+moreRows; i++ {
		rows.Rows = append(rows.Rows, formRow{Index: i, HasGroup: rows.HasGroup})
	}
	for i := range rows.Rows {
		rows.Rows[i].writtenIn(list, written)
	}
	return rows
}

// writtenIn shows what was written into a row already.
func (r *formRow) writtenIn(list string, written url.Values) {
	for field, into := range map[string]*string{"key": &r.Key, "value": &r.Value, "keyGroup": &r.KeyGroup} {
		if text, ok := posted(written, rowField(list, r.Index, field)); ok {
			*into = text
		}
	}
}

// positions says where in its list the object may stand. A new one stands at the end, if
// nobody chooses otherwise. The order matters: steps run in it, and connectors are looked
// for in it.
func (f *settingsForm) positions(p place, doc *jsondoc.Object) {
	size := p.size(doc)
	last := p[len(p)-1]
	if last.index == isNew {
		size++
		f.Position = strconv.Itoa(size)
	} else {
		f.Position = strconv.Itoa(last.index + 1)
	}
	// Without a choice the object stays where it is, and a new one is put at the end.
	if size > mostPositions {
		return
	}
	for i := range size {
		n := strconv.Itoa(i + 1)
		f.Positions = append(f.Positions, Option{n, n + " of " + strconv.Itoa(size)})
	}
}

// mostPositions is how long a list may be whose elements can be moved in a form; in a
// longer one they are moved in the document.
const mostPositions = 500
