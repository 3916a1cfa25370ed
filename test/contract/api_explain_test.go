package contract

import (
	"fmt"
	"testing"
)

// explain asks why an endpoint gets events, or does not.
func (r *rig) explain(body string, args ...any) answer {
	r.t.Helper()
	return r.call("POST", "/api/endpoints/explain", fmt.Sprintf(body, args...))
}

// TestWhyAnEventDidNotMatch: its type, the filter with the value that was found, an
// endpoint that is off, or was made later; and what became of the event.
func TestWhyAnEventDidNotMatch(t *testing.T) {
	r, s := lease(t), answering(t, "")
	r.publishData("early", `{"total":700}`)
	e := r.call("POST", "/api/endpoints", fmt.Sprintf(`{"url":%q,"eventTypes":["custom.*"],"filter":"data.total > 500 && data.market == \"NOR\""}`, s.URL)).want(201).text("id")
	r.publishData("small", `{"total":349.90,"market":"NOR"}`)
	r.publishData("large", `{"total":1349.90,"market":"NOR"}`)
	r.publishData("odd", `{"total":"much","market":"SWE"}`)
	r.call("POST", "/api/events", `{"id":"other","type":"else","data":{"total":900,"market":"NOR"}}`).want(202)
	r.until("two were delivered", func() bool { return len(r.get("/api/deliveries?status=succeeded").ids("id")) == 2 })

	small := r.explain(`{"endpointId":%q,"eventId":"small"}`, e).want(200).is("items[0].wanted", false).is("items[0].reasons", []string{"filter"}).is("items[1]", nil)
	small.is("items[0].conditions[0].text", "data.total > 500").is("items[0].conditions[0].holds", false).is("items[0].conditions[0].found[0].name", "data.total").is("items[0].conditions[0].found[0].value", "349.90")
	small.is("items[0].conditions[1].holds", true).is("items[0].conditions[1].found[0].value", `"NOR"`).is("items[0].deliveryId", nil)
	r.explain(`{"endpointId":%q,"eventId":"large"}`, e).want(200).is("items[0].wanted", true).is("items[0].reasons", []string{}).is("items[0].deliveryStatus", "succeeded").is("items[0].deliveryId", "dlv_large.1")
	r.explain(`{"endpointId":%q,"eventId":"odd"}`, e).want(200).is("items[0].wanted", true).is("items[0].unjudged", "line 1, column 12: cannot compare string with int")
	r.explain(`{"endpointId":%q,"eventId":"other"}`, e).want(200).is("items[0].reasons", []string{"eventType"})

	newest := r.explain(`{"endpointId":%q}`, e).want(200)
	same(t, "the newest first", newest.ids("eventId"), []string{"other", "odd", "large", "small", "early"})
	same(t, "so many", r.explain(`{"endpointId":%q,"newest":2}`, e).want(200).ids("eventId"), []string{"other", "odd"})
	r.explain(`{"endpointId":%q,"eventId":"small","filter":"data.total > 100"}`, e).want(200).is("items[0].wanted", true)
	r.explain(`{"endpointId":%q,"eventId":"small","filter":null}`, e).want(200).is("items[0].wanted", true).is("items[0].conditions", []string{})
	r.explain(`{"eventId":"other","filter":"data.total > 100","eventTypes":["else"]}`).want(200).is("items[0].wanted", true).is("items[0].deliveryId", nil)
	r.call("PATCH", "/api/endpoints/"+e, `{"enabled":false}`).want(200)
	r.explain(`{"endpointId":%q,"eventId":"other"}`, e).want(200).is("items[0].reasons", []string{"disabled", "eventType"})
	equals(t, "nothing was sent by it", len(s.got()), 2)
}

func TestWhatCannotBeExplained(t *testing.T) {
	r := lease(t)
	r.explain(`{"filter":"data.total >","newest":0,"eventTypes":[1],"more":1}`).problem(422, "body.newest", "body.more")
	r.explain(`{"filter":"data.total >"}`).problem(422, "body.filter")
	r.explain(`{"eventTypes":[1]}`).problem(422, "body.eventTypes[0]")
	r.explain(`{"endpointId":"none"}`).problem(404)
	r.explain(`{"eventId":"none"}`).problem(404)
	r.explain(`[]`).problem(422)
	r.explain(`{}`).want(200).is("items", []string{})
}
