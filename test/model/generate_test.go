package model

import (
	"github.com/shopspring/decimal"
	"pgregory.net/rapid"
)

// What a scenario is drawn from. The fewer names there are, the more often two
// things meet.
var (
	statusNames = []string{"New", "Accepted", "Packed", "Parked"} // settings never name the last
	orderTypes  = []string{"Online", "STORE", "Wholesale"}        // nor the last of these
	markets     = []string{"NOR", "SWE", "DNK"}
	stores      = []string{"oslo", "bergen"}
	tags        = []string{"vip", "fraud", "late"}
	keys        = []string{"Score", "Channel"}
	names       = []string{"Kari", "Ola"}
)

var scenarios = rapid.Custom(func(t *rapid.T) scenario {
	s := scenario{shop: drawShop(t), order: drawOrder(t), actions: several(t, 0, 3, drawAction)}
	s.script = script{replies: several(t, 0, 8, drawReply), later: drawLater(t)}
	return s
})

// number draws a number of a range, each as likely as the others, which
// rapid's own generators do not: they favour the first ones.
func number(t *rapid.T, least, most int) int {
	n := 0
	for range 7 {
		n *= 2
		if rapid.Bool().Draw(t, "bit") {
			n++
		}
	}
	return least + n%(most-least+1)
}

// one is true one time in n.
func one(t *rapid.T, n int) bool { return number(t, 1, n) == n }

// choose draws a member of a list.
func choose[T any](t *rapid.T, list ...T) T { return list[number(t, 0, len(list)-1)] }

// pick draws a member of a list, or "" one time in n if n is not 0.
func pick(t *rapid.T, list []string, n int) string {
	if n > 0 && one(t, n) {
		return ""
	}
	return choose(t, list...)
}

// some draws members of a list, in any order; nil if none.
func some(t *rapid.T, list []string) (out []string) {
	from := number(t, 0, len(list)-1)
	for i := range list {
		if one(t, 3) {
			out = append(out, list[(from+i)%len(list)])
		}
	}
	return out
}

// several draws a number of things of a kind.
func several[T any](t *rapid.T, least, most int, draw func(*rapid.T) T) (out []T) {
	for range number(t, least, most) {
		out = append(out, draw(t))
	}
	return out
}

// scenarioOrder is the order of every scenario.
const scenarioOrder = "ORD-1"

func drawOrder(t *rapid.T) order {
	o := order{
		ID: scenarioOrder, Status: pick(t, append([]string{"New", "New", "New", "Accepted"}, statusNames...), 4), OrderType: pick(t, orderTypes, 4), MarketID: pick(t, markets, 5),
		StoreID: pick(t, stores, 5), CustomerName: pick(t, names, 3), Tags: some(t, tags),
	}
	for _, key := range some(t, keys) {
		o.Properties = append(o.Properties, property{key, "posted"})
	}
	for _, key := range some(t, []string{webhook, "Erp"}) {
		o.Errors = append(o.Errors, fault{Key: key})
	}
	for _, id := range []string{"L1", "L2", "L3"}[:number(t, 1, 3)] {
		o.OrderForm.LineItems = append(o.OrderForm.LineItems, drawLine(t, id))
	}
	o.OrderForm.ShippingTotal, o.OrderForm.HandlingTotal = drawNum(t, 1), drawNum(t, 1)
	if one(t, 2) { // posted with its totals
		o.recompute(order{})
	}
	return o
}

func drawLine(t *rapid.T, id string) line {
	return line{LineItemID: id, PlacedPrice: drawNum(t, 0), Quantity: drawQuantity(t), Discounted: drawNum(t, 2)}
}

func drawAction(t *rapid.T) action {
	switch number(t, 0, 3) {
	case 0:
		e := drawEdit(t)
		return action{patch: &e}
	case 1:
		var back []line
		for _, id := range choose(t, []string{"L1"}, []string{"L1"}, []string{"L1"}, []string{"L1", "L2"}, []string{"L1", "L2", "L3"}, []string{"L9"}) {
			back = append(back, line{LineItemID: id, ReturnQuantity: &num{choose(t, decimal.New(1, 0), decimal.New(5, -1), decimal.New(2, 0))}})
		}
		return action{back: back}
	}
	return action{status: pick(t, append(statusNames, "NEW", "accepted"), 0)}
}
