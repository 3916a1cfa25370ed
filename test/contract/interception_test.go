package contract

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/orderhook/orderhook/internal/access"
	"github.com/orderhook/orderhook/internal/outbound"
)

// docs/contract.md#interceptions: calls of chosen steps go to a listener in place of their
// endpoint.

// interceptor is a listener that intercepts calls.
type interceptor struct {
	*rig
	path string
}

// intercepts begins an interception.
func (r *rig) intercepts(body string) interceptor {
	r.t.Helper()
	return interceptor{r, "/api/interceptions/" + r.call("POST", "/api/interceptions", body).want(201).is("endedAt", nil).text("id")}
}

// take returns the next call, or none.
func (l interceptor) take() answer {
	l.t.Helper()
	return l.call("POST", l.path+"/calls?wait=PT30S", "").want(200)
}

// answers gives an answer to a call that was taken.
func (l interceptor) answers(call answer, answer string) answer {
	l.t.Helper()
	return l.call("PUT", l.path+"/calls/"+call.text("items[0].id"), answer)
}

// ok is an answer with the body.
func ok(body string) string {
	text, _ := json.Marshal(body)
	return fmt.Sprintf(`{"status":200,"headers":{"Content-Type":"application/json","X-Mine":"yes"},"body":%s}`, text)
}

// check is a step that is called Fraud check.
var check = step{More: `,"displayName":"Fraud check"`}

const ofOrder = `{"steps":["fraud CHECK"],"orderIds":["ORD-12345"]}`

func TestACallGoesToTheListenerWithoutTheSecretsOfItsEndpoint(t *testing.T) {
	const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	s, r := answering(t, ""), lease(t)
	host := s.URL + "/hook?code=code-of-the-host&x=1"
	checked := check
	checked.Headers, checked.Host, checked.ID = header("X-Api-Key", "key-of-the-step"), host, "w"
	doc := with(config(status("New", checked)), connectors(connector(s.URL, `,"connectorId":"w","bearerToken":"token-of-the-connector","SigningSecret":"`+secret+`","customHeaders":[{"key":"X-Custom","value":"value-of-the-connector"}]`)))
	r.settings(doc)
	l := r.intercepts(ofOrder)
	finish := r.begin("/api/orders", order)
	call := l.take().is("items[0].method", "POST").is("items[0].orderId", "ORD-12345").is("items[0].status", "New").is("items[0].displayName", "Fraud check").is("items[1]", nil)
	call.says("token-of", "key-of", "value-of", "code-of")
	h := http.Header{}
	for _, m := range call.doc().Objects("items")[0].Object("headers").Members() {
		h.Set(m.Name, fmt.Sprint(m.Value))
	}
	equals(t, "credentials", h.Get("Authorization")+h.Get("X-Api-Key")+h.Get("X-Custom"), "")
	equals(t, "X-Delivery-Count", h.Get("X-Delivery-Count"), "1")
	verifier, err := standardwebhooks.NewWebhook(secret)
	if err == nil {
		err = verifier.Verify([]byte(call.text("items[0].body")), h)
	}
	if err != nil {
		t.Errorf("the signature: %v", err)
	}
	equals(t, "webhook-id", h.Get("Webhook-Id"), h.Get("Idempotency-Key"))
	is(t, []byte(call.text("items[0].body")), "Value.Id", "ORD-12345")
	r.get("/api/overview").is("warnings[0].path", "interceptions").is("warnings[1]", nil)
	l.answers(call, ok(answerWith(`{"tags":["from the laptop"]}`))).want(204)
	finish().want(201).is("order.tags", []string{"first", "from the laptop"}).is("orderActionExecutionResults[0].actionStatus", "Success")
	equals(t, "calls of the endpoint", len(s.got()), 0)
	me := r.get("/api/me")
	list := r.get("/api/attempts?orderId=ORD-12345")
	id := strings.TrimPrefix(l.path, "/api/interceptions/")
	r.get("/api/attempts/"+list.text("items[0].id")).is("url", "listener:"+id).is("host", "").is("outcome", "succeeded").is("connectorId", "w").
		is("listener.interceptionId", id).is("listener.keyId", me.text("id")).is("response.headers.X-Mine", "yes").is("request.headers.Webhook-Signature", "***")
	r.get(l.path).is("handed", 1).is("answered", 1).is("missed", 0).is("keyId", me.text("id"))
	// The connector was not called, so its health says nothing of this.
	r.get("/api/connectors/health").is("items[0].succeeded", 0).is("items[0].failed", 0)
}

func TestOnlyChosenCallsAreIntercepted(t *testing.T) {
	s, r := answering(t, "", "", "", "", ""), lease(t)
	named := step{Host: s.URL, More: `,"displayName":"Stock"`}
	checked := check
	checked.Host = s.URL
	r.settings(config(status("New", named), status("Paid", checked), status("Sent", named)))
	l := r.intercepts(`{"steps":["Fraud check"],"connectors":["WEBHOOK"],"statuses":["paid","New"],"orderIds":["ORD-12345"]}`)
	r.post(order) // another step
	r.post(`{"id":"other"}`)
	r.call("POST", "/api/orders/other/status", `{"status":"Paid"}`).want(200)
	r.enter("Sent")
	equals(t, "calls of the endpoint", len(s.got()), 4)
	finish := r.begin(theOrder+"/status", `{"status":"Paid"}`)
	l.answers(l.take().is("items[0].status", "Paid"), ok(success)).want(204)
	finish().want(200)
	equals(t, "calls of the endpoint", len(s.got()), 4)
	all := r.intercepts(`{"statuses":["Sent"],"allOrders":true}`)
	finish = r.begin("/api/orders/other/status", `{"status":"Sent"}`)
	all.answers(all.take().is("items[0].orderId", "other"), ok(success)).want(204)
	finish().want(200)
}

// What the listener answers means what it would mean if the endpoint had answered.
func TestAnswersOfAListenerAreThoseOfAnEndpoint(t *testing.T) {
	large := strings.Repeat("x", outbound.MaxBody+1)
	for name, c := range map[string]struct {
		answers []string
		reason  any
		tries   int
	}{
		"a failure, then a success": {[]string{`{"status":503}`, ok(success)}, nil, 2},
		"no answer":                 {[]string{`{"error":"connection refused"}`, ok(success)}, nil, 2},
		"a refusal":                 {[]string{`{"status":404,"body":"none"}`}, "answered 404 Not Found", 1},
		"no JSON":                   {[]string{`{"status":200,"bodyBase64":"/w=="}`}, nil, 1},
		"too large":                 {[]string{ok(large)}, "invalid response: the body is larger than 5242880 bytes", 1},
		"too many headers":          {[]string{`{"status":200,"headers":{"X":"` + large[:65<<10] + `"}}`, ok(success)}, nil, 2},
	} {
		t.Run(name, func(t *testing.T) {
			s, r := answering(t, ""), lease(t)
			checked := check
			checked.Host = s.URL
			r.settings(config(status("New", checked)))
			l := r.intercepts(ofOrder)
			finish := r.begin("/api/orders", order)
			for i, a := range c.answers {
				call := l.take().is("items[0].headers.X-Delivery-Count", fmt.Sprint(i+1))
				l.answers(call, a).want(204)
				l.answers(call, a).problem(409)
			}
			res := finish().want(201).is("orderActionExecutionResults[0].attempts", c.tries)
			if c.reason != nil {
				res.is("orderActionExecutionResults[0].errorReason", c.reason)
			}
			if name == "no JSON" && res.text("orderActionExecutionResults[0].actionStatus") == "Success" {
				t.Errorf("it is taken for an answer: %s", res.Raw)
			}
			equals(t, "calls of the endpoint", len(s.got()), 0)
		})
	}
}

func TestWhatIsNotAnsweredInTimeFails(t *testing.T) {
	r := lease(t)
	checked := check
	r.settings(with(config(status("New", checked)), connectors(connector(answering(t, "").URL, `,"timeout":"PT0.05S","disableStandardErrorPolicy":true`))))
	l := r.intercepts(ofOrder)
	finish := r.begin("/api/orders", order)
	call := l.take()
	if ms, _ := call.at("items[0].timeoutMs").(int64); ms > 50 {
		t.Errorf("it may take %d ms", ms)
	}
	finish().want(201)
	r.ended()
	l.answers(call, ok(answerWith(`{"tags":["late"]}`))).problem(409)
	r.get(theOrder).is("tags", []string{"first"})
	r.get("/api/attempts?orderId=ORD-12345").is("items[0].error", "timed out after 50ms")
	r.get(l.path).is("handed", 1).is("answered", 0)
}

// The end of an interception has calls go to the endpoint: those that wait at once, those that
// were handed out with their next attempt.
func TestTheEndOfAnInterception(t *testing.T) {
	s, r := answering(t, "", "", ""), lease(t)
	checked := check
	checked.Host = s.URL
	r.settings(config(status("New", checked), status("Paid", checked)))
	l := r.intercepts(`{"steps":["WebhookWorkflowStep"],"allOrders":true}`)
	first := r.begin("/api/orders", order)
	call := l.take()
	second := r.begin("/api/orders", `{"id":"B"}`)
	r.call("DELETE", l.path, "").want(204)
	first().want(201).is("orderActionExecutionResults[0].attempts", 2)
	second().want(201).is("orderActionExecutionResults[0].attempts", 1)
	equals(t, "calls of the endpoint", len(s.got()), 2)
	l.answers(call, ok(success)).problem(409)
	l.call("POST", l.path+"/calls", "").problem(409)
	r.call("DELETE", l.path, "").problem(409)
	r.get("/api/overview").is("warnings", nil)
	r.get(l.path).is("reason", "it was removed").is("missed", 2)
	r.get("/api/audit?kind=interception").is("items[0].action", "delete-interception").is("items[0].detail.intercepted", nil).
		is("items[1].action", "create-interception").is("items[1].detail.intercepted.steps", []string{"WebhookWorkflowStep"}).is("items[2]", nil)
}

// Of requests with one Idempotency-Key that come at once, each may have begun an interception
// before it finds that another was first.
func TestARepeatedInterceptionIsOne(t *testing.T) {
	r := lease(t)
	for round := range 5 {
		key, ids := fmt.Sprint("twin-", round), make([]string, 8)
		var all sync.WaitGroup
		for i := range ids {
			all.Go(func() {
				a, err := r.try("POST", "/api/interceptions", ofOrder, "Idempotency-Key", key)
				if err != nil || a.Status != 201 {
					t.Errorf("%d, %v", a.Status, err)
					return
				}
				ids[i] = a.text("id")
			})
		}
		all.Wait()
		equals(t, "interceptions", len(slices.Compact(ids)), 1)
		goOn := 0
		for _, i := range r.get("/api/interceptions").doc().Objects("items") {
			if i.Text("endedAt") == "" {
				goOn++
			}
		}
		equals(t, "interceptions that go on", goOn, 1)
		r.call("DELETE", "/api/interceptions/"+ids[0], "").want(204)
	}
}

// docs/contract.md#keys: who waits with a key that is deleted meanwhile gets nothing any more.
func TestWhoWaitsIsGoneWithItsKey(t *testing.T) {
	s, r := answering(t, ""), lease(t)
	checked := check
	checked.Host = s.URL
	r.settings(config(status("New", checked)))
	feed := "/api/endpoints/" + r.call("POST", "/api/endpoints", `{"url":"feed:","eventTypes":["*"]}`).want(201).text("id") + "/feed?wait=PT1M"
	made := r.call("POST", "/api/keys", `{"role":"operator"}`).want(201)
	other := r.as(made.text("key"))
	l := other.intercepts(ofOrder)
	answers := make(chan answer, 2)
	for method, path := range map[string]string{"GET": feed, "POST": l.path + "/calls?wait=PT30S"} {
		go func() {
			a, err := other.try(method, path, "")
			if err != nil {
				t.Error(err)
			}
			answers <- a
		}()
	}
	r.call("DELETE", "/api/keys/"+made.text("id"), "").want(204)
	r.post(order).is("orderActionExecutionResults[0].actionStatus", "Success") // which is an event of the feed, too
	for range 2 {
		(<-answers).problem(401)
	}
	equals(t, "calls of the endpoint", len(s.got()), 1)
	r.get(l.path).is("reason", "the key that began it was deleted, or has expired").is("handed", 0)
}

// soonLost is an orderhook whose listeners may be silent for no more than a moment.
func soonLost(t *testing.T, moment time.Duration) *rig {
	t.Helper()
	r := newRig(t, newDatabase(t))
	r.interceptionLease = moment
	r.run()
	r.addKey(adminKey, access.DefaultTenant, access.Admin)
	t.Cleanup(func() { r.ownOutput(); r.end(patience) })
	return r
}

func TestALostListenerLosesItsInterception(t *testing.T) {
	s, r := answering(t, ""), soonLost(t, 20*time.Millisecond)
	checked := check
	checked.Host = s.URL
	r.settings(config(status("New", checked)))
	// It may be over before its caller has the answer.
	l := interceptor{r, "/api/interceptions/" + r.call("POST", "/api/interceptions", ofOrder).want(201).text("id")}
	r.post(order).is("orderActionExecutionResults[0].attempts", 1) // it waited for the listener, and then was made
	equals(t, "calls of the endpoint", len(s.got()), 1)
	r.get(l.path).is("reason", "the listener was silent for too long").is("missed", 1).is("handed", 0)
	l.call("POST", l.path+"/calls", "").problem(409)
	r.until("the end is in the audit log", func() bool { return r.get("/api/audit?kind=interception").at("items[1]") != nil })
	r.get("/api/audit?kind=interception").is("items[0].detail.intercepted.ended", "the listener was silent for too long").
		is("items[0].actor.keyId", r.get("/api/me").text("id"))
	equals(t, "warnings", len(r.warnings("an interception has ended: calls go to their endpoints again")), 1)
}

func TestAPollHoldsTheLease(t *testing.T) {
	r := soonLost(t, time.Second/2)
	checked := check
	checked.Host = answering(t, "").URL
	r.settings(config(status("New", checked)))
	l := r.intercepts(ofOrder)
	r.call("POST", l.path+"/calls?wait=PT1S", "").want(200).is("items", []string{})
	r.get(l.path).is("endedAt", nil)
}

// Every role may see who intercepts what; the calls are for the key alone that began it.
func TestWhoMayIntercept(t *testing.T) {
	s, r := answering(t, ""), lease(t)
	checked := check
	checked.Host = s.URL
	r.settings(config(status("New", checked)))
	l := r.intercepts(ofOrder)
	finish := r.begin("/api/orders", order)
	call := l.take()
	colleague := r.as(r.call("POST", "/api/keys", `{"role":"operator"}`).want(201).text("key"))
	reader := r.as(r.call("POST", "/api/keys", `{"role":"reader"}`).want(201).text("key"))
	for _, path := range []string{"/calls", "/calls/" + call.text("items[0].id")} {
		method := map[bool]string{true: "POST", false: "PUT"}[path == "/calls"]
		colleague.call(method, l.path+path, ok(success)).problem(409)
		reader.call(method, l.path+path, ok(success)).problem(403)
		r.stranger().call(method, l.path+path, ok(success)).problem(404)
	}
	reader.call("POST", "/api/interceptions", ofOrder).problem(403)
	reader.call("DELETE", l.path, "").problem(403)
	reader.get("/api/interceptions").is("items[0].steps", []string{"fraud CHECK"}).is("items[0].orderIds", []string{"ORD-12345"}).is("items[1]", nil)
	other := r.stranger()
	other.call("DELETE", l.path, "").problem(404)
	other.get("/api/interceptions").is("items", []string{})
	// An interception of another tenant picks nothing of this one's.
	other.intercepts(`{"statuses":["Held","New"],"allOrders":true}`)
	l.answers(call, ok(success)).want(204)
	finish().want(201)
	colleague.call("DELETE", l.path, "").want(204)
	r.enter("New")
	equals(t, "calls of the endpoint", len(s.got()), 1)
}

func TestWhatAnInterceptionMayBe(t *testing.T) {
	r := lease(t)
	for _, body := range []string{`{}`, `{"steps":["a"]}`, `{"allOrders":true}`, `{"orderIds":["a"]}`, `{"steps":["a"],"orderIds":["a"],"allOrders":true}`,
		`{"steps":[],"statuses":[],"allOrders":true}`, `{"steps":[""],"allOrders":true}`, `{"steps":["a"],"orderIds":["` + strings.Repeat(`a","`, 100) + `b"]}`, `{"steps":["a"],"allOrders":true,"step":"a"}`, `{"steps":["a"],"allOrders":1}`} {
		r.call("POST", "/api/interceptions", body).problem(422)
	}
	first := r.call("POST", "/api/interceptions", ofOrder, "Idempotency-Key", "a").want(201)
	r.call("POST", "/api/interceptions", ofOrder, "Idempotency-Key", "a").want(201).is("id", first.text("id"))
	r.get("/api/interceptions").is("items[1]", nil)
	for range 9 {
		r.intercepts(ofOrder)
	}
	r.call("POST", "/api/interceptions", ofOrder).problem(429)
	if n := len(r.get("/api/audit?action=create-interception").ids("id")); n != 10 {
		t.Errorf("%d entries are in the audit log", n)
	}
	path := "/api/interceptions/" + first.text("id") + "/calls"
	r.call("POST", path+"?wait=PT31S", "").problem(422, "query.wait")
	for _, body := range []string{`{}`, `{"status":199}`, `{"status":600}`, `{"status":200,"error":"x"}`, `{"status":200,"headers":{"a":1}}`, `{"status":200,"headers":{"a b":"c"}}`,
		`{"status":200,"headers":{"a":"c\nd"}}`, `{"status":200,"body":"a","bodyBase64":"YQ=="}`, `{"status":200,"bodyBase64":"%"}`, `{"error":"` + strings.Repeat("x", 201) + `"}`} {
		r.call("PUT", path+"/none", body).problem(422)
	}
	r.call("PUT", path+"/none", `{"status":200}`).problem(409)
	for _, id := range r.get("/api/interceptions").ids("id") {
		r.call("DELETE", "/api/interceptions/"+url.PathEscape(id), "").want(204)
	}
	r.intercepts(ofOrder)
}

// What happens to a run while its call waits for the listener counts: nothing of an order that
// was erased goes to it.
func TestWhatHappensWhileACallWaits(t *testing.T) {
	s, r := answering(t, ""), lease(t)
	checked := check
	checked.Host = s.URL
	r.settings(config(status("New", checked)))
	l := r.intercepts(`{"steps":["Fraud check"],"allOrders":true}`)
	r.begin("/api/orders", order)
	erased := r.begin("/api/orders", `{"id":"E"}`)
	r.begin("/api/orders", `{"id":"C"}`)
	for _, id := range []string{"ORD-12345", "E", "C"} {
		r.until("it waits", func() bool { return r.get("/api/runs?orderId="+id).text("items[0].status") == "running" })
	}
	r.call("DELETE", theOrder+"?permanently=true", "").want(204)
	canceled := "/api/runs/" + r.get("/api/runs?orderId=C").text("items[0].id")
	r.call("POST", canceled+"/cancel", "").want(200)
	call := l.take().is("items[0].orderId", "E").says("kari@example.com")
	// One that is erased once its call was handed out ends quietly.
	r.call("DELETE", "/api/orders/E?permanently=true", "").want(204)
	l.answers(call, ok(answerWith(`{"tags":["a"]}`))).want(204)
	erased().problem(404)
	r.call("POST", l.path+"/calls", "").want(200).is("items", []string{})
	equals(t, "calls of the endpoint", len(s.got()), 0)
	r.get(canceled).is("status", "canceled")
}

// A breaker is about an endpoint, and a listener is none.
func TestAnOpenBreakerKeepsNothingFromAListener(t *testing.T) {
	s := failing(t, 99, 500)
	r, _ := guarded(t, s.URL, opening("fail"), check)
	r.enter("Checked")
	r.enter("Checked")
	r.breaker().is("items[0].breaker.circuit", "open")
	l := r.intercepts(ofOrder)
	for range 3 {
		finish := r.begin(theOrder+"/status", `{"status":"Checked"}`)
		l.answers(l.take(), ok(success)).want(204)
		finish().want(200).is("orderActionExecutionResults[0].actionStatus", "Success")
	}
	r.breaker().is("items[0].breaker.circuit", "open")
	equals(t, "calls of the endpoint", len(s.got()), 2)
}

func TestARestartEndsInterceptions(t *testing.T) {
	r := start(t)
	s := answering(t, "")
	checked := check
	checked.Host = s.URL
	r.settings(config(status("New", checked)))
	l := r.intercepts(ofOrder)
	r.call("POST", "/api/orders?wait=false", order).want(202)
	r.until("it waits", func() bool { return r.get("/api/runs?orderId=ORD-12345").text("items[0].status") == "running" })
	r.restart(patience)
	l.rig = r
	r.ended()
	equals(t, "calls of the endpoint", len(s.got()), 1)
	r.call("POST", l.path+"/calls", "").problem(404)
	r.get("/api/interceptions").is("items", []string{})
}

func TestAReturnStepIsIntercepted(t *testing.T) {
	s := answering(t, "")
	r := returning(t, step{Host: s.URL})
	l := r.intercepts(`{"statuses":["partiallyreturned"],"orderIds":["ORD-12345"]}`)
	finish := r.begin(theOrder+"/returns", lines("L1", "1"))
	call := l.take()
	is(t, []byte(call.text("items[0].body")), "Value.Id", "ORD-12345")
	l.answers(call, ok(success)).want(204)
	finish().want(201)
	equals(t, "calls of the endpoint", len(s.got()), 0)
	r.get("/api/attempts?kind=returnStep").is("items[0].outcome", "succeeded")
}

// Steps of which no call can come are named, with those that there are.
func TestAnInterceptionOfNoStepIsWarnedOf(t *testing.T) {
	s, r := answering(t, ""), lease(t)
	off, shadow := check, check
	off.More, shadow.More = `,"displayName":"Off"`, `,"displayName":"Next","mode":"shadow","compareWith":"Fraud check"`
	doc := with(config(status("New", check, off, shadow)), connectors(connector(s.URL, "")))
	turnedOff := strings.Replace(off.String(), `"active":true`, `"active":false`, 1)
	r.settings(strings.Replace(doc, off.String(), turnedOff, 1))
	r.call("POST", "/api/interceptions", `{"steps":["fraud CHECK","Fraud chek","Off","next"],"allOrders":true}`).want(201).
		is("warnings[0].path", "steps[1]").is("warnings[0].message", `no active step with an answer is called "Fraud chek", so none of its calls comes; there are "Fraud check"`).
		is("warnings[1].path", "steps[2]").
		is("warnings[2].message", `"next" is a shadow, whose calls always go to its endpoint, so none of its calls comes; there are "Fraud check"`).is("warnings[3]", nil)
	r.call("POST", "/api/interceptions", ofOrder).want(201).is("warnings", nil)
}
