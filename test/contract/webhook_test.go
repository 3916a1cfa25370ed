package contract

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/orderhook/orderhook/internal/access"
	"github.com/orderhook/orderhook/internal/clock"
	configfile "github.com/orderhook/orderhook/internal/config"
	"github.com/orderhook/orderhook/internal/outbound"
)

// docs/contract.md#order-state-webhook, row by row.

// hooked runs an orderhook whose config file is the given one.
func hooked(t *testing.T, configFile string, change ...func(*outbound.Options)) *rig {
	t.Helper()
	r := newRig(t, newDatabase(t))
	r.configure(configFile)
	r.run(change...)
	r.addKey(adminKey, access.DefaultTenant, access.Admin)
	t.Cleanup(func() { r.end(patience) })
	return r
}

// configure reads a config file, for the next start.
func (r *rig) configure(configFile string) {
	r.t.Helper()
	path := filepath.Join(r.t.TempDir(), "orderhook.json")
	if err := os.WriteFile(path, []byte(configFile), 0o600); err != nil {
		r.t.Fatal(err)
	}
	file, err := configfile.Load(path, nil)
	if err == nil && file.WebHook != nil {
		r.webHook, err = file.WebHook.Open()
	} else {
		r.webHook = nil
	}
	if err != nil {
		r.t.Fatal(err)
	}
}

// hooking is a config file with the section for an endpoint; more is what else
// it says, with a comma in front.
func hooking(endpoint, more string) string {
	return fmt.Sprintf(`{"webHook":{"enabled":true,"endpoint":%q%s}}`, endpoint, more)
}

// listener is an endpoint that tells of each request when it came, whole.
type listener struct {
	*httptest.Server
	t        *testing.T
	requests chan heard
}

type heard struct {
	method, uri string
	header      http.Header
	body        string
}

// listening starts a listener, which acknowledges what it is sent.
func listening(t *testing.T) *listener {
	t.Helper()
	l := unstarted(t, http.StatusNoContent)
	l.Start()
	return l
}

// unstarted returns a listener that has yet to be started; it answers with
// each of the statuses in turn, and with the last one from then on.
func unstarted(t *testing.T, statuses ...int) *listener {
	t.Helper()
	l := &listener{t: t, requests: make(chan heard, 100)}
	var n atomic.Int64
	l.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.WriteHeader(statuses[min(int(n.Add(1)), len(statuses))-1])
		l.requests <- heard{r.Method, r.RequestURI, r.Header, string(body)}
	}))
	l.Config.ErrorLog = log.New(io.Discard, "", 0)
	t.Cleanup(l.Close)
	return l
}

// next returns the next request, once it has come.
func (l *listener) next() heard {
	l.t.Helper()
	select {
	case h := <-l.requests:
		return h
	case <-time.After(patience):
		l.t.Fatal("no request came")
		return heard{}
	}
}

// body is that of a webhook.
func body(order, eventType string) string {
	return fmt.Sprintf(`{"orderId":%q,"eventType":%q}`, order, eventType)
}

// told fails the test unless the next requests have these bodies, in any order:
// two deliveries to an endpoint are under way at the same time.
func (l *listener) told(bodies ...string) {
	l.t.Helper()
	left := map[string]int{}
	for _, b := range bodies {
		left[b]++
	}
	for range bodies {
		got := l.next().body
		if left[got]--; left[got] < 0 {
			l.t.Errorf("it was told %s, of %v", got, bodies)
		}
	}
}

// quiet fails the test if anything came, or is on its way. Whatever the events
// so far have led to is among the deliveries.
func (l *listener) quiet(r *rig) {
	l.t.Helper()
	r.awaitDeliveries()
	select {
	case h := <-l.requests:
		l.t.Errorf("it was told %s", h.body)
	default:
	}
}

// awaitDeliveries waits until no delivery is pending.
func (r *rig) awaitDeliveries() {
	r.t.Helper()
	r.until("all is delivered", func() bool { return r.get("/api/deliveries?status=pending").at("items[0]") == nil })
}

// "eliminates the need to poll": the order can be had, as it is by then, the
// moment that the webhook comes.
func TestTheOrderCanBeReadOnceItsWebhookComes(t *testing.T) {
	var r *rig
	states := make(chan string, 2)
	s := endpointOf(t, func(_ http.ResponseWriter, req *http.Request, n int) {
		a, err := r.try("GET", theOrder, "")
		states <- fmt.Sprint(a.Status, " ", at(t, a.Raw, "status"), " ", at(t, a.Raw, "customField.deep[1].keep"), err)
	})
	r = hooked(t, hooking(s.URL, ""))
	r.post(order)
	equals(t, "after OrderCreated", <-states, "200 New me<nil>")
	r.enter("Accepted")
	equals(t, "after OrderAccepted", <-states, "200 Accepted me<nil>")
}

func TestTheWebhookIsOffByDefault(t *testing.T) {
	l := listening(t)
	for _, file := range []string{
		`{}`,
		fmt.Sprintf(`{"webHook":{"endpoint":%q}}`, l.URL),
		fmt.Sprintf(`{"webHook":{"enabled":false,"endpoint":%q}}`, l.URL),
	} {
		r := hooked(t, file)
		r.post(order)
		r.enter("Accepted")
		r.get("/api/deliveries").is("items[0]", nil)
		r.get("/api/endpoints").is("items[0]", nil)
		l.quiet(r)
	}
}

func TestTheSimplestWebhook(t *testing.T) {
	l := listening(t)
	r := hooked(t, hooking(l.URL+"/automation", ""))
	const id = "07c6ad8c-d1ba-4e73-9bbf-c70a085a449c"
	r.post(strings.Replace(order, "ORD-12345", id, 1))
	l.told(body(id, "OrderCreated"))
	r.call("POST", "/api/orders/"+id+"/status", `{"status":"Accepted"}`).want(200)
	got := l.next()
	equals(t, "method", got.method, "POST")
	equals(t, "URL", got.uri, "/automation")
	equals(t, "body", got.body, `{"orderId":"07c6ad8c-d1ba-4e73-9bbf-c70a085a449c","eventType":"OrderAccepted"}`)
	for name, want := range map[string]string{
		"Content-Type": "application/json", "User-Agent": "OmniumOms/test", "X-Attempt": "1",
		"X-Signature": "", "Webhook-Signature": "", "Authorization": "",
	} {
		equals(t, name, got.header.Get(name), want)
	}
}

func TestTheKeyIsAQueryParameter(t *testing.T) {
	for endpoint, want := range map[string]string{
		"/automation":         "/automation/?key=QueryParameterKey",
		"/automation?shop=no": "/automation/?shop=no&key=QueryParameterKey",
	} {
		l := listening(t)
		r := hooked(t, hooking(l.URL+endpoint, `,"key":"QueryParameterKey"`))
		r.post(order)
		equals(t, "URL", l.next().uri, want)
	}
}

func TestTheSignatureOfTheBody(t *testing.T) {
	l := listening(t)
	r := hooked(t, hooking(l.URL, `,"secret":"HeaderSecret"`))
	r.post(strings.Replace(order, "ORD-12345", "Ordre-ÆØÅ-1", 1))
	got := l.next()
	mac := hmac.New(sha256.New, []byte("HeaderSecret"))
	mac.Write([]byte(got.body))
	equals(t, "body", got.body, body("Ordre-ÆØÅ-1", "OrderCreated"))
	equals(t, "X-Signature", got.header.Get("X-Signature"), hex.EncodeToString(mac.Sum(nil)))
	equals(t, "other signatures", got.header.Get("Webhook-Signature"), "")
}

func TestTheConnectionTimeout(t *testing.T) {
	for more, want := range map[string]string{``: "PT30S", `,"connectionTimeout":"PT60S"`: "PT1M", `,"connectionTimeout":"PT0.25S"`: "PT0.25S"} {
		r := hooked(t, hooking("http://www.example.org/automation", more))
		r.get("/api/endpoints").is("items[0].timeout", want)
	}
	g := holding(t)
	r := hooked(t, hooking(g.URL, `,"connectionTimeout":"PT0.05S"`))
	r.clock.Hold() // the repeat
	r.post(order)
	g.wait()
	r.until("the attempt is recorded", func() bool { return r.get("/api/attempts").at("items[0]") != nil })
	r.get("/api/attempts").is("items[0].error", "timed out after 50ms").is("items[0].outcome", "failed")
}

// "The default is to trust all SSL/TLS connections." What the files do is in
// test/e2e/webhook_test.go.
func TestAnyCertificateIsTrustedByDefault(t *testing.T) {
	for more, want := range map[string]string{``: "succeeded", `,"useSslTrustAll":true`: "succeeded", `,"useSslTrustAll":false`: "failed"} {
		l := unstarted(t, http.StatusOK)
		l.StartTLS()
		r := hooked(t, hooking(l.URL, more))
		r.clock.Hold() // the repeat
		r.post(order)
		r.until("the attempt is recorded", func() bool { return r.get("/api/attempts").at("items[0]") != nil })
		a := r.get("/api/attempts").is("items[0].outcome", want)
		if want == "failed" {
			a.is("items[0].error", "TLS: certificate signed by unknown authority")
			r.get("/api/endpoints").is("items[0].warnings", nil)
			r.get("/api/overview").is("warnings", nil)
			continue
		}
		r.get("/api/endpoints").is("items[0].warnings[0].path", "webHook.useSslTrustAll")
		r.get("/api/endpoints/ep_webhook").is("warnings[0].path", "webHook.useSslTrustAll")
		r.get("/api/overview").is("warnings[0].path", "webHook.useSslTrustAll")
	}
}

// "The events that are sent as webhooks are the following", each by what causes
// it, and none else.
func TestTheSevenEvents(t *testing.T) {
	l := listening(t)
	r := hooked(t, hooking(l.URL, ""))
	r.settings(config(withEvents("Packed", `"order_packed"`)))
	for _, c := range []struct {
		what string
		do   func()
		want []string
	}{
		{"an order", func() { r.post(order) }, []string{"OrderCreated"}},
		{"Accepted", func() { r.enter("Accepted") }, []string{"OrderAccepted"}},
		{"Signed", func() { r.enter("Signed") }, []string{"OrderSigned"}},
		{"Rejected", func() { r.enter("Rejected") }, []string{"OrderRejected"}},
		{"Canceled, which is order_cancelled as well", func() { r.enter("Canceled") }, []string{"OrderCanceled"}},
		{"Expired", func() { r.enter("Expired") }, []string{"OrderExpired"}},
		{"a dueDate", func() { r.call("PATCH", theOrder, `{"dueDate":"2026-12-24"}`).want(200) }, []string{"OrderDueDateUpdated"}},
		{"order_completed", func() { r.enter("Completed") }, nil},
		{"an event of settings", func() { r.enter("Packed") }, nil},
		{"shipment_shipped", func() { r.ship("SHIP-2", "Shipped").want(200) }, nil},
		{"something else of the order", func() { r.call("PATCH", theOrder, `{"tags":["more"]}`).want(200) }, nil},
	} {
		c.do()
		for _, eventType := range c.want {
			if got := l.next().body; got != body("ORD-12345", eventType) {
				t.Errorf("by %s: %s", c.what, got)
			}
		}
		l.quiet(r)
	}
	r.get("/api/endpoints").is("items[0].eventTypes", []string{"OrderCreated", "OrderAccepted", "OrderSigned", "OrderRejected", "OrderCanceled", "OrderExpired", "OrderDueDateUpdated"})
}

// wholeWaits joins waits in which the clock was looked at meanwhile.
func wholeWaits(waits []time.Duration) (whole []time.Duration) {
	var begun time.Duration
	for _, wait := range waits {
		if begun += wait; wait == clock.LookEvery {
			continue
		}
		whole, begun = append(whole, begun), 0
	}
	return whole
}

// "Deliveries retry and are recorded like any other."
func TestAWebhookIsRepeatedAndRecorded(t *testing.T) {
	l := unstarted(t, 500, 302, 203, 204)
	l.Start()
	r := hooked(t, hooking(l.URL+"/automation", `,"key":"k","secret":"HeaderSecret"`))
	r.post(order)
	for _, attempt := range []string{"1", "2", "3", "4"} {
		got := l.next()
		equals(t, "body", got.body, body("ORD-12345", "OrderCreated"))
		equals(t, "X-Attempt", got.header.Get("X-Attempt"), attempt)
	}
	r.awaitDeliveries()
	waits := wholeWaits(r.clock.Waits())
	for i, about := range []time.Duration{5 * time.Second, 30 * time.Second, 2 * time.Minute} {
		if wait := waits[i]; wait < about*9/10 || wait > about*11/10 {
			t.Errorf("wait %d is %v", i, wait)
		}
	}
	list := r.get("/api/attempts?eventType=OrderCreated&orderId=ORD-12345").is("items[4]", nil)
	for i, want := range []string{"4 204 succeeded", "3 203 failed", "2 302 failed", "1 500 failed"} {
		at := fmt.Sprintf("items[%d].", i)
		equals(t, at, fmt.Sprint(list.at(at+"number"), " ", list.at(at+"status"), " ", list.at(at+"outcome")), want)
		list.is(at+"kind", "event").is(at+"url", l.URL+"/automation/?key=***").is(at+"maxNumber", 6)
	}
	one := r.get("/api/attempts/" + list.text("items[0].id"))
	one.is("request.body", body("ORD-12345", "OrderCreated"))
	r.get("/api/deliveries").is("items[0].status", "succeeded").is("items[0].eventType", "OrderCreated").is("items[1]", nil)
	for _, path := range []string{"/api/endpoints", "/api/attempts/" + list.text("items[0].id"), "/api/deliveries"} {
		if strings.Contains(string(r.get(path).Raw), "HeaderSecret") {
			t.Errorf("%s holds the secret", path)
		}
	}
}

func TestTheWebhookIsOfOneTenant(t *testing.T) {
	l := listening(t)
	r := hooked(t, hooking(l.URL, `,"tenant":"acme"`))
	const acmeKey = "contract-acme-key-0123456789"
	r.addKey(acmeKey, "acme", access.Admin)
	r.post(order)
	r.as(acmeKey).post(strings.Replace(order, "ORD-12345", "ACME-1", 1))
	l.told(body("ACME-1", "OrderCreated"))
	l.quiet(r)
	r.get("/api/endpoints").is("items[0]", nil)
	r.as(acmeKey).get("/api/endpoints").is("items[0].origin", "webHook")
}

func TestTheGuardChecksTheWebhookToo(t *testing.T) {
	l := listening(t)
	r := hooked(t, hooking(l.URL, ""), func(o *outbound.Options) { o.Guard = outbound.Guard{} })
	r.clock.Hold() // the repeat
	r.post(order)
	r.until("the attempt is recorded", func() bool { return r.get("/api/attempts").at("items[0]") != nil })
	r.get("/api/attempts").is("items[0].error", "refused by the target guard: 127.0.0.1 is a loopback address"+privateRefused)
}

// The section is the one place where its endpoint is changed.
func TestTheAPIShowsTheWebhookAndLeavesItAlone(t *testing.T) {
	l := listening(t)
	r := hooked(t, hooking(strings.Replace(l.URL, "//", "//user:hush@", 1), `,"secret":"HeaderSecret"`))
	list := r.get("/api/endpoints").is("items[0].origin", "webHook").is("items[0].format", "thin").is("items[0].enabled", true).is("items[1]", nil)
	list.is("items[0].url", strings.Replace(l.URL, "//", "//user:***@", 1))
	path := "/api/endpoints/" + list.text("items[0].id")
	r.call("PATCH", path, `{"enabled":false}`).problem(409)
	r.call("DELETE", path, "").problem(409)
	r.post(order)
	l.told(body("ORD-12345", "OrderCreated"))
	r.call("POST", path+"/test", "").want(200).is("outcome", "succeeded")
	var example map[string]string
	if err := json.Unmarshal([]byte(l.next().body), &example); err != nil || len(example) != 2 || example["orderId"] == "" || example["eventType"] != "OrderCreated" {
		t.Errorf("the example is %v, %v", example, err)
	}
}

func TestTheSectionChangesWithTheNextStart(t *testing.T) {
	first, second := unstarted(t, 500), listening(t)
	first.Start()
	r := hooked(t, hooking(first.URL, ""))
	r.clock.Hold() // the repeat
	r.post(order)
	first.told(body("ORD-12345", "OrderCreated"))
	r.configure(hooking(second.URL, ""))
	r.restart(patience)
	r.clock.Release()
	second.told(body("ORD-12345", "OrderCreated")) // what is left goes to where the section says now
	r.enter("Accepted")
	second.told(body("ORD-12345", "OrderAccepted"))
	r.configure(`{}`)
	r.restart(patience)
	r.enter("Signed")
	r.get("/api/endpoints").is("items[0].enabled", false).is("items[0].disabledReason", "the config file has no webHook section").is("items[1]", nil)
	second.quiet(r)
	r.configure(hooking(second.URL, ""))
	r.restart(patience)
	r.enter("Rejected")
	second.told(body("ORD-12345", "OrderRejected"))
	first.quiet(r)
}

// An endpoint that was turned off is turned on again where it is configured: by
// the next start.
func TestAWebhookThatIsGoneIsAskedAgainAfterAStart(t *testing.T) {
	l := unstarted(t, 410, 200)
	l.Start()
	r := hooked(t, hooking(l.URL, ""))
	r.post(order)
	l.told(body("ORD-12345", "OrderCreated"))
	r.until("it is off", func() bool { return r.get("/api/endpoints").at("items[0].enabled") == false })
	r.get("/api/endpoints").is("items[0].disabledReason", "the endpoint answered 410 Gone")
	r.enter("Accepted")
	l.quiet(r)
	r.restart(patience)
	r.enter("Signed")
	l.told(body("ORD-12345", "OrderSigned"))
	l.quiet(r)
}
