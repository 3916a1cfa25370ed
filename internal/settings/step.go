package settings

import (
	"slices"

	"github.com/orderhook/orderhook/internal/oms"
)

var stepKeys = []string{WebhookStep, WebhookReturnStep, ExportOrderStep}

// stepKey gives a known step key its own spelling.
func stepKey(name string) (key string, known bool) {
	if key = spelling(name, stepKeys); key != "" {
		return key, true
	}
	return name, false
}

// step reads one entry of `workflowSteps` (order-workflow-step.txt, "Workflow
// Step Properties"), which stands in an order's status or in a return's.
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
	if known {
		st.Connector = n.required("connector")
	} else {
		st.Connector = n.text("connector")
	}
	p.stepProperties(n, &st)
	p.warnStep(n, &st, status, returns)
	return st
}

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
