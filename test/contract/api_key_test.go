package contract

import "testing"

// TestAKeyIsRead: by its id an admin learns what a key is, and nothing that it could be
// used with.
func TestAKeyIsRead(t *testing.T) {
	r := start(t)
	made := r.call("POST", "/api/keys", `{"role":"reader","name":"wallboard"}`).want(201)
	path := "/api/keys/" + made.text("id")
	r.get(path).is("id", made.text("id")).is("role", "reader").is("name", "wallboard").is("tenant", made.text("tenant")).is("created", made.text("created")).
		is("key", nil).is("hash", nil)
	r.as(made.text("key")).call("GET", path, "").problem(403)
	r.call("GET", "/api/keys/key_none", "").problem(404)
	r.call("DELETE", path, "").want(204)
	r.call("GET", path, "").problem(404)
}
