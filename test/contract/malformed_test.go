package contract

import (
	"strings"
	"testing"
)

// Wherever JSON comes in, what is wrong with it is found by line and column.
func TestMalformedJSONIsFoundByLineAndColumn(t *testing.T) {
	r, _ := furnished(t)
	const body = "{\n  \"a\": {\"ø\": 1},\n  \"b\": nope\n}"
	for _, call := range []string{"PUT /api/settings", "POST /api/settings/check", "POST /api/orders", "PATCH /api/orders/ORD-12345", "POST /api/orders/ORD-12345/status",
		"PUT /api/carts/C-9", "POST /api/carts/validate", "POST /api/events", "POST /api/endpoints", "POST /api/keys", "PUT /api/stock/S-9"} {
		if a := r.callOf(call, body).problem(400); !strings.Contains(string(a.Raw), "malformed JSON at line 3, column 9: ") || strings.Contains(string(a.Raw), "byte") {
			t.Errorf("%s: %s", call, a.Raw)
		}
	}
	a := r.call("PUT", "/api/settings", "{}\n\n x").problem(400)
	if !strings.Contains(string(a.Raw), "line 3, column 2") {
		t.Errorf("%s", a.Raw)
	}
}
