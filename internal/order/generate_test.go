package order_test

import (
	"pgregory.net/rapid"

	"github.com/orderhook/orderhook/internal/jsondoc"
)

// hostile makes documents that have the names of real ones and nothing of their shape.
var hostile = rapid.Custom(func(t *rapid.T) *jsondoc.Object { return misshapen(t, 4) })

var knownNames = rapid.SampledFrom([]string{
	"id", "version", "status", "properties", "lineItems", "orderForm", "errors", "tags", "key", "keyGroup", "value", "lineItemId", "referenceId",
	"providerName", "externalIds", "placedPrice", "quantity", "extendedPrice", "subTotal", "total", "origin", "orderOrigin", "forceUpdate",
	"keepExistingListItems", "keepExistingCustomProperties", "propertiesRemovalConditions", "loyaltyTier",
})

func misshapen(t *rapid.T, depth int) *jsondoc.Object {
	o := &jsondoc.Object{}
	for range rapid.IntRange(0, 5).Draw(t, "members") {
		o.Set(knownNames.Draw(t, "name"), misshapenValue(t, depth-1))
	}
	return o
}

func misshapenValue(t *rapid.T, depth int) any {
	most := 5
	if depth > 0 {
		most = 9
	}
	switch k := rapid.IntRange(0, most).Draw(t, "kind"); k {
	case 0:
		return nil
	case 1:
		return rapid.Bool().Draw(t, "bool")
	case 2, 3:
		return jsondoc.Number(rapid.SampledFrom([]string{"1", "1.0", "-0", "0.1", "1e3", "1e999", "1e999999999", "7"}).Draw(t, "number"))
	case 4, 5:
		return rapid.SampledFrom([]string{"", "1", "A", "id", "status", "properties", "a.b", "\x00"}).Draw(t, "text")
	case 6, 7:
		return misshapen(t, depth)
	}
	list := []any{}
	for range rapid.IntRange(0, 4).Draw(t, "elements") {
		list = append(list, misshapenValue(t, depth-1))
	}
	return list
}
