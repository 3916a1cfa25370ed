package demo

import (
	"fmt"
	"strings"

	"github.com/orderhook/orderhook/internal/jsondoc"
)

// printWorkflow prints the steps that the settings give each new order. They are read
// from what the server has stored, where secrets are ***.
func (s *show) printWorkflow(a answer, version int, settings *jsondoc.Object) {
	s.paper.print("")
	s.paper.line(piece{"PUT /api/settings", cyan}, piece{fmt.Sprintf("  %d, version %d: the workflow of every new order", a.status, version), plain})
	// The settings of the demo have one order type, whose first status is that of a new
	// order.
	entered := settings.Objects("orderTypes")[0].Objects("orderStatuses")[0]
	for i, st := range entered.Objects("workflowSteps") {
		host, notes := configured(st)
		// A step with a connector calls that one, and sends its secrets.
		if c := connectorOf(settings, st); c != nil {
			host = c.Text("host")
			notes = append(notes, "connector "+c.Text("connectorId")+" with "+strings.Join(secretsOf(c), ", "))
		}
		s.paper.line(piece{fmt.Sprintf("  %d  %s%s", i+1, pad(pathOf(host), 10), pad(st.Text("displayName"), 14)), plain}, piece{strings.Join(notes, ", "), dim})
	}
}

// configured returns a step's own Host and what else is set on it. Properties of a group
// are headers, whose values are secrets; so only their names are printed.
func configured(st *jsondoc.Object) (host string, notes []string) {
	if st.True("stopOnError") {
		notes = append(notes, "stopOnError")
	}
	for _, p := range st.Objects("properties") {
		switch {
		case p.Text("key") == "Host":
			host = p.Text("value")
		// Only headers have a group in these settings.
		case p.Has("keyGroup"):
			notes = append(notes, "header "+p.Text("key"))
		default:
			notes = append(notes, p.Text("key")+" "+p.Text("value"))
		}
	}
	return host, notes
}

// connectorOf returns the connector that a step names by its id, nil if it names none.
func connectorOf(settings, st *jsondoc.Object) *jsondoc.Object {
	for _, c := range settings.Objects("connectors") {
		if id := st.Text("connectorId"); id != "" && id == c.Text("connectorId") {
			return c
		}
	}
	return nil
}

// secretsOf names the secrets that a connector has; the API shows each as ***.
func secretsOf(connector *jsondoc.Object) (names []string) {
	for _, m := range connector.Members() {
		// Everything else of a connector is no secret.
		if m.Value == "***" {
			names = append(names, m.Name)
		}
	}
	return names
}
