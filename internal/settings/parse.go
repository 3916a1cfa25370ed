package settings

import (
	"strings"

	"github.com/orderhook/orderhook/internal/oms"
)

// Parse reads a settings document (API.md, "Settings"), in which the places of
// secrets hold secrets: [Keep] and [Unseal] come before it. All mistakes are
// collected into one *[oms.Error] of kind [oms.Invalid], each with its path,
// as `orderTypes[0].orderStatuses[1].workflowSteps[0].name`; unknown fields
// are none, and are kept. Warnings come with and without an error. The
// document is copied, so the caller may go on to change it.
func Parse(doc *oms.Object) (*Settings, []oms.Warning, error) {
	doc = doc.Clone()
	if doc == nil {
		doc = oms.NewObject()
	}
	p := &parser{root: node{obj: doc, findings: &findings{}}}
	p.root.warnTypos(documentFields)
	p.markets()
	s := &Settings{Retention: retention(p.root), doc: doc}
	s.Connectors = p.connectors()
	s.OrderTypes = p.orderTypes()
	s.ReturnStatuses = p.statuses(p.root, "returnStatuses", true)
	p.masks()
	if err := p.root.err(); err != nil {
		return nil, p.root.warnings, err
	}
	return s, p.root.warnings, nil
}

// parser reads one document. Markets come first, then connectors, then steps:
// each needs to know what the ones before it name.
type parser struct {
	root node

	known    map[string]bool     // markets, folded; nil where the settings name none
	groups   map[string][]string // markets of each group, by folded id
	resolved int                 // markets that groups were resolved into so far

	ids, connectorNames names
}

func (p *parser) orderTypes() []OrderType {
	var out []OrderType
	taken, marked := names{}, ""
	for _, n := range p.root.nodes("orderTypes") {
		n.warnTypos(orderTypeFields)
		t := OrderType{Name: n.required("name"), DisableWorkflow: n.flag("disableWorkflow", false)}
		taken.claim(n, "name", t.Name)
		for _, field := range []string{"default", "defaultOrderType"} {
			if !n.flag(field, false) {
				continue
			}
			if marked != "" && marked != n.at {
				n.wrong(n.path(field), "only one order type can be the default, and %s is", marked)
			}
			t.Default, marked = true, n.at
		}
		t.Statuses = p.statuses(n, "orderStatuses", false)
		out = append(out, t)
	}
	return out
}

func (p *parser) statuses(parent node, field string, returns bool) []Status {
	var out []Status
	taken := names{}
	for _, n := range parent.nodes(field) {
		n.warnTypos(statusFields)
		s := Status{
			Name:                 strings.TrimSpace(n.required("name")),
			MaxDuration:          n.span("maxDuration"),
			ShipmentStatusUpdate: strings.TrimSpace(n.text("shipmentStatusUpdate")),
			MainOrderStatus:      strings.TrimSpace(n.text("mainOrderStatus")),
		}
		taken.claim(n, "name", s.Name)
		s.Events = statusEvents(n, returns)
		for _, st := range n.nodes("workflowSteps") {
			s.Steps = append(s.Steps, p.step(st, s.Name, returns))
		}
		out = append(out, s)
	}
	return out
}

// masks refuses a mask that nothing was put in place of: it would be stored,
// and sent, as if it were the secret.
func (p *parser) masks() {
	for _, sec := range secretsOf(p.root.obj) {
		if sec.text() == mask {
			p.root.wrong(sec.at, notStored)
		}
	}
}
