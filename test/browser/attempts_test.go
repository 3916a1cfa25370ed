package browser

import (
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// TestAttemptsByHand: what was sent for an order is two clicks away, with a script and
// without; so is sending it again.
func TestAttemptsByHand(t *testing.T) {
	s := startServer(t)
	s.seed()
	s.first("/api/attempts?kind=event&orderId=ORD-2")
	for _, l := range []look{wide, narrow.withoutScript()} {
		t.Run(l.String(), func(t *testing.T) {
			p := open(t, s.url, l)
			p.signIn(adminKey)
			p.visit("/attempts")
			p.fill("orderId", "ORD-2")
			p.click("form.filters button")
			if p.at() != "/attempts?orderId=ORD-2" {
				t.Errorf("the search is at %s", p.at())
			}
			p.says("OrderCreated", "ORD-2", "in all")
			p.click(`tr:has(a[href="/orders/ORD-2"]) td:first-child a`)
			p.says("Request", "Response", "SHOE-42", "1234.50", hostile)
			p.click(`a[href$="/replay"]`)
			p.says("It changes nothing here")
			p.fill("url", s.receiver+"/hook?second=1")
			p.click("form.stack button.main")
			p.says("Headers that differ", "/hook?second=***")
			if !strings.Contains(p.at(), "/replays/") {
				t.Errorf("after the replay one is at %s", p.at())
			}
		})
	}
}

// TestAttemptsWithoutAMouse goes from signing in to the body of a request by keys alone.
func TestAttemptsWithoutAMouse(t *testing.T) {
	s := startServer(t)
	s.seed()
	p := open(t, s.url, wide)
	p.visit("/attempts?orderId=ORD-3")
	p.tabTo("input[name=key]")
	p.press(adminKey)
	p.enter()
	if p.at() != "/attempts?orderId=ORD-3" {
		t.Errorf("after signing in one is at %s", p.at())
	}
	eval[bool](p, `document.body.dispatchEvent(new KeyboardEvent("keydown", {key: "/", bubbles: true}))`) // to the search
	p.tabTo("input[name=body]")
	p.press("SHOE-42")
	p.enter()
	if p.at() != "/attempts?body=SHOE-42&orderId=ORD-3" {
		t.Errorf("the search is at %s", p.at())
	}
	p.tabTo("td:first-child a")
	p.enter()
	p.says("SHOE-42", "ORD-3")
	p.tabTo(`a[href$="/replay"]`)
	p.enter()
	p.tabTo("form.stack button.main")
	p.enter()
	p.says("Headers that differ")
	p.tabTo(".who button")
	p.enter()
	p.says("API key")
}

// TestTheFilterStays through pages, a reload and going back.
func TestTheFilterStays(t *testing.T) {
	s := startServer(t)
	s.seed()
	for i := range 12 {
		s.call("POST", "/api/orders", fmt.Sprintf(`{"id":"PAGE-%d","status":"None"}`, i))
	}
	s.all("/api/deliveries?status=pending", 0) // an attempt is where it began, also one that ends later
	p := open(t, s.url, wide)
	p.signIn(adminKey)
	p.visit("/attempts?kind=event&limit=5")
	p.click("[data-next]")
	if at := p.at(); !strings.Contains(at, "kind=event") || !strings.Contains(at, "cursor=") || !strings.Contains(at, "limit=5") {
		t.Errorf("the next page is at %s", at)
	}
	at := p.at()
	second := p.ids()
	p.do(chromedp.Reload())
	if p.at() != at || p.ids() != second || strings.Count(second, "att_") != 5 {
		t.Errorf("after a reload %s has %s, not %s", p.at(), p.ids(), second)
	}
	p.click(`a[rel=first]`)
	if at := p.at(); at != "/attempts?kind=event&limit=5" {
		t.Errorf("the first page is at %s", at)
	}
	p.click(".chips a")
	if at := p.at(); at != "/attempts?limit=5" {
		t.Errorf("without the filter one is at %s", at)
	}
	p.do(chromedp.NavigateBack())
	if at := p.at(); at != "/attempts?kind=event&limit=5" {
		t.Errorf("back, one is at %s", at)
	}
	if got := eval[string](p, `document.querySelector("select[name=kind]").value`); got != "event" {
		t.Errorf("back, the form has the kind %q", got)
	}
}

// ids are the attempts of a page.
func (p *tab) ids() string {
	p.t.Helper()
	return eval[string](p, `[...document.querySelectorAll("tr[data-id]")].map(r => r.dataset.id).join()`)
}

// TestCopying hands on a document with its digits, though parts of it are collapsed.
func TestCopying(t *testing.T) {
	s := startServer(t)
	s.seed()
	p := open(t, s.url, wide)
	p.signIn(adminKey)
	p.visit("/attempts/" + s.first("/api/attempts?kind=event&orderId=ORD-1"))
	p.do(chromedp.Click("[data-fold]"))
	if !eval[bool](p, `[...document.querySelector(".json").querySelectorAll("details details")].every(d => !d.open)`) {
		t.Error("collapsing left something open")
	}
	copied := eval[string](p, `copyText(document.querySelector("[data-copy-next]"))`)
	for _, want := range []string{"\n      \"total\": 1234.50", `"quantity": 2.0`, `"customerName": "\"><img`} {
		if !strings.Contains(copied, want) {
			t.Errorf("the copy has no %q: %s", want, copied)
		}
	}
	if !eval[bool](p, `JSON.parse(`+quoted(copied)+`).data.id === "ORD-1"`) {
		t.Error("the copy is no JSON")
	}
}
