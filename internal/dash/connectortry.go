package dash

import (
	"cmp"
	"net/url"

	"github.com/orderhook/orderhook/internal/access"
	"github.com/orderhook/orderhook/internal/spelling"
)

// connectorTryPages registers the pages that end the wait of an open breaker
// (docs/contract.md#breakers).
func connectorTryPages(s *server) {
	s.page(access.Operator, "GET /workflows/connectors/try", func(v *visit) error { return v.confirmTry(v.query(), nil) })
	s.page(access.Operator, "POST /workflows/connectors/try", tryConnector)
}

// tryURL is the page that ends the wait of a connector's breaker; "" where none waits. A
// connector without an id is named by its name, as in the API's body.
func tryURL(circuit, id, name string) string {
	switch {
	// Only an open or a half-open breaker can be tried.
	case circuit != "open" && circuit != "halfOpen":
		return ""
	case id != "":
		return with(&url.URL{Path: "/workflows/connectors/try"}, "connectorId", id)
	}
	return with(&url.URL{Path: "/workflows/connectors/try"}, "name", name)
}

// TryURL is the page that has the connector tried now.
func (c stuckConnector) TryURL() string { return tryURL(c.Breaker.Circuit, c.ConnectorID, c.Name) }

// confirmTry says which breaker lets a call through, and why it is open: the call is a real one,
// which the other side may act on. There is no button where no breaker is open. which is
// the query of the page, or what the form repeated of it.
func (v *visit) confirmTry(which url.Values, problem *Problem) error {
	// The form repeats both in hidden fields, as the link had them.
	id, name := which.Get("connectorId"), which.Get("name")
	c := Confirm{What: "The connector's breaker lets one call through, now: that of a run that waits for it, or else the next one.",
		Action: "/workflows/connectors/try", Button: "Try now", Back: "/workflows/connectors", Problem: problem, Blocked: true, Hidden: []Hidden{newOnce(), {"connectorId", id}, {"name", name}},
		Notes: []string{"If the call fails, the breaker opens again, for as long as the settings say.", "If not, it closes, and all runs that wait for it go on."}}
	// The breakers are asked for anew: between the list and this page one may have
	// closed.
	var health List[connectorHealth]
	if err := v.get("/api/connectors/health", nil, &health); err != nil {
		return err
	}
	for _, h := range health.Items {
		// The page names the connectors that are meant and whose breaker waits. A connector
		// with an id is known by it alone.
		if tryURL(h.Breaker.Circuit, h.ConnectorID, h.Name) == "" || !spelling.SameName(h.ConnectorID, id) || id == "" && !spelling.SameName(h.Name, name) {
			continue
		}
		c.Blocked = false
		c.Facts = append(c.Facts, Fact{Name: "Connector", Value: cmp.Or(h.ConnectorID, h.Name)}, Fact{Name: "Breaker", Value: badgeOf(h.Breaker.Circuit).Text})
		if !h.Breaker.OpenUntil.IsZero() {
			c.Facts = append(c.Facts, Fact{Name: "Until", At: h.Breaker.OpenUntil})
		}
		if h.LastError != "" {
			c.Facts = append(c.Facts, Fact{Name: "Last error", Value: short(150, h.LastError)})
		}
	}
	// No entry was found, so there is nothing to try.
	if c.Blocked {
		c.Notes = []string{"No breaker of such a connector is open: its calls are made."}
	}
	return v.confirm("Try the connector now", c)
}

// tryConnector ends the wait, and leads to the connectors, where one sees how the call
// went.
func tryConnector(v *visit) error {
	// which is for the page, if it comes back; body is for the API, which takes one of
	// the two.
	which, body := url.Values{}, map[string]string{}
	for _, name := range []string{"connectorId", "name"} {
		if text := v.field(name); text != "" {
			which.Set(name, text)
			body[name] = text
		}
	}
	err := v.sendForm("/api/connectors/try", body, nil)
	if p := refused(err); p != nil {
		return v.confirmTry(which, p)
	}
	if err != nil {
		return err
	}
	return v.done("/workflows/connectors", "tried")
}
