package contract

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/orderhook/orderhook/internal/clock"
)

// docs/contract.md#signing: rotate-secret, public-key, test.

// signedBy reports whether one of a request's signatures is of the secret.
func signedBy(t *testing.T, got request, secret string) bool {
	t.Helper()
	verifier, err := standardwebhooks.NewWebhook(secret)
	if err != nil {
		t.Fatal(err)
	}
	return verifier.VerifyIgnoringTimestamp(got.Body, got.Header) == nil
}

// tested sends an example event to an endpoint, and returns what it got.
func (r *rig) tested(e answer, s *sink) request {
	r.t.Helper()
	r.call("POST", endpointPath(e, "/test"), "").want(200)
	got := s.got()
	return got[len(got)-1]
}

func TestARotatedSecretSignsBesideTheOldOne(t *testing.T) {
	r, s := lease(t), answering(t, "")
	e := r.subscribed(s.URL, "")
	first := e.text("secret")
	second := r.call("POST", endpointPath(e, "/rotate-secret"), "").want(200).is("secrets[1].until", "2026-11-22T09:00:00Z").is("secrets[0].until", nil).text("secret")
	third := r.call("POST", endpointPath(e, "/rotate-secret"), `{"overlap":"PT1H"}`).want(200).is("secrets[1].until", "2026-11-21T10:00:00Z").is("secrets[2].until", "2026-11-22T09:00:00Z").text("secret")
	r.get(endpointPath(e, "")).says("whsec_").is("secrets[2].until", "2026-11-22T09:00:00Z")
	signs := func(want ...bool) {
		t.Helper()
		got := r.tested(e, s)
		for i, secret := range []string{first, second, third} {
			equals(t, fmt.Sprint("secret ", i+1, " signs"), signedBy(t, got, secret), want[i])
		}
	}
	signs(true, true, true)
	r.clock.Advance(time.Hour)
	signs(true, false, true)
	r.clock.Advance(23 * time.Hour)
	signs(false, false, true)
	r.get(endpointPath(e, "")).is("secrets[1]", nil)
}

func TestARotationMayNameTheSecretAndEndTheOldOneAtOnce(t *testing.T) {
	r, s := lease(t), answering(t, "")
	e := r.subscribed(s.URL, "")
	const own = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	r.call("POST", endpointPath(e, "/rotate-secret"), `{"Overlap":"PT0S","Secret":"`+own+`"}`).want(200).is("secret", own).is("secrets[1]", nil)
	got := r.tested(e, s)
	equals(t, "the old one signs", signedBy(t, got, e.text("secret")), false)
	equals(t, "the new one signs", signedBy(t, got, own), true)
	back := r.call("POST", endpointPath(e, "/rotate-secret"), `{"secret":"`+e.text("secret")+`"}`).want(200) // what it had before
	back.is("secrets[0].until", nil).is("secrets[1].until", "2026-11-22T09:00:00Z").is("secrets[2]", nil)
	for _, secret := range []string{own, own, e.text("secret"), own} { // one that signs already is none more
		r.call("POST", endpointPath(e, "/rotate-secret"), `{"secret":"`+secret+`"}`).want(200).is("secrets[0].until", nil).is("secrets[1].until", "2026-11-22T09:00:00Z").is("secrets[2]", nil)
	}
}

func TestAtMostFiveSecretsSign(t *testing.T) {
	r := lease(t)
	e := r.subscribed("https://example.com", "")
	for range 4 {
		r.call("POST", endpointPath(e, "/rotate-secret"), "").want(200)
	}
	r.call("POST", endpointPath(e, "/rotate-secret"), "").problem(409)
	r.call("POST", endpointPath(e, "/rotate-secret"), `{"overlap":"PT0S"}`).want(200).is("secrets[0].until", nil).is("secrets[1]", nil)
	r.clock.Advance(24 * time.Hour)
	r.call("POST", endpointPath(e, "/rotate-secret"), "").want(200).is("secrets[2]", nil)
}

func TestWhatNoRotationCanBe(t *testing.T) {
	r := lease(t)
	e := r.subscribed("https://example.com", "")
	before := string(r.get(endpointPath(e, "")).Raw)
	for body, places := range map[string][]string{
		`{"overlap":"PT721H"}`: {"body.overlap"}, `{"overlap":"-PT1H"}`: {"body.overlap"}, `{"overlap":24}`: {"body.overlap"}, `{"overlap":"24h"}`: {"body.overlap"},
		`{"secret":"s3cret"}`: {"body.secret"}, `{"secret":""}`: {"body.secret"}, `{"secret":"whsec_c2hvcnQ="}`: {"body.secret"}, `{"secret":7,"overlap":[]}`: {"body.secret", "body.overlap"},
		`{"overlapp":"PT1H"}`: {"body.overlapp"},
	} {
		r.call("POST", endpointPath(e, "/rotate-secret"), body).problem(422, places...)
	}
	r.call("POST", endpointPath(e, "/rotate-secret"), `[]`).problem(422)
	r.call("POST", endpointPath(e, "/rotate-secret"), `{`).problem(400)
	equals(t, "the endpoint", string(r.get(endpointPath(e, "")).Raw), before)
}

func TestARepeatedRotationMakesNoSecondSecret(t *testing.T) {
	r := lease(t)
	e := r.subscribed("https://example.com", "")
	first := r.call("POST", endpointPath(e, "/rotate-secret"), "", "Idempotency-Key", "one").want(200)
	again := r.call("POST", endpointPath(e, "/rotate-secret"), "", "Idempotency-Key", "one").want(200).says("whsec_").is("secret", nil)
	again.is("secrets", first.at("secrets")).is("id", first.at("id"))
	r.call("POST", endpointPath(e, "/rotate-secret"), `{}`, "Idempotency-Key", "one").problem(409)
}

// The key's form is that of the Standard Webhooks specification: whpk_ and base64.
func TestThePublicKey(t *testing.T) {
	r, s := lease(t), answering(t, "")
	e := r.subscribed(s.URL, "")
	r.call("GET", endpointPath(e, "/public-key"), "").problem(404)
	r.call("PATCH", endpointPath(e, ""), `{"signatures":["v1","v1a"]}`).want(200).says("whsk_")
	key := r.get(endpointPath(e, "/public-key")).text("publicKey")
	if raw, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(key, "whpk_")); err != nil || len(raw) != 32 {
		t.Errorf("the key is %q", key)
	}
	signature := r.tested(e, s).Header.Get("Webhook-Signature")
	equals(t, "both kinds", strings.Contains(signature, "v1,") && strings.Contains(signature, "v1a,"), true)
	r.call("PATCH", endpointPath(e, ""), `{"signatures":["v1"]}`).want(200)
	r.call("GET", endpointPath(e, "/public-key"), "").problem(404)
	r.call("PATCH", endpointPath(e, ""), `{"signatures":["v1a"]}`).want(200)
	r.get(endpointPath(e, "/public-key")).is("publicKey", key)
}

func TestATestCallAnswersWithTheAttempt(t *testing.T) {
	r := lease(t)
	r.hands.use(clock.Real{})
	s := endpoint(t, func(w http.ResponseWriter, n int) { w.WriteHeader([]int{204, 500, 200}[n]) })
	e := r.call("POST", "/api/endpoints", `{"url":"`+s.URL+`/in","eventTypes":["shipment_shipped"],"enabled":false,"headers":{"X-A":"`+topSecret+`"}}`).want(201)
	good := r.call("POST", endpointPath(e, "/test"), "", "Idempotency-Key", "one").want(200).says(topSecret, e.text("secret"))
	good.is("kind", "event").is("status", 204).is("outcome", "succeeded").is("endpointId", e.text("id")).is("eventType", "shipment_shipped").is("request.headers.X-A", "***")
	equals(t, "the body", good.text("request.body"), string(s.only(t).Body))
	is(t, s.only(t).Body, "type", "shipment_shipped")
	r.call("POST", endpointPath(e, "/test"), "", "Idempotency-Key", "one").again(good)
	r.call("POST", endpointPath(e, "/test"), "").want(200).is("status", 500).is("outcome", "failed").is("error", "answered 500 Internal Server Error")
	same(t, "attempts", r.get("/api/attempts?endpointId="+e.text("id")).ids("status"), []string{"500", "204"})
	r.get("/api/deliveries").is("items", []string{})
	r.get("/api/events").is("items", []string{})
	r.get(endpointPath(e, "")).is("enabled", false).is("counts.failed", 0)
}
