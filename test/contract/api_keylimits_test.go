package contract

import (
	"fmt"
	"testing"
	"time"
)

// TestAKeyOfARate: so many requests a second come with a key, a second's worth at once; what
// is beyond is 429, says why and when to come again, and leaves other keys alone.
func TestAKeyOfARate(t *testing.T) {
	r := start(t)
	made := r.call("POST", "/api/keys", `{"role":"reader","name":"till","rateLimit":2}`).want(201)
	made.is("rateLimit", 2).is("may", []string{"read"})
	limited := r.as(made.text("key"))
	for range 2 {
		limited.call("GET", "/api/me", "").want(200)
	}
	refused := limited.call("GET", "/api/orders", "").problem(429).is("detail", "the key's rateLimit of 2 requests a second is used up")
	if got := refused.Header.Get("Retry-After"); got != "1" {
		t.Errorf("Retry-After is %q", got)
	}
	r.get("/api/me") // another key
	r.clock.Advance(500 * time.Millisecond)
	limited.call("GET", "/api/me", "").want(200)
	limited.call("GET", "/api/me", "").problem(429)

	path := "/api/keys/" + made.text("id")
	r.call("PATCH", path, `{"rateLimit":null}`).want(200).is("rateLimit", nil)
	for range 5 {
		limited.call("GET", "/api/me", "").want(200)
	}
	r.call("PATCH", path, `{"rateLimit":1}`).want(200).is("rateLimit", 1).is("name", "till")
	r.clock.Advance(time.Second)
	limited.call("GET", "/api/me", "").want(200)
	limited.call("GET", "/api/me", "").problem(429)
}

// TestAKeyThatExpires is refused from that time on, with the time, until it gets a later one;
// so it is where keys are remembered, at the publishing of events.
func TestAKeyThatExpires(t *testing.T) {
	r := start(t)
	ends := r.clock.Now().Add(time.Hour).UTC().Truncate(time.Second)
	made := r.call("POST", "/api/keys", fmt.Sprintf(`{"role":"publisher","expiresAt":%q}`, ends.Format(time.RFC3339))).want(201)
	path := "/api/keys/" + made.text("id")
	r.get(path).is("expiresAt", ends.Format(time.RFC3339))
	expiring := r.as(made.text("key"))
	publish := func() answer { return expiring.call("POST", "/api/events", `{"type":"t","data":{}}`) }
	publish().want(202)
	r.clock.Advance(ends.Sub(r.clock.Now()))
	for _, got := range []answer{publish(), expiring.call("GET", "/api/me", "")} {
		got.problem(401).is("detail", fmt.Sprintf("the key %s expired at %s: ask an admin for another one, or for a later expiresAt", made.text("id"), ends.Format("2006-01-02T15:04:05.000000Z")))
	}
	r.call("PATCH", path, fmt.Sprintf(`{"expiresAt":%q}`, ends.Add(time.Hour).Format(time.RFC3339))).want(200)
	publish().want(202)
	r.call("PATCH", path, `{"expiresAt":null}`).want(200).is("expiresAt", nil)
	r.clock.Advance(100 * 24 * time.Hour)
	publish().want(202)
}

// TestAKeyIsMadeOnceThoughItHasExpired: who got no answer and sends the request again, after
// the key has expired, gets the answer; a new one of that time is refused.
func TestAKeyIsMadeOnceThoughItHasExpired(t *testing.T) {
	r := start(t)
	body := fmt.Sprintf(`{"role":"reader","expiresAt":%q}`, r.clock.Now().Add(time.Hour).UTC().Format(time.RFC3339))
	id := r.call("POST", "/api/keys", body, "Idempotency-Key", "one").want(201).text("id")
	r.clock.Advance(2 * time.Hour)
	r.call("POST", "/api/keys", body, "Idempotency-Key", "one").want(201).is("id", id).is("key", nil)
	r.call("POST", "/api/keys", body, "Idempotency-Key", "two").problem(422).is("errors[0].location", "body.expiresAt")
}

// TestTheLastAdminKeyGetsNoEnd: it would lock its tenant out as surely as a deletion.
func TestTheLastAdminKeyGetsNoEnd(t *testing.T) {
	r := start(t)
	path := "/api/keys/" + r.get("/api/me").text("id")
	ends := fmt.Sprintf(`{"expiresAt":%q}`, r.clock.Now().Add(time.Hour).UTC().Format(time.RFC3339))
	r.call("PATCH", path, ends).problem(409)
	r.get(path).is("expiresAt", nil)
	r.call("POST", "/api/keys", `{"role":"admin"}`).want(201)
	r.call("PATCH", path, ends).want(200)
}

// TestWhatAKeyMayBe: what is wrong with a limit is named, and nothing is stored.
func TestWhatAKeyMayBe(t *testing.T) {
	r := start(t)
	id := r.call("POST", "/api/keys", `{"role":"reader"}`).want(201).text("id")
	for body, at := range map[string]string{
		`{"rateLimit":0}`:                      "body.rateLimit",
		`{"rateLimit":"many"}`:                 "body.rateLimit",
		`{"expiresAt":"2001-01-01T00:00:00Z"}`: "body.expiresAt",
		`{"expiresAt":"tomorrow"}`:             "body.expiresAt",
		`{"role":"admin"}`:                     "body.role",
		`{"ratelimits":1}`:                     "body.ratelimits",
	} {
		r.call("PATCH", "/api/keys/"+id, body).problem(422).is("errors[0].location", at)
	}
	r.call("POST", "/api/keys", `{"name":"x"}`).problem(422).is("errors[0].location", "body.role")
	r.call("PATCH", "/api/keys/key_none", `{"name":"x"}`).problem(404)
	r.call("PATCH", "/api/keys/"+id, `{"name":"kiosk"}`).want(200)
	r.get("/api/audit?action=patch-key").is("items[0].target.id", id).is("items[0].detail", special(`{"changed":["name"],"name":"kiosk","role":"reader"}`))
}
