package order_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/jsondoc"
	"github.com/orderhook/orderhook/internal/order"
	"github.com/orderhook/orderhook/internal/order/ordertest"
)

// inTime fails when a call takes many times as long as it may on a slow machine.
func inTime(t *testing.T, call func()) {
	t.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		call()
	}()
	select {
	case <-done:
	case <-time.After(20 * time.Second):
		t.Fatal("it takes too long")
	}
}

// manyOf is a list of n elements, or the inside of an object of n members.
func manyOf(n int, format string) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, ","+format, i)
	}
	return b.String()[1:]
}

// What a document can hold within its limits must not take time that grows with
// the square of its size, or with a power of its depth: no other writer gets a
// turn meanwhile.
func TestHostilePatchesTakeNoLongTime(t *testing.T) {
	const levels = jsondoc.MaxDepth - 2
	chain := func(name, end string) string {
		return `{"custom":` + strings.Repeat(`{"`+name+`":`, levels) + end + strings.Repeat(`}`, levels) + `}`
	}
	lines := func(n int, format string) string {
		return `{"orderForm":{"lineItems":[` + manyOf(n, format) + `]}}`
	}
	wide := manyOf(100, `"f%d":1`)
	properties := func(n int, format string) string { return `"properties":[` + manyOf(n, format) + `]` }
	for _, c := range []struct {
		name, doc, patch string
		rules            *order.PatchRules // nil: a validator's cart
		changes          int
		refused          string
	}{
		{"names in another case at every depth, equal", chain("name", "1"), chain("NAME", "1"), order.APIPatch, 0, ""},
		{"names in another case at every depth, a change", chain("name", "1"), chain("NAME", "2"), order.APIPatch, 1, ""},
		{"many fields that a step may not change", `{` + manyOf(20_000, `"field%d":1`) + `}`, `{` + manyOf(20_000, `"Field%d":1`) + `}`, order.OrderStepPatch, 0, ""},
		{"many lines without a key", lines(150_000, `{"n":%d}`), lines(150_000, `{"code":"","n":%d}`), order.OrderStepPatch, 0, ""},
		{"many new lines in a cart", lines(50_000, `{"lineItemId":"a%d"}`), lines(50_000, `{"lineItemId":"b%d"}`), nil, 100_000, ""},
		{"many properties of one key that are removed and come again", `{` + properties(50_000, `{"key":"k","value":"a%d"}`) + `}`,
			`{"propertiesRemovalConditions":[{"key":"k"}],` + properties(50_000, `{"key":"k","value":"b%d"}`) + `}`, order.APIPatch, 1, ""},
		{"wide elements without a key, none of which is another", lines(5_000, `{`+wide+`,"n":%d}`), lines(5_000, `{`+wide+`,"n":-1%d}`),
			order.APIPatch, 0, "too many elements"},
		{"an address that may be that of many shipments", `{"orderForm":{"shipments":[` + manyOf(20_000, `{"address":{"line1":"%d"}}`) + `]}}`,
			`{"shippingAddress":{` + manyOf(20_000, `"f%d":1`) + `}}`, order.APIPatch, 0, "shippingAddress"},
	} {
		t.Run(c.name, func(t *testing.T) {
			before, patch := ordertest.Doc(t, c.doc), ordertest.Doc(t, c.patch)
			inTime(t, func() {
				apply := func() (order.Patched, error) { return appliedCart(before, patch, false) }
				if c.rules != nil {
					apply = func() (order.Patched, error) { return c.rules.Apply(before, patch) }
				}
				got, err := apply()
				if c.refused != "" {
					if apierr.KindOf(err) != apierr.Invalid || !strings.Contains(err.Error(), c.refused) {
						t.Errorf("error %v; want one of %q", err, c.refused)
					}
				} else if err != nil || len(got.Changes) != c.changes {
					t.Errorf("%d changes, error %v; want %d", len(got.Changes), err, c.changes)
				}
			})
		})
	}
}

// Warnings are stored three times over, so an answer cannot make many megabytes of them.
func TestWarningsAboutOnePatchAreBounded(t *testing.T) {
	for name, patch := range map[string]string{
		"fields that may not be changed": `{` + manyOf(1_000, `"field%d":1`) + `,"` + strings.Repeat("n", 1<<20) + `":1}`,
		"forceUpdate":                    `{"forceUpdate":[` + manyOf(1_000, `"field%d"`) + `,"` + strings.Repeat("n", 1<<20) + `"]}`,
	} {
		got := ordertest.Apply(t, order.OrderStepPatch, `{"id":"1"}`, patch)
		last := got.Warnings[len(got.Warnings)-1]
		if len(got.Warnings) != 51 || !strings.HasPrefix(last.Message, "951 more ") {
			t.Errorf("%s: %d warnings, the last %q", name, len(got.Warnings), last.Message)
		}
		if size := len(fmt.Sprint(got.Warnings, got.NotApplied)); size > 10_000 {
			t.Errorf("%s: warnings of %d bytes", name, size)
		}
	}
	got := ordertest.Apply(t, order.OrderStepPatch, `{"id":"1"}`, `{"`+strings.Repeat("n", 1<<20)+`":1}`)
	if len(got.Warnings[0].Path) > 200 || len(got.NotApplied[0]) > 200 {
		t.Errorf("a name of %d bytes", len(got.Warnings[0].Path))
	}
}
