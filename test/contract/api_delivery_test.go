package contract

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
)

// docs/contract.md#delivery: deliveries, redelivery, cancel.

func escape(id string) string { return url.QueryEscape(id) }

// switched is an endpoint whose status can be changed.
type switched struct {
	*sink
	code atomic.Int64
}

func switchable(t *testing.T, code int64) *switched {
	s := &switched{}
	s.code.Store(code)
	s.sink = endpoint(t, func(w http.ResponseWriter, n int) { w.WriteHeader(int(s.code.Load())) })
	return s
}

// delivery waits until the one delivery of an event has a status.
func (r *rig) delivery(event, status string) answer {
	r.t.Helper()
	path := "/api/deliveries/" + r.get("/api/events/"+event).text("deliveries[0].id")
	r.until("the delivery is "+status, func() bool { return r.get(path).text("status") == status })
	return r.get(path)
}

func TestADeliverySaysWhereItStands(t *testing.T) {
	r, s := lease(t), switchable(t, 500)
	e := r.subscribed(s.URL, `,"retrySchedule":["PT0S","PT0S"]`)
	id := r.publish(`,"orderId":"O1"`)
	d := r.delivery(id, "failed")
	for path, want := range map[string]any{"id": "dlv_" + id + ".1", "eventId": id, "eventType": "custom.thing", "endpointId": e.text("id"), "orderId": "O1",
		"attempts": 3, "maxAttempts": 3, "nextAttemptAt": nil, "waitsFor": nil, "created": "2026-11-21T09:00:00Z"} {
		d.is(path, want)
	}
	r.get("/api/events/"+id).is("deliveries[0].status", "failed").is("deliveries[1]", nil).is("nextCursor", nil)
	same(t, "attempts", r.get("/api/attempts?deliveryId="+d.text("id")).ids("number"), []string{"3", "2", "1"})
	for _, path := range []string{"none", "dlv_none.1", "dlv_" + id + ".2", "dlv_" + id, "dlv_" + id + ".0", "dlv_" + id + ".x"} {
		r.call("GET", "/api/deliveries/"+path, "").problem(404)
		r.call("POST", "/api/deliveries/"+path+"/redeliver", "").problem(404)
		r.call("POST", "/api/deliveries/"+path+"/cancel", "").problem(404)
	}
}

func TestADeliveryIsSentAgain(t *testing.T) {
	r, s := lease(t), switchable(t, 500)
	e := r.subscribed(s.URL, `,"retrySchedule":["PT0S"]`)
	id := r.publish("")
	d := r.delivery(id, "failed")
	path := "/api/deliveries/" + d.text("id")
	r.call("POST", path+"/redeliver", "", "Idempotency-Key", "one").want(202).is("id", d.text("id")).is("maxAttempts", 4)
	r.until("it failed again", func() bool { return r.get(path).text("status") == "failed" })
	r.get(path).is("attempts", 4).is("maxAttempts", 4)
	r.call("POST", path+"/redeliver", "", "Idempotency-Key", "one").want(202).is("status", "failed")
	equals(t, "requests", len(s.got()), 4)
	s.code.Store(200)
	r.call("POST", path+"/redeliver", "").want(202)
	r.delivery(id, "succeeded").is("attempts", 5)
	r.call("POST", path+"/redeliver", "").want(202) // one that succeeded, too
	r.until("it came again", func() bool { return len(s.got()) == 6 })
	for _, got := range s.got() {
		equals(t, "webhook-id", got.Header.Get("Webhook-Id"), id)
	}
	r.delivery(id, "succeeded")
	r.call("PATCH", endpointPath(e, ""), `{"enabled":false}`).want(200)
	r.call("POST", path+"/redeliver", "").problem(409)
}

func TestAnEventIsSentAgain(t *testing.T) {
	r := lease(t)
	first, second, third := switchable(t, 200), switchable(t, 200), switchable(t, 200)
	a, b := r.subscribed(first.URL, ""), r.subscribed(second.URL, "")
	id := r.publish(`,"id":"one"`)
	r.until("both came", func() bool { return len(r.get("/api/deliveries?status=succeeded").ids("id")) == 2 })
	c := r.subscribed(third.URL, "")
	path := "/api/events/" + id + "/redeliver"
	sent := r.call("POST", path, "", "Idempotency-Key", "one").want(202)
	same(t, "deliveries", sent.ids("endpointId"), []string{b.text("id"), a.text("id")})
	same(t, "the repeat", r.call("POST", path, "", "Idempotency-Key", "one").want(202).ids("id"), sent.ids("id"))
	r.until("both came again", func() bool { return len(first.got()) == 2 && len(second.got()) == 2 })
	r.call("POST", path, fmt.Sprintf(`{"EndpointId":%q}`, c.text("id"))).want(202).is("items[0].endpointId", c.text("id")).is("items[1]", nil)
	r.until("it came to the third", func() bool { return len(third.got()) == 1 })
	r.until("all have ended", func() bool { return len(r.get("/api/deliveries?status=succeeded").ids("id")) == 3 })
	equals(t, "requests", len(first.got())+len(second.got()), 4)
	r.call("PATCH", endpointPath(a, ""), `{"enabled":false}`).want(200)
	same(t, "those that are on", r.call("POST", path, "{}").want(202).ids("endpointId"), []string{c.text("id"), b.text("id")})
	r.until("all have ended", func() bool { return len(r.get("/api/deliveries?status=succeeded").ids("id")) == 3 })
	r.call("POST", path, fmt.Sprintf(`{"endpointId":%q}`, a.text("id"))).problem(409)
	for body, place := range map[string]string{`{"endpointId":"none"}`: "body.endpointId", `{"endpointId":7}`: "body.endpointId", `{"endpointId":""}`: "body.endpointId", `{"endpoint":"x"}`: "body.endpoint"} {
		r.call("POST", path, body).problem(422, place)
	}
	r.call("POST", "/api/events/none/redeliver", "").problem(404)
}

func TestAnEventThatWentNowhereIsSentWhereItIsAskedTo(t *testing.T) {
	r, s := lease(t), switchable(t, 200)
	id := r.publish("")
	e := r.call("POST", "/api/endpoints", fmt.Sprintf(`{"url":%q,"eventTypes":["other"]}`, s.URL)).want(201)
	r.call("POST", "/api/events/"+id+"/redeliver", "").problem(409)
	r.call("POST", "/api/events/"+id+"/redeliver", fmt.Sprintf(`{"endpointId":%q}`, e.text("id"))).want(202)
	r.delivery(id, "succeeded").is("attempts", 1)
}

func TestWhatWasErasedIsNotSentAgain(t *testing.T) {
	r, s := lease(t), switchable(t, 200)
	r.subscribed(s.URL, "")
	r.call("POST", "/api/orders", `{"id":"O1"}`).want(201)
	id := r.get("/api/events?orderId=O1").text("items[0].id")
	d := r.delivery(id, "succeeded")
	r.call("DELETE", "/api/orders/O1?permanently=true", "").want(204)
	r.get("/api/events/"+id).is("data", nil).is("dataErased", true)
	r.call("POST", "/api/deliveries/"+d.text("id")+"/redeliver", "").problem(409)
	r.call("POST", "/api/events/"+id+"/redeliver", "").problem(409)
	attempt := r.get("/api/attempts?kind=event").text("items[0].id")
	r.get("/api/attempts/"+attempt).is("request.body", "")
	r.call("POST", "/api/attempts/"+attempt+"/replay", "").problem(409)
}

func TestAPendingDeliveryIsCanceled(t *testing.T) {
	r, s := lease(t), switchable(t, 500)
	r.subscribed(s.URL, `,"retrySchedule":["PT1H"]`)
	r.clock.Hold()
	id := r.publish("")
	path := "/api/deliveries/" + r.delivery(id, "pending").text("id")
	r.until("one attempt is recorded", func() bool { return fmt.Sprint(r.get(path).at("attempts")) == "1" })
	if r.get(path).text("nextAttemptAt") <= "2026-11-21T09:50:00Z" {
		t.Errorf("the next attempt is at %s", r.get(path).text("nextAttemptAt"))
	}
	r.call("POST", path+"/cancel", "", "Idempotency-Key", "one").want(200).is("status", "canceled").is("nextAttemptAt", nil)
	r.call("POST", path+"/cancel", "", "Idempotency-Key", "one").want(200).is("status", "canceled")
	r.call("POST", path+"/cancel", "").problem(409)
	r.clock.Advance(2 * 3600e9)
	r.clock.Release()
	r.get(path).is("status", "canceled").is("attempts", 1)
	s.code.Store(200)
	r.call("POST", path+"/redeliver", "").want(202)
	r.delivery(id, "succeeded").is("attempts", 2)
}

func TestADeliveryWaitsForAnEarlierOneOfItsSubject(t *testing.T) {
	r, s := lease(t), switchable(t, 500)
	r.subscribed(s.URL, `,"retrySchedule":["PT1H"],"ordering":"subject"`)
	r.clock.Hold()
	first, second := r.publish(`,"orderId":"O1"`), r.publish(`,"orderId":"O1"`)
	waiting := r.delivery(second, "pending").is("waitsFor", "order/O1").is("nextAttemptAt", nil).is("attempts", 0)
	r.until("the first failed", func() bool {
		return fmt.Sprint(r.get("/api/events/"+first).at("deliveries[0].attempts")) == "1"
	})
	if repeats := r.get("/api/events/"+first).is("deliveries[0].status", "pending").is("deliveries[0].waitsFor", nil); repeats.text("deliveries[0].nextAttemptAt") == "" {
		t.Errorf("the first does not say when it is repeated: %s", repeats.Raw)
	}
	s.code.Store(200)
	r.call("POST", "/api/deliveries/"+r.get("/api/events/"+first).text("deliveries[0].id")+"/cancel", "").want(200)
	r.until("the second is delivered", func() bool { return r.get("/api/deliveries/"+waiting.text("id")).text("status") == "succeeded" })
	r.clock.Release()
}

func TestEveryFilterOfDeliveries(t *testing.T) {
	r := lease(t)
	good, bad := switchable(t, 200), switchable(t, 500)
	a := r.subscribed(good.URL, "")
	b := r.call("POST", "/api/endpoints", fmt.Sprintf(`{"url":%q,"eventTypes":["x"],"retrySchedule":["PT0S"]}`, bad.URL)).want(201)
	r.call("POST", "/api/events", `[{"type":"x","data":{},"id":"1","orderId":"O1"},{"type":"y","data":{},"id":"2","orderId":"O1"},{"type":"x","data":{},"id":"3"}]`).want(202)
	r.until("all have ended", func() bool { return len(r.get("/api/deliveries?status=pending").ids("id")) == 0 })
	ea, eb := a.text("id"), b.text("id")
	for query, want := range map[string]string{
		"": "3 3 2 1 1", "endpointId=" + ea: "3 2 1", "endpointId=" + eb: "3 1", "endpointId=none": "", "status=succeeded": "3 2 1", "status=failed": "3 1", "status=pending": "", "status=canceled": "",
		"eventType=x": "3 3 1 1", "eventType=y": "2", "eventType=z": "", "orderId=O1": "2 1 1", "orderId=none": "", "eventId=1": "1 1", "eventId=none": "",
		"endpointId=" + eb + "&status=failed&eventType=x&orderId=O1": "1", "endpointId=" + ea + "&status=failed": "",
	} {
		same(t, query, r.get("/api/deliveries?"+query).ids("eventId"), strings.Fields(want))
	}
	same(t, "pages", r.all("/api/deliveries?limit=2", "eventId", func() {}), []string{"3", "3", "2", "1", "1"})
	for _, path := range []string{"/api/deliveries?status=lost", "/api/deliveries?cursor=!", "/api/deliveries?colour=red"} {
		r.call("GET", path, "").problem(422)
	}
}

// TestADeliverySaysWhereItGoes: the URL of the endpoint as it is now, without its secrets,
// to whom ever.
func TestADeliverySaysWhereItGoes(t *testing.T) {
	r, s := lease(t), answering(t, "")
	e := r.subscribed(s.URL+"/hook?token=sesame", "")
	event := r.publish("")
	r.until("it came", func() bool { return len(r.get("/api/deliveries?status=succeeded").ids("id")) == 1 })
	id := r.get("/api/deliveries").text("items[0].id")
	says := func(want any) {
		t.Helper()
		r.get("/api/deliveries").is("items[0].endpointUrl", want)
		r.get("/api/deliveries/"+id).is("endpointUrl", want)
		r.get("/api/events/"+event).is("deliveries[0].endpointUrl", want)
	}
	says(s.URL + "/hook?token=***")
	r.call("PATCH", endpointPath(e, ""), `{"url":"`+s.URL+`/moved"}`).want(200)
	says(s.URL + "/moved")
	r.call("POST", "/api/events/"+event+"/redeliver", "").want(202).is("items[0].endpointUrl", s.URL+"/moved")
	r.call("DELETE", endpointPath(e, ""), "").want(204)
	says(nil)
}
