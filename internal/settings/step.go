package settings

import (
	"slices"

	"github.com/orderhook/orderhook/internal/event"
	"github.com/orderhook/orderhook/internal/jsondoc"
)

// stepKeys are the steps that orderhook has.
var stepKeys = []string{WebhookStep, WebhookReturnStep, ExportOrderStep}

// Step is one workflow step as configured (docs/contract.md#settings). All runs of its
// version of the settings share it, and nobody changes it.
type Step struct {
	Name                 string // its key; a known one as the constants spell it
	Active               bool   // true where the setting is left out
	Connector            string
	ConnectorID          string
	StopOnError          bool
	RunAfterOrderIsSaved bool
	IsInvisible          bool
	TranslateKey         string
	DisplayName          string         // what people call it; steps of one key differ in it
	Host                 string         // the Host property; "" where there is none
	ErrorStatus          string         // the ErrorStatus property
	RequestHeaders       []event.Header // properties of the KeyGroup RequestHeaders
	Limits               Limits
	Conditions           []Condition // any of them lets the step run; none: always
	// Wire is the step's whole configuration without the RequestHeaders
	// properties, as it is sent to the endpoint and shown.
	Wire *jsondoc.Object
}

// stepKey gives a known step key its own spelling.
func stepKey(name string) (key string, known bool) {
	if key = spelled(name, stepKeys); key != "" {
		return key, true
	}
	return name, false
}

// step reads one entry of `workflowSteps` (docs/contract.md#settings), which
// stands in an order's status or in a return's. A name that no step has is a warning: the
// step is skipped in each run.
func (p *parser) step(n node, status string, returns bool) Step {
	n.warnUnread(stepKind)
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
		Conditions:           stepConditions(n),
		Wire:                 wire(n.obj),
	}
	// A step that orderhook does not have is skipped in each run, so it needs no connector.
	if known {
		st.Connector = n.required("connector")
	} else {
		st.Connector = n.text("connector")
	}
	p.stepProperties(n, &st)
	p.warnStep(n, &st, status, returns)
	return st
}

// wire is a step without the headers among its properties. They are secrets, and travel as
// headers already (docs/contract.md#requests).
func wire(step *jsondoc.Object) *jsondoc.Object {
	w := step.Clone()
	if list := w.List("properties"); list != nil {
		w.Set("properties", slices.DeleteFunc(list, func(e any) bool {
			prop, ok := e.(*jsondoc.Object)
			return ok && isHeader(prop)
		}))
	}
	return w
}

// limits reads for which orders and shipments a step runs.
func (p *parser) limits(n node) Limits {
	markets, stores := p.markets.lists(n), p.stores.lists(n)
	return Limits{
		EnabledForMarkets:          markets.enabled,
		DisabledForMarkets:         markets.disabled,
		NoMarket:                   markets.none,
		EnabledForStores:           stores.enabled,
		DisabledForStores:          stores.disabled,
		NoStore:                    stores.none,
		EnabledForTags:             n.texts("enabledForTags"),
		DisabledForTags:            n.texts("disabledForTags"),
		EnabledForWarehouses:       n.texts("enabledForWarehouses"),
		DisabledForWarehouses:      n.texts("disabledForWarehouses"),
		EnabledForShipmentOptions:  n.texts("enabledForShipmentOptions"),
		DisabledForShipmentOptions: n.texts("disabledForShipmentOptions"),
	}
}
