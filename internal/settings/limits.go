package settings

import (
	"cmp"
	"fmt"
)

// Subject is what the limits of a step look at: an order, and the shipment that
// its run is for. What is not there is "" or empty. It is made of the order as it is when
// the step's turn comes.
type Subject struct {
	Market, Store string
	Tags          []string
	// Warehouse is that of the shipment in scope, and ShipmentOptions are the id
	// and the name of its shipping method: either may be named in a list.
	Warehouse       string
	ShipmentOptions []string
}

// limit is one pair of lists, and what of the subject they are about. A list that is empty
// limits nothing.
type limit struct {
	what              string // as a reason names it
	of                string // what has it
	enabled, disabled []string
	has               []string
}

// Admit reports whether a step runs for an order, and if not, why it is skipped,
// as "not enabled for market SWE" (docs/contract.md#which-steps-run). A step that
// is enabled for warehouses or shipment options runs for a shipment only. The first limit
// that keeps it out is the reason.
func (l Limits) Admit(s Subject) (reason string, ok bool) {
	switch {
	case l.NoMarket:
		return "not enabled for any market", false
	case l.NoStore:
		return "not enabled for any store", false
	}
	for _, c := range []limit{
		{"market", "order", l.EnabledForMarkets, l.DisabledForMarkets, []string{s.Market}},
		{"store", "order", l.EnabledForStores, l.DisabledForStores, []string{s.Store}},
		{"tag", "order", l.EnabledForTags, l.DisabledForTags, s.Tags},
		{"warehouse", "shipment", l.EnabledForWarehouses, l.DisabledForWarehouses, []string{s.Warehouse}},
		{"shipment option", "shipment", l.EnabledForShipmentOptions, l.DisabledForShipmentOptions, s.ShipmentOptions},
	} {
		if reason := c.refusal(); reason != "" {
			return reason, false
		}
	}
	return "", true
}

// refusal says why what the subject has does not admit it, "" if it does: one
// name that is disabled is enough, and one that is enabled.
func (l limit) refusal() string {
	admitted, named := len(l.enabled) == 0, ""
	for _, h := range l.has {
		if contains(l.disabled, h) {
			return fmt.Sprintf("disabled for %s %s", l.what, h)
		}
		if contains(l.enabled, h) {
			admitted = true
		}
		named = cmp.Or(named, h)
	}
	switch {
	case admitted:
		return ""
	case named == "" && l.of == "shipment":
		return fmt.Sprintf("not enabled for runs without a shipment that has a %s", l.what)
	case named == "":
		return fmt.Sprintf("not enabled for orders without a %s", l.what)
	case len(l.has) > 1 && l.of == "order":
		return fmt.Sprintf("not enabled for any of the order's %ss", l.what)
	}
	return fmt.Sprintf("not enabled for %s %s", l.what, named)
}
