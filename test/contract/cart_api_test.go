package contract

import (
	"fmt"
	"slices"
	"testing"
	"time"
)

// docs/contract.md#carts and docs/contract.md#versions.

func TestACartIsStoredReadReplacedAndRemoved(t *testing.T) {
	r := lease(t)
	a := r.call("PUT", theCart, cart).want(201).is("version", 1).is("created", "2026-11-21T09:00:00.000000Z").is("customField.Deep[0]", number("1.50")).is("orderForm.total", number("999.00"))
	equals(t, "ETag", a.Header.Get("ETag"), `"1"`)
	stored := r.get(theCart)
	equals(t, "stored", string(stored.Raw)+stored.Header.Get("ETag"), string(a.Raw)+`"1"`)
	r.clock.Advance(time.Hour)
	a = r.call("PUT", theCart, `{"id":"C123456","created":"2020-01-01T00:00:00Z","version":7,"Tags":["b"]}`).want(200).is("version", 2).is("tags", []string{"b"}).is("orderForm", nil)
	a.is("created", "2026-11-21T09:00:00.000000Z").is("modified", "2026-11-21T10:00:00.000000Z")
	equals(t, "ETag, stored", a.Header.Get("ETag")+string(r.get(theCart).Raw), `"2"`+string(a.Raw))
	equals(t, "removed", string(r.call("DELETE", theCart, "").want(204).Raw), "")
	for _, call := range []string{"GET " + theCart, "DELETE " + theCart, "PATCH " + theCart} {
		r.callOf(call, "{}").problem(404)
	}
	r.put(`{}`).is("version", 1).is("created", "2026-11-21T10:00:00.000000Z")
}

func TestACartKeepsTheTimeItIsGiven(t *testing.T) {
	r := lease(t)
	r.call("PUT", theCart, `{"created":"2020-01-01T00:00:00Z"}`).want(201).is("created", "2020-01-01T00:00:00Z")
	r.call("PUT", theCart, `{}`).want(200).is("created", "2020-01-01T00:00:00Z")
}

func TestAPatchOfACartFollowsTheRulesOfPatches(t *testing.T) {
	r := lease(t)
	for _, row := range []struct {
		patch string
		after map[string]any
	}{
		{`{"customerEmail":"new","billingAddress":{"city":"Bergen"}}`, map[string]any{"customerEmail": "new", "billingAddress.line1": "Storgata 1", "billingAddress.city": "Bergen"}},
		{`{"tags":["b","c"],"properties":[{"key":"x","value":"2"}]}`, map[string]any{"tags": []string{"a", "b", "c"}, "properties[0].key": "k", "properties[1].key": "x"}},
		{`{"tags":["c"],"keepExistingListItems":false}`, map[string]any{"tags": []string{"c"}, "keepExistingListItems": nil}},
		{`{"customerEmail":null,"forceUpdate":["customerEmail"]}`, map[string]any{"customerEmail": null, "forceUpdate": nil}},
		{`{"propertiesRemovalConditions":[{"key":"k"}]}`, map[string]any{"properties": []string{}}},
		{form(`"lineItems":[{"lineItemId":"1","quantity":3}]`), map[string]any{"orderForm.lineItems[0].code": "A", "orderForm.lineItems[1].code": "B", "orderForm.subTotal": number("35.30"), "orderForm.total": number("40.10")}},
		{form(`"lineItems":[{"lineItemId":"1","quantity":3}],"total":1`), map[string]any{"orderForm.total": 1}},
		{`{"status":"Checked","LoyaltyTier":{"x":1.50}}`, map[string]any{"status": "Checked", "LoyaltyTier.x": number("1.50")}},
	} {
		r.put(twoLines)
		r.clock.Advance(time.Second)
		a := r.call("PATCH", theCart, row.patch).want(200).is("version", 2).is("id", "C123456")
		for path, want := range row.after {
			a.is(path, want)
		}
		equals(t, "ETag, stored", a.Header.Get("ETag")+string(r.get(theCart).Raw), `"2"`+string(a.Raw))
	}
}

func TestAPatchOfACartThatChangesNothingMakesNoVersion(t *testing.T) {
	r := lease(t)
	r.put(twoLines)
	before := string(r.get(theCart).Raw)
	r.clock.Advance(time.Hour)
	for _, patch := range []string{`{}`, `{"tags":["a"]}`, `{"customerEmail":null}`, form(`"total":30,"lineItems":[{"lineItemId":"1","placedPrice":10.1}]`),
		`{"id":"C123456","version":1,"created":"2026-11-21T09:00:00.000000Z"}`, `{"forceUpdate":["id","version"],"id":null}`} {
		equals(t, patch, r.call("PATCH", theCart, patch).want(200).is("version", 1).Header.Get("ETag"), `"1"`)
	}
	equals(t, "stored", string(r.get(theCart).Raw), before)
}

func TestIfMatchGuardsEveryWriteToACart(t *testing.T) {
	r := lease(t)
	for _, call := range []string{"PUT", "PATCH", "DELETE"} {
		for header, goes := range matches {
			r.put(cart)
			r.call("PATCH", theCart, `{"tags":["second"]}`).want(200)
			before := r.allCarts()
			a := r.call(call, theCart, `{"tags":["third"]}`, "If-Match", header)
			if goes && a.Status/100 != 2 {
				t.Errorf("%s If-Match: %s is answered %d %s", call, header, a.Status, a.Raw)
			}
			if !goes {
				a.problem(412)
				equals(t, "what is stored after If-Match: "+header, r.allCarts(), before)
			}
		}
	}
	r.call("DELETE", theCart, "")
	r.call("PUT", theCart, cart, "If-Match", `"2"`).problem(412)
	r.call("GET", theCart, "").problem(404)
}

func TestCartsAreListedTheNewestFirst(t *testing.T) {
	r := lease(t)
	r.get("/api/carts").is("items", []string{}).is("nextCursor", nil)
	var want []string
	for i := range 60 {
		if i%3 > 0 { // some are of one instant
			r.clock.Advance(time.Second)
		}
		want = append(want, fmt.Sprintf("c%02d", i))
		r.call("PUT", "/api/carts/"+want[i], `{"mine":1.50}`).want(201)
	}
	r.call("PATCH", "/api/carts/c07", `{"tags":["changed"]}`).want(200) // moves nothing
	slices.Reverse(want)
	same(t, "by default", r.get("/api/carts").ids("id"), want[:50])
	same(t, "all", r.get("/api/carts?limit=200").is("nextCursor", nil).is("items[0].mine", number("1.50")).ids("id"), want)
	late := 0
	same(t, "in pages", r.all("/api/carts?limit=7", "id", func() {
		late++
		r.clock.Advance(time.Second)
		r.call("PUT", fmt.Sprintf("/api/carts/late%d", late), `{}`).want(201)
	}), want)
	for query, place := range map[string]string{"limit=0": "query.limit", "limit=201": "query.limit", "cursor=!": "query.cursor", "status=New": "query.status"} {
		r.call("GET", "/api/carts?"+query, "").problem(422, place)
	}
}

func TestPatchesOfOneCartAtOnceAllStand(t *testing.T) {
	r := lease(t)
	r.put(cart)
	together(16, func(i int) {
		if a, err := r.try("PATCH", theCart, fmt.Sprintf(`{"mine":{"n%d":1}}`, i)); err != nil || a.Status != 200 {
			t.Errorf("%d %s, %v", a.Status, a.Raw, err)
		}
	})
	equals(t, "fields", r.get(theCart).is("version", 17).doc().Object("mine").Len(), 16)
}
