package contract

import (
	"fmt"
	"strings"
	"testing"
)

// docs/contract.md#filters: filters of endpoints.

// filtered makes an endpoint with a filter.
func (r *rig) filtered(url, filter string) answer {
	r.t.Helper()
	return r.subscribed(url, fmt.Sprintf(`,"filter":%q`, filter))
}

// publishData publishes an event with that data, and waits until all is delivered.
func (r *rig) publishData(id, data string) {
	r.t.Helper()
	r.call("POST", "/api/events", fmt.Sprintf(`{"type":"custom.thing","id":%q,"data":%s}`, id, data)).want(202)
	r.until("it is delivered", func() bool { return len(r.get("/api/deliveries?status=pending").ids("id")) == 0 })
}

// Filters see what they name, and whole numbers are whole numbers.
func TestFiltersSeeWhatTheyName(t *testing.T) {
	r, s, n := lease(t), answering(t, ""), 0
	for filter, want := range map[string]string{
		`data.status == "New"`:                            "wide whole",
		`data.n % 2 == 0`:                                 "whole",
		`data.price > 99.95`:                              "whole",
		`data.price - 0.06 == 99.90`:                      "whole",
		`data.ext.w > 1 && data.status == "New"`:          "wide",
		`type == "custom.thing" && id startsWith "other"`: "other",
		// The language is that of expr-lang: the first element that is reduced has the index 1.
		`reduce([5, data.n], #index) == 1 && findIndex([data.n], # > 9) == nil && data.n == 4`: "whole",
	} {
		e := r.filtered(s.URL, filter)
		n++
		r.publishData(fmt.Sprint("wide", n), `{"status":"New","n":1,"price":99.95,"ext":{"w":1e400,"x":1e99999999}}`)
		r.publishData(fmt.Sprint("whole", n), `{"status":"New","n":4.0,"price":99.96,"ext":{"w":0}}`)
		r.publishData(fmt.Sprint("other", n), `{"status":"Held","n":3,"price":1,"ext":{"w":0}}`)
		var got []string
		for _, id := range r.get("/api/deliveries?endpointId=" + e.text("id")).ids("eventId") {
			got = append([]string{strings.TrimRight(id, "0123456789")}, got...)
		}
		equals(t, filter, strings.Join(got, " "), want)
		r.get(endpointPath(e, "")).is("health.filterErrors", 0).is("health.lastFilterError", nil)
		r.call("DELETE", endpointPath(e, ""), "").want(204)
	}
}

// An event that a filter cannot evaluate is delivered, and the endpoint's health says
// so, after a restart, too.
func TestWhatAFilterCannotEvaluateIsDelivered(t *testing.T) {
	r, s := start(t), answering(t, "")
	e := r.filtered(s.URL, `data.total > 1000`)
	r.publishData("judged", `{"total":5}`)
	r.publishData("none", `{"price":5}`)
	r.publishData("text", `{"total":"s3cret"}`)
	r.publishData("admitted", `{"total":1001}`)
	r.post(order)
	r.until("the order's event is delivered", func() bool { return len(r.get("/api/deliveries?status=succeeded").ids("id")) == 4 })
	created := r.get("/api/events?type=OrderCreated").text("items[0].id")
	same(t, "delivered", r.get("/api/deliveries").ids("eventId"), []string{created, "admitted", "text", "none"})
	for range 2 {
		r.get(endpointPath(e, "")).is("health.filterErrors", 3).is("health.lastFilterError.eventId", created).is("health.lastFilterError.timestamp", "2026-11-21T09:00:00Z").
			is("health.lastFilterError.message", "line 1, column 12: cannot compare nil with int").is("health.consecutiveFailures", 0).says("s3cret")
		r.restart(patience)
	}
}

// What a filter may cost is bounded: where it can be known, when it is made.
func TestTheCostOfAFilterIsBounded(t *testing.T) {
	r, s := start(t), answering(t, "")
	for filter, why := range map[string]string{
		`any(1..999999, # == 0)`:              "line 1, column 6: a range of more than 1000 numbers",
		`any(data.a, any(data.b, # == 0))`:    "a loop within a loop",
		`data.a matches "(abcdefghijk){200}"`: "the pattern is too large",
		`sort(data.a)[0] == 1`:                "filters have no sort",
	} {
		a := r.call("POST", "/api/endpoints", fmt.Sprintf(`{"url":%q,"eventTypes":["*"],"filter":%q}`, s.URL, filter)).problem(422, "body.filter")
		if !strings.Contains(string(a.Raw), why) {
			t.Errorf("%s: %s", filter, a.Raw)
		}
	}
	e := r.filtered(s.URL, `any(data.list, # == -1)`)
	r.publishData("long", `{"list":[`+strings.Repeat("1,", 50_000)+`1]}`)
	r.publishData("short", `{"list":[1,2,3]}`)
	same(t, "delivered", r.get("/api/deliveries").ids("eventId"), []string{"long"})
	message := r.get(endpointPath(e, "")).is("health.filterErrors", 1).text("health.lastFilterError.message")
	if !strings.Contains(message, "it takes too long") {
		t.Errorf("health says %q", message)
	}
}
