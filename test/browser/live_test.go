package browser

import (
	"fmt"
	"testing"

	"github.com/chromedp/chromedp"
)

// until waits until an expression in the page is true.
func (p *tab) until(expression string) {
	p.t.Helper()
	p.do(chromedp.Poll[chromedp.Void](expression, chromedp.WithPollingTimeout(patience)))
}

// TestLiveUpdates: what is new appears by itself, but not while the page is paused, and
// not while one is in what would be replaced.
func TestLiveUpdates(t *testing.T) {
	s := startServer(t)
	s.seed()
	p := open(t, s.url, wide)
	p.signIn(adminKey)
	p.visit("/attempts")
	p.until(`document.querySelector(".live-state")?.textContent === "live"`)
	p.skipPauses()
	order := func(id string) { s.call("POST", "/api/orders", fmt.Sprintf(`{"id":%q,"status":"New"}`, id)) }
	has := func(id string) string {
		return fmt.Sprintf(`document.querySelector("#attempts").textContent.includes(%q)`, id)
	}
	order("LIVE-1")
	p.until(has("LIVE-1"))

	p.do(chromedp.Click("[data-pause]"))
	order("LIVE-2")
	p.until(`document.querySelector(".live-state").textContent === "paused, there is news"`)
	if eval[bool](p, has("LIVE-2")) {
		t.Error("a paused page was replaced")
	}
	p.do(chromedp.Click("[data-pause]"))
	p.until(has("LIVE-2"))

	p.focus("#attempts td a")
	order("LIVE-3")
	p.until(`document.querySelector(".live-state").textContent === "waits while you are in it"`)
	if eval[bool](p, has("LIVE-3")) {
		t.Error("what has the focus was replaced")
	}
	eval[bool](p, `document.activeElement.blur(), true`)
	p.until(has("LIVE-3"))

	eval[bool](p, `getSelection().selectAllChildren(document.querySelector("#attempts tbody tr")), true`)
	order("LIVE-4")
	p.until(`document.querySelector(".live-state").textContent === "waits while you are in it"`)
	if eval[bool](p, has("LIVE-4")) {
		t.Error("what is selected was replaced")
	}
	eval[bool](p, `getSelection().removeAllRanges(), true`)
	p.until(has("LIVE-4"))
}

// skipPauses makes the time of the page pass by its pauses alone, and these at once. A page
// waits longer the longer its last fetch took, so a busy machine would keep a test waiting.
// What chromedp waits by stays as it is.
func (p *tab) skipPauses() {
	p.t.Helper()
	eval[bool](p, fmt.Sprintf(`(() => {
		const later = setTimeout;
		let now = performance.now();
		performance.now = () => now;
		window.setTimeout = (f, ms = 0) => ms === %d ? later(f, ms) : later(() => { now += ms; f(); }, 50);
		return true;
	})()`, patience.Milliseconds()))
}

// TestAFailedRefreshIsTriedAgain: a page that could not be fetched is fetched again by
// itself, though nothing more happens that the server would tell of.
func TestAFailedRefreshIsTriedAgain(t *testing.T) {
	s := startServer(t)
	for name, fails := range map[string]string{"refused": `Promise.resolve(new Response("", { status: 503 }))`, "unreachable": `Promise.reject(new TypeError("no network"))`} {
		t.Run(name, func(t *testing.T) {
			p := open(t, s.url, wide)
			p.signIn(adminKey)
			p.visit("/orders")
			p.until(`document.querySelector(".live-state")?.textContent === "live"`)
			p.skipPauses()
			eval[bool](p, `window.failed = 0, window.whole = fetch, window.fetch = () => { failed++; return `+fails+`; }, true`)
			id := "AGAIN-" + name
			s.call("POST", "/api/orders", fmt.Sprintf(`{"id":%q}`, id))
			p.until(`failed > 0`)
			// The stream ends, so that it says nothing more. One refresh may wait for what it
			// said before; those behind that come of themselves.
			eval[bool](p, `dispatchEvent(new Event("pagehide")), window.failed = 0, true`)
			p.until(`failed > 2`)
			eval[bool](p, `window.fetch = whole, true`)
			p.until(fmt.Sprintf(`document.querySelector("#orders").textContent.includes(%q)`, id))
		})
	}
}

// TestNewsDuringARefresh: what happens while the page is being fetched is shown, though the
// answer was made before it, and though nothing happens afterwards.
func TestNewsDuringARefresh(t *testing.T) {
	s := startServer(t)
	p := open(t, s.url, wide)
	p.signIn(adminKey)
	p.visit("/orders")
	p.until(`source?.readyState === EventSource.OPEN && !waiting && !fetching`)
	p.skipPauses()
	eval[bool](p, `window.told = 0, source.addEventListener("change", () => told++),
		window.whole = fetch, window.fetch = async (...of) => {
			window.fetch = whole;
			const answer = await whole(...of);
			window.got = true;
			await new Promise((done) => window.goOn = done);
			return answer;
		}, true`)
	s.call("POST", "/api/orders", `{"id":"DURING-1"}`)
	p.until(`window.got`)
	eval[bool](p, `window.told = 0, true`)
	s.call("POST", "/api/orders", `{"id":"DURING-2"}`)
	p.until(`told > 0`)
	eval[bool](p, `dispatchEvent(new Event("pagehide")), goOn(), true`)
	p.until(`document.querySelector("#orders").textContent.includes("DURING-2")`)
}
