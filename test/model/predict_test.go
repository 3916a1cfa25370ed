package model

import (
	"fmt"
	"strings"
)

// oracle says what must come of a scenario.
type oracle struct {
	shop    shop
	script  script
	order   order
	calls   []string // every attempt that is made
	history []string
	runs    []*run
	trail   []string // what the order was, change by change
	made    int      // calls so far
	events  []string // of the writes that were committed
	write   []string // the types of the events of the order in the write that is being decided
	failed  string   // and that a run failed in it
}

// action is what is done with the order after it was posted: one of the three.
type action struct {
	status string // to enter
	back   []line // to return
	patch  *edit
}

func (a action) String() string {
	switch {
	case a.patch != nil:
		return "patch " + a.patch.json()
	case a.back != nil:
		return "return " + toJSON(a.back)
	}
	return "enter " + a.status
}

// answer is what the API says to a call.
type answer struct {
	code    int
	aborted bool
	results []string
	order   string
}

func newOracle(s scenario) *oracle { return &oracle{shop: s.shop, script: s.script, order: s.order} }

func (m *oracle) create() answer {
	m.order.Status = or(m.order.Status, "New")
	m.order = m.order.clone()
	m.order.recompute(order{})
	m.log("Created", "", 0, false, "", m.order.Status)
	m.happening("OrderCreated")
	m.entered(m.order.Status)
	m.snap()
	return m.follow(201, m.order.Status, 0)
}

func (m *oracle) act(a action) answer {
	switch {
	case a.patch != nil:
		m.patchByAPI(*a.patch)
		return answer{code: 200, order: m.order.view().String()}
	case a.back != nil:
		return m.giveBack(a.back)
	}
	m.setStatus(a.status)
	return m.follow(200, a.status, 0)
}

func (m *oracle) giveBack(lines []line) answer {
	next := m.order.clone()
	status, ok := next.giveBack(lines)
	if !ok {
		return answer{code: 422}
	}
	m.order = next
	m.log("ReturnCreated", "", 0, false, "", "")
	m.setStatus(status)
	m.snap()
	return m.follow(201, status, len(m.order.ReturnOrderForms))
}

// patchByAPI is another writer's change.
func (m *oracle) patchByAPI(e edit) {
	was := m.order
	m.order = e.apply(m.order, m.order)
	if len(m.order.view().changed(was.view())) == 0 {
		return
	}
	m.log("Patched", "", 0, false, "", "")
	m.logStatus(was.Status)
	m.snap()
	m.commit()
}

// setStatus sets a status, which has no case.
func (m *oracle) setStatus(status string) {
	was := m.order.Status
	if strings.EqualFold(was, status) {
		return
	}
	m.order.Status = status
	m.logStatus(was)
	m.snap()
}

func (m *oracle) logStatus(was string) {
	if !strings.EqualFold(was, m.order.Status) {
		m.log("StatusChanged", "", 0, false, was, m.order.Status)
		m.entered(m.order.Status)
	}
}

func (m *oracle) log(operation, step string, call int, isError bool, from, to string) {
	m.history = append(m.history, historyText(operation, step, call, isError, from, to))
}

func historyText(operation, step string, call int, isError bool, from, to string) string {
	return fmt.Sprintf("%s step=%s call=%d error=%t %s -> %s", operation, step, call, isError, from, to)
}

// snap notes what the order is now.
func (m *oracle) snap() { m.trail = append(m.trail, m.order.view().String()) }
