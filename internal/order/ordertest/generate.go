package ordertest

import (
	"cmp"
	"fmt"
	"strings"

	"pgregory.net/rapid"

	"github.com/orderhook/orderhook/internal/jsondoc"
)

// Values are what validators hand back. FixedOfCart are the members of a cart that no
// patch may change.
var (
	Values      = rapid.Custom(Maker{Nulls: true, Keyless: true}.value)
	FixedOfCart = []string{"id", "version", "created"}
)

// The generators below make orders and patches as shops send them, and here and
// there what nobody should. They draw from few keys, so that both meet.

var (
	// Words are texts: those that stand in many orders, those that are hard to write, and
	// any other.
	Words = rapid.OneOf(
		rapid.SampledFrom([]string{"", "New", "Paid", "Kari Nes", "Bergen", "5014", "express", "vip", "Åse & Sønn AS", "日本", "\u2028\"\\"}),
		rapid.String())
	// Prices are numbers in several spellings of the same value, and of more digits than
	// a float has.
	Prices = rapid.Custom(func(t *rapid.T) jsondoc.Number {
		whole, cents := rapid.Int64Range(-10, 99999).Draw(t, "whole"), rapid.IntRange(0, 99).Draw(t, "cents")
		return jsondoc.Number(rapid.SampledFrom([]string{
			fmt.Sprint(whole), fmt.Sprintf("%d.%02d", whole, cents), fmt.Sprintf("%d.%d0", whole, cents%10),
			fmt.Sprintf("%de-%d", whole, cents%5), "0", "0.00", "1234567890123456789.01",
		}).Draw(t, "price"))
	})
	// unknownNames are members that no model knows.
	unknownNames = rapid.SampledFrom([]string{"loyaltyTier", "erpRef", "årsakKode", "x_1", "日本", "aBC", "custom field", "points"})
)

// member is a name and how to make its value. Its value is drawn from the test's random
// source, so that a failure can be made smaller and repeated.
type member struct {
	name  string
	value func(*rapid.T) any
}

// textMember is a member with a text.
func textMember(name string) member {
	return member{name, func(t *rapid.T) any { return Words.Draw(t, name) }}
}

// statusMember is a status as it is stored: without white space around it. The empty text would be
// none in a patch.
func statusMember(name string) member {
	return member{name, func(t *rapid.T) any { return cmp.Or(strings.TrimSpace(Words.Draw(t, name)), "New") }}
}

// flagMember is a member that is true or false.
func flagMember(name string) member {
	return member{name, func(t *rapid.T) any { return rapid.Bool().Draw(t, name) }}
}

// priceMember is a member with an amount.
func priceMember(name string) member {
	return member{name, func(t *rapid.T) any { return Prices.Draw(t, name) }}
}

// Maker makes documents; a patch has nulls, and elements without keys if it may. With
// NoTotals nothing in it is an amount that orderhook works out.
type Maker struct{ Nulls, Keyless, NoTotals bool }

var (
	Orders  = rapid.Custom(Maker{}.Order)
	Patches = rapid.Custom(Maker{Nulls: true, Keyless: true}.Patch)
	// KeyedPatches set no totals: one that repeats them means those that it was sent.
	KeyedPatches = rapid.Custom(Maker{Nulls: true, NoTotals: true}.Patch)
)

// some makes an object of some of the members, in any order.
func (m Maker) some(t *rapid.T, members ...member) *jsondoc.Object {
	o := &jsondoc.Object{}
	for _, f := range rapid.Permutation(members).Draw(t, "fields")[:rapid.IntRange(0, len(members)).Draw(t, "count")] {
		if m.Nulls && rapid.IntRange(0, 9).Draw(t, "null") == 0 {
			o.Set(f.name, nil)
			continue
		}
		o.Set(f.name, f.value(t))
	}
	return o
}

// anything is any JSON value, of at most so many levels.
func (m Maker) anything(t *rapid.T, depth int) any {
	most := 3
	if depth > 0 {
		most = 5
	}
	switch rapid.IntRange(0, most).Draw(t, "kind") {
	case 0:
		return Words.Draw(t, "text")
	case 1:
		return Prices.Draw(t, "number")
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
	return m.extend(t, &jsondoc.Object{}, depth-1)
}

// extend adds up to three unknown members. They must survive whatever is done to a
// document.
func (m Maker) extend(t *rapid.T, o *jsondoc.Object, depth int) *jsondoc.Object {
	for range rapid.IntRange(0, 3).Draw(t, "unknown") {
		if v := m.anything(t, depth); v != nil || m.Nulls {
			o.Set(unknownNames.Draw(t, "name"), v)
		}
	}
	return o
}

// keyed is a list whose elements have keys of their own. The keys are few, so that an
// order and a patch often have the same. A patch may have an element without one.
func (m Maker) keyed(name, key string, rest ...member) member {
	return member{name, func(t *rapid.T) any {
		list := []any{}
		for _, id := range rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"1", "2", "3", "4", "L-5"}), 0, 4, rapid.ID[string]).Draw(t, name) {
			o := jsondoc.NewObject(jsondoc.Member{Name: key, Value: id})
			for _, f := range m.extend(t, m.some(t, rest...), 1).Members() {
				o.Set(f.Name, f.Value)
			}
			if m.Keyless && rapid.IntRange(0, 9).Draw(t, "keyless") == 0 {
				o.Delete(key)
			}
			list = append(list, o)
		}
		return list
	}}
}

// set is a list of texts that is a set to the model. Two texts in it may differ in case
// alone.
func (m Maker) set(name string) member {
	return member{name, func(t *rapid.T) any {
		list := []any{}
		for _, s := range rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"vip", "express", "VIP", "gift", "b2b"}), 0, 4, rapid.ID[string]).Draw(t, name) {
			list = append(list, s)
		}
		return list
	}}
}

// object is a member that is an object of some of these members, and others.
func (m Maker) object(name string, members ...member) member {
	return member{name, func(t *rapid.T) any { return m.extend(t, m.some(t, members...), 1) }}
}

// lines are those of an order, of a shipment, or of a return.
func (m Maker) lines() member {
	members := []member{textMember("code"), textMember("comment"), priceMember("placedPrice"), priceMember("quantity"),
		priceMember("discounted"), priceMember("orderDiscountAmount"), m.properties()}
	if !m.NoTotals {
		members = append(members, priceMember("extendedPrice"))
	}
	if m.Nulls {
		members = append(members, flagMember("keepExistingCustomProperties"))
	}
	return m.keyed("lineItems", "lineItemId", members...)
}

// properties have a key of two parts: the key and its group.
func (m Maker) properties() member {
	return m.keyed("properties", "key", textMember("value"), member{"keyGroup", func(t *rapid.T) any {
		return rapid.SampledFrom([]string{"", "Fraud"}).Draw(t, "keyGroup")
	}})
}

// Order draws an order. Every list that is merged by keys is in it, and lists within
// lists.
func (m Maker) Order(t *rapid.T) *jsondoc.Object {
	address := m.object("billingAddress", textMember("city"), textMember("line1"), textMember("postalCode"))
	shipments := m.keyed("shipments", "shipmentId", statusMember("status"), m.object("address", textMember("city")), m.lines())
	form := []member{m.lines(), shipments, priceMember("shippingTotal"), priceMember("handlingTotal"), textMember("cartId")}
	if !m.NoTotals {
		form = append(form, priceMember("subTotal"), priceMember("total"))
	}
	return m.extend(t, m.some(t,
		textMember("customerName"), textMember("storeId"), textMember("marketId"), textMember("customerNumber"), flagMember("isReadOnly"), address,
		m.object("orderForm", form...),
		m.properties(), m.set("tags"), m.set("relatedOrders"), m.keyed("orderNotes", "id", textMember("detail")),
		m.keyed("errors", "key", textMember("referenceId")), m.keyed("returnOrderForms", "returnId", statusMember("status"), m.lines())), 2)
}

// Patch draws a patch of an order. It is an order with members that say how it is
// applied.
func (m Maker) Patch(t *rapid.T) *jsondoc.Object {
	o := m.Order(t)
	for _, f := range []member{flagMember("keepExistingCustomProperties"), flagMember("keepExistingListItems"), {"forceUpdate", forced}} {
		if rapid.IntRange(0, 3).Draw(t, f.name) == 0 {
			o.Set(f.name, f.value(t))
		}
	}
	return o
}

// forced is a list of fields whose null is meant, by path or by name.
func forced(t *rapid.T) any {
	list := []any{}
	for _, s := range rapid.SliceOf(rapid.SampledFrom([]string{"CustomerName", "billingAddress.city", "orderForm", "orderForm.lineItems.comment", "tags", "loyaltyTier", "marketId"})).Draw(t, "forceUpdate") {
		list = append(list, s)
	}
	return list
}
