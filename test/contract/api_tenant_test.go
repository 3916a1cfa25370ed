package contract

import (
	"strings"
	"testing"

	"github.com/orderhook/orderhook/internal/access"
)

// stranger is the same orderhook for an admin of another tenant.
func (r *rig) stranger() *rig {
	r.addKey("key-of-a-stranger", "acme", access.Admin)
	return r.as("key-of-a-stranger")
}

func TestAnotherTenantsThingsAreNotThere(t *testing.T) {
	r, names := furnished(t)
	other := r.stranger()
	before := r.get(theOrder).Raw
	for name, s := range samples {
		method, _, _ := strings.Cut(name, " ")
		if name == "PUT /api/carts/{id}" || name == "PUT /api/stock/{id}" {
			continue // makes one of its own
		}
		if path := names.Replace(s.path); path != s.path || strings.Contains(name, "{version}") {
			other.call(method, path, s.body).problem(404).says("kari@example.com")
		}
	}
	other.call("DELETE", theOrder+"?permanently=true", "").problem(404)
	other.call("PATCH", theOrder, `{"tags":["a"]}`, "If-Match", `"77"`).problem(404)
	equals(t, "the order after it", string(r.get(theOrder).Raw), string(before))
	r.get("/api/keys").is("items[0].name", "furniture")
}

func TestListsHoldTheOwnTenantsThingsAlone(t *testing.T) {
	r, names := furnished(t)
	run, attempt := names.Replace("RUN"), names.Replace("ATTEMPT")
	other := r.stranger()
	for _, path := range []string{"/api/orders", "/api/orders?q=kari", "/api/orders?customerEmail=kari@example.com", "/api/runs", "/api/runs?orderId=ORD-12345",
		"/api/attempts", "/api/attempts?runId=" + run, "/api/settings/history"} {
		other.get(path).is("items", []string{}).is("nextCursor", nil).says("ORD-12345", run, attempt)
	}
	other.get("/api/keys").says("furniture").is("items[1]", nil).is("items[0].tenant", "acme")
	other.get("/api/settings").is("orderTypes", nil)
	other.settings(`{"markets":[{"marketId":"SWE"}]}`)
	r.get("/api/settings").is("markets", nil)
	r.get("/api/settings/1").is("orderTypes[0].name", "Online")
	other.get("/api/settings/1").is("orderTypes", nil).is("markets[0].marketId", "SWE")
}

func TestTenantsHaveTheirOwnIDsAndIdempotencyKeys(t *testing.T) {
	r, _ := furnished(t)
	other := r.stranger()
	other.call("POST", "/api/orders", order, "Idempotency-Key", "k").want(201).is("orderActionExecutionResults", []string{})
	r.call("POST", "/api/orders", `{"id":"mine"}`, "Idempotency-Key", "k").want(201).is("order.id", "mine")
	other.get("/api/orders").is("items[0].id", "ORD-12345").is("items[1]", nil)
	other.call("DELETE", theOrder+"?permanently=true", "").want(204)
	r.get(theOrder).is("customerEmail", "kari@example.com")
	r.get("/api/attempts?orderId=ORD-12345").is("items[0].orderId", "ORD-12345")
	made := other.call("POST", "/api/keys", `{"role":"admin"}`).want(201).is("tenant", "acme")
	r.call("DELETE", "/api/keys/"+made.text("id"), "").problem(404)
	r.call("GET", "/api/keys/"+made.text("id"), "").problem(404)
	r.as(made.text("key")).get("/api/orders").is("items", []string{})
}
