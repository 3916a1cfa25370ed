package contract

import "testing"

// docs/api.md#nodes
func TestNodes(t *testing.T) {
	r := lease(t)
	list := r.get("/api/nodes")
	list.is("items[0].self", true).is("items[0].live", true).is("items[0].shards", 64).is("items[0].maintenance", true).is("items[1]", nil)
	for _, field := range []string{"items[0].id", "items[0].name", "items[0].started", "items[0].lastSeen"} {
		if list.text(field) == "" {
			t.Errorf("%s is empty", field)
		}
	}
	r.as(r.call("POST", "/api/keys", `{"role":"publisher"}`).want(201).text("key")).call("GET", "/api/nodes", "").problem(403)
}
