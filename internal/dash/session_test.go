package dash

import (
	"html"
	"strings"
	"testing"
)

// TestSignInNamesTheDatabase: the command that makes a key is one to copy, for the database
// of this very server, and whoever has not signed in sees no password.
func TestSignInNamesTheDatabase(t *testing.T) {
	s := newSite(t)
	for database, want := range map[string]string{
		"orderhook.db":                       " --database orderhook.db",
		"/var/lib/orderhook/shop 1.db":       " --database '/var/lib/orderhook/shop 1.db'",
		"it's.db":                            ` --database 'it'\''s.db'`,
		"postgres://me:pa@ss/w@db:5432/oms":  " --database postgres://db:5432/oms",
		"postgres://db/oms?password=sesame":  " --database postgres://db/oms",
		"postgres://me:pa?ss@db/oms?a=b@c/d": " --database postgres://c/d",
		"":                                   "",
	} {
		s.Database = database
		page := html.UnescapeString(s.as("").get("/sign-in").Body.String())
		command := "orderhook keys create --tenant default --role operator" + want + "</pre>"
		if !strings.Contains(page, command) {
			t.Errorf("%q: the page has not %s: %s", database, command, page)
		}
	}
}
