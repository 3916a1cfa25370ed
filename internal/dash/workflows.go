package dash

import (
	"cmp"
	"net/url"
	"slices"
	"strings"

	"github.com/orderhook/orderhook/internal/access"
	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/jsondoc"
	"github.com/orderhook/orderhook/internal/spelling"
)

// workflowsView is the flow of one order type, or of returns: its statuses as columns
// with their steps. Links to edit are "" for whoever may not, so a template need not know
// roles.
type workflowsView struct {
	Types    []flowTab
	Returns  *flowTab // nil: there are none, and nobody here may add any
	Type     string   // the order type that is shown; "" for returns
	Edit     string   // the URLs of what may be done to the type; "" is nothing
	Remove   string
	Add      string // a status
	AddType  string
	Disabled bool // the type runs no steps
	Default  bool // orders whose type is not in the settings have this one
	Flow     flow
	Warnings []placedWarning
	Unsaid   bool // nothing was ever stored
	Server   string
	Version  int64
	Cut      bool // not all is shown
}

// flowTab is a link to an order type. The number of its statuses says at a glance where
// the work is.
type flowTab struct {
	Name, URL string
	Here      bool
	Statuses  int
}

// flow is statuses, and what leads from one to another. The columns are what one reads;
// the map shows how they hang together.
type flow struct {
	Columns []flowColumn
	Map     flowMap
}

// flowColumn is a status. Its ID is that of its element, to which the map leads.
type flowColumn struct {
	ID, Name string
	Facts    []string // what else the settings say of it
	Steps    []flowStep
	Edit     string
	Add      string // a step
}

// flowStep is a step. What it calls is its own Host, or else the connector that it names.
type flowStep struct {
	Name, Key string
	Active    bool
	Calls     string // what it calls, for people
	Connector string // the URL of the connector's page; "" where it names none
	Badges    []Badge
	Facts     []string
	OnError   string // the status that an error leads to
	OnErrorAt string // its column
	Edit      string
	Shadow    *stepShadow // nil: it is no shadow
}

// How much of the settings one page shows. Settings may have up to 4 MiB, and nobody
// reads a page of that. What is not shown is in the JSON of the settings.
const (
	mostColumns = 100
	mostSteps   = 1_000
	// mostChecked is how large settings may be, in bytes, that are checked each time
	// that they are shown.
	mostChecked = 256 << 10
)

// workflowsPage shows what happens to an order in each status.
var workflowsPage = newPage[workflowsView]("workflows", "/workflows")

// showWorkflows shows one order type, or the returns. Warnings are shown to those who can
// mend them; large settings are not checked each time, because that takes as long as
// everything else on the page.
func showWorkflows(v *visit) error {
	// The page is drawn from the document and not from the settings as they are used: it
	// shows what was stored, unknown fields included.
	s, err := v.newestSettings()
	if err != nil {
		return err
	}
	view := workflowsView{Unsaid: s.Version == 0, Version: s.Version, Server: v.s.address(v.r)}
	d := flowDrawer{doc: s.Doc, edits: v.may(access.Operator)}
	if d.shadows, err = v.shadowsOf(s.Doc); err != nil {
		return err
	}
	if err := d.choose(&view, v.query()); err != nil {
		return err
	}
	// Settings that were never stored have nothing to warn of.
	if d.edits && len(s.Raw) <= mostChecked && s.Version > 0 {
		if view.Warnings, err = v.currentWarnings(s.Doc); err != nil {
			return err
		}
	}
	topics := "settings"
	if len(d.shadows) > 0 { // how often they agreed changes with their attempts
		topics = "settings,attempts"
	}
	return workflowsPage.showLive(v, "Workflows", topics, view)
}

// currentWarnings is the warnings about the settings that are in force. Those of an earlier
// orderhook may hold what is an error today: that is said, too. They are found by the
// check of settings that are not stored, with the very document that is.
func (v *visit) currentWarnings(doc *jsondoc.Object) (out []placedWarning, err error) {
	t, err := v.check(doc, trialOrder{})
	// Each error becomes a warning at its place. The API's paths begin with body, which
	// the settings have no part of.
	if p := refused(err); p != nil {
		for _, f := range p.Errors {
			out = append(out, placed(apierr.Warning{Path: strings.TrimPrefix(f.Location, "body."), Message: f.Message}))
		}
		return out, nil
	}
	for _, w := range t.Warnings {
		out = append(out, placed(w))
	}
	return out, err
}

// flowDrawer makes columns of the settings. It lives for one page, and counts what it has
// drawn, so that the page has an end.
type flowDrawer struct {
	doc   *jsondoc.Object
	edits bool // whoever looks may edit them
	steps int  // how many were drawn
	cut   bool
	// shadows are those of all settings; orderType is the type that is drawn, "" for returns.
	shadows   []shadowStep
	orderType string
}

// choose shows the order type that the URL names; the default one without. A name that
// the settings do not have is a 404. Without any order type there is only the link that
// adds one.
func (d *flowDrawer) choose(view *workflowsView, query url.Values) error {
	// The returns are a tab beside the order types.
	returns := query.Get("tab") == "returns"
	here := d.doc.List("orderTypes")
	shown := -1
	// The index is that in the list as it is stored, since the links to edit are made of
	// it. With a name, the last type of that name is taken; without, the default one, or
	// else the first.
	for i, e := range here {
		t, _ := e.(*jsondoc.Object)
		if name := query.Get("type"); name != "" && spelling.SameName(t.Text("name"), name) || name == "" && (shown < 0 || isDefault(t)) {
			shown = i
		}
	}
	if query.Get("type") != "" && shown < 0 {
		return apierr.Errorf(apierr.NotFound, "the settings have no order type %q", query.Get("type"))
	}
	// Each order type is a tab, with how many statuses it has.
	for i, t := range d.doc.Objects("orderTypes") {
		view.Types = append(view.Types, flowTab{t.Text("name"), with(&url.URL{Path: "/workflows"}, "type", t.Text("name")), i == shown && !returns, len(t.List("orderStatuses"))})
	}
	// Those who may edit get the tab also where there are none, because it leads to the form
	// that adds one.
	if n := len(d.doc.List("returnStatuses")); n > 0 || d.edits {
		view.Returns = &flowTab{"Returns", "/workflows?tab=returns", returns, n}
	}
	if d.edits {
		view.AddType = place{}.at("orderTypes", isNew).edit()
	}
	p := place{}
	switch {
	case returns:
		view.Flow = d.flow(d.doc, p, "returnStatuses")
		view.Add = d.editing(p.at("returnStatuses", isNew))
	// The place is the path to the order type, of which the links of all its statuses and
	// steps are made.
	case shown >= 0:
		p = p.at("orderTypes", shown)
		t, _ := here[shown].(*jsondoc.Object)
		d.orderType = t.Text("name")
		view.Type, view.Disabled, view.Default = t.Text("name"), t.True("disableWorkflow"), isDefault(t)
		view.Flow = d.flow(t, p, "orderStatuses")
		if view.Add, view.Edit = d.editing(p.at("orderStatuses", isNew)), d.editing(p); d.edits {
			view.Remove = p.remove()
		}
	}
	view.Cut = d.cut
	return nil
}

// isDefault reads both spellings that the settings take.
func isDefault(t *jsondoc.Object) bool { return t.True("default") || t.True("defaultOrderType") }

// editing is the page that edits a place; "" for whoever may not.
func (d *flowDrawer) editing(p place) string {
	if !d.edits {
		return ""
	}
	return p.edit()
}

// flow draws the statuses of a list. A status that an error leads to is found by its name
// without regard to case; the link goes to its column, if it is drawn.
func (d *flowDrawer) flow(in *jsondoc.Object, at place, list string) (f flow) {
	all := in.List(list)
	// All columns are drawn first, because an error may lead to a status on either side.
	columns := map[string]string{} // by the folded name
	for i, e := range all {
		s, ok := e.(*jsondoc.Object)
		if !ok {
			continue
		}
		if len(f.Columns) == mostColumns {
			d.cut = true
			break
		}
		c := d.column(s, at.at(list, i), i)
		columns[spelling.FoldName(c.Name)] = c.ID
		f.Columns = append(f.Columns, c)
	}
	// A status that was not drawn, or that does not exist, has no column to lead to.
	for i := range f.Columns {
		for j := range f.Columns[i].Steps {
			step := &f.Columns[i].Steps[j]
			step.OnErrorAt = columns[spelling.FoldName(step.OnError)]
		}
	}
	f.Map = newFlowMap(in.Objects(list), f.Columns)
	return f
}

// column draws a status with its steps, as far as the page has room for them.
func (d *flowDrawer) column(s *jsondoc.Object, at place, i int) flowColumn {
	c := flowColumn{ID: "status-" + count(i), Name: s.Text("name"), Edit: d.editing(at), Add: d.editing(at.at("workflowSteps", isNew))}
	c.Facts = statusFacts(s)
	for j, e := range s.List("workflowSteps") {
		step, ok := e.(*jsondoc.Object)
		if !ok {
			continue
		}
		// The bound is for the whole page, so one status cannot use up the browser.
		if d.steps++; d.steps > mostSteps {
			d.cut = true
			break
		}
		drawn := d.step(step, at.at("workflowSteps", j))
		drawn.Shadow = d.shadow(step, s)
		c.Steps = append(c.Steps, drawn)
	}
	return c
}

// statusFacts is what the settings say of a status besides its steps. A status whose list
// of events is empty makes none, which is not the same as having no list.
func statusFacts(s *jsondoc.Object) (facts []string) {
	for _, f := range []struct{ name, says string }{
		// Each of these fields has a text in front of its value.
		{"maxDuration", "at most "}, {"shipmentStatusUpdate", "a shipment becomes "}, {"mainOrderStatus", "all shipments here: the order enters "},
	} {
		if text := s.Text(f.name); text != "" {
			facts = append(facts, f.says+text)
		}
	}
	if s.Has("events") {
		if names := s.Texts("events"); len(names) > 0 {
			facts = append(facts, "events: "+strings.Join(names, ", "))
		} else {
			facts = append(facts, "makes no events")
		}
	}
	return facts
}

// step draws a step. A step with a Host of its own calls that; it still has its
// connector's credentials if it names one by id, so that is linked.
func (d *flowDrawer) step(s *jsondoc.Object, at place) flowStep {
	// A step that does not say so is active.
	out := flowStep{Key: s.Text("name"), Edit: d.editing(at), Active: !s.Has("active") || s.True("active")}
	out.Name = cmp.Or(s.Text("displayName"), out.Key)
	host, onError := "", ""
	// Only these two of the properties change where the workflow goes.
	for _, p := range s.Objects("properties") {
		switch {
		case spelling.SameName(p.Text("key"), "Host"):
			host = p.Text("value")
		case spelling.SameName(p.Text("key"), "ErrorStatus"):
			onError = p.Text("value")
		}
	}
	out.OnError = onError
	out.Calls = cmp.Or(host, s.Text("connectorId"), s.Text("connector"))
	// The connector matters if it gives the URL, or if it gives the credentials.
	if host == "" || s.Text("connectorId") != "" {
		out.Connector = connectorLink(d.doc, s)
	}
	out.Badges = stepBadges(s)
	out.Facts = stepFacts(s)
	return out
}

// stepBadges are the words that matter most of a step. They are what makes the workflow
// go another way than from left to right.
func stepBadges(s *jsondoc.Object) (badges []Badge) {
	// Each badge has a sentence that the browser shows on pointing at it.
	if s.Has("active") && !s.True("active") {
		badges = append(badges, Badge{"not active", "warn", "it is passed over"})
	}
	if isShadow(s) {
		badges = append(badges, Badge{"shadow", "idle", "it is called beside another step, and changes nothing"})
	}
	if s.True("stopOnError") {
		badges = append(badges, Badge{"stops on error", "bad", "the workflow ends when this step fails, or its endpoint cancels"})
	}
	if s.True("runAfterOrderIsSaved") {
		badges = append(badges, Badge{"background", "busy", "it runs a second after the order is saved, behind all others"})
	}
	if s.True("isInvisible") {
		badges = append(badges, Badge{"invisible", "idle", "its result is not to be shown to users"})
	}
	return badges
}

// stepFacts is for which orders a step runs. Both spellings of the conditions are read,
// as the settings take both.
func stepFacts(s *jsondoc.Object) (facts []string) {
	// Conditions may be texts, or objects with a type.
	conditions := s.Texts("conditions")
	for _, c := range append(s.Objects("conditions"), s.Objects("workflowStepConditions")...) {
		conditions = append(conditions, c.Text("type"))
	}
	if len(conditions) > 0 {
		facts = append(facts, "on "+strings.Join(conditions, ", "))
	}
	return append(facts, limitFacts(s)...)
}

// limitFacts is for which orders a step or a connector is. They are sorted, so that two
// steps with the same limits look the same.
func limitFacts(o *jsondoc.Object) (facts []string) {
	for _, m := range o.Members() {
		// The API has a pair of fields for each kind of limit, all named in the same way.
		// A new kind is shown without a change here.
		kind, is := strings.CutPrefix(m.Name, "enabledFor")
		says := "only "
		if !is {
			if kind, is = strings.CutPrefix(m.Name, "disabledFor"); !is {
				continue
			}
			says = "not "
		}
		if names := o.Texts(m.Name); len(names) > 0 {
			facts = append(facts, says+spaced(kind)+" "+strings.Join(names, ", "))
		}
	}
	slices.Sort(facts)
	return facts
}

// spaced writes the words of a name apart: ShipmentOptions is shipment options.
func spaced(name string) string {
	var b strings.Builder
	for i, r := range name {
		if r >= 'A' && r <= 'Z' && i > 0 {
			b.WriteByte(' ')
		}
		b.WriteRune(r)
	}
	return strings.ToLower(b.String())
}
