package settings

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/event"
)

func withEvents(list string) string {
	return `{"orderTypes":[{"name":"Web","orderStatuses":[{"name":"New"},{"name":"Packed","Events":` + list + `}]}]}`
}

// docs/contract.md#event-types: `events` on an order status adds to or
// replaces the table.
func TestEventsOfAStatus(t *testing.T) {
	for list, want := range map[string]event.StatusEvents{
		`null`:                               {},
		`[]`:                                 {Replace: true},
		`["order_packed"]`:                   {Replace: true, Types: []string{"order_packed"}},
		`["+order_packed"]`:                  {Types: []string{"order_packed"}},
		`["+order_packed","+Ordre.åpnet-2"]`: {Types: []string{"order_packed", "Ordre.åpnet-2"}},
		`["order_packed","+order_ready"]`:    {Replace: true, Types: []string{"order_packed", "order_ready"}},
		`["+ORDER_COMPLETED","+orderready"]`: {Types: []string{"order_completed", "orderready"}},
	} {
		orderType := mustParse(t, withEvents(list)).OrderType("web")
		if diff := cmp.Diff(want, orderType.Status("packed").Events); diff != "" {
			t.Errorf("%s: %s", list, diff)
		}
		if diff := cmp.Diff(event.StatusEvents{}, orderType.Status("New").Events); diff != "" {
			t.Error(diff)
		}
	}
}

func TestEventsThatAreErrors(t *testing.T) {
	const at = "orderTypes[0].orderStatuses[1].events"
	for list, want := range map[string][]string{
		`"order_packed"`:                {at},
		`{}`:                            {at},
		`["a",7,null]`:                  {at + "[1]", at + "[2]"},
		`["","+","a b","order_*"]`:      {at + "[0]", at + "[1]", at + "[2]", at + "[3]"},
		`["++a"]`:                       {at + "[0]"},
		`["+a","` + longName + `"]`:     {at + "[1]"},
		fmt.Sprint(`[`, many(101), `]`): {at},
	} {
		_, _, err := Parse(document(t, withEvents(list)))
		if diff := cmp.Diff(want, locations(t, err)); diff != "" {
			t.Errorf("%.60s: %s", list, diff)
		}
	}
	mustParse(t, withEvents(`[`+many(100)+`]`))
}

func TestEventsWhoseReceiversExpectSomethingElse(t *testing.T) {
	for name, warned := range map[string]bool{"order_completed": false, "order_packed": false, "shipment_shipped": true, "STOCK_ITEM_BACK_IN_STOCK": true, "Workflow_Failed": true, "delivery_failed": true} {
		_, warnings, err := Parse(document(t, withEvents(`["+`+name+`"]`)))
		if err != nil {
			t.Fatal(err)
		}
		at := func(w apierr.Warning) bool { return w.Path == "orderTypes[0].orderStatuses[1].events[0]" }
		if slices.ContainsFunc(warnings, at) != warned {
			t.Errorf("%s: %v", name, warnings)
		}
	}
}

var longName = strings.Repeat("x", 201)

// many is as many names of events.
func many(n int) string { return strings.TrimSuffix(strings.Repeat(`"a",`, n), ",") }
