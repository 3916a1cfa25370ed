package contract

import (
	"strings"
	"testing"
)

// docs/contract.md#documents: a field of another shape is stored, and a warning says so;
// for carts it stands in validationWarnings, and in the history of the order.

func TestAFieldOfAnotherShapeInACartIsWarnedOf(t *testing.T) {
	const odd = `{"tags":"a, b","orderForm":{"lineItems":[{"lineItemId":"1","quantity":"two","placedPrice":1}]}}`
	r := lease(t)
	r.call("PUT", "/api/carts/CART-1", odd).want(201).is("tags", "a, b")
	for _, a := range []answer{
		r.call("POST", "/api/carts/CART-1/validate", "").want(200),
		r.call("POST", "/api/carts/validate", odd).want(200),
	} {
		got := a.passes(true).entries("validationWarnings")
		if len(got) != 1 || !strings.Contains(got[0], "tags: is kept as it is") || !strings.Contains(got[0], "orderForm.lineItems[0].quantity: is kept") || !strings.HasSuffix(got[0], "||External|") {
			t.Errorf("warnings %q", got)
		}
	}
	id := r.call("POST", "/api/carts/CART-1/order", "").want(201).text("order.id")
	history := r.get("/api/orders/" + id + "/history")
	equals(t, "warned of in the history", strings.Join(history.warned("items[0].warnings"), " "), "tags orderForm.lineItems[0].quantity")

	r.call("PATCH", "/api/carts/CART-1", `{"tags":["a"],"orderForm":{"lineItems":[{"lineItemId":"1","quantity":"2"}]}}`).want(200)
	if got := r.call("POST", "/api/carts/CART-1/validate", "").want(200).entries("validationWarnings"); len(got) != 0 {
		t.Errorf("of a cart that is read as a whole: %q", got)
	}
}
