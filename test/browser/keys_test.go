package browser

import (
	"strings"
	"testing"
)

// TestKeysByHand: a key is made, shown once, is good for what its role is, and is taken
// away; who signed in with it is out.
func TestKeysByHand(t *testing.T) {
	s := startServer(t)
	for _, l := range []look{wide, narrow.withoutScript()} {
		t.Run(l.String(), func(t *testing.T) {
			p := open(t, s.url, l)
			p.signIn(adminKey)
			p.visit("/keys")
			p.click(`a[href="/keys/new"]`)
			p.fill("name", hostile+l.String())
			p.click("form.stack button.main")
			p.check("key-made-"+l.String(), "It is shown here alone")
			p.says(hostile)
			key := p.text(".command pre")
			p.click(`a[href="/keys"]`)
			p.says(hostile + l.String())
			if strings.Contains(p.text("body"), key) {
				t.Error("the list shows the key")
			}
			reader := open(t, s.url, l)
			reader.signIn(key)
			reader.visit("/keys")
			reader.says("Forbidden", "this needs a key of the role admin")
			p.click(`tr:has(a[href*="/audit"]) a.danger`) // the newest is first
			p.says("whoever signed in with it is signed out")
			p.click("form.stack button.danger")
			p.says("Deleted.")
			reader.visit("/attempts")
			reader.says("API key")
		})
	}
}
