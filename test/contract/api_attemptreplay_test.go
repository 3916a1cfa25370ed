package contract

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/orderhook/orderhook/internal/access"
	"github.com/orderhook/orderhook/internal/outbound"
)

// docs/contract.md#attempts: `POST /api/attempts/{id}/replay`.

// replayed sends the newest attempt of a query again.
func (r *rig) replayed(query, body string) answer {
	r.t.Helper()
	return r.call("POST", "/api/attempts/"+r.get("/api/attempts?"+query).text("items[0].id")+"/replay", body).want(200).says(topSecret)
}

func TestAStepIsReplayedWithBothPatches(t *testing.T) {
	r := lease(t)
	s := endpoint(t, func(w http.ResponseWriter, n int) { _, _ = fmt.Fprintf(w, answerWith(`{"Tags":["call-%d"]}`), n) })
	r.settings(with(config(status("New", step{ID: "c1", Headers: header("X-Step", topSecret)})), connectors(connector(s.URL+"/in?a=1",
		`,"ConnectorId":"c1","BearerToken":"`+topSecret+`","SigningSecret":"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"`))))
	r.post(order)
	before := string(r.get(theOrder).Raw) + string(r.get(theOrder+"/history").Raw) + string(r.get("/api/runs").Raw)
	a := r.replayed("kind=step", "")
	a.is("original.patch.tags", []string{"call-0"}).is("replay.patch.tags", []string{"call-1"}).is("original.kind", "step").is("replay.kind", "replay").is("original.response.bodyBytes", len(answerWith(`{"Tags":["call-0"]}`)))
	a.is("replay.orderId", "ORD-12345").is("replay.runId", a.at("original.runId")).is("replay.connectorId", "c1").is("replay.number", 1).is("replay.maxNumber", 1).is("replay.outcome", "succeeded")
	a.is("replay.request.headers.Authorization", "***").is("replay.request.headers.X-Step", "***")
	got := s.got()
	equals(t, "requests", len(got), 2)
	equals(t, "body", string(got[1].Body), string(got[0].Body))
	for _, name := range []string{"Idempotency-Key", "X-Delivery-Count", "X-Max-Delivery-Count", "Authorization", "X-Step", "User-Agent", "Content-Type"} {
		equals(t, name, got[1].Header.Get(name), got[0].Header.Get(name))
	}
	equals(t, "signed", signedBy(t, got[1], "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"), true)
	equals(t, "what changed", string(r.get(theOrder).Raw)+string(r.get(theOrder+"/history").Raw)+string(r.get("/api/runs").Raw), before)
	same(t, "recorded", r.get("/api/attempts?orderId=ORD-12345").ids("kind"), []string{"replay", "step"})
	r.get("/api/attempts/"+a.text("replay.id")).is("request.body", string(got[0].Body)).is("kind", "replay")
	read := r.get("/api/attempts/" + a.text("original.id") + "/replays/" + a.text("replay.id"))
	equals(t, "the replay, read later", string(read.Raw), string(a.Raw))
	again := r.replayed("kind=replay", "") // one that was one itself
	again.is("replay.patch.tags", []string{"call-2"}).is("original.patch.tags", []string{"call-1"})
}

func TestSecretsOfTodayGoToTheOriginalOriginAlone(t *testing.T) {
	r, s, other := lease(t), answering(t, ""), answering(t, "")
	configure := func(url, token string) {
		r.settings(with(config(status("New", step{ID: "c1", Headers: header("X-Step", token)})), connectors(connector(url,
			`,"ConnectorId":"c1","BearerToken":"`+token+`","SigningSecret":"`+token+`"`))))
	}
	configure(s.URL, "of-yesterday")
	r.post(order)
	configure(s.URL+"/moved", topSecret)
	r.replayed("kind=step", "").is("replay.url", s.URL)
	r.replayed("kind=step", fmt.Sprintf(`{"URL":"%s/elsewhere"}`, s.URL)).is("replay.url", s.URL+"/elsewhere")
	same(t, "secrets to the original origin", append(s.each("Authorization")[1:], s.each("X-Step")[1:]...), []string{"Bearer " + topSecret, "Bearer " + topSecret, topSecret, topSecret})
	r.replayed("kind=step", fmt.Sprintf(`{"url":"%s/in"}`, other.URL)).is("replay.connectorId", nil).is("replay.orderId", "ORD-12345")
	configure(other.URL, topSecret) // the connector has moved: its secrets are not for the old place
	r.replayed("kind=step", "")
	r.replayed("kind=step", fmt.Sprintf(`{"url":%q}`, other.URL))
	r.settings(`{}`)
	r.replayed("kind=step", "")
	for _, got := range append(other.got(), s.got()[3:]...) {
		for _, name := range []string{"Authorization", "X-Step", "Webhook-Signature"} {
			equals(t, name, got.Header.Get(name), "")
		}
		equals(t, "body", string(got.Body), string(s.got()[0].Body))
		equals(t, "Idempotency-Key", got.Header.Get("Idempotency-Key"), s.got()[0].Header.Get("Idempotency-Key"))
	}
	equals(t, "requests", fmt.Sprint(len(s.got()), len(other.got())), "5 2")
}

func TestAnEventIsReplayed(t *testing.T) {
	r, other := lease(t), answering(t, "")
	s := endpoint(t, func(w http.ResponseWriter, n int) { w.WriteHeader([]int{200, 503, 200}[n]) })
	e := r.subscribed(strings.Replace(s.URL, "http://", "http://me:"+topSecret+"@", 1), `,"headers":{"X-A":"`+topSecret+`"}`)
	id := r.publish(`,"orderId":"O1"`)
	d := r.delivery(id, "succeeded")
	r.call("POST", endpointPath(e, "/rotate-secret"), `{"overlap":"PT0S","secret":"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}`).want(200)
	a := r.replayed("kind=event", "")
	a.is("replay.status", 503).is("original.status", 200).is("replay.outcome", "failed").is("replay.patch", nil).is("replay.deliveryId", d.text("id")).is("replay.eventId", id).is("replay.endpointId", e.text("id"))
	first, second := s.got()[0], s.got()[1]
	equals(t, "body", string(second.Body), string(first.Body))
	for _, name := range []string{"Webhook-Id", "X-Attempt", "Authorization", "X-A"} {
		equals(t, name, second.Header.Get(name), first.Header.Get(name))
	}
	equals(t, "signed with today's secret", signedBy(t, second, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"), true)
	r.get("/api/deliveries/"+d.text("id")).is("status", "succeeded").is("attempts", 1)
	r.get(endpointPath(e, "")).is("health.consecutiveFailures", 0)
	same(t, "attempts of the delivery", r.get("/api/attempts?deliveryId="+d.text("id")).ids("kind"), []string{"replay", "event"})
	r.replayed("kind=event", fmt.Sprintf(`{"url":%q}`, other.URL)).is("replay.status", 200)
	got := other.only(t)
	equals(t, "secrets elsewhere", got.Header.Get("Authorization")+got.Header.Get("X-A")+got.Header.Get("Webhook-Signature"), "")
	equals(t, "body elsewhere", string(got.Body), string(first.Body))
	r.call("DELETE", endpointPath(e, ""), "").want(204)
	r.replayed("kind=event", "")
	equals(t, "secrets of a removed endpoint", s.got()[2].Header.Get("Authorization")+s.got()[2].Header.Get("X-A"), "")
}

func TestAValidatorIsReplayedWithBothValues(t *testing.T) {
	s := endpoint(t, func(w http.ResponseWriter, n int) {
		_, _ = fmt.Fprintf(w, `{"isValidatedSuccessful":true,"value":{"note":"%d"}}`, n)
	})
	r := checking(t, s, `,"token":"`+topSecret+`"`)
	r.validate()
	r.replayed("kind=validator", "").is("original.patch.note", "0").is("replay.patch.note", "1").is("replay.cartId", "C123456")
	equals(t, "token", s.got()[1].Header.Get("Authorization"), "Token "+topSecret)
	r.get("/api/carts/C123456").is("note", "0")
}

func TestAReplayThatFails(t *testing.T) {
	r := lease(t)
	bodies := []string{success, "no JSON", `{"OrderPatch":7}`, ""}
	s := endpoint(t, func(w http.ResponseWriter, n int) { _, _ = w.Write([]byte(bodies[n])) })
	r.settings(config(status("New", step{Host: s.URL})))
	r.post(order)
	r.replayed("kind=step", "").is("replay.outcome", "failed").is("original.outcome", "succeeded").is("replay.patch", nil)
	a := r.replayed("kind=step", "").is("replay.outcome", "failed")
	if !strings.HasPrefix(a.text("replay.patchProblem"), "invalid response: ") || a.text("replay.error") != a.text("replay.patchProblem") {
		t.Errorf("no reason in %s", a.Raw)
	}
	r.replayed("kind=step", "").is("replay.outcome", "succeeded").is("replay.patch", nil).is("replay.patchProblem", nil)
	s.Close()
	r.replayed("kind=step", "").is("replay.outcome", "failed").is("replay.status", nil).is("replay.response", nil).is("replay.error", "connection refused")
}

func TestAReplayIsMadeOnceForAnIdempotencyKey(t *testing.T) {
	r, s := lease(t), answering(t, answerWith(`{"Tags":["a"]}`))
	r.settings(config(status("New", step{Host: s.URL})))
	r.post(order)
	path := "/api/attempts/" + r.get("/api/attempts").text("items[0].id") + "/replay"
	first := r.call("POST", path, "", "Idempotency-Key", "one").want(200)
	r.call("POST", path, "", "Idempotency-Key", "one").want(200).is("replay.id", first.text("replay.id")).is("replay.patch.tags", []string{"a"})
	r.call("POST", path, "{}", "Idempotency-Key", "one").problem(409)
	equals(t, "requests", len(s.got()), 2)
}

func TestWhatNoReplayCanBe(t *testing.T) {
	r, s := start(t, func(o *outbound.Options) { o.Guard = outbound.Guard{AllowHosts: []string{"127.0.0.1"}} }), answering(t, "")
	r.settings(config(status("New", step{Host: s.URL})))
	r.post(order)
	path := "/api/attempts/" + r.get("/api/attempts").text("items[0].id") + "/replay"
	for body, place := range map[string]string{
		`{"url":7}`: "body.url", `{"url":""}`: "body.url", `{"url":"s3cret"}`: "body.url", `{"url":"ftp://example.com"}`: "body.url", `{"url":"http://example.com/#x"}`: "body.url",
		`{"url":"http://127.1/"}`: "body.url", `{"url":"http://10.0.0.1/"}`: "body.url", `{"url":"http://169.254.169.254/"}`: "body.url", `{"uri":"http://example.com"}`: "body.uri",
	} {
		r.call("POST", path, body).problem(422, place)
	}
	r.call("POST", path, `[]`).problem(422)
	r.call("POST", "/api/attempts/none/replay", "").problem(404)
	r.call("POST", path, `{"url":"http://localhost:1/"}`).want(200).is("replay.outcome", "failed") // it leads to the address that is allowed
	same(t, "attempts", r.get("/api/attempts").ids("kind"), []string{"replay", "step"})
	equals(t, "requests", len(s.got()), 1)
}

// A replay is read beside what it repeats, and beside nothing else.
func TestAReplayIsReadBesideItsCall(t *testing.T) {
	r, s := lease(t), answering(t, success)
	r.settings(config(status("New", step{Host: s.URL})))
	r.post(order)
	r.call("POST", "/api/orders", `{"id":"ORD-2","status":"New"}`).want(201)
	a := r.replayed("orderId=ORD-12345", "")
	other := r.get("/api/attempts?orderId=ORD-2").text("items[0].id")
	first, again := a.text("original.id"), a.text("replay.id")
	for _, pair := range [][2]string{{other, again}, {first, other}, {first, first}, {again, first}, {first, "none"}, {"none", again}} {
		r.call("GET", "/api/attempts/"+pair[0]+"/replays/"+pair[1], "").problem(404)
	}
	r.get("/api/attempts/" + again + "/replays/" + again) // of the same call, too
	r.addKey("key-of-another-tenant", "another", access.Reader)
	r.as("key-of-another-tenant").call("GET", "/api/attempts/"+first+"/replays/"+again, "").problem(404)
}

func TestAReplayGoesOnWhenTheCallerHangsUp(t *testing.T) {
	r, s := lease(t), holding(t)
	r.settings(config(status("New", step{Host: s.URL})))
	finish := r.begin("/api/orders", order)
	s.wait()
	s.answer(success)
	finish()
	path := "/api/attempts/" + r.get("/api/attempts").text("items[0].id") + "/replay"
	ctx, hangUp := context.WithCancel(t.Context())
	req, err := http.NewRequestWithContext(ctx, "POST", r.url+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+r.key)
	gone := make(chan error, 1)
	go func() {
		resp, err := http.DefaultClient.Do(req)
		if err == nil {
			_ = resp.Body.Close()
		}
		gone <- err
	}()
	s.wait()
	hangUp()
	if err := <-gone; err == nil {
		t.Fatal("the caller was answered")
	}
	s.answer(success)
	r.until("it is recorded", func() bool { return len(r.get("/api/attempts?kind=replay&outcome=succeeded").ids("id")) == 1 })
}

// The step that a call was made for is known by its names when it stands
// elsewhere by now, and a validator without an id by its URL.
func TestAReplayFindsItsStepWhereverItStands(t *testing.T) {
	r, s := lease(t), answering(t, "")
	named := func(name, secret string) step {
		return step{Host: s.URL, Headers: header("X-Step", secret), More: `,"displayName":"` + name + `"`}
	}
	a, b := named("A", "of A"), named("B", "of B")
	export := step{Name: exportStep, Connector: "ERP", Headers: header("X-Step", "of an export")}
	r.settings(config(status("New", a, b)))
	r.post(order)
	attempts := r.get("/api/attempts?kind=step").ids("id") // of B, of A
	for name, c := range map[string]struct {
		steps []step
		want  []string // of B, of A
	}{
		"as they were":           {[]step{a, b}, []string{"of B", "of A"}},
		"the other way round":    {[]step{b, a}, []string{"of B", "of A"}},
		"others before them":     {[]step{export, named("C", "of C"), a, b}, []string{"of B", "of A"}},
		"with another secret":    {[]step{b, named("A", "renewed")}, []string{"of B", "renewed"}},
		"one of them is gone":    {[]step{a}, []string{"", "of A"}},
		"the other one is gone":  {[]step{b}, []string{"of B", ""}},
		"another of that name":   {[]step{b, {Name: exportStep, Host: s.URL, Headers: header("X-Step", "x"), More: `,"displayName":"A"`}}, []string{"of B", ""}},
		"the status has none":    {nil, []string{"", ""}},
		"one that is not active": {[]step{{Host: s.URL, Headers: header("X-Step", "of C")}, b, a}, []string{"of B", "of A"}},
	} {
		t.Run(name, func(t *testing.T) {
			r := r.in(t)
			r.settings(config(status("New", c.steps...)))
			for i, id := range attempts {
				r.call("POST", "/api/attempts/"+id+"/replay", "").want(200)
				got := s.got()
				equals(t, "the secret of "+[]string{"B", "A"}[i], got[len(got)-1].Header.Get("X-Step"), c.want[i])
			}
		})
	}
}

// Steps that nothing tells apart but their places are told apart by these.
func TestAReplayFindsItsStepAmongOthersOfItsName(t *testing.T) {
	r, s := lease(t), answering(t, "")
	keyed := func(secret string) step { return step{Host: s.URL, Headers: header("X-Step", secret)} }
	r.settings(config(status("New", keyed("key-of-the-first"), keyed("key-of-the-second"))))
	r.post(order)
	for i, want := range []string{"key-of-the-second", "key-of-the-first"} {
		r.call("POST", "/api/attempts/"+r.get("/api/attempts?kind=step").ids("id")[i]+"/replay", "").want(200)
		equals(t, "the secret", s.got()[2+i].Header.Get("X-Step"), want)
	}
}

func TestAReplayFindsItsValidator(t *testing.T) {
	at := func(url, id, token string) string {
		if id != "" {
			id = `,"connectorId":"` + id + `"`
		}
		return validatorAt(url, id+`,"token":"`+token+`"`)
	}
	for name, ids := range map[string][2]string{"by its URL": {}, "by its id": {"a", "b"}, "one by its URL, one by its id": {"", "b"}} {
		t.Run(name, func(t *testing.T) {
			r, s := lease(t), answering(t, approved)
			a, b := at(s.URL+"/a", ids[0], "token-of-a"), at(s.URL+"/b", ids[1], "token-of-b")
			r.validators(a, b)
			r.put(cart)
			r.validate()
			replay := func(path string) string {
				for _, at := range r.get("/api/attempts?kind=validator").doc().Objects("items") {
					if strings.HasSuffix(at.Text("url"), path) {
						r.call("POST", "/api/attempts/"+at.Text("id")+"/replay", "").want(200)
					}
				}
				got := s.got()[len(s.got())-1]
				return got.Path + " " + got.Header.Get("Authorization")
			}
			both := func(what, wantA, wantB string) {
				t.Helper()
				equals(t, what, replay("/a"), wantA)
				equals(t, what, replay("/b"), wantB)
			}
			both("as they were", "/a Token token-of-a", "/b Token token-of-b")
			r.validators(b, a)
			both("the other way round", "/a Token token-of-a", "/b Token token-of-b")
			r.validators(b)
			both("one of them is gone", "/a ", "/b Token token-of-b")
		})
	}
}
