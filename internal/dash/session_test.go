package dash

import (
	"html"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// TestSignInNamesTheDatabase: the command that makes a key is one to copy, for the database
// of this very server.
func TestSignInNamesTheDatabase(t *testing.T) {
	s := newSite(t)
	for database, want := range map[string]string{
		"orderhook.db":                 " --database orderhook.db",
		"/var/lib/orderhook/shop 1.db": " --database '/var/lib/orderhook/shop 1.db'",
		"it's.db":                      ` --database 'it'\''s.db'`,
		"postgres://db:5432/oms":       " --database postgres://db:5432/oms",
		"":                             "",
	} {
		s.Database = database
		page := signInPageFrom(s, "127.0.0.1:4711", "localhost:8080")
		command := "orderhook keys create --tenant default --role operator" + want + "</pre>"
		if !strings.Contains(page, command) {
			t.Errorf("%q: the page has not %s: %s", database, command, page)
		}
	}
}

// TestSignInNamesTheDatabaseHereAlone: a browser elsewhere, also one behind a proxy on this
// machine, does not learn where the database is.
func TestSignInNamesTheDatabaseHereAlone(t *testing.T) {
	s := newSite(t)
	s.Database = "/var/lib/orderhook/shop.db"
	for _, c := range []struct {
		from, host string
		here       bool
	}{
		{"127.0.0.1:4711", "127.0.0.1:8080", true},
		{"[::1]:4711", "[::1]", true},
		{"127.0.0.1:4711", "orders.example.com", false},
		{"192.0.2.7:4711", "localhost:8080", false},
	} {
		if page := signInPageFrom(s, c.from, c.host); strings.Contains(page, "shop.db") != c.here || !strings.Contains(page, "orderhook keys create") {
			t.Errorf("from %s to %s: %s", c.from, c.host, page)
		}
	}
}

// signInPageFrom is the sign-in page that a browser at an address gets from a host.
func signInPageFrom(s *site, from, host string) string {
	r := httptest.NewRequest(http.MethodGet, "/sign-in", nil)
	r.RemoteAddr, r.Host = from, host
	return html.UnescapeString(s.as("").do(r).Body.String())
}
