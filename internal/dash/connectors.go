package dash

import (
	"cmp"
	"net/url"
	"strconv"
	"time"

	"github.com/orderhook/orderhook/internal/access"
	"github.com/orderhook/orderhook/internal/jsondoc"
	"github.com/orderhook/orderhook/internal/spelling"
)

// connectorsView is the connectors, and how their endpoints have been.
type connectorsView struct {
	Items  []connectorRow
	Add    string
	Cut    bool   // there are more than are shown
	Unsaid bool   // no settings were ever stored
	Server string // this server's address, for the commands
}

// connectorRow is one connector. Sends names what kinds of secrets go along, and no value
// of any. Edit, Remove and Try are "" for whoever may not do that.
type connectorRow struct {
	Anchor          string // where on the page it stands
	ID, Name, Title string
	Host            string
	Validator       bool // of carts
	Sends           []string
	Markets         []string
	Breaker         *Badge
	Succeeded       int
	Failed          int
	LastSuccess     time.Time
	LastFailure     time.Time
	LastError       string
	Attempts        string // the URL of its attempts
	Steps           []connectorUse
	Edit, Remove    string
	Try             string // the page that ends the wait of its breaker; "" where none waits
}

// connectorUse is a step that names the connector. Its URL is the page of the workflow
// that has the step.
type connectorUse struct{ Text, URL string }

// connectorHealth is how a connector's endpoint has been, as the API says. What the page
// does not show of it is left out.
type connectorHealth struct {
	Name        string `json:"name"`
	ConnectorID string `json:"connectorId"`
	Breaker     struct {
		Circuit   string    `json:"circuit"`
		OpenUntil time.Time `json:"openUntil"`
	} `json:"breaker"`
	Succeeded   int       `json:"succeeded"`
	Failed      int       `json:"failed"`
	LastSuccess time.Time `json:"lastSuccess"`
	LastFailure time.Time `json:"lastFailure"`
	LastError   string    `json:"lastError"`
}

// connectorsPage stands among the workflows, whose steps the connectors are for.
var connectorsPage = newPage[connectorsView]("connectors", "/workflows")

// mostConnectors is how many connectors a page shows. Nobody reads more on one page; the
// JSON of the settings has them all.
const mostConnectors = 200

// showConnectors shows the connectors in the order of the settings, in which the engine looks for
// one, each with its health.
func showConnectors(v *visit) error {
	// The connectors come from the settings, and how they have been from another call of
	// the API.
	s, err := v.newestSettings()
	if err != nil {
		return err
	}
	var health List[connectorHealth]
	if err := v.get("/api/connectors/health", nil, &health); err != nil {
		return err
	}
	view := connectorsView{Unsaid: s.Version == 0, Server: v.s.address(v.r)}
	edits := v.may(access.Operator)
	if edits {
		view.Add = place{}.at("connectors", isNew).edit()
	}
	// The steps are looked through once for all connectors.
	uses := connectorUses(s.Doc)
	// An element that is no object has no row, and keeps its index, of which the links
	// are made.
	for i, e := range s.Doc.List("connectors") {
		c, ok := e.(*jsondoc.Object)
		if !ok {
			continue
		}
		if len(view.Items) == mostConnectors {
			view.Cut = true
			break
		}
		row := newConnectorRow(c, uses)
		row.Anchor = connectorAnchor(i)
		if edits {
			p := place{}.at("connectors", i)
			row.Edit, row.Remove = p.edit(), p.remove()
		}
		// Health has one entry for each connector, known by id and name. Where two share
		// both, the first is shown for both.
		for _, h := range health.Items {
			if h.Name == c.Text("name") && h.ConnectorID == c.Text("connectorId") {
				row.health(h)
				if edits {
					row.Try = tryURL(h.Breaker.Circuit, h.ConnectorID, h.Name)
				}
				break
			}
		}
		view.Items = append(view.Items, row)
	}
	return connectorsPage.showLive(v, "Connectors", "settings,attempts", view)
}

// connectorAnchor is where on the page of connectors one stands. It goes by the position,
// because neither id nor name need be unique.
func connectorAnchor(index int) string { return "connector-" + strconv.Itoa(index) }

// connectorLink is where the connector stands that a step names; "" where there is none.
// A step names it by the id, or else by its name. Names have no case.
func connectorLink(doc, step *jsondoc.Object) string {
	// The order of the settings decides, as it does for the engine.
	field, name := "name", step.Text("connector")
	if id := step.Text("connectorId"); id != "" {
		field, name = "connectorId", id
	}
	for i, e := range doc.List("connectors") {
		if c, ok := e.(*jsondoc.Object); ok && i < mostConnectors && spelling.SameName(c.Text(field), name) {
			return "/workflows/connectors#" + connectorAnchor(i)
		}
	}
	return ""
}

// newConnectorRow says what a connector is, and that it sends secrets, never which. Its attempts
// are found by its id, or, as long as it has none, by the host that it calls.
func newConnectorRow(c *jsondoc.Object, uses map[string][]connectorUse) connectorRow {
	id, name := c.Text("connectorId"), c.Text("name")
	row := connectorRow{Name: name, ID: id, Title: cmp.Or(c.Text("displayName"), id, name), Host: c.Text("host"), Validator: spelling.SameName(name, "webhookValidator")}
	// A field that has a value is named by what it does. The value itself is a reference,
	// and is not shown.
	for _, f := range []struct{ field, says string }{{"bearerToken", "bearer token"}, {"token", "token"}, {"username", "user name and password"}, {"signingSecret", "signature"}, {"customHeaders", "headers"}} {
		if v, _ := c.Get(f.field); v != nil && v != "" {
			row.Sends = append(row.Sends, f.says)
		}
	}
	row.Markets = limitFacts(c)
	row.Steps = uses["id "+spelling.FoldName(id)]
	// A connector without an id can only be named by its name.
	if id == "" {
		row.Steps = uses["name "+spelling.FoldName(name)]
	}
	if id != "" {
		row.Attempts = search("attempts", "connectorId", id)
	} else if u, err := url.Parse(c.Text("host")); err == nil && u.Host != "" {
		row.Attempts = search("attempts", "host", u.Host)
	}
	return row
}

// health adds how the connector's endpoint has been. A breaker that is off is not worth a
// badge.
func (r *connectorRow) health(h connectorHealth) {
	if h.Breaker.Circuit != "off" {
		b := badgeOf(h.Breaker.Circuit)
		b.Text, b.Hint = "breaker "+b.Text, ""
		if !h.Breaker.OpenUntil.IsZero() {
			b.Hint = "until " + exact(h.Breaker.OpenUntil)
		}
		r.Breaker = &b
	}
	r.Succeeded, r.Failed, r.LastSuccess, r.LastFailure, r.LastError = h.Succeeded, h.Failed, h.LastSuccess, h.LastFailure, h.LastError
}

// connectorUses are the steps that name a connector: by its id, or else by its name. The
// keys begin with "id " or "name ", so that an id which is also the name of another
// connector leads to the right one.
func connectorUses(doc *jsondoc.Object) map[string][]connectorUse {
	uses := map[string][]connectorUse{}
	note := func(status *jsondoc.Object, in, at string) {
		for _, s := range status.Objects("workflowSteps") {
			key := "name " + spelling.FoldName(s.Text("connector"))
			if id := s.Text("connectorId"); id != "" {
				key = "id " + spelling.FoldName(id)
			}
			if len(uses[key]) < mostUses {
				uses[key] = append(uses[key], connectorUse{in + status.Text("name") + ": " + cmp.Or(s.Text("displayName"), s.Text("name")), at})
			}
		}
	}
	for _, t := range doc.Objects("orderTypes") {
		for _, s := range t.Objects("orderStatuses") {
			note(s, t.Text("name")+", ", with(&url.URL{Path: "/workflows"}, "type", t.Text("name")))
		}
	}
	for _, s := range doc.Objects("returnStatuses") {
		note(s, "returns, ", "/workflows?tab=returns")
	}
	return uses
}

// mostUses is how many steps of a connector a page lists. It bounds the page where one
// connector serves hundreds of statuses.
const mostUses = 20
