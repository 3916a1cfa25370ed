package settings

import (
	"cmp"
	"fmt"
)

// Admit reports whether a step runs for an order of that market, store and
// tags, each "" or empty where the order has none, and if not, why it is
// skipped, as "not enabled for market SWE" (CONTRACT.md, "Configuration").
func (l Limits) Admit(marketID, storeID string, tags []string) (reason string, ok bool) {
	if l.NoMarket {
		return "not enabled for any market", false
	}
	checks := []struct {
		what              string
		enabled, disabled []string
		has               []string
	}{
		{"market", l.EnabledForMarkets, l.DisabledForMarkets, []string{marketID}},
		{"store", l.EnabledForStores, l.DisabledForStores, []string{storeID}},
		{"tag", l.EnabledForTags, l.DisabledForTags, tags},
	}
	for _, c := range checks {
		if reason := refusal(c.what, c.enabled, c.disabled, c.has); reason != "" {
			return reason, false
		}
	}
	return "", true
}

// refusal says why an order that has these markets, stores or tags is not
// admitted, "" if it is: one that is disabled is enough, and one that is
// enabled.
func refusal(what string, enabled, disabled, has []string) string {
	admitted, named := len(enabled) == 0, ""
	for _, h := range has {
		if contains(disabled, h) {
			return fmt.Sprintf("disabled for %s %s", what, h)
		}
		if contains(enabled, h) {
			admitted = true
		}
		named = cmp.Or(h, named)
	}
	switch {
	case admitted:
		return ""
	case named == "":
		return fmt.Sprintf("not enabled for orders without a %s", what)
	case len(has) > 1:
		return fmt.Sprintf("not enabled for any of the order's %ss", what)
	}
	return fmt.Sprintf("not enabled for %s %s", what, named)
}
