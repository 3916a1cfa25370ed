package order_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/orderhook/orderhook/internal/order"
	"github.com/orderhook/orderhook/internal/order/ordertest"
)

// race applies a step's patch to an order that another writer changed during
// the call, as the workflow does, and returns the conflicts.
func race(t *testing.T, base, theirs, ours string) []order.Change {
	t.Helper()
	other := ordertest.Apply(t, order.APIPatch, base, theirs)
	step, err := order.OrderStepPatch.Apply(other.Doc, ordertest.Doc(t, ours))
	if err != nil {
		t.Fatal(err)
	}
	return order.Conflicts(order.Differences(ordertest.Doc(t, base), other.Doc), step.Set)
}

func TestBothChangesStandWhereTheyTouchDifferentFields(t *testing.T) {
	const base = `{"customerName":"Kari","billingAddress":{"city":"Bergen","line1":"A"},"tags":["vip"],"orderNotes":[{"detail":"first"},{"id":"n1","detail":"x"}],
		"properties":[{"key":"A","value":"1"},{"key":"B","value":"1"}],"orderForm":{"lineItems":[{"lineItemId":"1","code":"A"}]}}`
	for _, tc := range []struct{ name, theirs, ours string }{
		{"fields of the order", `{"customerName":"Ola"}`, `{"customerEmail":"kari@example.no"}`},
		{"fields of an object", `{"billingAddress":{"city":"Oslo"}}`, `{"billingAddress":{"line1":"B"}}`},
		{"names of which one begins as the other", `{"customerName":"Ola"}`, `{"customerNameX":"Kari","customerEmail":"a"}`},
		{"properties", `{"properties":[{"key":"A","value":"2"}]}`, `{"properties":[{"key":"B","value":"2"}]}`},
		{"fields of one line", `{"orderForm":{"lineItems":[{"lineItemId":"1","comment":"x"}]}}`, `{"orderForm":{"lineItems":[{"lineItemId":"1","code":"B"}]}}`},
		{"added lines", `{"orderForm":{"lineItems":[{"lineItemId":"2"}]}}`, `{"orderForm":{"lineItems":[{"lineItemId":"3"}]}}`},
		{"added tags", `{"tags":["express"]}`, `{"tags":["fraud-checked"]}`},
		{"the same tag", `{"tags":["express"]}`, `{"tags":["express","fraud-checked"]}`},
		{"added notes without ids", `{"orderNotes":[{"detail":"theirs"}]}`, `{"orderNotes":[{"detail":"ours"}]}`},
		{"a note added beside one they changed", `{"orderNotes":[{"id":"n1","detail":"theirs"}]}`, `{"orderNotes":[{"detail":"ours"}]}`},
		{"the same value", `{"customerName":"Ola"}`, `{"customerName":"Ola"}`},
		{"fields of an object that they brought", `{"contact":{"phone":"1"},"orderForm":{"lineItems":[{"lineItemId":"9","code":"A"}]}}`, `{"orderForm":{"lineItems":[{"lineItemId":"9","comment":"x"}]}}`},
		{"a tag added where they removed one", `{"keepExistingListItems":false,"tags":[]}`, `{"tags":["fraud-checked"]}`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := race(t, base, tc.theirs, tc.ours); len(got) > 0 {
				t.Errorf("conflicts at %v: %v", paths(got), got)
			}
		})
	}
}

// met are the conflicts of a step's patch of what was sent with what another writer made of it.
func met(t *testing.T, sent, theirs, ours string) (at []string) {
	t.Helper()
	base, doc := ordertest.Doc(t, sent), ordertest.Apply(t, order.APIPatch, sent, theirs).Doc
	p, err := order.OrderStepPatch.ApplySince(doc, order.Sent{Doc: base}, ordertest.Doc(t, ours))
	if err != nil {
		t.Fatal(err)
	}
	return paths(order.ConflictsOf(base, doc, p))
}

// One element without a key, or with one that another has, makes no conflict of all others.
func TestConflictsInListsWhoseElementsHaveNoKeysOfTheirOwn(t *testing.T) {
	const lines = `{"orderForm":{"lineItems":[{"lineItemId":"1","placedPrice":1},{"lineItemId":"2"},{"code":"GIFT","quantity":1,"placedPrice":0}]}}`
	const split = `{"orderForm":{"lineItems":[{"lineItemId":"1","quantity":2,"code":"A"},{"lineItemId":"1","quantity":3,"code":"B"}]}}`
	line := func(list string) string { return `{"orderForm":{"lineItems":[` + list + `]}}` }
	for _, tc := range []struct{ name, sent, theirs, ours, want string }{
		{"two lines beside one without an id", lines, line(`{"lineItemId":"2","comment":"x"}`), line(`{"lineItemId":"1","placedPrice":2}`), "[]"},
		{"one line beside one without an id", lines, line(`{"lineItemId":"1","comment":"x"}`), line(`{"lineItemId":"1","placedPrice":2}`), "[]"},
		{"one field of it", lines, line(`{"lineItemId":"1","placedPrice":3}`), line(`{"lineItemId":"1","placedPrice":2}`), "[orderForm.lineItems[1].placedPrice]"},
		{"both add a line without an id", lines, line(`{"code":"X"}`), line(`{"code":"Y"}`), "[]"},
		{"a line that they added without an id", lines, line(`{"code":"X"}`), line(`{"lineItemId":"2","code":"Y"}`), "[]"},
		{"two of one id", split, line(`{"lineItemId":"1"},{"lineItemId":"1","comment":"x"}`), line(`{"lineItemId":"1","quantity":5}`), "[]"},
		{"one of two of one id", split, line(`{"lineItemId":"1"},{"lineItemId":"1","quantity":7}`), line(`{"lineItemId":"1"},{"lineItemId":"1","quantity":6}`), "[orderForm.lineItems[#1].quantity]"},
		{"a line of which ours has a part less", lines, line(`{"lineItemId":"1","placedPrice":3}`), `{"keepExistingOrderLines":false,"orderForm":{"lineItems":[{"lineItemId":"2"},{"code":"GIFT","quantity":1,"placedPrice":0}]}}`, "[orderForm.lineItems[1]]"},
		{"properties", `{"properties":[{"key":"A","value":"1"},{"key":"B","value":"1"},{"value":"none"}]}`, `{"properties":[{"key":"A","value":"2"}]}`, `{"properties":[{"key":"B","value":"2"}]}`, "[]"},
		{"payments", `{"orderForm":{"payments":[{"id":"P","amount":1},{"paymentId":1}]}}`, `{"orderForm":{"payments":[{"id":"P","status":"Paid"}]}}`, `{"orderForm":{"payments":[{"id":"P","amount":2}]}}`, "[]"},
		{"notes", `{"orderNotes":[{"id":"n1","detail":"a"},{"detail":"b"}]}`, `{"orderNotes":[{"id":"n1","detail":"theirs"}]}`, `{"orderNotes":[{"id":"n1","title":"ours"},{"detail":"c"}]}`, "[]"},
		{"shipments", `{"orderForm":{"shipments":[{"shipmentId":"S"},{"status":"New"}]}}`, `{"orderForm":{"shipments":[{"shipmentId":"S","status":"Sent"}]}}`, `{"orderForm":{"shipments":[{"shipmentId":"S","comment":"x"}]}}`, "[]"},
		{"external ids", `{"externalIds":[{"providerName":"A","id":"1"},{"id":"2"}]}`, `{"externalIds":[{"providerName":"A","id":"1","x":1}]}`, `{"externalIds":[{"providerName":"A","id":"1","y":1}]}`, "[]"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := fmt.Sprint(met(t, tc.sent, tc.theirs, tc.ours)); got != tc.want {
				t.Errorf("conflicts at %s, want %s", got, tc.want)
			}
		})
	}
}

func TestAConflictHoldsAllThreeValues(t *testing.T) {
	const base = `{"customerName":"Kari","billingAddress":{"city":"Bergen"},"tags":["vip"],"properties":[{"key":"A","value":"1"}]}`
	for _, tc := range []struct {
		name, theirs, ours string
		want               order.Change
	}{
		{"a field", `{"customerName":"Ola"}`, `{"customerName":"Per"}`, order.Change{Path: "customerName", Before: "Kari", Theirs: "Ola", After: "Per"}},
		{"a field that was not there", `{"customerEmail":"a"}`, `{"customerEmail":"b"}`, order.Change{Path: "customerEmail", Theirs: "a", After: "b"}},
		{"a field of an object", `{"billingAddress":{"city":"Oslo"}}`, `{"billingAddress":{"city":"Voss"}}`, order.Change{Path: "billingAddress.city", Before: "Bergen", Theirs: "Oslo", After: "Voss"}},
		{"a property", `{"properties":[{"key":"A","value":"2"}]}`, `{"properties":[{"key":"A","value":"3"}]}`, order.Change{Path: "properties[A].value", Before: "1", Theirs: "2", After: "3"}},
		{"a field of what they brought", `{"properties":[{"key":"B","value":"2"}]}`, `{"properties":[{"key":"B","value":"3"}]}`, order.Change{Path: "properties[B].value", Theirs: "2", After: "3"}},
		{"a list that ours replaces", `{"tags":["express"]}`, `{"keepExistingListItems":false,"tags":["x"]}`, order.Change{Path: "tags", Before: []any{"vip"}, Theirs: []any{"vip", "express"}, After: []any{"x"}}},
		{"a field that they cleared", `{"forceUpdate":["customerName"],"customerName":null}`, `{"customerName":"Per"}`, order.Change{Path: "customerName", Before: "Kari", After: "Per"}},
		{"a field that ours clears", `{"customerName":"Ola"}`, `{"forceUpdate":["customerName"],"customerName":null}`, order.Change{Path: "customerName", Before: "Kari", Theirs: "Ola"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			tc.want.Conflict = true
			if diff := cmp.Diff([]order.Change{tc.want}, race(t, base, tc.theirs, tc.ours), ordertest.ByJSON); diff != "" {
				t.Errorf("conflicts (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAnObjectThatOursClearsIsOneConflict(t *testing.T) {
	const base = `{"billingAddress":{"city":"Bergen","line1":"A"}}`
	got := race(t, base, `{"billingAddress":{"city":"Oslo","line1":"B"}}`, `{"forceUpdate":["billingAddress"],"billingAddress":null}`)
	want := []order.Change{{Path: "billingAddress", Theirs: ordertest.Doc(t, `{"city":"Oslo","line1":"B"}`), Conflict: true}}
	if diff := cmp.Diff(want, got, ordertest.ByJSON); diff != "" {
		t.Errorf("conflicts (-want +got):\n%s", diff)
	}
}

func TestManyChangesAreComparedInLinearTime(t *testing.T) {
	var theirs, ours []order.Change
	for i := range 100_000 {
		c := order.Change{Path: fmt.Sprintf("properties[K%d].value", i), Before: "theirs", After: "ours"}
		theirs, ours = append(theirs, c), append(ours, c)
	}
	if got := order.Conflicts(theirs, ours); len(got) != len(ours) {
		t.Errorf("%d conflicts, want %d", len(got), len(ours))
	}
}
