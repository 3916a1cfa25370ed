package settings

import (
	"net/url"

	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/jsondoc"
)

// Parse reads a settings document (docs/contract.md#settings), in which the places of
// secrets hold secrets. All errors are collected into one *[apierr.Error] of kind
// [apierr.Invalid], each with its path, as
// `orderTypes[0].orderStatuses[1].workflowSteps[0].name`; unknown fields are
// none, unless they would limit a step, and are stored. Warnings come with and
// without an error. The document is copied, so the caller may go on to change
// it. [Incoming] is for documents that come from outside. The tests of many packages use Parse;
// the product does not.
func Parse(doc *jsondoc.Object) (*Settings, []apierr.Warning, error) {
	p := newParser(doc)
	s := p.settings()
	if err := p.root.err(); err != nil {
		return nil, p.root.warnings, err
	}
	return s, p.root.warnings, nil
}

// ParseStored reads a document that [Settings.Sealed] made and was stored. It passed the checks of its day,
// and those of today may be stricter: what they would refuse is passed over, as
// it was then. An update must not make a tenant's settings unreadable. Nobody is told of
// what it finds.
func ParseStored(doc *jsondoc.Object) *Settings {
	p := newParser(doc)
	refer(p.root.obj)
	return p.settings()
}

// newParser copies the document, since reading it puts other values in the places of
// secrets. None is as an empty one.
func newParser(doc *jsondoc.Object) *parser {
	doc = doc.Clone()
	if doc == nil {
		doc = jsondoc.NewObject()
	}
	return &parser{root: node{obj: doc, findings: &findings{}}}
}

// settings reads the whole document. It goes on after an error, so that all are found at
// once.
func (p *parser) settings() *Settings {
	p.root.warnUnread(documentKind)
	if len(p.root.warnings) == 0 && p.root.readsNothing(documentKind) {
		p.root.warn("", "none of its fields is one of the settings, so no step runs: is it another document?")
	}
	p.readMarkets()
	p.readStores()
	s := &Settings{Retention: retention(p.root), doc: p.root.obj}
	s.Connectors = p.connectors()
	s.OrderTypes = p.orderTypes()
	s.ReturnStatuses = p.statuses(p.root, "returnStatuses", true)
	p.warnStatusNames(s)
	p.masks()
	s.identify()
	// From here on the document holds no text of a secret.
	conceal(s.doc)
	return s
}

// parser reads one document. Markets come first, then connectors, then steps:
// each needs to know what the ones before it name.
type parser struct {
	root    node
	refused func(*url.URL) string // as in [Incoming]; nil: never

	markets, stores grouping
	resolved        int // names that groups were resolved into so far

	ids, connectorNames names
	mentions            []mention
}

// orderTypes reads the types of orders. Either of two fields marks the default type; both
// may, if they mark the same.
func (p *parser) orderTypes() []OrderType {
	var out []OrderType
	taken, marked := names{}, ""
	for _, n := range p.root.nodes("orderTypes") {
		n.warnUnread(orderTypeKind)
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

// masks refuses a mask that nothing was put in place of: it would be stored,
// and sent, as if it were the secret. It is asked when every *** that stands for something
// has been replaced.
func (p *parser) masks() {
	for _, sec := range secretsOf(p.root.obj) {
		if sec.text() == mask {
			p.root.wrong(sec.at, notStored)
		}
	}
}
