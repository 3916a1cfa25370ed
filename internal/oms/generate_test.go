package oms_test

import (
	"fmt"
	"strings"

	"pgregory.net/rapid"

	"github.com/orderhook/orderhook/internal/oms"
)

// The generators below make orders and patches as shops send them, and here and
// there what nobody should. They draw from few keys, so that both meet.

var (
	words = rapid.OneOf(
		rapid.SampledFrom([]string{"", "New", "Paid", "Kari Nes", "Bergen", "5014", "express", "vip", "Åse & Sønn AS", "日本", "\u2028\"\\"}),
		rapid.String())
	prices = rapid.Custom(func(t *rapid.T) oms.Number {
		whole, cents := rapid.Int64Range(-10, 99999).Draw(t, "whole"), rapid.IntRange(0, 99).Draw(t, "cents")
		return oms.Number(rapid.SampledFrom([]string{
			fmt.Sprint(whole), fmt.Sprintf("%d.%02d", whole, cents), fmt.Sprintf("%d.%d0", whole, cents%10),
			fmt.Sprintf("%de-%d", whole, cents%5), "0", "0.00", "1234567890123456789.01",
		}).Draw(t, "price"))
	})
	unknownNames = rapid.SampledFrom([]string{"loyaltyTier", "erpRef", "årsakKode", "x_1", "日本", "aBC", "custom field", "points"})
)

// member is a name and how to make its value.
type member struct {
	name  string
	value func(*rapid.T) any
}

func textMember(name string) member {
	return member{name, func(t *rapid.T) any { return words.Draw(t, name) }}
}

// statusMember is a status as it is kept: without white space around it.
func statusMember(name string) member {
	return member{name, func(t *rapid.T) any { return strings.TrimSpace(words.Draw(t, name)) }}
}

func flagMember(name string) member {
	return member{name, func(t *rapid.T) any { return rapid.Bool().Draw(t, name) }}
}

func priceMember(name string) member {
	return member{name, func(t *rapid.T) any { return prices.Draw(t, name) }}
}

// maker makes documents; a patch has nulls, and elements without keys if it may.
type maker struct{ nulls, keyless, noTotals bool }

var (
	orders  = rapid.Custom(maker{}.order)
	patches = rapid.Custom(maker{nulls: true, keyless: true}.patch)
	// keyedPatches set no totals: one that repeats them means those that it was sent.
	keyedPatches = rapid.Custom(maker{nulls: true, noTotals: true}.patch)
)

// some makes an object of some of the members, in any order.
func (m maker) some(t *rapid.T, members ...member) *oms.Object {
	o := &oms.Object{}
	for _, f := range rapid.Permutation(members).Draw(t, "fields")[:rapid.IntRange(0, len(members)).Draw(t, "count")] {
		if m.nulls && rapid.IntRange(0, 9).Draw(t, "null") == 0 {
			o.Set(f.name, nil)
			continue
		}
		o.Set(f.name, f.value(t))
	}
	return o
}

func (m maker) anything(t *rapid.T, depth int) any {
	most := 3
	if depth > 0 {
		most = 5
	}
	switch rapid.IntRange(0, most).Draw(t, "kind") {
	case 0:
		return words.Draw(t, "text")
	case 1:
		return prices.Draw(t, "number")
	case 2:
		return rapid.Bool().Draw(t, "bool")
	case 3:
		return nil
	case 4:
		list := []any{}
		for range rapid.IntRange(0, 3).Draw(t, "length") {
			list = append(list, m.anything(t, depth-1))
		}
		return list
	}
	return m.extend(t, &oms.Object{}, depth-1)
}

// extend adds up to three unknown members.
func (m maker) extend(t *rapid.T, o *oms.Object, depth int) *oms.Object {
	for range rapid.IntRange(0, 3).Draw(t, "unknown") {
		if v := m.anything(t, depth); v != nil || m.nulls {
			o.Set(unknownNames.Draw(t, "name"), v)
		}
	}
	return o
}

// keyed is a list whose elements have keys of their own.
func (m maker) keyed(name, key string, rest ...member) member {
	return member{name, func(t *rapid.T) any {
		list := []any{}
		for _, id := range rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"1", "2", "3", "4", "L-5"}), 0, 4, rapid.ID[string]).Draw(t, name) {
			o := oms.NewObject(oms.Member{Name: key, Value: id})
			for _, f := range m.extend(t, m.some(t, rest...), 1).Members() {
				o.Set(f.Name, f.Value)
			}
			if m.keyless && rapid.IntRange(0, 9).Draw(t, "keyless") == 0 {
				o.Delete(key)
			}
			list = append(list, o)
		}
		return list
	}}
}

func (m maker) set(name string) member {
	return member{name, func(t *rapid.T) any {
		list := []any{}
		for _, s := range rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"vip", "express", "VIP", "gift", "b2b"}), 0, 4, rapid.ID[string]).Draw(t, name) {
			list = append(list, s)
		}
		return list
	}}
}

func (m maker) object(name string, members ...member) member {
	return member{name, func(t *rapid.T) any { return m.extend(t, m.some(t, members...), 1) }}
}

func (m maker) lines() member {
	members := []member{textMember("code"), textMember("comment"), priceMember("placedPrice"), priceMember("quantity"),
		priceMember("discounted"), priceMember("orderDiscountAmount"), m.properties()}
	if !m.noTotals {
		members = append(members, priceMember("extendedPrice"))
	}
	if m.nulls {
		members = append(members, flagMember("keepExistingCustomProperties"))
	}
	return m.keyed("lineItems", "lineItemId", members...)
}

func (m maker) properties() member {
	return m.keyed("properties", "key", textMember("value"), member{"keyGroup", func(t *rapid.T) any {
		return rapid.SampledFrom([]string{"", "Fraud"}).Draw(t, "keyGroup")
	}})
}

func (m maker) order(t *rapid.T) *oms.Object {
	address := m.object("billingAddress", textMember("city"), textMember("line1"), textMember("postalCode"))
	shipments := m.keyed("shipments", "shipmentId", statusMember("status"), m.object("address", textMember("city")), m.lines())
	form := []member{m.lines(), shipments, priceMember("shippingTotal"), priceMember("handlingTotal"), textMember("cartId")}
	if !m.noTotals {
		form = append(form, priceMember("subTotal"), priceMember("total"))
	}
	return m.extend(t, m.some(t,
		textMember("customerName"), textMember("storeId"), textMember("marketId"), textMember("customerNumber"), flagMember("isReadOnly"), address,
		m.object("orderForm", form...),
		m.properties(), m.set("tags"), m.set("relatedOrders"), m.keyed("orderNotes", "id", textMember("detail")),
		m.keyed("errors", "key", textMember("referenceId")), m.keyed("returnOrderForms", "returnId", statusMember("status"), m.lines())), 2)
}

func (m maker) patch(t *rapid.T) *oms.Object {
	o := m.order(t)
	for _, f := range []member{flagMember("keepExistingCustomProperties"), flagMember("keepExistingListItems"), {"forceUpdate", forced}} {
		if rapid.IntRange(0, 3).Draw(t, f.name) == 0 {
			o.Set(f.name, f.value(t))
		}
	}
	return o
}

func forced(t *rapid.T) any {
	list := []any{}
	for _, s := range rapid.SliceOf(rapid.SampledFrom([]string{"CustomerName", "billingAddress.city", "orderForm", "orderForm.lineItems.comment", "tags", "loyaltyTier", "marketId"})).Draw(t, "forceUpdate") {
		list = append(list, s)
	}
	return list
}

// hostile makes documents that have the names of real ones and nothing of their shape.
var hostile = rapid.Custom(func(t *rapid.T) *oms.Object { return misshapen(t, 4) })

var knownNames = rapid.SampledFrom([]string{
	"id", "version", "status", "properties", "lineItems", "orderForm", "errors", "tags", "key", "keyGroup", "value", "lineItemId", "referenceId",
	"providerName", "externalIds", "placedPrice", "quantity", "extendedPrice", "subTotal", "total", "origin", "orderOrigin", "forceUpdate",
	"keepExistingListItems", "keepExistingCustomProperties", "propertiesRemovalConditions", "loyaltyTier",
})

func misshapen(t *rapid.T, depth int) *oms.Object {
	o := &oms.Object{}
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
		return oms.Number(rapid.SampledFrom([]string{"1", "1.0", "-0", "0.1", "1e3", "1e999", "1e999999999", "7"}).Draw(t, "number"))
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
