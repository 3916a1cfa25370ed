package browser

import (
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// seedOrder stores an order with shipments, a return, a subscription and several
// versions, and a cart that its validator does not let pass. It returns the ids of the
// order's aborted run and of its return.
func (s *server) seedOrder() (run, returned string) {
	s.t.Helper()
	s.seed()
	doc := fmt.Sprintf(`{"id":"ORD-9","status":"New","subscriptionId":"SUB-1","customerName":%q,"customerEmail":"kari@example.com","marketId":"NOR","billingCurrency":"NOK","tags":[%q],
		"orderForm":{"lineItems":[{"lineItemId":"L1","code":"SHOE-42","displayName":%q,"quantity":3,"placedPrice":33.30},{"lineItemId":"L2","code":"SOCK-1","quantity":1,"placedPrice":9.90}],
		"shipments":[{"shipmentId":"S1","warehouseCode":"oslo-1","shippingMethodName":%q,"shipmentTrackingNumber":"370000000000000012"}]}}`, hostile, hostile, hostile, hostile)
	s.call("POST", "/api/orders", doc)
	s.call("PATCH", "/api/orders/ORD-9", `{"orderForm":{"total":12.50},"customerPhone":"+47 999"}`)
	returned = s.call("POST", "/api/orders/ORD-9/returns", `{"lineItems":[{"lineItemId":"L1","returnQuantity":1,"returnReason":"Too small"}],"returnComment":"In its box"}`)["returnId"].(string)
	run = s.call("POST", "/api/orders/ORD-9/status", `{"status":"Taxed"}`)["runId"].(string)

	settings := s.call("GET", "/api/settings", "")
	settings["connectors"] = append(settings["connectors"].([]any), map[string]any{"name": "webhookValidator", "connectorId": "credit", "host": s.receiver + "/validator"})
	s.callWith("PUT", "/api/settings", settings)
	s.call("PUT", "/api/carts/C-1", fmt.Sprintf(`{"customerName":%q,"billingCurrency":"NOK","marketId":"NOR","orderForm":{"lineItems":[{"lineItemId":"1","code":"SHOE-42","quantity":1,"placedPrice":999.00}]}}`, hostile))
	s.call("POST", "/api/carts/C-1/validate", "")
	s.first("/api/attempts?kind=validator&cartId=C-1")
	s.first("/api/deliveries?status=failed&orderId=ORD-9")
	return run, returned
}

// TestOrderPages looks at the pages about orders, carts and runs as [TestEveryPage] does.
func TestOrderPages(t *testing.T) {
	s := startServer(t)
	run, returned := s.seedOrder()
	pages := []struct{ name, path, says string }{
		{"orders", "/orders", "ORD-9"},
		{"orders-none", "/orders?status=none", "No order is found."},
		{"orders-wrong", "/orders?from=yesterday", "Created from: must be a time"},
		{"order", "/orders/ORD-9", "What happened"},
		{"order-runs", "/orders/ORD-9?tab=runs", "Run of"},
		{"order-status", "/orders/ORD-9/status", "Show what would happen"},
		{"order-status-dry", "/orders/ORD-9/status?status=Taxed", "What would happen"},
		{"order-erase", "/orders/ORD-9/erase", "erased for good"},
		{"order-return", "/orders/ORD-9/returns/" + returned + "/cancel", "can be returned again"},
		{"order-blame", "/orders/ORD-9/blame", "orderForm.lineItems[L1].quantity"},
		{"order-blame-one", "/orders/ORD-9/blame?path=%2ForderForm%2Ftotal&all=true", "All values of"},
		{"order-blame-wrong", "/orders/ORD-9/blame?path=nothing", "No field is found."},
		{"order-versions", "/orders/ORD-9/versions", "What made the versions"},
		{"order-versions-2", "/orders/ORD-9/versions?version=3&with=2", "customerPhone"},
		{"subscription", "/subscriptions/SUB-1", "ORD-9"},
		{"carts", "/carts", "C-1"},
		{"cart", "/carts/C-1", "credit limit"},
		{"cart-validate", "/carts/C-1/validate", "Validate now"},
		{"runs", "/runs", "Resume all aborted runs"},
		{"runs-none", "/runs?status=canceled", "No run is found."},
		{"run", "/runs/" + run, "Ask for the tax"},
		{"run-resume", "/runs/" + run + "/resume", "The run goes on at the step"},
		{"run-cancel", "/runs/" + run + "/cancel", "The run ends, and its remaining steps are not taken."},
		{"runs-resume", "/runs/resume?status=aborted", "The aborted runs with this filter"},
	}
	for _, l := range looks() {
		t.Run(l.String(), func(t *testing.T) {
			p := open(t, s.url, l)
			p.signIn(adminKey)
			for _, page := range pages {
				p.visit(page.path)
				p.check(page.name+"-"+l.String(), page.says)
			}
		})
	}
}

// TestAnOrderByHand: what was sent for an order, what was answered, and what set a value
// are two clicks from its page, with a script and without.
func TestAnOrderByHand(t *testing.T) {
	s := startServer(t)
	s.seedOrder()
	for _, l := range []look{wide, wide.withoutScript(), narrow.withoutScript()} {
		t.Run(l.String(), func(t *testing.T) {
			p := open(t, s.url, l)
			p.signIn(s.key("reader"))
			p.visit("/orders")
			p.fill("q", "kari@")
			p.click("form.filters button")
			if p.at() != "/orders?q=kari%40" {
				t.Errorf("the search is at %s", p.at())
			}
			p.click(`a[href="/orders/ORD-9"]`)
			p.says("12.50", "Step answered", hostile)
			p.click(`a[href="/attempts?orderId=ORD-9"]`)
			p.says("OrderCreated")
			p.visit("/orders/ORD-9?tab=history")
			p.says("Changed", "customerPhone")

			p.visit("/orders/ORD-9") // who set the total, and what was it before? Two clicks
			p.click(`a[href="/orders/ORD-9/blame"]`)
			p.says("orderForm.total", "12.50", "99.90", "with the key", "Changed")
			p.click(`a[href="/orders/ORD-9/blame?all=true&path=%2ForderForm%2Ftotal"]`)
			p.says("All values of /orderForm/total", "12.50", "99.90", "109.80", "Check the order")
			p.click(`.blame a[href^="/attempts/"]`)
			p.says("Request", "Response", "99.90")
			p.visit("/orders/ORD-9/versions?version=3&with=1")
			p.says("customerPhone", "+47 999", "orderForm.total")
			if p.has(`a[href$="/status"]`) {
				t.Error("a reader is offered to change the status")
			}
		})
	}
}

// TestStatusByHand changes a status: what would happen is shown first, and the endpoints
// are called only when that is asked for.
func TestStatusByHand(t *testing.T) {
	s := startServer(t)
	s.seedOrder()
	p := open(t, s.url, wide.withoutScript())
	p.signIn(s.key("publisher"))
	p.visit("/orders/ORD-2")
	p.click(`a[href="/orders/ORD-2/status"]`)
	p.fill("status", "Taxed")
	p.click("form[method=get] button")
	p.says("would run", "Ask for the tax")
	if order := s.call("GET", "/api/orders/ORD-2", ""); order["status"] != "New" {
		t.Errorf("a dry run changed the status to %v", order["status"])
	}
	p.click(`button[name="try"][value="true"]`)
	p.says("The endpoints were called, once each", "error")
	if order := s.call("GET", "/api/orders/ORD-2", ""); order["status"] != "New" {
		t.Errorf("trying changed the status to %v", order["status"])
	}
	p.click("form[method=post] button.main")
	p.says("The status is entered", "aborted")
	if order := s.call("GET", "/api/orders/ORD-2", ""); order["status"] != "Taxed" {
		t.Errorf("the status is %v", order["status"])
	}
}

// TestRunsByHand resumes one run, and then all that a filter picks.
func TestRunsByHand(t *testing.T) {
	s := startServer(t)
	run, _ := s.seedOrder()
	p := open(t, s.url, wide)
	p.signIn(s.key("operator"))
	p.visit("/orders/ORD-9")
	p.click(`.hand a[href$="/resume"]`)
	p.says("goes on at the step that stopped it")
	p.click("main form button")
	p.says("It goes on.")
	if p.at() != "/runs/"+run+"?done=resumed" {
		t.Errorf("the page after it is %s", p.at())
	}
	s.first("/api/runs?status=aborted&orderId=ORD-9")
	p.visit("/runs?status=aborted&step=" + "Ask+for+the+tax+" + strings.NewReplacer(`"`, "%22", "<", "%3C", ">", "%3E", " ", "+", "'", "%27", "=", "%3D", "(", "%28", ")", "%29", "/", "%2F").Replace(hostile))
	p.click(`#runs .buttons a.main`)
	p.says("The aborted runs with this filter", "At the step", hostile, "2")
	p.click("main form button")
	p.waitFor("#job")
	p.says("Resume runs", hostile)
}

// TestCartByHand validates a cart and is told what came of it.
func TestCartByHand(t *testing.T) {
	s := startServer(t)
	s.seedOrder()
	p := open(t, s.url, narrow.withoutScript())
	p.signIn(s.key("publisher"))
	p.visit("/carts/C-1")
	p.click(`a[href="/carts/C-1/validate"]`)
	p.says("sent to its validators")
	p.click("main form button")
	p.says("did not pass", "Over the credit limit", "not passed")
}

// has reports whether there is such an element.
func (p *tab) has(selector string) bool {
	p.t.Helper()
	return len(run(p, chromedp.Nodes(selector, chromedp.AtLeast(0)))) > 0
}

// TestEraseByHand erases an order; the audit log says who did.
func TestEraseByHand(t *testing.T) {
	s := startServer(t)
	s.seedOrder()
	p := open(t, s.url, narrow)
	p.signIn(adminKey)
	p.visit("/orders/ORD-3")
	p.click(`a[href="/orders/ORD-3/erase"]`)
	p.says("erased for good", hostile)
	p.fill("id", "ORD-3")
	p.click("main form button")
	p.says("The order is erased")
	p.visit("/orders/ORD-3")
	p.says("Not Found")
	p.visit("/audit")
	p.says("ORD-3", "dashboard")
}

// TestFoldedStaysFolded: news of one part of a page leaves the others as they are.
func TestFoldedStaysFolded(t *testing.T) {
	s := startServer(t)
	s.seedOrder()
	p := open(t, s.url, wide)
	p.signIn(adminKey)
	p.visit("/orders/ORD-9")
	p.until(`document.querySelector(".live-state")?.textContent === "live"`)
	p.skipPauses()
	eval[bool](p, `document.querySelector("#document [data-fold]").click(), true`) // with no pointer that depends on it
	s.call("POST", "/api/events", `{"type":"loyalty.points_earned","orderId":"ORD-9","data":{}}`)
	p.until(`document.querySelector("#timeline").textContent.includes("loyalty.points_earned")`)
	if eval[bool](p, `[...document.querySelectorAll("#document .json details details")].some((d) => d.open)`) {
		t.Error("what was folded is open again")
	}
}

// TestOrdersByKeyboard finds an order and changes its status without a pointer.
func TestOrdersByKeyboard(t *testing.T) {
	s := startServer(t)
	s.seedOrder()
	p := open(t, s.url, wide)
	p.signIn(adminKey)
	p.visit("/orders")
	p.tabTo(`input[name="open"]`)
	p.press("ORD-9")
	p.enter()
	p.tabTo(`a[href="/orders/ORD-9/status"]`)
	p.enter()
	p.tabTo(`input[name="status"]`)
	p.press("Packed")
	p.enter()
	p.tabTo(`form[method="post"] button.main`)
	p.enter()
	p.says("The status is entered")
	if order := s.call("GET", "/api/orders/ORD-9", ""); order["status"] != "Packed" {
		t.Errorf("the status is %v", order["status"])
	}
	p.visit("/orders/ORD-9/versions")
	p.tabTo(`input[name="with"]`)
	p.press(kb.ArrowLeft)
	p.until(`document.querySelector(".slider output").textContent === "5"`)
	p.tabTo("form.versions button")
	p.enter()
	p.says("What differs between version 5 and 7")
	p.click(`input[name="version"]`) // its middle
	p.says("What differs between version 5 and 4")
}
