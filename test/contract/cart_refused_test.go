package contract

import (
	"encoding/json"
	"net/url"
	"strings"
	"testing"
)

// docs/contract.md#carts: what is no cart, no id, or another tenant's.

func TestACartOfTheWrongShapeIsRefusedWhole(t *testing.T) {
	r := lease(t)
	r.put(cart)
	before := r.allCarts()
	for body, place := range map[string]string{
		`{"marketId":{}}`: "body.marketId", `{"id":5}`: "body.id", `{"customerEmail":"x","orderForm":{"lineItems":[{},7]}}`: "body.orderForm.lineItems[1]",
		`{"orderForm":[]}`: "body.orderForm", `{"created":5}`: "body.created", `{"tags":["a"],"Tags":[]}`: "body.tags", `{"id":"C9","customerEmail":"x"}`: "body.id",
	} {
		r.call("PUT", theCart, body).problem(422, place)
		r.call("PUT", "/api/carts/new", body).problem(422, place)
		r.call("PATCH", theCart, body).problem(422, place)
	}
	r.call("PUT", "/api/carts/new", `{"created":"yesterday"}`).problem(422, "body.created")
	for _, field := range []string{`{"version":2}`, `{"created":"2020-01-01T00:00:00Z"}`, `{"ID":"c123456"}`} {
		r.call("PATCH", theCart, field).problem(422)
	}
	for _, call := range []string{"PUT " + theCart, "PUT /api/carts/new", "PATCH " + theCart} {
		for _, bad := range badBodies {
			r.callOf(call, bad.body).problem(bad.status)
		}
	}
	equals(t, "what is stored", r.allCarts(), before)
	r.call("PATCH", "/api/carts/new", `{}`).problem(404)
}

func TestAnyCartIDRoundTripsPercentEncoded(t *testing.T) {
	r := lease(t)
	for _, id := range []string{"a/b", "ø æ 日本語 🎁", "100%", "a?b=c#d", `"q"`, "...", "validate", "a/order", strings.Repeat("x", 200)} {
		path := "/api/carts/" + url.PathEscape(id)
		body, _ := json.Marshal(map[string]any{"id": id})
		r.call("PUT", path, string(body)).want(201).is("id", id)
		r.get(path).is("id", id)
		r.call("PATCH", path, `{"tags":["a"]}`).want(200).is("id", id)
		r.call("POST", path+"/validate", "").want(200).is("value.id", id)
		r.call("POST", path+"/order", "").want(201).is("order.orderForm.cartId", id)
		r.call("DELETE", path, "").want(204)
	}
	for _, id := range []string{"%2e", "%2E%2e", "%2F", "a%0Ab", "%00", strings.Repeat("x", 201)} {
		if a := r.call("PUT", "/api/carts/"+id, "{}"); a.Status/100 != 4 {
			t.Errorf("%s is answered %d %s", id, a.Status, a.Raw)
		}
	}
	r.get("/api/carts").is("items", []string{})
}

func TestCartsOfTenantsAreApart(t *testing.T) {
	r := start(t)
	r.put(cart)
	other := r.stranger()
	other.get("/api/carts").is("items", []string{})
	for _, call := range []string{"GET", "PATCH", "DELETE"} {
		other.call(call, theCart, `{"tags":["a"]}`).problem(404).says("SHOE")
	}
	other.call("PUT", theCart, `{"customerEmail":"stranger"}`).want(201).is("version", 1)
	r.get(theCart).is("customerEmail", nil).is("version", 1)
	other.call("DELETE", theCart, "").want(204)
	r.get("/api/carts").is("items[0].id", "C123456").is("items[1]", nil)
}
