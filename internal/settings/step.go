package settings

import (
	"fmt"
	"slices"

	"github.com/orderhook/orderhook/internal/oms"
)

// Names within a step's properties (order-workflow-step.txt, "Step-level
// properties"); case makes no difference in them.
const (
	hostKey        = "Host"
	errorStatusKey = "ErrorStatus"
	headerGroup    = "RequestHeaders"
)

// stepKey gives a known step key its own spelling.
func stepKey(name string) (key string, known bool) {
	for _, k := range []string{WebhookStep, WebhookReturnStep, ExportOrderStep} {
		if same(k, name) {
			return k, true
		}
	}
	return name, false
}

// step reads one entry of `workflowSteps` (order-workflow-step.txt, "Workflow
// Step Properties"), which stands in an order's status or in a return's.
func (p *parser) step(n node, status string, returns bool) Step {
	n.warnTypos(stepFields)
	name, known := stepKey(n.required("name"))
	st := Step{
		Name:                 name,
		Active:               n.flag("active", true),
		ConnectorID:          n.text("connectorId"),
		StopOnError:          n.flag("stopOnError", false),
		RunAfterOrderIsSaved: n.flag("runAfterOrderIsSaved", false),
		IsInvisible:          n.flag("isInvisible", false),
		TranslateKey:         n.text("translateKey"),
		DisplayName:          n.text("displayName"),
		Limits:               p.limits(n),
		Conditions:           conditions(n),
		Wire:                 wire(n.obj),
	}
	if known {
		st.Connector = n.required("connector")
	} else {
		st.Connector = n.text("connector")
	}
	stepProperties(n, &st)
	p.warnStep(n, &st, status, returns)
	return st
}

// stepProperties reads the properties that say something about the call; all
// others are the endpoint's own.
func stepProperties(n node, st *Step) {
	seen, headers := names{}, headerList{names: names{}}
	for _, prop := range n.nodes("properties") {
		if isHeader(prop.obj) {
			headers.add(prop)
			warnHeader(prop, st)
			continue
		}
		switch p := property(prop); {
		case same(p.Key, hostKey):
			seen.claim(prop, "key", hostKey)
			if st.Host = host(prop, "value"); !prop.obj.Has("value") {
				prop.wrong(prop.path("value"), "is needed")
			}
		case same(p.Key, errorStatusKey):
			seen.claim(prop, "key", errorStatusKey)
			st.ErrorStatus = p.Value
		}
	}
	st.RequestHeaders = headers.list
}

func isHeader(property *oms.Object) bool { return same(property.Text("keyGroup"), headerGroup) }

// wire is a step without the headers among its properties.
func wire(step *oms.Object) *oms.Object {
	w := step.Clone()
	if list := w.List("properties"); list != nil {
		w.Set("properties", slices.DeleteFunc(list, func(e any) bool {
			prop, ok := e.(*oms.Object)
			return ok && isHeader(prop)
		}))
	}
	return w
}

func (p *parser) limits(n node) Limits {
	markets := p.marketLists(n)
	return Limits{
		EnabledForMarkets:  markets.enabled,
		DisabledForMarkets: markets.disabled,
		NoMarket:           markets.none,
		EnabledForStores:   n.texts("enabledForStores"),
		DisabledForStores:  n.texts("disabledForStores"),
		EnabledForTags:     n.texts("enabledForTags"),
		DisabledForTags:    n.texts("disabledForTags"),
	}
}

func conditions(n node) []Condition {
	var out []Condition
	known := []Condition{OnSuccess, OnError, OnWarning}
	for i, s := range n.texts("conditions") {
		k := slices.IndexFunc(known, func(c Condition) bool { return same(string(c), s) })
		if k < 0 {
			n.wrong(fmt.Sprintf("%s[%d]", n.path("conditions"), i), "must be Success, Error or Warning")
			continue
		}
		out = append(out, known[k])
	}
	return out
}
