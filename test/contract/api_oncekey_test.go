package contract

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/orderhook/orderhook/internal/clock/clocktest"
)

func TestARepeatMakesNoSecondKey(t *testing.T) {
	r := start(t)
	const body = `{"role":"operator","name":"ci"}`
	first := r.call("POST", "/api/keys", body, "Idempotency-Key", "one").want(201)
	again := r.call("POST", "/api/keys", body, "Idempotency-Key", "one").want(201).says(first.text("key"))
	for _, field := range []string{"id", "tenant", "role", "name", "created"} {
		again.is(field, first.at(field))
	}
	again.is("key", nil)
	list := r.get("/api/keys").is("items[2]", nil)
	equals(t, "keys made", list.ids("id")[0], first.text("id"))
	r.as(first.text("key")).get("/api/me").is("id", first.text("id"))
	r.call("POST", "/api/keys", `{"role":"admin","name":"ci"}`, "Idempotency-Key", "one").problem(409)
	r.call("POST", "/api/orders", `{}`, "Idempotency-Key", "one").problem(409)
	r.get("/api/orders").is("items", []string{})

	other := r.stranger().call("POST", "/api/keys", body, "Idempotency-Key", "one").want(201).is("tenant", "acme")
	if other.text("key") == "" || other.text("id") == first.text("id") {
		t.Errorf("another tenant gets %s", other.Raw)
	}
	r.clock.Advance(25 * time.Hour)
	if late := r.call("POST", "/api/keys", body, "Idempotency-Key", "one").want(201); late.text("key") == "" {
		t.Errorf("after 24 hours there is no key in %s", late.Raw)
	}
}

func TestManyRepeatsAtOnceMakeOneKey(t *testing.T) {
	r := start(t)
	answers := make(chan answer, 16)
	together(cap(answers), func(int) {
		a, err := r.try("POST", "/api/keys", `{"role":"reader"}`, "Idempotency-Key", "one")
		if err != nil {
			t.Error(err)
		}
		answers <- a
	})
	ids, secrets := map[string]bool{}, 0
	for range cap(answers) {
		a := (<-answers).want(201)
		ids[fmt.Sprint(a.at("id"))] = true
		if a.text("key") != "" {
			secrets++
		}
	}
	equals(t, "keys and secrets", fmt.Sprint(len(ids), secrets), "1 1")
	r.get("/api/keys").is("items[2]", nil)
}

// ticking is a clock on which a microsecond passes whenever somebody looks.
type ticking struct{ *clocktest.Fake }

func (c ticking) Now() time.Time {
	c.Advance(time.Microsecond)
	return c.Fake.Now()
}

// TestARepeatHasTheTimesOfTheFirstAnswer, however long the first request took.
func TestARepeatHasTheTimesOfTheFirstAnswer(t *testing.T) {
	r := start(t)
	r.hands.use(ticking{r.clock})
	r.call("PUT", "/api/stock/s", `{"available":1}`).want(201)
	for path, c := range map[string]struct{ body, fields string }{
		"/api/endpoints":      {`{"url":"https://example.com/hook","eventTypes":["x"]}`, "id created updated"},
		"/api/keys":           {`{"role":"reader"}`, "id created"},
		"/api/stock/s/adjust": {`{"by":1}`, "created modified"},
		"/api/orders":         {`{}`, "order.id order.created order.modified"},
	} {
		first := r.call("POST", path, c.body, "Idempotency-Key", path)
		again := r.call("POST", path, c.body, "Idempotency-Key", path).want(first.Status)
		for _, field := range strings.Fields(c.fields) {
			again.is(field, first.at(field))
			if path == "/api/endpoints" || path == "/api/keys" {
				r.get(path+"/"+first.text("id")).is(field, first.at(field))
			}
		}
	}
}
