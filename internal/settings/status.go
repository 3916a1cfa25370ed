package settings

import (
	"strings"
	"unicode"

	"github.com/orderhook/orderhook/internal/order"
)

// statuses reads the statuses of an order type, or those of returns.
func (p *parser) statuses(parent node, field string, returns bool) []Status {
	var out []Status
	taken, alike := names{}, names{}
	for _, n := range parent.nodes(field) {
		s := p.status(n, returns)
		taken.claim(n, "name", s.Name)
		// Names that differ in a space or a hyphen are two names, and seldom meant so.
		if first, there := alike.add(letters(s.Name), n.at); there && letters(s.Name) != "" {
			n.warn(n.path("name"), "is another status than that of %s, which has the same letters; is one status meant?", first.at)
		}
		out = append(out, s)
	}
	return out
}

// status reads one status and its steps. That of a return has less to it: neither events
// nor shipments go by it.
func (p *parser) status(n node, returns bool) Status {
	n.warnUnread(statusKind)
	if v, _ := n.obj.Get("condition"); !isEmpty(v) {
		n.warn(n.path("condition"), "is not read: the status's steps run whatever it says")
	}
	s := Status{
		Name:                 strings.TrimSpace(n.required("name")),
		MaxDuration:          n.span("maxDuration"),
		ShipmentStatusUpdate: n.statusName("shipmentStatusUpdate"),
		MainOrderStatus:      n.statusName("mainOrderStatus"),
		Events:               statusEvents(n, returns),
	}
	// The order enters it later, so it should be one that has a workflow.
	p.noteMention(n.path("mainOrderStatus"), s.MainOrderStatus)
	if returns && !contains(returnStatuses, s.Name) {
		if like := meant(s.Name, returnStatuses); like != "" {
			n.warn(n.path("name"), "is no status that a return enters by itself%s", like)
		}
		for _, field := range []string{"mainOrderStatus", "shipmentStatusUpdate"} {
			if n.obj.Has(field) {
				n.warn(n.path(field), "is not used: shipments enter the statuses in orderTypes")
			}
		}
	}
	var all []shadow
	for _, st := range n.nodes("workflowSteps") {
		step := p.step(st, s.Name, returns)
		if sh, is := p.shadow(st, step); is {
			all = append(all, sh)
		} else {
			s.Steps = append(s.Steps, step)
		}
	}
	s.Shadows = p.shadows(all, s.Steps)
	return s
}

// statusName reads the name of a status that something is to enter. The empty
// text is what typed clients write for none; white space alone is a slip
// (docs/contract.md#settings).
func (n node) statusName(field string) string {
	text := n.text(field)
	name := strings.TrimSpace(text)
	if name == "" && text != "" {
		n.wrong(n.path(field), "must name a status, and is blank")
	}
	return name
}

// letters is a name without all that people leave out or put in: spaces,
// hyphens, underscores. It is for finding slips, and nothing is stored so.
func letters(name string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return r
		}
		return -1
	}, name)
}

// mention is a status that something enters, and where it says so.
type mention struct{ at, status string }

// mostMentions bounds the statuses that are compared with those that there are.
const mostMentions = 100

// noteMention notes that something enters a status. All of these are looked at in the end, when
// all names are known.
func (p *parser) noteMention(at, status string) {
	if status != "" && len(p.mentions) < mostMentions {
		p.mentions = append(p.mentions, mention{at, status})
	}
}

// warnStatusNames notes statuses that are entered and that settings do not name,
// where they name one that is like it. All others may well be meant: a status
// that settings do not name has no steps. Where none is like it, nothing is said.
func (p *parser) warnStatusNames(s *Settings) {
	all := names{}
	for _, t := range s.OrderTypes {
		for _, st := range t.Statuses {
			all.add(st.Name, "")
		}
	}
	for _, st := range s.ReturnStatuses {
		all.add(st.Name, "")
	}
	// Orders come into these by their returns, whether or not the settings name them.
	for _, name := range []string{order.StatusReturned, order.StatusPartiallyReturned} {
		all.add(name, "")
	}
	for _, m := range p.mentions {
		if all.has(m.status) {
			continue
		}
		if like := p.root.hint(all, m.status); like != "" {
			p.root.warn(m.at, "is a status that the settings do not name%s", like)
		}
	}
}
