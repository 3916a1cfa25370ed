package browser

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// The errands of docs/dashboard.md: what two users do, counted in clicks and in requests.
// Their pictures are the document's: `make pictures`.

// shop is a server with the orders of a shop, whose systems may be down.
type shop struct {
	*server
	down     atomic.Bool  // the ERP, and the warehouse
	requests atomic.Int64 // for pages and of forms; not for files, nor by scripts
	site     string       // the server, with the requests counted
}

func openShop(t *testing.T) *shop {
	t.Helper()
	s := &shop{server: startServer(t)}
	systems := httptest.NewServer(http.HandlerFunc(s.answer))
	t.Cleanup(systems.Close)
	s.call("PUT", "/api/settings", strings.ReplaceAll(shopSettings, "SYSTEMS", systems.URL))
	for name, path := range map[string]string{"Warehouse": "/warehouse", "Newsletter": "/newsletter"} {
		s.call("POST", "/api/endpoints", fmt.Sprintf(`{"url":%q,"description":%q,"eventTypes":["OrderCreated"],"retrySchedule":["PT0.05S"]}`, systems.URL+path, name))
	}
	target, err := url.Parse(s.url)
	if err != nil {
		t.Fatal(err)
	}
	counted := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Sec-Fetch-Dest") == "document" {
			s.requests.Add(1)
		}
		(&httputil.ReverseProxy{FlushInterval: -1, Rewrite: func(p *httputil.ProxyRequest) { p.SetURL(target); p.Out.Host = p.In.Host }}).ServeHTTP(w, r)
	}))
	t.Cleanup(counted.Close)
	s.site = counted.URL
	return s
}

const shopSettings = `{"connectors":[
	{"name":"Webhook","connectorId":"prices","displayName":"Prices","host":"SYSTEMS/prices","disableStandardErrorPolicy":true},
	{"name":"Webhook","connectorId":"erp","displayName":"ERP","host":"SYSTEMS/erp","bearerToken":"erp-token-of-tests","disableStandardErrorPolicy":true}],
	"orderTypes":[{"name":"Online","default":true,"orderStatuses":[
		{"name":"New","maxDuration":"00:05:00","workflowSteps":[
			{"name":"WebhookWorkflowStep","displayName":"Prices","connector":"Webhook","connectorId":"prices","active":true},
			{"name":"WebhookWorkflowStep","displayName":"ERP order number","connector":"Webhook","connectorId":"erp","active":true,"stopOnError":true,"properties":[{"key":"ErrorStatus","value":"OnHold"}]}]},
		{"name":"ReadyToShip","events":["+order_ready"],"workflowSteps":[{"name":"ExportOrder","displayName":"To the warehouse","connector":"Webhook","connectorId":"erp","active":true}]},
		{"name":"Shipped","mainOrderStatus":"Completed","workflowSteps":[]},
		{"name":"Completed","workflowSteps":[]},{"name":"OnHold","workflowSteps":[]}]}],
	"returnStatuses":[{"name":"Returned","workflowSteps":[{"name":"WebhookReturnWorkflowStep","displayName":"Pay the money back","connector":"Webhook","connectorId":"erp","active":true,"stopOnError":true}]}]}`

// answer is the shop's systems. The one with the prices slips a digit in the total of ORD-1.
func (s *shop) answer(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	w.Header().Set("Content-Type", "application/json")
	switch {
	case r.URL.Path == "/prices" && strings.Contains(string(body), `"ORD-1"`):
		_, _ = io.WriteString(w, `{"orderPatch":{"orderForm":{"total":149.85}}}`)
	case r.URL.Path == "/prices":
		_, _ = io.WriteString(w, `{"orderPatch":{"tags":["priced"]}}`)
	case s.down.Load() && r.URL.Path != "/newsletter":
		w.WriteHeader(http.StatusServiceUnavailable)
		_, _ = io.WriteString(w, `{"error":"down for maintenance"}`)
	case r.URL.Path == "/erp":
		_, _ = io.WriteString(w, `{"orderPatch":{"externalIds":[{"providerName":"ERP","id":"SO-300417"}]}}`)
	default:
		_, _ = io.WriteString(w, `{}`)
	}
}

// order stores an order of the shop's.
func (s *shop) order(n int) {
	s.t.Helper()
	customers := []string{"Ingrid Solheim", "Erik Lund", "Kari Nordmann", "Astrid Berg", "Jonas Holm"}
	s.call("POST", "/api/orders", fmt.Sprintf(`{"id":"ORD-%d","status":"New","marketId":"NOR","billingCurrency":"NOK","customerName":%q,"customerEmail":"customer%d@example.com",
		"orderForm":{"lineItems":[{"lineItemId":"1","code":"SHOE-42","displayName":"Running shoe","quantity":3,"placedPrice":499.50}]}}`, n, customers[n%len(customers)], n))
}

// errand is somebody who has something to do, with the clicks counted.
type errand struct {
	*tab
	shop   *shop
	clicks int
}

func (s *shop) errand(t *testing.T, l look) *errand {
	t.Helper()
	p := open(t, s.site, l)
	p.signIn(s.key("operator"))
	p.visit("/")
	s.requests.Store(1) // the overview, where everybody is after signing in
	return &errand{tab: p, shop: s}
}

// press is the click of a person on the first element of the page that has this text. It has the
// focus first, so that what is live does not replace it before the click.
func (e *errand) press(selector, text string) {
	e.t.Helper()
	e.clicks++
	mark := fmt.Sprintf(`(() => { const el = [...document.querySelectorAll(%q)].find(e => e.textContent.trim().startsWith(%q)); el?.setAttribute("data-pressed", ""); el?.focus(); return !!el })()`, selector, text)
	if !eval[bool](e.tab, mark) {
		e.t.Fatalf("%s has no %s that says %q: %s", e.at(), selector, text, e.text("main"))
	}
	e.tab.click("[data-pressed]")
}

// took fails if the errand took more, or less, than the document says.
func (e *errand) took(clicks, requests int) {
	e.t.Helper()
	if got := int(e.shop.requests.Load()); e.clicks != clicks || got != requests {
		e.t.Errorf("the errand took %d clicks and %d requests, and docs/dashboard.md says %d and %d", e.clicks, got, clicks, requests)
	}
}

// picture keeps what is seen of the page in ORDERHOOK_PICTURES, if that is set.
func (p *tab) picture(name string) {
	p.t.Helper()
	dir := os.Getenv("ORDERHOOK_PICTURES")
	if dir == "" {
		return
	}
	p.do(chromedp.EmulateViewport(1280, 800))
	if err := os.WriteFile(filepath.Join(dir, name+".png"), run(p, chromedp.CaptureScreenshot()), 0o644); err != nil {
		p.t.Fatal(err)
	}
}

// TestErrandOfAWrongTotal: "ORD-1 has the wrong total: who set it, and what did we send?"
func TestErrandOfAWrongTotal(t *testing.T) {
	s := openShop(t)
	for n := 1; n <= 8; n++ {
		s.order(n)
	}
	s.first("/api/deliveries?status=succeeded&orderId=ORD-1")
	for _, l := range []look{wide, narrow.withoutScript()} {
		t.Run(l.String(), func(t *testing.T) {
			e := s.errand(t, l)
			e.press("nav a", "Orders")
			e.press("td a", "ORD-1")
			if !l.noScript {
				e.picture("order")
			}
			e.press("nav a", "Blame")
			total := e.text(`tr:has(a[href*="total"])`)
			for _, want := range []string{"orderForm.total", "149.85", "1498.50", "Prices"} {
				if !strings.Contains(total, want) {
					t.Errorf("the field is blamed on %q, which does not say %q", total, want)
				}
			}
			if !l.noScript {
				e.picture("blame")
			}
			e.press(`tr:has(a[href*="total"]) a[href^="/attempts"]`, "Prices")
			e.says("Request", "SHOE-42", "Response", "149.85")
			if !l.noScript {
				e.picture("attempt")
			}
			e.took(4, 5)
		})
	}
}

// TestErrandOfAnERPThatWasDown: "our ERP was down for an hour: bring everything back."
func TestErrandOfAnERPThatWasDown(t *testing.T) {
	s := openShop(t)
	s.order(1)
	s.down.Store(true)
	const failed = 6
	for n := 2; n < 2+failed; n++ {
		s.order(n)
	}
	s.until("/api/deliveries?status=failed", failed)
	s.until("/api/runs?status=aborted", failed)
	s.down.Store(false)

	e := s.errand(t, wide)
	e.says("Runs that were aborted or failed: 6", "Deliveries that failed for good: 6", "503 Service Unavailable")
	e.picture("overview")
	e.press("a.button", "Resume all")
	e.says("The aborted runs", "Runs", "6", "ORD-7")
	e.picture("resume")
	e.press("form.confirm button, .confirm form button", "Resume them all")
	e.tab.until(`document.querySelector("main").textContent.includes("succeeded")`)
	e.picture("job")
	e.press("a.brand", "orderhook")
	e.press("a.button", "Send all again")
	e.says("Deliveries", "6")
	e.press("form.confirm button, .confirm form button", "Send 6 again")
	e.tab.until(`document.querySelector("main").textContent.includes("succeeded")`)
	e.took(5, 8)
	s.until("/api/deliveries?status=failed", 0)
	s.until("/api/runs?status=aborted", 0)
	e.visit("/")
	e.says("Nothing is stuck.")
}

// until waits until a list has so many entries.
func (s *shop) until(list string, n int) {
	s.t.Helper()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); {
		if len(s.call("GET", list, "")["items"].([]any)) == n {
			return
		}
	}
	s.t.Fatalf("%s does not get %d entries", list, n)
}

// TestPicturesOfWorkflows makes the pictures of the workflows, of pages that other tests
// look at.
func TestPicturesOfWorkflows(t *testing.T) {
	s := openShop(t)
	s.order(1)
	e := s.errand(t, wide)
	e.press("nav a", "Workflows")
	e.says("ERP order number", "on an error → OnHold")
	e.picture("workflows")
	e.press(".flow-step a", "ERP order number")
	e.fill("f.enabledForMarkets", "SWE")
	e.fill("orderId", "ORD-1")
	e.press("button", "See what would change")
	e.says("What would change", "not enabled for")
	e.picture("review")
}
