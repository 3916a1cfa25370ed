package contract

import (
	"fmt"
	"testing"
	"time"
)

// again fails the test unless two answers are the same.
func (a answer) again(want answer) {
	a.t.Helper()
	equals(a.t, "status", a.Status, want.Status)
	equals(a.t, "body", string(a.Raw), string(want.Raw))
	for _, h := range []string{"ETag", "Location", "Content-Type"} {
		equals(a.t, h, a.Header.Get(h), want.Header.Get(h))
	}
}

func TestTheSameIdempotencyKeyAndBodyGiveTheSameAnswer(t *testing.T) {
	for name, c := range map[string]struct{ path, body string }{
		"an order with an id":        {"/api/orders", order},
		"an order without an id":     {"/api/orders", `{"orderType":"Online"}`},
		"an order that runs nothing": {"/api/orders?runWorkflow=false", order},
		"a status":                   {"/api/orders/there/status", `{"status":"New"}`},
		"a status that runs nothing": {"/api/orders/there/status", `{"status":"Held","skipRunWorkflow":true}`},
	} {
		t.Run(name, func(t *testing.T) {
			r := start(t)
			s := answering(t, answerWith(`{"Tags":["called"]}`))
			r.post(`{"id":"there"}`)
			r.settings(config(status("New", step{Host: s.URL})))
			first := r.call("POST", c.path, c.body, "Idempotency-Key", "one")
			calls, id := len(s.got()), first.text("order.id")
			r.call("PATCH", "/api/orders/"+id, `{"tags":["later"]}`).want(200)
			stored := r.made(id)
			for range 3 {
				r.call("POST", c.path, c.body, "Idempotency-Key", "one").again(first)
			}
			equals(t, "calls", len(s.got()), calls)
			equals(t, "what is stored", r.made(id), stored)
		})
	}
}

// made is the lists that a repeat might have added to.
func (r *rig) made(id string) string {
	r.t.Helper()
	return string(r.get("/api/orders").Raw) + string(r.get("/api/runs").Raw) + string(r.get("/api/orders/"+id+"/history").Raw)
}

func TestADuplicateInFlightWaitsForTheFirst(t *testing.T) {
	for name, c := range map[string]struct{ path, body string }{
		"an order": {"/api/orders", order}, "a status": {"/api/orders/there/status", `{"status":"New"}`},
	} {
		t.Run(name, func(t *testing.T) {
			r, s := start(t), holding(t)
			r.post(`{"id":"there"}`)
			r.settings(config(status("New", step{Host: s.URL})))
			answers := make(chan answer, 5)
			for range 5 {
				go func() {
					a, err := r.try("POST", c.path, c.body, "Idempotency-Key", "one")
					if err != nil {
						t.Error(err)
					}
					answers <- a
				}()
			}
			s.wait()
			select {
			case a := <-answers:
				t.Errorf("answered before the endpoint was: %d %s", a.Status, a.Raw)
			default:
			}
			s.answer(answerWith(`{"Tags":["called"]}`))
			first := <-answers
			if first.Status/100 != 2 || first.text("runId") == "" {
				t.Errorf("the first is answered %d %s", first.Status, first.Raw)
			}
			for range 4 {
				(<-answers).again(first)
			}
			equals(t, "calls", len(s.got()), 1)
		})
	}
}

func TestTheSameIdempotencyKeyWithAnotherRequestIsAConflict(t *testing.T) {
	r := start(t)
	r.call("POST", "/api/orders", `{"id":"a"}`, "Idempotency-Key", "one").want(201)
	before := r.made("a")
	for _, c := range []struct{ path, body string }{
		{"/api/orders", `{"id":"b"}`}, {"/api/orders", `{"id": "a"}`}, {"/api/orders/a/status", `{"status":"Held"}`},
		{"/api/keys", `{"role":"reader"}`}, {"/api/orders?runWorkflow=false", `{"id":"a"}`}, {"/api/orders?wait=PT1S", `{"id":"a"}`},
	} {
		r.call("POST", c.path, c.body, "Idempotency-Key", "one").problem(409)
	}
	equals(t, "what is stored", r.made("a"), before)
	r.call("POST", "/api/orders", `{"id":"b"}`, "Idempotency-Key", "One").want(201)
	r.get("/api/keys").is("items[1]", nil)
}

func TestAnIdempotencyKeyIsFreeAfter24Hours(t *testing.T) {
	r := start(t)
	first := r.call("POST", "/api/orders", `{}`, "Idempotency-Key", "one").want(201)
	r.clock.Advance(24*time.Hour - time.Second)
	r.call("POST", "/api/orders", `{}`, "Idempotency-Key", "one").again(first)
	r.clock.Advance(2 * time.Second)
	second := r.call("POST", "/api/orders", `{}`, "Idempotency-Key", "one").want(201)
	if second.text("order.id") == first.text("order.id") {
		t.Error("the repeat after 24 hours is the first order")
	}
	r.call("POST", "/api/orders", `{}`, "Idempotency-Key", "one").again(second)
	r.get("/api/orders").is("items[1].id", first.text("order.id")).is("items[2]", nil)
}

func TestAFailedPostLeavesItsIdempotencyKeyFree(t *testing.T) {
	r := start(t)
	r.post(`{"id":"taken"}`)
	for body, code := range map[string]int{`{"id":{}}`: 422, `{"id":`: 400, `{"id":"taken"}`: 409, `{"created":"x"}`: 422} {
		r.call("POST", "/api/orders", body, "Idempotency-Key", "one").problem(code)
	}
	r.call("POST", "/api/orders/none/status", `{"status":"Held"}`, "Idempotency-Key", "one").problem(404)
	r.call("POST", "/api/orders/taken/status", `{"status":"Held"}`, "Idempotency-Key", "one", "If-Match", `"9"`).problem(412)
	r.call("POST", "/api/keys", `{"role":"king"}`, "Idempotency-Key", "one").problem(422)
	r.call("POST", "/api/orders", `{"id":"free"}`, "Idempotency-Key", "one").want(201)
}

// Each tenant has its own keys: neither waits for the other's request nor gets
// its answer.
func TestTwoTenantsWithOneIdempotencyKeyAtOnce(t *testing.T) {
	r, s := start(t), holding(t)
	tenants := []*rig{r, r.stranger()}
	for _, r := range tenants {
		r.settings(config(status("New", step{Host: s.URL})))
	}
	for i, c := range []struct {
		path func(r *rig) string
		body string
	}{
		{func(*rig) string { return "/api/orders" }, order},
		{func(*rig) string { return theOrder + "/status" }, `{"status":"New"}`},
		{func(r *rig) string { return "/api/attempts/" + r.get("/api/attempts").text("items[0].id") + "/replay" }, ""},
		{func(r *rig) string { return endpointPath(r.subscribed(s.URL, ""), "/test") }, ""},
	} {
		answers := make(chan answer, len(tenants))
		var paths []string
		for _, r := range tenants {
			path := c.path(r)
			paths = append(paths, path)
			go func() {
				a, err := r.try("POST", path, c.body, "Idempotency-Key", fmt.Sprint("key-", i))
				if err != nil {
					t.Error(err)
				}
				answers <- a
			}()
		}
		s.wait() // both are under way before either is answered
		s.wait()
		s.answer(success)
		s.answer(success)
		first, second := <-answers, <-answers
		if first.Status/100 != 2 || second.Status != first.Status || string(first.Raw) == string(second.Raw) {
			t.Errorf("%s: answered %d %s and %d %s", paths, first.Status, first.Raw, second.Status, second.Raw)
		}
	}
}

// Of those who come with one key at once, one does what is asked, and the others
// get its answer: also where that one changed what the others were about to look
// at, as an order that exists then, and a line that is returned.
func TestTheSameIdempotencyKeyAtOnceGivesTheSameAnswer(t *testing.T) {
	r := lease(t)
	r.post(order)
	for name, c := range map[string]struct {
		path string
		body func(round int) string
	}{
		"an order":   {"/api/orders", func(round int) string { return fmt.Sprintf(`{"id":"once-%d"}`, round) }},
		"a return":   {theOrder + "/returns", func(int) string { return lines("L1", "0.1") }},
		"a shipment": {theOrder + "/shipments", func(round int) string { return fmt.Sprintf(`{"shipmentId":"once-%d"}`, round) }},
	} {
		t.Run(name, func(t *testing.T) {
			for round := range 20 {
				key, answers := fmt.Sprintf("%s %d", name, round), make([]answer, 8)
				together(len(answers), func(i int) {
					a, err := r.try("POST", c.path, c.body(round), "Idempotency-Key", key)
					if err != nil {
						t.Error(err)
					}
					answers[i] = a
				})
				for _, a := range answers {
					if a.Status != 201 {
						t.Errorf("%s: %d %s", key, a.Status, a.Raw)
					}
				}
			}
		})
	}
}
