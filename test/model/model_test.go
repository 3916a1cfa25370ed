// Package model checks orderhook against a model of it: random settings,
// orders and endpoints' answers go through the real engine over its HTTP API,
// and a small program written from docs/contract.md alone says
// what calls, results, history and order must come of them.
//
// More cases than by default: go -C test test ./model -rapid.checks=5000.
package model

import (
	"flag"
	"testing"

	"pgregory.net/rapid"
)

// scenario is one case: a tenant's settings, an order that is posted, what is
// done with it afterwards, and what the endpoints answer.
type scenario struct {
	shop    shop
	order   order
	actions []action
	script  script
}

// init sets how many cases a plain `go test` plays; -rapid.checks says otherwise.
func init() {
	if err := flag.Set("rapid.checks", "400"); err != nil {
		panic(err)
	}
}

func TestTheEngineAgreesWithTheModel(t *testing.T) {
	r := start(t)
	rapid.Check(t, func(t *rapid.T) {
		s := scenarios.Draw(t, "scenario")
		s.log(t)
		play(t, r.tenant(t), s)
	})
	r.nothingCame(t)
	r.sink.mu.Lock()
	defer r.sink.mu.Unlock()
	if r.sink.shadows == 0 {
		t.Error("no shadow was called")
	}
}

// play does what the scenario says with the engine and with the model, and
// compares them after every step and at the end.
func play(t *rapid.T, r *rig, s scenario) {
	r.settings(t, s.shop.json(r.sink.URL))
	r.sink.load(s.script, func(e edit) error { return r.patch(s.order.ID, e) })
	m := newOracle(s)
	compareResult(t, "the posted order", m.create(), r.create(t, s.order))
	defer r.reproduces(t, r.tenantOf())
	for _, a := range s.actions {
		want := m.act(a)
		compareResult(t, a.String(), want, r.act(t, s.order.ID, a))
	}
	compareAll(t, m, r.observe(t, s.order.ID))
	left, err := r.leaves(r.tenantOf(), s.order.ID)
	if err != nil {
		t.Fatal(err)
	}
	r.left[r.tenantOf()] = left
}

func (s scenario) log(t *rapid.T) {
	t.Logf("settings %s", s.shop.json("http://sink"))
	t.Logf("order %s", toJSON(s.order))
	for i, a := range s.script.replies {
		t.Logf("call %d is answered: %s", i+1, a)
	}
	t.Logf("later calls: %s", s.script.later)
	for _, a := range s.actions {
		t.Logf("then: %s", a)
	}
}
