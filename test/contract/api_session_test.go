package contract

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/orderhook/orderhook/internal/access"
	"github.com/orderhook/orderhook/internal/api"
	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/store"
)

// within asks the API within this process, as somebody who has signed in with a key.
func (r *rig) within(k access.Key, method, path string, header ...string) (status int, body map[string]any) {
	r.t.Helper()
	req := httptest.NewRequestWithContext(api.WithKey(r.t.Context(), k), method, path, nil)
	return r.serve(req, header...)
}

func (r *rig) serve(req *http.Request, header ...string) (status int, body map[string]any) {
	r.t.Helper()
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	r.api.ServeHTTP(w, req)
	if err := json.Unmarshal(w.Body.Bytes(), &body); err != nil {
		r.t.Errorf("%s %s: %v", req.Method, req.URL, err)
	}
	return w.Code, body
}

// keyOf returns what is stored of a key.
func (r *rig) keyOf(secret string) access.Key {
	r.t.Helper()
	k, err := r.store.KeyByHash(r.t.Context(), access.HashKey(secret))
	if err != nil {
		r.t.Fatal(err)
	}
	return k
}

func TestWhoHasSignedInMayWhatTheKeyMay(t *testing.T) {
	r := start(t)
	r.post(order)
	r.addKey("reader-key-of-mine", access.DefaultTenant, access.Reader)
	r.addKey("admin-key-of-theirs", "theirs", access.Admin)
	reader, theirs := r.keyOf("reader-key-of-mine"), r.keyOf("admin-key-of-theirs")
	for _, c := range []struct {
		key          access.Key
		method, path string
		want         int
	}{
		{reader, "GET", "/api/orders/ORD-12345", 200},
		{reader, "DELETE", "/api/orders/ORD-12345", 403},
		{reader, "GET", "/api/keys", 403},
		{theirs, "GET", "/api/orders/ORD-12345", 404},
		{theirs, "DELETE", "/api/orders/ORD-12345", 404},
		{theirs, "GET", "/api/keys", 200},
	} {
		// The key that somebody sends along is not heeded.
		if got, body := r.within(c.key, c.method, c.path, "Authorization", "Bearer "+adminKey); got != c.want {
			t.Errorf("%s of %s: %s %s is answered %d %v, want %d", c.key.Role, c.key.Tenant, c.method, c.path, got, body, c.want)
		}
	}
	if _, me := r.within(reader, "GET", "/api/me"); me["id"] != reader.ID || me["role"] != "reader" {
		t.Errorf("me: %v", me)
	}
}

// A cookie is for the pages alone: with it a request to the API could come from any
// site.
func TestTheAPITakesNoSession(t *testing.T) {
	r := start(t)
	session, token := access.NewSession(r.keyOf(adminKey), r.clock.Now())
	if err := r.store.CreateSession(t.Context(), session); err != nil {
		t.Fatal(err)
	}
	for _, header := range [][2]string{{"Cookie", "orderhook_session=" + token}, {"Cookie", "__Host-orderhook_session=" + token}, {"Authorization", "Bearer " + token}} {
		r.as("").call("GET", "/api/orders", "", "Authorization", "", header[0], header[1]).problem(401)
	}
}

// Somebody who signs in with wrong keys is slowed down as any other caller is, by the address
// that the request within this process has from the one outside.
func TestSigningInWithWrongKeysIsSlowedDown(t *testing.T) {
	r := start(t)
	signIn := func(secret, from string) int {
		req := httptest.NewRequestWithContext(t.Context(), "GET", "/api/me", nil)
		req.RemoteAddr = from
		status, _ := r.serve(req, "Authorization", "Bearer "+secret)
		return status
	}
	const one, two = "192.0.2.1:1000", "192.0.2.2:1000"
	tries := 0
	for status := 401; status == 401; tries++ {
		if status = signIn("no-key-of-anybody", one); status != 401 && status != 429 || tries > 1000 {
			t.Fatalf("answered %d after %d", status, tries)
		}
	}
	if status := signIn("no-key-of-anybody", two); status != 401 {
		t.Errorf("another address is answered %d", status)
	}
	if status := signIn(adminKey, one); status != 200 {
		t.Errorf("the right key is answered %d", status)
	}
}

// A session ends with its key at once, however the key goes: nothing of it is
// remembered.
func TestASessionEndsWithItsKey(t *testing.T) {
	r := start(t)
	const secret = "operator-key-of-mine"
	for name, remove := range map[string]func(id string) error{
		"the API": func(id string) error { r.call("DELETE", "/api/keys/"+id, "").want(204); return nil },
		"the command line": func(id string) error {
			return r.store.Write(t.Context(), func(tx store.Tx) error { return tx.DeleteKey(t.Context(), access.DefaultTenant, id) })
		},
	} {
		r.addKey(secret, access.DefaultTenant, access.Operator)
		k := r.keyOf(secret)
		session, _ := access.NewSession(k, r.clock.Now())
		if err := r.store.CreateSession(t.Context(), session); err != nil {
			t.Fatal(err)
		}
		r.as(secret).call("POST", "/api/events", `{"type":"t","data":{}}`).want(202) // remembers the key
		if got, err := r.store.Session(t.Context(), session.Hash); err != nil || got.ID != k.ID {
			t.Errorf("%s: %v %v", name, got, err)
		}
		if err := remove(k.ID); err != nil {
			t.Fatal(err)
		}
		if _, err := r.store.Session(t.Context(), session.Hash); apierr.KindOf(err) != apierr.NotFound {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestNoKeyAndNoSessionIsInTheFiles: who has the database signs in with nothing of it. Keys and
// sessions that work are looked for in all its files (docs/contract.md#keys).
func TestNoKeyAndNoSessionIsInTheFiles(t *testing.T) {
	path := newDatabase(t)
	var key, token, id string
	t.Run("life", func(t *testing.T) {
		r := startOn(t, path)
		made := r.call("POST", "/api/keys", `{"role":"reader","name":"wallboard"}`).want(201)
		key, id = made.text("key"), made.text("id")
		r.as(key).get("/api/me").is("id", id)
		var session access.Session
		session, token = access.NewSession(r.keyOf(key), r.clock.Now())
		if err := r.store.CreateSession(t.Context(), session); err != nil {
			t.Fatal(err)
		}
		if of, err := r.store.Session(t.Context(), access.HashKey(token)); err != nil || of.ID != id {
			t.Errorf("the session is of %q: %v", of.ID, err)
		}
	})
	equals(t, "files with the key", remains(t, path, key), []string{})
	equals(t, "files with the token", remains(t, path, token), []string{})
	if len(remains(t, path, id)) == 0 {
		t.Error("the key's id is in no file: is it looked for in the wrong place?")
	}
}
