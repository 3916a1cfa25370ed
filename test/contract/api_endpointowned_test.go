package contract

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/orderhook/orderhook/internal/access"
	"github.com/orderhook/orderhook/internal/event"
	"github.com/orderhook/orderhook/internal/store"
)

// Endpoints that the API did not make: the webHook section's, which is changed
// in the config file only, and those of ExportOrder steps, which are what the
// settings say. Each call that would change one is 409, and changes nothing.

const webHookPath = "/api/endpoints/ep_webhook"

// ownedChanges are the calls, below an endpoint's path, that no endpoint which
// the API did not make takes.
var ownedChanges = []struct{ method, below, body string }{
	{"PATCH", "", `{"enabled":false}`},
	{"PATCH", "", `{"enabled":true}`},
	{"PATCH", "", `{"Enabled":null}`},
	{"PATCH", "", `{}`},
	{"PATCH", "", `{"url":"https://example.com/s3cret"}`},
	{"PATCH", "", `{"eventTypes":["*"],"filter":"true","format":"full"}`},
	{"PATCH", "", `{"headers":{"X-A":"s3cret"},"tls":null}`},
	{"PATCH", "", `{"timeout":"PT1S","retrySchedule":["PT0S"],"maxConcurrency":1,"rateLimit":1,"ordering":"subject"}`},
	{"PATCH", "", `{"signatures":["v1","v1a"],"description":"mine"}`},
	{"PATCH", "", `{"timeout":7,"nothing":"of the kind"}`},
	{"DELETE", "", ""},
	{"POST", "/rotate-secret", ""},
	{"POST", "/rotate-secret", `{"overlap":"PT0S"}`},
	{"POST", "/rotate-secret", `{"secret":"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}`},
}

// endpointsStored is all that a tenant has of endpoints and of what goes there,
// but for their health, which is written later than the rest.
func (r *rig) endpointsStored() string {
	r.t.Helper()
	var out []string
	ctx := context.Background()
	err := r.store.EveryEndpoint(ctx, func(tenant string, e *event.Endpoint, _ int64) error {
		if tenant == r.tenant() {
			raw, err := json.Marshal(e)
			out = append(out, string(raw))
			return err
		}
		return nil
	})
	deliveries, err2 := r.store.Deliveries(ctx, r.tenant(), store.DeliveryFilter{}, store.Page{Limit: store.MaxLimit})
	attempts, err3 := r.store.Attempts(ctx, r.tenant(), store.AttemptFilter{}, store.Page{Limit: store.MaxLimit})
	jobs, err4 := r.store.Jobs(ctx, r.tenant(), store.Page{})
	if err != nil || err2 != nil || err3 != nil || err4 != nil {
		r.t.Fatal(err, err2, err3, err4)
	}
	for _, d := range deliveries.Items {
		out = append(out, fmt.Sprintf("%+v", *d))
	}
	return strings.Join(append(out, fmt.Sprint(len(attempts.Items), " attempts, ", len(jobs.Items), " jobs")), "\n")
}

// refusesToChange fails the test unless each of the changes to an endpoint is
// answered with 409, for that reason, and none does anything.
func (r *rig) refusesToChange(path, reason string) {
	r.t.Helper()
	before, shown := r.endpointsStored(), string(r.get("/api/endpoints").Raw)
	for i, c := range ownedChanges {
		headers := []string{}
		if c.method == "POST" {
			headers = []string{"Idempotency-Key", fmt.Sprint("once-", i)}
		}
		for range 2 { // a refusal is not stored: the same comes again
			r.call(c.method, path+c.below, c.body, headers...).problem(409).is("detail", reason)
		}
		equals(r.t, fmt.Sprintf("what is stored after %v", c), r.endpointsStored(), before)
	}
	equals(r.t, "the list", string(r.get("/api/endpoints").Raw), shown)
}

func TestNothingButTheConfigFileChangesTheWebhook(t *testing.T) {
	l := listening(t)
	r := hooked(t, hooking(l.URL, `,"secret":"HeaderSecret"`))
	r.post(order)
	l.told(body("ORD-12345", "OrderCreated"))
	r.awaitDeliveries()
	r.refusesToChange(webHookPath, "this endpoint is the webHook section of the config file, and is changed there")
	r.call("GET", webHookPath+"/public-key", "").problem(404)
	r.enter("Accepted")
	l.told(body("ORD-12345", "OrderAccepted"))
	l.quiet(r)
}

func TestNothingButTheSettingsChangesAnExportsEndpoint(t *testing.T) {
	s, r := answering(t, ""), lease(t)
	r.settings(with(config(status("New", step{Name: exportStep, Connector: "ERP", Headers: header("X-Company", "7")})), connectors(erp(s.URL, ""))))
	r.post(order)
	d, _, _ := r.export()
	path := "/api/endpoints/" + d.EndpointID
	const reason = "this endpoint belongs to an ExportOrder step of the settings"
	r.refusesToChange(path, reason)
	before := r.endpointsStored()
	r.call("POST", path+"/test", "").problem(409).is("detail", reason+", and gets orders alone")
	r.call("GET", path+"/public-key", "").problem(404)
	equals(t, "what is stored", r.endpointsStored(), before)
	r.get(path).is("origin", "connector").is("headers", map[string]any{"X-Company": "***"}).is("secrets[0]", nil)
	equals(t, "calls", len(s.got()), 1)
	r.enter("New")
	r.exports()
	equals(t, "X-Company", fmt.Sprint(s.each("X-Company")), "[7 7]")
}

// A caller that may not know of an endpoint, or may not change any, does not learn whose it is.
func TestWhoMayNotChangeAnEndpointDoesNotLearnWhoseItIs(t *testing.T) {
	l := listening(t)
	r := hooked(t, hooking(l.URL, ""))
	stranger, reader := r.stranger(), r.role("reader")
	for _, c := range ownedChanges {
		stranger.call(c.method, webHookPath+c.below, c.body).problem(404)
		reader.call(c.method, webHookPath+c.below, c.body).problem(403)
	}
	stranger.call("POST", webHookPath+"/test", "").problem(404)
	reader.call("POST", webHookPath+"/test", "").problem(403)
	l.quiet(r)
}

// A section that is gone leaves its endpoint to look at, and nothing to call.
func TestTheWebhookOfASectionThatIsGone(t *testing.T) {
	l := listening(t)
	r := hooked(t, hooking(l.URL, ""))
	r.post(order)
	created := r.get("/api/events?type=OrderCreated").text("items[0].id")
	l.told(body("ORD-12345", "OrderCreated"))
	r.awaitDeliveries()
	r.configure(`{}`)
	r.restart(patience)
	r.refusesToChange(webHookPath, "this endpoint is the webHook section of the config file, and is changed there")
	before := r.endpointsStored()
	r.call("POST", webHookPath+"/test", "").problem(409).is("detail", "the config file has no webHook section any more")
	for path, doc := range map[string]string{
		webHookPath + "/recover":                `{"from":"2026-01-01T00:00:00Z","what":"missing"}`,
		"/api/events/" + created + "/redeliver": `{"endpointId":"ep_webhook"}`,
		"/api/deliveries/" + r.get("/api/deliveries").text("items[0].id") + "/redeliver": "",
	} {
		r.call("POST", path, doc).problem(409)
	}
	equals(t, "what is stored", r.endpointsStored(), before)
	l.quiet(r)
}

// "The events that are sent as webhooks are the following": whoever names the
// endpoint to send an event to, no other goes there.
func TestTheWebhookIsSentNothingButItsEvents(t *testing.T) {
	l := listening(t)
	r := hooked(t, `{}`)
	r.post(order)
	r.configure(hooking(l.URL, ""))
	r.restart(patience)
	l.quiet(r)
	const to = `{"endpointId":"ep_webhook"}`
	r.enter("Completed")
	before := r.endpointsStored()
	for _, id := range []string{
		r.publish(`,"orderId":"ORD-12345"`),
		r.get("/api/events?type=order_completed").text("items[0].id"),
	} {
		r.call("POST", "/api/events/"+id+"/redeliver", to).problem(409).
			is("detail", "this endpoint is the webHook section of the config file, and gets its seven events of orders alone")
	}
	equals(t, "what is stored", r.endpointsStored(), before)
	l.quiet(r)
	missed := r.get("/api/events?type=OrderCreated").text("items[0].id")
	r.call("POST", "/api/events/"+missed+"/redeliver", to).want(202).is("items[0].endpointId", "ep_webhook")
	l.told(body("ORD-12345", "OrderCreated"))
	l.quiet(r)
}

// Nor does anything but its own exports go to a connector: not an event, and
// not what another step exported.
func TestAnExportsEndpointIsSentNothingButItsExports(t *testing.T) {
	erpSink, wms := switchable(t, 200), answering(t, "")
	r := lease(t)
	r.settings(with(config(status("New", exporting("")), status("Packed", step{Name: exportStep, Connector: "WMS"})),
		connectors(erp(erpSink.URL, `,"disableStandardErrorPolicy":true`), fmt.Sprintf(`{"Name":"WMS","Host":%q}`, wms.URL))))
	r.post(order)
	r.exports()
	erpSink.code.Store(500)
	r.enter("New")
	r.enter("Packed")
	deliveries, events := r.exports()
	own, others := deliveries[1], events[2]
	to := fmt.Sprintf(`{"endpointId":%q}`, own.EndpointID)
	before := r.endpointsStored()
	for _, id := range []string{others.ID, r.publish(`,"orderId":"ORD-12345"`), r.get("/api/events?type=OrderCreated").text("items[0].id")} {
		r.call("POST", "/api/events/"+id+"/redeliver", to).problem(409).
			is("detail", "this endpoint belongs to an ExportOrder step of the settings, and gets what that exports alone")
	}
	path := "/api/endpoints/" + own.EndpointID
	equals(t, "what is stored", r.endpointsStored(), before)
	const since = `{"from":"2026-01-01T00:00:00Z","to":"2027-01-01T00:00:00Z","what":`
	r.recovered(r.get(path), since+`"missing"}`).is("status", "succeeded").is("sent", 0)
	equals(t, "calls", fmt.Sprint(len(erpSink.got()), len(wms.got())), "2 1")

	erpSink.code.Store(http.StatusNoContent) // its own it gets by every way
	r.recovered(r.get(path), since+`"failed"}`).is("sent", 1)
	r.until("it was recovered", func() bool { return r.get("/api/deliveries/"+own.ID()).text("status") == "succeeded" })
	r.call("POST", "/api/events/"+own.EventID+"/redeliver", to).want(202)
	r.until("it came again", func() bool { return len(erpSink.got()) == 4 })
	r.exports()
	equals(t, "body", string(erpSink.got()[3].Body), string(events[1].Data))
	equals(t, "calls of the other", len(wms.got()), 1)
}

// The secret of a section signs nothing of the tenant that the section was of
// before, be it a test or what is sent again.
func TestTheWebhookOfASectionThatMovedToAnotherTenant(t *testing.T) {
	before, now := listening(t), listening(t)
	r := hooked(t, hooking(before.URL, `,"secret":"OfBefore"`))
	r.post(order)
	before.told(body("ORD-12345", "OrderCreated"))
	r.awaitDeliveries()
	const acmeKey = "contract-acme-key-0123456789"
	r.addKey(acmeKey, "acme", access.Admin)
	r.configure(hooking(now.URL, `,"tenant":"acme","secret":"OfAcme"`))
	r.restart(patience)
	r.call("POST", webHookPath+"/test", "").problem(409).is("detail", "the config file has no webHook section any more")
	before.quiet(r)
	r.replayed("kind=event", "").is("replay.status", 204)
	equals(t, "X-Signature of a replay", before.next().header.Get("X-Signature"), "")
	r.as(acmeKey).call("POST", webHookPath+"/test", "").want(200).is("outcome", "succeeded")
	if now.next().header.Get("X-Signature") == "" {
		t.Error("the section's own tenant has no signature")
	}
}
