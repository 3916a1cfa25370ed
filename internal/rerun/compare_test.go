package rerun_test

import (
	"slices"
	"testing"

	"github.com/shopspring/decimal"

	"github.com/orderhook/orderhook/internal/order/ordertest"
	"github.com/orderhook/orderhook/internal/outbound"
	"github.com/orderhook/orderhook/internal/rerun"
)

// What two validators make of one cart is compared: each row has two answers, and the paths in
// which they differ.
func TestCompare(t *testing.T) {
	cart := ordertest.Doc(t, `{"id":"C1","total":5,"tags":["a"],"properties":[{"key":"A","value":"1"}],"checked":"2026-11-30T08:00:00Z"}`)
	decided := func(value string) *rerun.Decision {
		return rerun.DecideValidator(cart, false, outbound.Exchange{Status: 200, Body: []byte(`{"value":` + value + `}`)})
	}
	cents := decimal.RequireFromString("0.01")
	for _, c := range []struct {
		name, was, is string
		options       rerun.Options
		want          []string
	}{
		{"the same", `{"note":"x"}`, `{"note":"x"}`, rerun.Options{}, nil},
		{"an echo and nothing", `{"id":"C1","total":5.00,"tags":["a"]}`, `{}`, rerun.Options{}, nil},
		{"a number by its value", `{"a":1.50}`, `{"a":15e-1}`, rerun.Options{}, nil},
		{"a time by its instant", `{"checked":"2026-11-30T09:00:00Z"}`, `{"checked":"2026-11-30T10:00:00.000+01:00"}`, rerun.Options{}, nil},
		{"the order of members", `{"a":{"b":1,"c":2}}`, `{"a":{"c":2,"b":1}}`, rerun.Options{}, nil},
		{"that of a set", `{"tags":["b","c"]}`, `{"tags":["c","b"]}`, rerun.Options{}, nil},
		{"that of elements with keys", `{"properties":[{"key":"B","value":"2"},{"key":"C","value":"3"}]}`, `{"properties":[{"key":"C","value":"3"},{"key":"B","value":"2"}]}`, rerun.Options{}, nil},
		{"but not of any list", `{"steps":[1,2]}`, `{"steps":[2,1]}`, rerun.Options{}, []string{"order.steps"}},
		{"a value", `{"properties":[{"key":"A","value":"2"}]}`, `{"properties":[{"key":"A","value":"3"}]}`, rerun.Options{}, []string{"order.properties[A].value"}},
		{"one that is not set any more", `{"note":"x"}`, `{}`, rerun.Options{}, []string{"order.note"}},
		{"a number and its text", `{"a":1}`, `{"a":"1"}`, rerun.Options{}, []string{"order.a"}},
		{"within the tolerance", `{"a":1.50,"b":{"c":"1.501"}}`, `{"a":1.51,"b":{"c":"1.502"}}`, rerun.Options{Tolerance: cents}, nil},
		{"beyond it", `{"a":1.50}`, `{"a":1.511}`, rerun.Options{Tolerance: cents}, []string{"order.a"}},
		{"what is ignored", `{"a":{"b":1},"c":1}`, `{"a":{"b":2},"c":2}`, rerun.Options{Ignore: []string{"order.a"}}, []string{"order.c"}},
		{"in any case, and by a pattern", `{"properties":[{"key":"A","value":"2"}]}`, `{"properties":[{"key":"A","value":"3"}]}`, rerun.Options{Ignore: []string{"Properties[*].VALUE"}}, nil},
		{"of another name", `{"abc":1}`, `{"abc":2}`, rerun.Options{Ignore: []string{"ab"}}, []string{"order.abc"}},
		{"an answer that is not valid", `{}`, `{"id":7`, rerun.Options{Ignore: []string{"reason"}}, []string{"outcome", "passed"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var paths []string
			for _, d := range rerun.Compare(decided(c.was), decided(c.is), c.options) {
				paths = append(paths, d.Path)
			}
			if !slices.Equal(paths, c.want) {
				t.Errorf("%v, want %v", paths, c.want)
			}
		})
	}
}
