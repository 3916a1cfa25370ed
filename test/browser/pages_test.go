package browser

import "testing"

// TestEveryPage looks at every page, wide and narrow, light and dark: it says what it is
// about, nothing is wider than the window, axe-core finds no serious violation, and
// nothing of what is shown is taken for markup.
func TestEveryPage(t *testing.T) {
	s := startServer(t)
	s.seed()
	attempt := s.first("/api/attempts?kind=event&orderId=ORD-1")
	pages := []struct{ name, path, says string }{
		{"attempts", "/attempts", "OrderCreated"},
		{"attempts-none", "/attempts?orderId=none", "Nothing is found."},
		{"attempts-wrong", "/attempts?status=nonsense", "query.status"},
		{"attempt", "/attempts/" + attempt, "All attempts of this call"},
		{"not-found", "/attempts/none", "Not Found"},
	}
	for _, l := range []look{wide, wide.inDark(), narrow, narrow.inDark()} {
		t.Run(l.String(), func(t *testing.T) {
			p := open(t, s.url, l)
			p.visit("/sign-in")
			p.check("sign-in-"+l.String(), "API key")
			p.signIn(adminKey)
			for _, page := range pages {
				p.visit(page.path)
				p.check(page.name+"-"+l.String(), page.says)
			}
		})
	}
}
