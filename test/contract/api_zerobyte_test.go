package contract

import (
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/orderhook/orderhook/internal/jsondoc"
)

// JSON can say a zero byte, and so can a URL. A text of PostgreSQL cannot have one: there
// U+FFFD stands for it where something is found by it (docs/design.md#postgresql).

// TestAZeroByteInARunKeepsNobodyFromRuns: an endpoint says why it stopped a workflow, and a
// caller how a status is called.
func TestAZeroByteInARunKeepsNobodyFromRuns(t *testing.T) {
	for name, c := range map[string]struct{ status, shipment, reason string }{
		"reason":   {"Packed", "SHIP-2", `bad \u0000 char`},
		"shipment": {"Packed", "SHIP-2", `\u0000`},
		"status":   {`s\u0000`, "SHIP-2", "bad"},
	} {
		t.Run(name, func(t *testing.T) {
			s := answering(t, strings.Replace(canceled, "Shipping address could not be validated", c.reason, 1), success)
			r := lease(t)
			r.settings(config(fmt.Sprintf(`{"name":"%s","workflowSteps":[%s]}`, c.status, step{Host: s.URL, Stop: true})))
			r.post(strings.Replace(order, "SHIP-2", c.shipment, 1))
			enter := func(status string) answer {
				return r.call("POST", theOrder+"/status", fmt.Sprintf(`{"status":"%s","shipmentId":"%s"}`, status, c.shipment)).want(200)
			}
			enter(c.status).is("isAborted", true)
			r.get("/api/overview").is("stuck.runs.count", 1)
			r.get("/api/runs?resumable=true&count=true").is("count", 1).is("items[0].orderId", "ORD-12345")
			r.call("POST", "/api/runs/resume", `{"orderId":"ORD-12345","dryRun":true}`).want(200).is("matched", 1)
			enter(c.status).is("isAborted", false)
			r.get("/api/overview").is("stuck.runs.count", 0)
			r.get("/api/runs?resumable=true").is("items", []string{})
			enter("Held")
		})
	}
}

// TestNoTextOfAQueryIsAnError of the server's: it finds what has it, or the answer says what
// is wrong with it.
func TestNoTextOfAQueryIsAnError(t *testing.T) {
	r, names := furnished(t)
	eachOperation(r.get("/api/openapi.json").doc(), "paths", func(at string, op *jsondoc.Object) {
		s, isSample := samples[at]
		if !isSample || !strings.HasPrefix(at, "GET") {
			return
		}
		for _, p := range op.Objects("parameters") {
			if p.Text("in") != "query" || p.Object("schema").Text("type") != "string" {
				continue
			}
			for _, text := range []string{"\x00", "abc\x00def", "\xff\xff\xff", "\xed\xa0\x80", "🎁", `\u0000`, strings.Repeat("x", 5000)} {
				path := names.Replace(s.path) + "?" + p.Text("name") + "=" + url.QueryEscape(text)
				if a := r.call("GET", path, ""); a.Status >= 500 {
					t.Errorf("GET %s is answered %d %s", path, a.Status, a.Raw)
				}
			}
		}
	})
}

// TestNoTextOfADocumentIsAnError of the server's, neither when it is stored nor when it is
// looked for.
func TestNoTextOfADocumentIsAnError(t *testing.T) {
	r, names := furnished(t)
	const z = `a\u0000b`
	for _, c := range [][2]string{
		{"POST /api/orders", `{"id":"Z","status":"` + z + `","orderType":"` + z + `","marketId":"` + z + `","storeId":"` + z + `","customerEmail":"` + z + `","subscriptionId":"` + z + `","tags":["` + z + `"],
		  "externalIds":[{"providerName":"` + z + `","id":"` + z + `"}],"errors":[{"key":"` + z + `"}],"` + z + `":"` + z + `","orderForm":{"lineItems":[{"lineItemId":"` + z + `","quantity":2}],"shipments":[{"shipmentId":"` + z + `"}]}}`},
		{"PATCH /api/orders/Z", `{"storeId":"` + z + z + `","externalIds":[{"providerName":"` + z + `","id":"` + z + z + `"}]}`},
		{"POST /api/orders/Z/status", `{"status":"` + z + z + `","shipmentId":"` + z + `"}`},
		{"POST /api/orders/Z/status", `{"status":"` + z + z + `","shipmentId":"` + z + `","dryRun":true}`},
		{"POST /api/orders/Z/returns", strings.ReplaceAll(lines("L1", "1"), "L1", z)},
		{"POST /api/orders/Z/returns/" + url.PathEscape("a\x00b") + "/cancel", ""},
		{"PUT /api/carts/Z", `{"marketId":"` + z + `","customerEmail":"` + z + `"}`},
		{"POST /api/carts/Z/validate", ""},
		{"POST /api/events", `{"type":"furniture","id":"` + z + `","data":{"` + z + `":"` + z + `"}}`},
		{"POST /api/events", `{"type":"furniture","id":"Z","subject":{"kind":"` + z + `","id":"` + z + `"},"data":{"` + z + `":"` + z + `"}}`},
		{"POST /api/keys", `{"role":"reader","name":"` + z + `"}`},
		{"POST /api/endpoints", `{"url":"https://example.com/hook","eventTypes":["*"],"description":"` + z + `"}`},
		{"PATCH /api/endpoints/ENDPOINT", `{"description":"` + z + `","filter":"data.x == '` + z + `'"}`},
		{"PATCH /api/endpoints/ENDPOINT", `{"headers":[{"key":"X-Token","value":"` + z + `"}]}`},
		{"POST /api/endpoints/explain", `{"endpointId":"` + z + `","eventId":"` + z + `"}`},
		{"PUT /api/stock/" + url.PathEscape("a\x00b"), `{"available":1}`},
		{"PUT /api/stock/Z", `{"sku":"` + z + `","warehouseCode":"` + z + `","available":1}`},
		{"POST /api/runs/resume", `{"status":"aborted","step":"` + z + `"}`},
		{"POST /api/runs/resume", `{"orderId":"` + z + `"}`},
		{"POST /api/deliveries/redeliver", `{"status":"failed","endpointId":"` + z + `"}`},
		{"POST /api/interceptions", `{"steps":["` + z + `"],"orderIds":["` + z + `"]}`},
		{"PUT /api/settings", with(config(fmt.Sprintf(`{"name":"%s","workflowSteps":[%s]}`, z, step{Host: "https://example.com", ID: "Z", Headers: `,{"Key":"X-Token","Value":"s","KeyGroup":"RequestHeaders"}`, More: `,"displayName":"` + z + `"`})),
			connectors(connector("https://example.com", `,"connectorId":"`+z+`","bearerToken":"t"`)))},
		{"PUT /api/settings", config(status("New", step{Host: "https://example.com"}))},
		{"GET /api/overview", ""}, {"GET /api/orders", ""}, {"GET /api/runs?resumable=true", ""}, {"GET /api/events", ""}, {"GET /api/audit", ""}, {"GET /api/keys", ""},
		{"GET /api/endpoints", ""}, {"GET /api/deliveries", ""}, {"GET /api/carts", ""}, {"DELETE /api/orders/Z?permanently=true", ""},
	} {
		if a := r.callOf(names.Replace(c[0]), names.Replace(c[1])); a.Status >= 500 {
			t.Errorf("%s with %s is answered %d %s", c[0], c[1], a.Status, a.Raw)
		}
	}
}
