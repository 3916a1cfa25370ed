package contract

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

// docs/contract.md#publishing: publishing and reading events.

func TestAnEventIsPublishedWithAllItsFields(t *testing.T) {
	r := lease(t)
	a := r.call("POST", "/api/events", `{"TYPE":"custom.thing","Data":{"SKU":1.50, "sku":"\u00e6"},"id":"e1","subject":{"kind":"shipment","id":"S1"},"orderId":"O1","timestamp":"2026-01-02T03:04:05.678901+01:00"}`).want(202)
	a.is("id", "e1").is("ids", nil)
	for _, e := range []answer{r.get("/api/events/e1")} {
		e.is("id", "e1").is("type", "custom.thing").is("subject.kind", "shipment").is("subject.id", "S1").is("orderId", "O1").is("shipmentId", "S1").
			is("timestamp", "2026-01-02T02:04:05.678901Z").is("deliveries", []string{}).is("dataErased", nil)
		if !strings.Contains(string(e.Raw), `"data":{"SKU":1.50,"sku":"\u00e6"}`) {
			t.Errorf("the data is not as it was sent: %s", e.Raw)
		}
	}
	r.get("/api/events").is("items[0].id", "e1").is("items[0].data", nil).is("items[0].subject.id", "S1")
	made := r.call("POST", "/api/events", `{"type":"t","data":{},"orderId":"O2"}`).want(202).text("id")
	r.get("/api/events/"+made).is("subject.kind", "order").is("subject.id", "O2").is("timestamp", "2026-11-21T09:00:00Z")
	bare := r.publish("")
	r.get("/api/events/"+bare).is("subject", nil).is("orderId", nil)
}

func TestTheDataArrivesByteForByte(t *testing.T) {
	r, s := lease(t), answering(t, "")
	r.subscribed(s.URL, "")
	const data = `{ "Price" : 1.50, "price":[1e5,-0.0,12345678901234567890], "t":"\u00e6 <&>" }`
	r.call("POST", "/api/events", `{"type":"t","id":"e1","data": `+data+` }`).want(202)
	r.until("it came", func() bool { return len(s.got()) == 1 })
	equals(t, "the body", string(s.only(t).Body), `{"id":"e1","type":"t","timestamp":"2026-11-21T09:00:00.000000Z","data":`+data+`}`)
}

func TestAListIsPublishedWholeOrNotAtAll(t *testing.T) {
	r := lease(t)
	a := r.call("POST", "/api/events", `[{"type":"a","data":{},"id":"e1"},{"type":"b","data":{}},{"type":"c","data":{},"id":"e3"}]`).want(202)
	a.is("ids[0]", "e1").is("ids[2]", "e3").is("ids[3]", nil).is("id", nil)
	same(t, "events, the newest first", r.get("/api/events").ids("type"), []string{"c", "b", "a"})
	r.call("POST", "/api/events", `[{"type":"a","data":{}},{"type":"","data":{}},{"type":"t","data":7}]`).problem(422, "body[1].type", "body[2].data")
	r.call("POST", "/api/events", `[{"type":"a","data":{}},{"type":"b","data":{}}`).problem(400)
	equals(t, "events", len(r.get("/api/events").ids("id")), 3)
	one := `{"type":"many","data":{}},`
	thousand := strings.Repeat(one, 999) + one[:len(one)-1]
	equals(t, "ids", len(r.call("POST", "/api/events", "["+thousand+"]").want(202).doc().List("ids")), 1000)
	r.call("POST", "/api/events", "["+one+thousand+"]").problem(422, "body")
	r.call("POST", "/api/events", "[]").problem(422, "body")
	equals(t, "events", len(r.all("/api/events?limit=200&type=many", "id", func() {})), 1000)
}

// "an `id` seen before is accepted and not sent twice"
func TestAnIDSeenBeforeIsAcceptedAndNotSentTwice(t *testing.T) {
	r, s := lease(t), answering(t, "")
	r.subscribed(s.URL, "")
	r.publish(`,"id":"one"`)
	equals(t, "id", r.publish(`,"id":"one"`), "one")
	r.call("POST", "/api/events", `{"type":"other","data":{"n":2},"id":"one"}`).want(202).is("id", "one")
	r.call("POST", "/api/events", `[{"type":"a","data":{},"id":"two"},{"type":"a","data":{},"id":"one"},{"type":"a","data":{},"id":"two"}]`).want(202).is("ids", []string{"two", "one", "two"})
	r.publish(`,"id":"last"`)
	r.until("all came", func() bool { return len(r.get("/api/deliveries?status=succeeded").ids("id")) == 3 })
	equals(t, "requests", len(s.got()), 3)
	r.get("/api/events/one").is("type", "custom.thing")
	same(t, "events", r.get("/api/events").ids("id"), []string{"last", "two", "one"})
	other := r.stranger()
	equals(t, "another tenant's id", other.publish(`,"id":"one"`), "one")
	other.get("/api/events/one").is("type", "custom.thing")
}

func TestEventsGoByTheirIDsAndNotByIdempotencyKeys(t *testing.T) {
	r := lease(t)
	for _, body := range []string{`{"type":"a","data":{}}`, `{"type":"a","data":{}}`, `{"type":"b","data":{}}`} {
		r.call("POST", "/api/events", body, "Idempotency-Key", "one").want(202)
	}
	equals(t, "events", len(r.get("/api/events").ids("id")), 3)
}

func TestWhatNoEventCanBe(t *testing.T) {
	r := lease(t)
	for body, places := range map[string][]string{
		`{}`:                           {"body.type", "body.data"},
		`[{},7]`:                       {"body[0].type", "body[0].data", "body[1]"},
		`{"type":"a b","data":{}}`:     {"body.type"},
		`{"type":"order_*","data":{}}`: {"body.type"},
		`{"type":"t","data":"s3cret","id":"a b"}`:                                                           {"body.data", "body.id"},
		`{"type":"t","data":{},"subject":{"kind":"x y"}}`:                                                   {"body.subject.kind", "body.subject.id"},
		`{"type":"t","data":{},"timestamp":"2026-11-21"}`:                                                   {"body.timestamp"},
		`{"type":"t","data":{},"timestamp":"9999-12-31T23:59:59-12:00"}`:                                    {"body.timestamp"},
		`[{"type":"t","data":{}},{"type":"t","data":{},"timestamp":"1969-12-31T23:59:59Z"}]`:                {"body[1].timestamp"},
		`{"type":"t","data":{},"id":"a.b"}`:                                                                 {"body.id"},
		`{"type":"OrderAccepted","data":{},"orderId":"NO-SUCH-ORDER"}`:                                      {"body.type"},
		`[{"type":"t","data":{}},{"type":"SHIPMENT_shipped","data":{}}]`:                                    {"body[1].type"},
		`{"type":"workflow_failed","data":{}}`:                                                              {"body.type"},
		`{"type":"t","data":{},"orderID":{"s3cret":1}}`:                                                     {"body.orderId"},
		`{"type":"t","data":{"a":[{"b":1,"b":2}]}}`:                                                         {"body.data.a[0].b"},
		`[{"type":"t","data":{}},{"type":"t","data":{},"subject":{"kind":"order","id":"A"},"orderId":"B"}]`: {"body[1].orderId"},
		`{"type":"t","data":{},"dta":{}}`:                                                                   {"body.dta"},
		`{"type":"t","data":` + nested(10_000) + `}`:                                                        nil,
		`{"type":"t","data":` + nested(1_000_000) + `}`:                                                     nil,
		`null`: nil,
		`"x"`:  nil,
	} {
		r.call("POST", "/api/events", body).problem(422, places...)
	}
	for _, body := range []string{``, ` `, `{"type"`, `{"type":"t","data":{}}{}`, `nonsense`, "{\"type\":\"t\",\"data\":{\"a\":\"\xff\"}}"} {
		r.call("POST", "/api/events", body).problem(400)
	}
	r.stream("POST", "/api/events", strings.NewReader(strings.Repeat(" ", tenMiB+1)), tenMiB+1).problem(413)
	r.get("/api/events").is("items", []string{})
	r.call("POST", "/api/events", "\xef\xbb\xbf{\"type\":\"t\",\"data\":{}}", "Content-Type", "text/plain").want(202)
}

func TestEveryFilterOfEvents(t *testing.T) {
	r := lease(t)
	r.call("POST", "/api/events", `[
		{"type":"a","data":{},"id":"1","orderId":"O1","timestamp":"2026-01-01T00:00:00Z"},
		{"type":"a","data":{},"id":"2","subject":{"kind":"shipment","id":"S1"},"orderId":"O1","timestamp":"2026-01-02T00:00:00Z"},
		{"type":"b","data":{},"id":"3","subject":{"kind":"return","id":"R1"},"timestamp":"2026-01-03T00:00:00Z"},
		{"type":"b","data":{},"id":"4","subject":{"kind":"cart","id":"C1"},"timestamp":"2026-01-04T00:00:00Z"},
		{"type":"b","data":{},"id":"5","subject":{"kind":"subscription","id":"U1"},"timestamp":"2026-01-05T00:00:00Z"},
		{"type":"b","data":{},"id":"6","subject":{"kind":"stockItem","id":"I1"},"timestamp":"2026-01-06T00:00:00Z"}]`).want(202)
	for query, want := range map[string]string{
		"": "6 5 4 3 2 1", "type=a": "2 1", "type=none": "", "orderId=O1": "2 1", "shipmentId=S1": "2", "returnId=R1": "3", "cartId=C1": "4", "subscriptionId=U1": "5", "stockItemId=I1": "6",
		"from=2026-01-05": "6 5", "to=2026-01-02": "1", "from=2026-01-02&to=2026-01-04T00:00:00Z": "3 2", "type=a&orderId=O1&shipmentId=S1": "2", "type=b&orderId=O1": "",
	} {
		same(t, query, r.get("/api/events?"+query).ids("id"), strings.Fields(want))
	}
	same(t, "pages", r.all("/api/events?limit=4", "id", func() { r.publish("") }), []string{"6", "5", "4", "3", "2", "1"})
	for _, path := range []string{"/api/events?from=x", "/api/events?cursor=!", "/api/events?colour=red", "/api/events?limit=0"} {
		r.call("GET", path, "").problem(422)
	}
	r.call("GET", "/api/events/none", "").problem(404)
}

func TestAnEventIDMayHoldWhatAURLEscapes(t *testing.T) {
	r, s := lease(t), answering(t, "")
	r.subscribed(s.URL, "")
	for _, id := range []string{"a/b", "100%", "~!@#$^&*()_+{}|:<>?", strings.Repeat("x", 255)} {
		r.call("POST", "/api/events", fmt.Sprintf(`{"type":"t","data":{},"id":%q}`, id)).want(202).is("id", id)
		e := r.get("/api/events/"+escape(id)).is("id", id)
		delivery := e.text("deliveries[0].id")
		r.until("it is delivered", func() bool { return r.get("/api/deliveries/"+escape(delivery)).text("status") == "succeeded" })
		r.get("/api/deliveries/"+escape(delivery)).is("eventId", id)
		same(t, "attempts", r.get("/api/attempts?deliveryId="+escape(delivery)).ids("eventId"), []string{id})
	}
}

// docs/contract.md#publishing: webhook-id is made by the server; it is the
// same in all attempts of a delivery, and when the event is sent again.
func TestTheWebhookIDIsTheServers(t *testing.T) {
	r := start(t)
	s := endpoint(t, func(w http.ResponseWriter, n int) { w.WriteHeader([]int{500, 500, 200}[n%3]) })
	e := r.subscribed(s.URL, `,"retrySchedule":["PT1S","PT1S"]`)
	delivered := func(n int) {
		r.until("it came", func() bool { return len(r.get("/api/attempts?outcome=succeeded").ids("id")) == n })
	}
	made := r.publish("")
	delivered(1)
	own := r.publish(`,"id":"evt_019aa4c1f2b07d3e8a6c94e05b7f1d22"`)
	delivered(2)
	ids := map[string]string{made: made, own: r.get("/api/events/" + own).text("webhookId")}
	if ids[own] == own || ids[own] == "" || strings.Contains(ids[own], ".") {
		t.Errorf("the webhook-id is %q", ids[own])
	}
	r.get("/api/events/"+made).is("webhookId", made)
	r.get("/api/events").is("items[0].webhookId", ids[own])
	r.publish(`,"id":"` + own + `"`) // changes nothing
	r.restart(patience)
	r.call("POST", "/api/events/"+own+"/redeliver", "").want(202)
	delivered(3)
	first := r.get("/api/attempts?outcome=succeeded&eventType=custom.thing").text("items[0].id")
	r.call("POST", "/api/attempts/"+first+"/replay", "").want(200).is("original.request.headers.Webhook-Id", ids[own]).is("replay.request.headers.Webhook-Id", ids[own])
	signed, err := standardwebhooks.NewWebhook(e.text("secret"))
	if err != nil {
		t.Fatal(err)
	}
	for _, got := range s.got() {
		var body struct{ ID string }
		if err := json.Unmarshal(got.Body, &body); err != nil || ids[body.ID] != got.Header.Get("Webhook-Id") {
			t.Errorf("event %s came as %s", body.ID, got.Header.Get("Webhook-Id"))
		}
		if err := signed.VerifyIgnoringTimestamp(got.Body, got.Header); err != nil {
			t.Error(err)
		}
	}
	equals(t, "requests", len(s.got()), 2*3+3+1)
}

// docs/contract.md#documents: times lie in the UTC years 1970 to 9998, wherever one
// comes in.
func TestTimesThatNoAnswerCouldHold(t *testing.T) {
	r := lease(t)
	made := r.subscribed("https://example.com/hook", "")
	for _, at := range []string{"9999-12-31T23:59:59-12:00", "9999-06-01T00:00:00Z", "1969-12-31T23:59:59Z", "0001-01-01T00:00:00Z"} {
		for _, list := range []string{"events", "orders", "attempts"} {
			for _, name := range []string{"from", "to"} {
				r.call("GET", "/api/"+list+"?"+name+"="+url.QueryEscape(at), "").problem(422, "query."+name)
			}
		}
		r.call("POST", endpointPath(made, "/recover"), `{"from":"`+at+`","what":"failed"}`).problem(422, "body.from")
		r.call("POST", endpointPath(made, "/recover"), `{"from":"2026-01-01T00:00:00Z","to":"`+at+`","what":"failed"}`).problem(422, "body.to")
		r.call("POST", "/api/orders", `{"created":"`+at+`"}`).problem(422, "body.created")
		r.call("PUT", "/api/carts/c1", `{"created":"`+at+`"}`).problem(422, "body.created")
	}
	for _, at := range []string{"1970-01-01T00:00:00Z", "9998-12-31T23:59:59Z"} {
		r.call("POST", "/api/events", `{"type":"t","data":{},"timestamp":"`+at+`"}`).want(202)
		r.get("/api/events?from=" + at).want(200)
	}
	r.get("/api/events").is("items[0].timestamp", "9998-12-31T23:59:59Z").is("items[1].timestamp", "1970-01-01T00:00:00Z")
	r.get("/api/deliveries").is("items[0].created", "9998-12-31T23:59:59Z")
}

func TestADeletedKeyPublishesNoMore(t *testing.T) {
	r := lease(t)
	made := r.call("POST", "/api/keys", `{"role":"publisher"}`).want(201)
	as := r.as(made.text("key"))
	as.publish("")
	as.publish("")
	r.call("DELETE", "/api/keys/"+made.text("id"), "").want(204)
	as.call("POST", "/api/events", `{"type":"t","data":{}}`).problem(401)
}
