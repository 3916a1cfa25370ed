package browser

import "testing"

// TestAttemptsByHand: what was sent for an order is two clicks away, with a script and
// without.
func TestAttemptsByHand(t *testing.T) {
	s := startServer(t)
	s.seed()
	s.first("/api/attempts?kind=event&orderId=ORD-2")
	for _, l := range []look{wide, wide.withoutScript(), narrow.withoutScript()} {
		t.Run(l.String(), func(t *testing.T) {
			p := open(t, s.url, l)
			p.signIn(s.key("reader"))
			p.visit("/attempts")
			p.fill("orderId", "ORD-2")
			p.click("form.filters button")
			if p.at() != "/attempts?orderId=ORD-2" {
				t.Errorf("the search is at %s", p.at())
			}
			p.says("OrderCreated", "ORD-2")
			p.click("table.list td:first-child a")
			p.says("Request", "Response", "SHOE-42", "1234.50", hostile)
		})
	}
}
