package settings

import (
	"cmp"

	"github.com/orderhook/orderhook/internal/event"
	"github.com/orderhook/orderhook/internal/spelling"
)

// Target is where the calls of a step go. Connector is nil for a step with a
// Host of its own and no ConnectorId, or one that finds none. It is chosen for each call,
// since the order's market has a say in it.
type Target struct {
	URL       string
	Connector *Connector
}

// Target returns where a step's call goes for an order of the market ("" for
// one without), and whether there is such a place: without it, that is
// "connector not found" (docs/contract.md#connectors). The Host of the step goes before
// that of the connector.
func (s *Settings) Target(st *Step, marketID string) (Target, bool) {
	t := Target{URL: st.Host, Connector: s.Connector(st, marketID)}
	if t.URL == "" && t.Connector != nil {
		t.URL = t.Connector.Host
	}
	return t, t.URL != ""
}

// Ref returns what finds the target of a step again, by [Settings.ExportTarget],
// after the settings have changed. An export may be sent again an hour later, when they are
// others.
func (t Target) Ref(st *Step) event.ConnectorRef {
	ref := event.ConnectorRef{Name: st.Connector, ID: st.ConnectorID, Host: st.Host}
	if t.Connector != nil {
		ref.Name, ref.ID = t.Connector.Name, cmp.Or(t.Connector.ConnectorID, ref.ID)
	}
	return ref
}

// ExportTarget is [Settings.Target] for the connector of an ExportOrder step. The reference
// may be older than the settings.
func (s *Settings) ExportTarget(ref event.ConnectorRef, marketID string) (Target, bool) {
	return s.Target(&Step{Connector: ref.Name, ConnectorID: ref.ID, Host: ref.Host}, marketID)
}

// Connector returns the connector whose configuration a step's call uses for
// an order of the market ("" for one without), or nil (docs/contract.md#connectors).
//
// Nil means connector not found only where the step has no Host of its own.
// A step with a Host but no ConnectorId gets nil even if a connector has its
// name: credentials must not travel to a host they were not given for.
func (s *Settings) Connector(st *Step, marketID string) *Connector {
	if st.ConnectorID == "" && st.Host != "" {
		return nil
	}
	// A connector for certain markets goes before one that is for all of them.
	var general *Connector
	for i := range s.Connectors {
		c := &s.Connectors[i]
		if !c.answersTo(st) || !c.Admits(marketID) {
			continue
		}
		// Ids are unique, so with a ConnectorId there is nothing to weigh up.
		if st.ConnectorID != "" || c.onlySomeMarkets() {
			return c
		}
		if general == nil {
			general = c
		}
	}
	return general
}

// answersTo reports whether the step names the connector: by its id where it
// gives one, else by its name. Neither has a case.
func (c *Connector) answersTo(st *Step) bool {
	if st.ConnectorID != "" {
		return spelling.SameName(c.ConnectorID, st.ConnectorID)
	}
	return spelling.SameName(c.Name, st.Connector)
}

// Admits reports whether the connector is for orders of the market: disabled
// beats enabled, and without enabled lists it is for all that are not disabled,
// those without a market included.
func (c *Connector) Admits(marketID string) bool {
	if contains(c.DisabledForMarkets, marketID) {
		return false
	}
	return !c.onlySomeMarkets() || contains(c.EnabledForMarkets, marketID)
}

// onlySomeMarkets reports whether the connector is for certain markets. Groups that hold no
// market make it one for none.
func (c *Connector) onlySomeMarkets() bool { return c.NoMarket || len(c.EnabledForMarkets) > 0 }

// contains reports whether a list names something, in any case. Nothing is
// named by "", not even by an empty entry.
func contains(list []string, name string) bool {
	for _, e := range list {
		if name != "" && spelling.SameName(e, name) {
			return true
		}
	}
	return false
}
