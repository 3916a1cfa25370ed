package dash

import (
	"cmp"
	"net/url"
	"strconv"
	"time"

	"github.com/orderhook/orderhook/internal/oms"
)

// connectorsView is the connectors, and how their endpoints have been.
type connectorsView struct {
	Items []connectorRow
	Add   string
	Cut   bool // there are more than are shown
}

// connectorRow is one connector.
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
}

// connectorUse is a step that names the connector.
type connectorUse struct{ Text, URL string }

// connectorHealth is how a connector's endpoint has been, as the API says.
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

var connectorsPage = newPage[connectorsView]("connectors", "/workflows")

// mostConnectors is how many connectors a page shows.
const mostConnectors = 200

func showConnectors(v *visit) error {
	s, err := v.newestSettings()
	if err != nil {
		return err
	}
	var health List[connectorHealth]
	if err := v.get("/api/connectors/health", nil, &health); err != nil {
		return err
	}
	view := connectorsView{}
	edits := v.may(oms.Operator)
	if edits {
		view.Add = place{}.at("connectors", isNew).edit()
	}
	uses := connectorUses(s.Doc)
	for i, e := range s.Doc.List("connectors") {
		c, ok := e.(*oms.Object)
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
		for _, h := range health.Items {
			if h.Name == c.Text("name") && h.ConnectorID == c.Text("connectorId") {
				row.health(h)
				break
			}
		}
		view.Items = append(view.Items, row)
	}
	return connectorsPage.showLive(v, "Connectors", "settings,attempts", view)
}

// connectorAnchor is where on the page of connectors one stands.
func connectorAnchor(index int) string { return "connector-" + strconv.Itoa(index) }

// connectorLink is where the connector stands that a step names; "" where there is none.
func connectorLink(doc, step *oms.Object) string {
	field, name := "name", step.Text("connector")
	if id := step.Text("connectorId"); id != "" {
		field, name = "connectorId", id
	}
	for i, e := range doc.List("connectors") {
		if c, ok := e.(*oms.Object); ok && i < mostConnectors && oms.SameName(c.Text(field), name) {
			return "/workflows/connectors#" + connectorAnchor(i)
		}
	}
	return ""
}

func newConnectorRow(c *oms.Object, uses map[string][]connectorUse) connectorRow {
	id, name := c.Text("connectorId"), c.Text("name")
	row := connectorRow{Name: name, ID: id, Title: cmp.Or(c.Text("displayName"), id, name), Host: c.Text("host"), Validator: oms.SameName(name, "webhookValidator")}
	for _, f := range []struct{ field, says string }{{"bearerToken", "bearer token"}, {"token", "token"}, {"username", "user name and password"}, {"signingSecret", "signature"}, {"customHeaders", "headers"}} {
		if v, _ := c.Get(f.field); v != nil && v != "" {
			row.Sends = append(row.Sends, f.says)
		}
	}
	row.Markets = limitFacts(c)
	row.Steps = uses["id "+oms.FoldName(id)]
	if id == "" {
		row.Steps = uses["name "+oms.FoldName(name)]
	}
	if id != "" {
		row.Attempts = search("attempts", "connectorId", id)
	} else if u, err := url.Parse(c.Text("host")); err == nil && u.Host != "" {
		row.Attempts = search("attempts", "host", u.Host)
	}
	return row
}

// health adds how the connector's endpoint has been.
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

// connectorUses are the steps that name a connector: by its id, or else by its name.
func connectorUses(doc *oms.Object) map[string][]connectorUse {
	uses := map[string][]connectorUse{}
	note := func(status *oms.Object, in, at string) {
		for _, s := range status.Objects("workflowSteps") {
			key := "name " + oms.FoldName(s.Text("connector"))
			if id := s.Text("connectorId"); id != "" {
				key = "id " + oms.FoldName(id)
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

// mostUses is how many steps of a connector a page lists.
const mostUses = 20
