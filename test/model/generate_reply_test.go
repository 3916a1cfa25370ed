package model

import (
	"github.com/shopspring/decimal"
	"pgregory.net/rapid"
)

// garbage are bodies of a 2xx that are no valid answer.
var garbage = []string{
	"not JSON", "[]", `"text"`, "null", `{"OrderActionExecutionResults":{}}`, `{"OrderActionExecutionResults":[{"ActionStatus":"Fine"}]}`,
	`{"OrderActionExecutionResults":[{"CancelWorkflow":"yes"}]}`, `{"OrderPatch":[]}`, `{"OrderPatch":{"OrderType":7,"CustomerName":"Eve"}}`,
	`{"OrderPatch":{"Status":"","CustomerName":"Eve"}}`, `{"OrderPatch":{"CustomerName":"Eve","OrderForm":{"LineItems":[{"LineItemId":[],"Quantity":2}]}}}`,
	`{"OrderActionExecutionResults":[{"ActionStatus":"Success"}]} trailing`,
}

func drawReply(t *rapid.T) reply {
	r := reply{code: choose(t, 200, 200, 200, 201, 202, 299)}
	if one(t, 4) {
		r.failures = several(t, 1, 5, func(t *rapid.T) int { return choose(t, 500, 503, 429, 401, 302, 0) })
	}
	switch number(t, 0, 9) {
	case 0: // an empty body
	case 1:
		r.garbage = choose(t, garbage...)
	case 2:
		r.code = choose(t, 400, 404)
		r.garbage = "no"
	default:
		r.results = several(t, 0, 2, drawResult)
		if !one(t, 3) {
			e := drawEdit(t)
			e.forbidden = drawForbidden(t)
			r.patch = &e
		}
	}
	r.meanwhile = drawMeanwhile(t, r.patch)
	return r
}

// drawLater draws what the calls after the script's are answered: mostly
// nothing, sometimes a status to enter, again and again.
func drawLater(t *rapid.T) reply {
	r := reply{code: 200}
	if one(t, 6) {
		r.results = []result{{trigger: pick(t, statusNames, 0)}}
	}
	return r
}

func drawResult(t *rapid.T) result {
	r := result{status: choose(t, "", "Success", "Success", "Warning", "Warning", "Error"), cancel: one(t, 5)}
	if one(t, 3) {
		r.reason = "because"
	}
	if one(t, 6) {
		r.trigger = pick(t, append(statusNames, "packed"), 0)
	}
	return r
}

func drawForbidden(t *rapid.T) []string {
	if !one(t, 5) {
		return nil
	}
	return some(t, []string{"MarketId", "CustomerNumber", "Id", "DueDate", "SomethingNew"})
}

func drawEdit(t *rapid.T) edit {
	e := edit{}
	if one(t, 3) {
		e.status = choose(t, "Validated", "Accepted", "New")
	}
	if one(t, 3) {
		e.name, e.store = pick(t, names, 4), pick(t, stores, 2)
	}
	if one(t, 8) {
		e.orderType = pick(t, orderTypes, 0)
	}
	if one(t, 2) {
		e.tags, e.onlyTags = some(t, tags), one(t, 5)
	}
	if one(t, 2) {
		for _, key := range some(t, keys) {
			e.properties = append(e.properties, property{key, pick(t, []string{"1", "2"}, 0)})
		}
		e.onlyProperties = one(t, 5)
	}
	if one(t, 8) {
		e.remove = some(t, keys)
	}
	if one(t, 2) && !e.onlyTags { // which would replace the lines as well
		drawLines(t, &e)
	}
	return e
}

func drawLines(t *rapid.T, e *edit) {
	for _, id := range some(t, []string{"L1", "L2", "L9"}) {
		l := drawLine(t, id)
		if id == "L1" && one(t, 2) { // part of a line that is there; a new one has a price
			l.PlacedPrice, l.Discounted = nil, nil
		}
		if one(t, 8) {
			l.ExtendedPrice = drawNum(t, 0)
		}
		e.lines = append(e.lines, l)
	}
	if e.lines != nil && one(t, 5) {
		e.subTotal, e.total = drawNum(t, 1), drawNum(t, 1)
	}
}

// drawMeanwhile draws another writer's change. Fields that the answer's patch
// replaces as a whole are left out of it, and so are statuses that the order
// may have in another letter case.
func drawMeanwhile(t *rapid.T, patch *edit) *edit {
	if !one(t, 4) {
		return nil
	}
	e := edit{name: pick(t, names, 2), store: pick(t, stores, 2)}
	if one(t, 2) {
		e.status = choose(t, "Canceled", "Validated")
	}
	if one(t, 6) {
		e.orderType = pick(t, orderTypes, 0)
	}
	if patch == nil || !patch.onlyTags {
		e.tags = some(t, tags)
	}
	if key := pick(t, keys, 2); key != "" && (patch == nil || !patch.onlyProperties && patch.remove == nil) {
		e.properties = []property{{key, pick(t, []string{"1", "2", "theirs"}, 0)}}
	}
	return &e
}

// drawNum draws a price to the third decimal, or none one time in two if it may be absent.
func drawNum(t *rapid.T, absent int) *num {
	if absent > 0 && !one(t, absent+1) {
		return nil
	}
	return &num{decimal.New(rapid.Int64Range(0, 100_000).Draw(t, "digits"), -int32(number(t, 0, 3)))}
}

func drawQuantity(t *rapid.T) *num {
	return &num{choose(t, decimal.New(1, 0), decimal.New(1, 0), decimal.New(2, 0), decimal.New(15, -1), decimal.New(3, 0))}
}
