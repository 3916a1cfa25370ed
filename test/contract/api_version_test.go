package contract

import (
	"fmt"
	"testing"
)

// matches is If-Match headers for something of version 2, and whether they let it be changed.
var matches = map[string]bool{
	`"2"`: true, `W/"2"`: true, `2`: true, ` "2" `: true, `*`: true,
	`"1"`: false, `"3"`: false, `W/"1"`: false, `"0"`: false, `"-2"`: false, `"x"`: false, `garbage`: false, `""`: false, `"2` + "0" + `"`: false,
	`"99999999999999999999"`: false,
}

func TestIfMatchGuardsEveryWriteToAnOrder(t *testing.T) {
	for _, c := range []struct{ method, path, body string }{
		{"PATCH", theOrder, `{"tags":["new"]}`}, {"POST", theOrder + "/status", `{"status":"Held"}`},
		{"DELETE", theOrder, ""}, {"DELETE", theOrder + "?permanently=true", ""},
	} {
		t.Run(c.method+" "+c.path, func(t *testing.T) {
			r := start(t)
			for header, goes := range matches {
				r.call("POST", "/api/orders?runWorkflow=false", order).want(201)
				equals(t, "ETag", r.call("PATCH", theOrder, `{"tags":["second"]}`).want(200).Header.Get("ETag"), `"2"`)
				before := r.stored()
				a := r.call(c.method, c.path, c.body, "If-Match", header)
				if goes && a.Status/100 != 2 {
					t.Errorf("If-Match: %s is answered %d %s", header, a.Status, a.Raw)
				}
				if !goes {
					a.problem(412).is("detail", "the order is of version 2 by now")
					equals(t, "what is stored after If-Match: "+header, r.stored(), before)
				}
				r.call("DELETE", theOrder+"?permanently=true", "")
			}
		})
	}
}

func TestIfMatchGuardsSettings(t *testing.T) {
	r := start(t)
	equals(t, "ETag", r.get("/api/settings").Header.Get("ETag"), `"0"`)
	r.call("PUT", "/api/settings", `{"markets":[]}`, "If-Match", `"1"`).problem(412)
	equals(t, "ETag", r.call("PUT", "/api/settings", `{"markets":[]}`, "If-Match", `"0"`).want(200).is("version", 1).Header.Get("ETag"), `"1"`)
	r.call("PUT", "/api/settings", `{"markets":[]}`, "If-Match", `"0"`).problem(412)
	r.settings(`{"markets":[{"marketId":"second"}]}`)
	for header, goes := range matches {
		if !goes {
			r.call("PUT", "/api/settings", `{"markets":[]}`, "If-Match", header).problem(412)
			equals(t, "ETag after "+header, r.get("/api/settings").is("markets[0].marketId", "second").Header.Get("ETag"), `"2"`)
		}
	}
	r.call("PUT", "/api/settings", `{}`, "If-Match", `W/"2"`).want(200).is("version", 3)
	r.call("PUT", "/api/settings", `{}`, "If-Match", `*`).want(200).is("version", 4)
}

func TestEveryVersionStaysAsItWas(t *testing.T) {
	r := start(t)
	var was []string
	keep := func(a answer) {
		was = append(was, string(r.get(theOrder).Raw))
		equals(t, "ETag", a.Header.Get("ETag"), fmt.Sprintf("%q", fmt.Sprint(len(was))))
	}
	keep(r.post(order))
	keep(r.call("PATCH", theOrder, `{"tags":["second"],"properties":[{"key":"Channel","value":"app"}],"orderForm":{"lineItems":[{"lineItemId":"L1","quantity":3}]}}`))
	keep(r.call("POST", theOrder+"/status", `{"status":"Held"}`))
	keep(r.call("PATCH", theOrder, `{"keepExistingListItems":false,"tags":[],"forceUpdate":["customerEmail"],"customerEmail":null}`))
	keep(r.call("POST", theOrder+"/status", `{"status":"Shipped","shipmentId":"SHIP-2","skipRunWorkflow":true}`))
	keep(r.call("DELETE", theOrder, ""))
	for i, want := range was {
		a := r.get(fmt.Sprintf("%s/versions/%d", theOrder, i+1))
		equals(t, "version", string(a.Raw), want)
		equals(t, "ETag", a.Header.Get("ETag"), fmt.Sprintf(`"%d"`, i+1))
	}
	r.call("GET", fmt.Sprintf("%s/versions/%d", theOrder, len(was)+1), "").problem(404)
}

func TestAPatchThatChangesNothingMakesNoVersion(t *testing.T) {
	r := start(t)
	r.post(order)
	before := r.stored()
	for _, patch := range []string{`{}`, `{"tags":["first"]}`, `{"status":"New"}`, `{"customerEmail":null}`, `{"customField":{"deep":[1.0,{"KEEP":"me"}]}}`, `{"tags":[]}`,
		`{"orderForm":{"lineItems":[{"lineItemId":"L1","placedPrice":10.1,"quantity":2.0}]}}`, `{"properties":[{"key":"Channel","value":"web"}]}`,
		`{"id":"ORD-12345","version":1,"created":"2026-11-21T09:00:00.000000Z"}`, `{"id":null,"version":null,"created":null}`,
		`{"forceUpdate":["id","version","created"],"id":null}`} {
		equals(t, patch, r.call("PATCH", theOrder, patch).want(200).is("version", 1).Header.Get("ETag"), `"1"`)
	}
	equals(t, "what is stored", r.stored(), before)
}

func TestIDVersionAndCreatedNeverChange(t *testing.T) {
	r := start(t)
	r.post(order)
	before := r.stored()
	for patch, place := range map[string]string{
		`{"id":"other","tags":["x"]}`: "body.id", `{"ID":"ord-12345"}`: "body.id", `{"version":2}`: "body.version",
		`{"Version":0}`: "body.version", `{"created":"2020-01-01T00:00:00Z"}`: "body.created",
		`{"keepExistingListItems":false,"tags":["x"],"created":"2020-01-01T00:00:00Z"}`: "body.created",
	} {
		r.call("PATCH", theOrder, patch).problem(422, place)
	}
	equals(t, "what is stored", r.stored(), before)
}

func TestAPatchRunsNoWorkflow(t *testing.T) {
	s := answering(t, success)
	r := start(t)
	r.settings(config(status("Held", step{Host: s.URL})))
	r.post(order)
	r.call("PATCH", theOrder, `{"status":"Held"}`).want(200).is("status", "Held")
	equals(t, "calls", len(s.got()), 0)
	r.get("/api/runs").is("items[0].enteredStatus", "New").is("items[1]", nil)
	r.get(theOrder+"/history").is("items[0].operation", "StatusChanged").is("items[0].status", "Held").is("items[0].previousStatus", "New").
		is("items[0].changes[0].path", "status").is("items[0].changes[0].before", "New").is("items[0].changes[0].after", "Held").is("items[0].changes[1]", nil)
}
