package contract

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/orderhook/orderhook/internal/access"
	"github.com/orderhook/orderhook/internal/event"
	"github.com/orderhook/orderhook/internal/outbound"
	"github.com/orderhook/orderhook/internal/secret"
	"github.com/orderhook/orderhook/internal/store"
)

// docs/contract.md#event-types: delivery_failed, for who names it; and what
// the log says of deliveries.

// failures is an orderhook with an endpoint that answers with a status, one
// that is told of failed deliveries, and one that gets everything else.
func failures(t *testing.T, status int) (r *rig, down answer, told, rest *sink) {
	t.Helper()
	r = lease(t)
	down, told, rest = r.failures(status)
	return r, down, told, rest
}

func (r *rig) failures(status int) (down answer, told, rest *sink) {
	t := r.t
	t.Helper()
	s := endpoint(t, func(w http.ResponseWriter, _ int) { w.WriteHeader(status) })
	told, rest = answering(t, ""), answering(t, "")
	down = r.call("POST", "/api/endpoints", fmt.Sprintf(`{"url":%q,"eventTypes":["custom.*"],"retrySchedule":["PT1S"]}`, s.URL+"/in?token=q-s3cret")).want(201)
	r.call("POST", "/api/endpoints", fmt.Sprintf(`{"url":%q,"eventTypes":["Delivery_Failed"]}`, told.URL)).want(201)
	r.call("POST", "/api/endpoints", fmt.Sprintf(`{"url":%q,"eventTypes":["*","delivery_*"]}`, rest.URL)).want(201)
	return down, told, rest
}

func TestADeliveryThatIsGivenUpIsToldOf(t *testing.T) {
	for status, attempts := range map[int]int{500: 2, 410: 1} {
		r, down, told, rest := failures(t, status)
		r.publish(`,"id":"e1","orderId":"ORD-1"`)
		r.publish(`,"id":"e2"`)
		if status == 410 { // the second finds the endpoint off, or did so before
			r.until("one is told of", func() bool { return len(told.got()) > 0 })
		} else {
			r.awaitDeliveries()
			equals(t, "told of", len(told.got()), 2)
		}
		for _, got := range told.got() {
			body := string(got.Body)
			is(t, got.Body, "type", "delivery_failed")
			if strings.Contains(body, "s3cret") {
				t.Errorf("it is told with %s", body)
			}
			if !strings.Contains(body, `"e1"`) {
				is(t, got.Body, "data.orderId", nil)
				continue
			}
			for field, want := range map[string]any{"deliveryId": "dlv_e1.1", "eventId": "e1", "eventType": "custom.thing", "endpointId": down.text("id"), "orderId": "ORD-1",
				"attempts": attempts, "lastStatus": status, "lastError": strings.TrimSpace(fmt.Sprintf("answered %d %s", status, http.StatusText(status)))} {
				is(t, got.Body, "data."+field, want)
			}
		}
		for _, got := range rest.got() {
			if strings.Contains(string(got.Body), "delivery_failed") {
				t.Errorf("an endpoint got it by a wildcard: %s", got.Body)
			}
		}
	}
}

// It is not told of itself, nor of what was canceled, nor to nobody.
func TestWhatIsNoFailedDeliveryIsNotToldOf(t *testing.T) {
	r := lease(t)
	s := endpoint(t, func(w http.ResponseWriter, _ int) { w.WriteHeader(500) })
	r.call("POST", "/api/endpoints", fmt.Sprintf(`{"url":%q,"eventTypes":["custom.*"],"retrySchedule":["PT0S"]}`, s.URL)).want(201)
	r.publish("")
	r.awaitDeliveries()
	r.get("/api/events?type=delivery_failed").is("items", []string{}) // nobody names it
	r.call("POST", "/api/endpoints", fmt.Sprintf(`{"url":%q,"eventTypes":["delivery_failed"],"retrySchedule":["PT0S"]}`, s.URL)).want(201)
	r.publish("")
	r.awaitDeliveries()
	equals(t, "events", len(r.get("/api/events?type=delivery_failed").ids("id")), 1)
	equals(t, "failed deliveries of them", len(r.get("/api/deliveries?status=failed&eventType=delivery_failed").ids("id")), 1)

	came, next := make(chan struct{}, 9), make(chan struct{})
	held := endpoint(t, func(w http.ResponseWriter, _ int) {
		came <- struct{}{}
		<-next
		w.WriteHeader(410)
	})
	other := r.call("POST", "/api/endpoints", fmt.Sprintf(`{"url":%q,"eventTypes":["other"],"retrySchedule":["PT0S"]}`, held.URL)).want(201)
	r.call("POST", "/api/events", `{"type":"other","data":{}}`).want(202)
	<-came
	r.call("POST", "/api/deliveries/"+r.get("/api/deliveries?endpointId="+other.text("id")).text("items[0].id")+"/cancel", "").want(200)
	close(next)
	r.until("the attempt is recorded", func() bool { return len(r.get("/api/attempts?endpointId="+other.text("id")).ids("id")) == 1 })
	equals(t, "events after a cancellation", len(r.get("/api/events?type=delivery_failed").ids("id")), 1)
}

// One line for each, with the ids that lead to all the rest, and no secret.
func TestTheLogTellsOfDeliveriesThatNeedSomebody(t *testing.T) {
	r := start(t) // of its own: the log of one that other tests had may be full of such lines
	down, _, _ := r.failures(500)
	r.publish(`,"id":"e1","orderId":"ORD-1"`)
	r.awaitDeliveries()
	attempt := r.get("/api/attempts?outcome=failed").text("items[0].id")
	line := r.logged("a delivery failed for good")
	for _, part := range []string{"level=WARN", "tenant=" + r.tenant(), "endpoint=" + down.text("id"), "delivery=dlv_e1.1", "event=e1", "attempt=" + attempt, "number=2", "status=500"} {
		if !strings.Contains(line, part) {
			t.Errorf("no %s in %s", part, line)
		}
	}
	events := strings.Repeat(`{"type":"custom.thing","data":{}},`, 40)
	r.call("POST", "/api/events", "["+strings.TrimSuffix(events, ",")+"]").want(202)
	r.until("the circuit opened", func() bool { return strings.Contains(r.log.String(), "circuit") })
	if line := r.logged("the circuit of an endpoint opened"); !strings.Contains(line, "endpoint="+down.text("id")) || !strings.Contains(line, "attempt=att_") {
		t.Error(line)
	}

	gone, downGone, _, _ := failures(t, 410)
	gone.publish("")
	gone.until("it is off", func() bool { return gone.get(endpointPath(downGone, "")).at("enabled") == false })
	if line := gone.logged("an endpoint was turned off"); !strings.Contains(line, downGone.text("id")) || !strings.Contains(line, "410") {
		t.Error(line)
	}

	strict := start(t, func(o *outbound.Options) { o.Guard = outbound.Guard{} })
	err := strict.store.Write(t.Context(), func(tx store.Tx) error { // as one that was made when the guard was another
		return tx.PutEndpoint(t.Context(), access.DefaultTenant, &event.Endpoint{ID: "ep_1", Origin: event.OriginAPI, URL: "http://127.0.0.1:9/?token=q-s3cret", EventTypes: []string{"custom.*"}, Format: event.FormatFull,
			Enabled: true, Concurrency: 1, Schedule: event.DefaultSchedule[:1], Ordering: event.OrderingNone, Signatures: []string{event.SignatureV1}, Secrets: []event.Secret{{Value: secret.New(outbound.NewSecret())}}})
	})
	if err != nil {
		t.Fatal(err)
	}
	strict.publish("")
	strict.awaitDeliveries()
	if line := strict.logged("the target guard refused the target of a delivery"); strings.Contains(line, "status=") || !strings.Contains(line, "endpoint=ep_1") || !strings.Contains(line, "--allow-private-targets") {
		t.Error(line)
	}
	for _, one := range []*rig{r, gone, strict} {
		if strings.Contains(one.log.String(), "s3cret") {
			t.Errorf("the log has a secret: %s", one.log.String())
		}
	}
}

// logged returns the first line of the log that has a text.
func (r *rig) logged(text string) string {
	r.t.Helper()
	r.until("the log has "+text, func() bool { return strings.Contains(r.log.String(), text) })
	for line := range strings.Lines(r.log.String()) {
		if strings.Contains(line, text) {
			return line
		}
	}
	return ""
}
