package model

import (
	"slices"
	"strings"
)

// docs/contract.md#which-steps-run and docs/contract.md#connectors.

// stepsOf returns the steps of a status; none where settings do not name it.
func (s shop) stepsOf(orderType, entered string, returns bool) []step {
	list := s.returns
	if !returns {
		list = s.typeOf(orderType).statuses
	}
	for _, st := range list {
		if strings.EqualFold(st.name, entered) {
			return st.steps
		}
	}
	return nil
}

// typeOf returns the type of that name, else the default one.
func (s shop) typeOf(name string) orderType {
	byName := func(t orderType) bool { return strings.EqualFold(t.name, name) }
	marked := func(t orderType) bool { return t.marked }
	for _, fits := range []func(orderType) bool{byName, marked} {
		if i := slices.IndexFunc(s.types, fits); i >= 0 {
			return s.types[i]
		}
	}
	return s.types[0]
}

// isFor reports whether a step is for the order as it is now and for its run.
func (m *oracle) isFor(st step, r *run, before []stepResult) bool {
	switch {
	case st.key == unknownStep, st.key == returnWebhook && r.returned == 0:
		return false
	case !st.markets.admits(m.order.MarketID), !st.stores.admits(m.order.StoreID), !st.tags.admits(m.order.Tags...):
		return false
	}
	return len(st.conditions) == 0 || slices.ContainsFunc(st.conditions, func(c string) bool { return holds(c, before) })
}

func (l limit) admits(names ...string) bool {
	in := func(list []string) bool {
		return slices.ContainsFunc(names, func(n string) bool {
			return slices.ContainsFunc(list, func(e string) bool { return strings.EqualFold(e, n) })
		})
	}
	return !in(l.disabled) && (len(l.enabled) == 0 || in(l.enabled))
}

func holds(condition string, before []stepResult) bool {
	had := func(status string) bool {
		return slices.ContainsFunc(before, func(r stepResult) bool { return r.status == status })
	}
	if condition == "Success" {
		return !had("Error") && !had("Warning")
	}
	return had(condition)
}

// target is where a step's call goes, and what of its connector matters there.
type target struct {
	path, auth string
	noRetry    bool
}

func (t target) attempts() int {
	if t.noRetry {
		return 1
	}
	return 4
}

// target chooses the connector; false is "connector not found".
func (s shop) target(st step, market string) (target, bool) {
	own := target{path: st.path()}
	if st.ownHost && st.id == "" {
		return own, true
	}
	i := s.connector(st, market)
	if i < 0 {
		return own, st.ownHost
	}
	t := target{connectorPath(i), "Bearer " + token(i), s.connectors[i].noRetry}
	if st.ownHost {
		t.path = own.path
	}
	return t, true
}

// connector returns the place of the connector for a step, -1 if there is none.
func (s shop) connector(st step, market string) int {
	general := -1
	for i, c := range s.connectors {
		markets := c.markets
		if c.nordics {
			markets.enabled = slices.Concat(markets.enabled, nordics)
		}
		switch {
		case !markets.admits(market):
		case st.id != "":
			if c.id == st.id {
				return i
			}
		case !strings.EqualFold(c.name, st.connector):
		case len(markets.enabled) > 0:
			return i
		case general < 0:
			general = i
		}
	}
	return general
}
