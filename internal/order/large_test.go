package order_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/orderhook/orderhook/internal/order"
	"github.com/orderhook/orderhook/internal/order/ordertest"
)

// large is how many members or elements the hostile documents have. Time that
// grew with its square would keep these tests for minutes.
const large = 100_000

// repeat joins large texts that each hold their number.
func repeat(format string) string {
	var b strings.Builder
	for i := range large {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, format, i)
	}
	return b.String()
}

func TestLargeDocumentsMerge(t *testing.T) {
	for _, tc := range []struct{ name, doc, patch string }{
		{"fields", `{` + repeat(`"field%d":1`) + `}`, `{` + repeat(`"FIELD%d":2`) + `}`},
		{"fields beyond ASCII", `{` + repeat(`"årsak%d":1`) + `}`, `{` + repeat(`"ÅRSAK%d":2`) + `}`},
		{"properties", `{"properties":[` + repeat(`{"key":"K%d","value":"1"}`) + `]}`, `{"properties":[` + repeat(`{"key":"K%d","value":"2"}`) + `]}`},
		{"lines", ordertest.Form(`"lineItems":[` + repeat(`{"lineItemId":"%d","placedPrice":1,"quantity":1}`) + `]`), ordertest.Form(`"lineItems":[` + repeat(`{"lineItemId":"%d","quantity":2}`) + `]`)},
		{"tags", `{"tags":[` + repeat(`"old%d"`) + `]}`, `{"tags":[` + repeat(`"new%d"`) + `]}`},
		{"numbers that are long when written out", `{"marks":[` + repeat(`%de900`) + `]}`, `{"marks":[` + repeat(`%de901`) + `]}`},
		{"removal conditions", `{"properties":[` + repeat(`{"key":"K%d","value":"1"}`) + `]}`, `{"propertiesRemovalConditions":[` + repeat(`{"key":"K%d","value":"2"}`) + `]}`},
		{"removal conditions of one key", `{"properties":[` + repeat(`{"key":"K","keyGroup":"%d"}`) + `]}`, `{"propertiesRemovalConditions":[` + repeat(`{"key":"K","keyGroup":"x%d"}`) + `]}`},
		{"forceUpdate", `{}`, `{"forceUpdate":[` + repeat(`"field%d"`) + `]}`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			p := ordertest.Apply(t, order.APIPatch, tc.doc, tc.patch)
			ordertest.Doc(t, string(p.Doc.PascalJSON()))
		})
	}
}

func TestALargeListOfConflictingAdditions(t *testing.T) {
	theirs := []order.Change{{Path: "tags", After: ordertest.Doc(t, `{"l":[`+repeat(`"t%d"`)+`]}`).List("l")}}
	ours := []order.Change{{Path: "tags", Before: theirs[0].After, After: ordertest.Doc(t, `{"l":[`+repeat(`"t%d"`)+`,`+repeat(`"o%d"`)+`]}`).List("l")}}
	if got := order.Conflicts(theirs, ours); got != nil {
		t.Errorf("%d conflicts", len(got))
	}
}
