package dash

import (
	"cmp"
	"net/url"
	"slices"
	"strings"

	"github.com/orderhook/orderhook/internal/oms"
)

// workflowsView is the flow of one order type, or of returns: its statuses as columns
// with their steps.
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

// flowTab is a link to an order type.
type flowTab struct {
	Name, URL string
	Here      bool
	Statuses  int
}

// flow is statuses, and what leads from one to another.
type flow struct {
	Columns []flowColumn
	Map     flowMap
}

// flowColumn is a status.
type flowColumn struct {
	ID, Name string
	Facts    []string // what else the settings say of it
	Steps    []flowStep
	Edit     string
	Add      string // a step
}

// flowStep is a step.
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
}

// How much of the settings one page shows.
const (
	mostColumns = 100
	mostSteps   = 1_000
	// mostChecked is how large settings may be, in bytes, that are checked each time
	// that they are shown.
	mostChecked = 256 << 10
)

var workflowsPage = newPage[workflowsView]("workflows", "/workflows")

func showWorkflows(v *visit) error {
	s, err := v.newestSettings()
	if err != nil {
		return err
	}
	view := workflowsView{Unsaid: s.Version == 0, Version: s.Version, Server: v.s.address(v.r)}
	d := flowDrawer{doc: s.Doc, edits: v.may(oms.Operator)}
	if err := d.choose(&view, v.query()); err != nil {
		return err
	}
	if d.edits && len(s.Raw) <= mostChecked && s.Version > 0 {
		if view.Warnings, err = v.standing(s.Doc); err != nil {
			return err
		}
	}
	return workflowsPage.showLive(v, "Workflows", "settings", view)
}

// standing is the warnings about the settings that are in force. Those of an earlier
// orderhook may hold what is a mistake today: that is said, too.
func (v *visit) standing(doc *oms.Object) (out []placedWarning, err error) {
	t, err := v.check(doc, trialOrder{})
	if p := refused(err); p != nil {
		for _, f := range p.Errors {
			out = append(out, placed(oms.Warning{Path: strings.TrimPrefix(f.Location, "body."), Message: f.Message}))
		}
		return out, nil
	}
	for _, w := range t.Warnings {
		out = append(out, placed(w))
	}
	return out, err
}

// flowDrawer makes columns of the settings.
type flowDrawer struct {
	doc   *oms.Object
	edits bool // whoever looks may edit them
	steps int  // how many were drawn
	cut   bool
}

// choose shows the order type that the URL names; the default one without.
func (d *flowDrawer) choose(view *workflowsView, query url.Values) error {
	returns := query.Get("tab") == "returns"
	here := d.doc.List("orderTypes")
	shown := -1
	for i, e := range here {
		t, _ := e.(*oms.Object)
		if name := query.Get("type"); name != "" && oms.SameName(t.Text("name"), name) || name == "" && (shown < 0 || isDefault(t)) {
			shown = i
		}
	}
	if query.Get("type") != "" && shown < 0 {
		return oms.Errorf(oms.NotFound, "the settings have no order type %q", query.Get("type"))
	}
	for i, t := range d.doc.Objects("orderTypes") {
		view.Types = append(view.Types, flowTab{t.Text("name"), with(&url.URL{Path: "/workflows"}, "type", t.Text("name")), i == shown && !returns, len(t.List("orderStatuses"))})
	}
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
	case shown >= 0:
		p = p.at("orderTypes", shown)
		t, _ := here[shown].(*oms.Object)
		view.Type, view.Disabled, view.Default = t.Text("name"), t.True("disableWorkflow"), isDefault(t)
		view.Flow = d.flow(t, p, "orderStatuses")
		if view.Add, view.Edit = d.editing(p.at("orderStatuses", isNew)), d.editing(p); d.edits {
			view.Remove = p.remove()
		}
	}
	view.Cut = d.cut
	return nil
}

func isDefault(t *oms.Object) bool { return t.True("default") || t.True("defaultOrderType") }

// editing is the page that edits a place; "" for whoever may not.
func (d *flowDrawer) editing(p place) string {
	if !d.edits {
		return ""
	}
	return p.edit()
}

// flow draws the statuses of a list.
func (d *flowDrawer) flow(in *oms.Object, at place, list string) (f flow) {
	all := in.List(list)
	columns := map[string]string{} // by the folded name
	for i, e := range all {
		s, ok := e.(*oms.Object)
		if !ok {
			continue
		}
		if len(f.Columns) == mostColumns {
			d.cut = true
			break
		}
		c := d.column(s, at.at(list, i), i)
		columns[oms.FoldName(c.Name)] = c.ID
		f.Columns = append(f.Columns, c)
	}
	for i := range f.Columns {
		for j := range f.Columns[i].Steps {
			step := &f.Columns[i].Steps[j]
			step.OnErrorAt = columns[oms.FoldName(step.OnError)]
		}
	}
	f.Map = newFlowMap(in.Objects(list), f.Columns)
	return f
}

func (d *flowDrawer) column(s *oms.Object, at place, i int) flowColumn {
	c := flowColumn{ID: "status-" + count(i), Name: s.Text("name"), Edit: d.editing(at), Add: d.editing(at.at("workflowSteps", isNew))}
	c.Facts = statusFacts(s)
	for j, e := range s.List("workflowSteps") {
		step, ok := e.(*oms.Object)
		if !ok {
			continue
		}
		if d.steps++; d.steps > mostSteps {
			d.cut = true
			break
		}
		c.Steps = append(c.Steps, d.step(step, at.at("workflowSteps", j)))
	}
	return c
}

// statusFacts is what the settings say of a status besides its steps.
func statusFacts(s *oms.Object) (facts []string) {
	for _, f := range []struct{ name, says string }{
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

func (d *flowDrawer) step(s *oms.Object, at place) flowStep {
	out := flowStep{Key: s.Text("name"), Edit: d.editing(at), Active: !s.Has("active") || s.True("active")}
	out.Name = cmp.Or(s.Text("displayName"), out.Key)
	host, onError := "", ""
	for _, p := range s.Objects("properties") {
		switch {
		case oms.SameName(p.Text("key"), "Host"):
			host = p.Text("value")
		case oms.SameName(p.Text("key"), "ErrorStatus"):
			onError = p.Text("value")
		}
	}
	out.OnError = onError
	out.Calls = cmp.Or(host, s.Text("connectorId"), s.Text("connector"))
	if host == "" || s.Text("connectorId") != "" {
		out.Connector = connectorLink(d.doc, s)
	}
	out.Badges = stepBadges(s)
	out.Facts = stepFacts(s)
	return out
}

// stepBadges are the words that matter most of a step.
func stepBadges(s *oms.Object) (badges []Badge) {
	if s.Has("active") && !s.True("active") {
		badges = append(badges, Badge{"not active", "warn", "it is passed over"})
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

// stepFacts is for which orders a step runs.
func stepFacts(s *oms.Object) (facts []string) {
	conditions := s.Texts("conditions")
	for _, c := range append(s.Objects("conditions"), s.Objects("workflowStepConditions")...) {
		conditions = append(conditions, c.Text("type"))
	}
	if len(conditions) > 0 {
		facts = append(facts, "on "+strings.Join(conditions, ", "))
	}
	return append(facts, limitFacts(s)...)
}

// limitFacts is for which orders a step or a connector is.
func limitFacts(o *oms.Object) (facts []string) {
	for _, m := range o.Members() {
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
