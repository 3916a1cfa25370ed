package model

import (
	"fmt"
	"strings"

	"pgregory.net/rapid"
)

func drawShop(t *rapid.T) shop {
	d := &shopDrawer{T: t}
	var s shop
	for _, name := range []string{"Online", "Store"}[:number(t, 1, 2)] {
		s.types = append(s.types, orderType{name: name, statuses: []status{d.status("New", 1, 5), d.status("Accepted", 0, 3), d.status("Packed", 0, 2)}})
	}
	if i := number(t, 0, 2); i < len(s.types) {
		s.types[i].marked = true
	}
	s.returns = []status{d.status("Returned", 1, 3), d.status("PartiallyReturned", 1, 3)}
	for i := range number(t, 0, 4) {
		s.connectors = append(s.connectors, d.connector(i))
	}
	return s
}

// shopDrawer numbers the steps of a shop.
type shopDrawer struct {
	*rapid.T
	steps int
}

func (d *shopDrawer) status(name string, least, most int) status {
	s := status{name: name}
	for range number(d.T, least, most) {
		s.steps = append(s.steps, d.step(strings.HasSuffix(name, "Returned")))
	}
	d.shadows(&s)
	return s
}

// shadows draws shadows of those steps that can be named by their key: no other step of the
// status has it.
func (d *shopDrawer) shadows(s *status) {
	keys := map[string]int{}
	for _, st := range s.steps {
		keys[st.key]++
	}
	for i, st := range s.steps {
		if st.key != unknownStep && keys[st.key] == 1 {
			for n := range number(d.T, 0, 2) {
				s.shadows = append(s.shadows, shadow{number(d.T, 0, len(s.steps)), 10*i + n, i})
			}
		}
	}
}

func (d *shopDrawer) step(returns bool) step {
	t := d.T
	d.steps++
	st := step{
		no: d.steps, key: d.key(returns), inactive: one(t, 8), connector: "Webhook", stop: one(t, 2), deferred: one(t, 5),
		errorStatus: pick(t, []string{"Failed", "Accepted"}, 2),
	}
	if st.ownHost = !one(t, 3); !st.ownHost || one(t, 4) {
		st.id = pick(t, []string{"c0", "c1", "gone"}, 3)
	}
	if one(t, 10) {
		st.connector = "erp"
	}
	if one(t, 3) {
		st.conditions = choose(t, []string{"Success"}, []string{"Error"}, []string{"Warning"}, []string{"Warning", "Success"})
	}
	if one(t, 5) {
		st.markets, st.stores, st.tags = d.limit(markets), d.limit(stores), d.limit(tags)
	}
	return st
}

func (d *shopDrawer) key(returns bool) string {
	switch {
	case one(d.T, 12):
		return unknownStep
	case returns && one(d.T, 2), one(d.T, 12):
		return returnWebhook
	}
	return webhook
}

// limit draws two lists that are mostly empty.
func (d *shopDrawer) limit(list []string) (l limit) {
	if one(d.T, 3) {
		l.enabled = some(d.T, list)
	}
	if one(d.T, 4) {
		l.disabled = some(d.T, list)
	}
	return l
}

func (d *shopDrawer) connector(i int) connector {
	c := connector{name: "Webhook", noRetry: one(d.T, 4)}
	if !one(d.T, 3) {
		c.id = fmt.Sprintf("c%d", i)
	}
	if one(d.T, 4) {
		c.name = "Erp"
	}
	if one(d.T, 2) {
		c.markets, c.nordics = d.limit(markets), one(d.T, 4)
	}
	return c
}
