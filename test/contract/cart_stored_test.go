package contract

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/orderhook/orderhook/internal/access"
)

// docs/contract.md#carts: validation of a stored cart, and of one in the body.

const changing = `{"value":{"tags":["checked"]}}`

func TestAStoredCartKeepsWhatTheValidatorsMadeOfIt(t *testing.T) {
	s := answering(t, changing)
	r := checking(t, s, "")
	r.clock.Advance(time.Minute)
	first := r.validate().passes(true).is("value.tags", []string{"checked"}).is("value.version", 2).is("value.modified", "2026-11-21T09:01:00.000000Z")
	equals(t, "ETag", first.Header.Get("ETag"), `"2"`)
	r.get(theCart).is("tags", []string{"checked"}).is("version", 2).is("customField.Deep[0]", number("1.50"))
	r.clock.Advance(time.Minute)
	again := r.validate().passes(true).is("value.version", 2).is("value.modified", "2026-11-21T09:01:00.000000Z")
	equals(t, "ETag", again.Header.Get("ETag"), `"2"`)
	equals(t, "calls", len(s.got()), 2)
}

func TestAGivenCartIsValidatedAndNothingIsStored(t *testing.T) {
	s := answering(t, changing)
	r := checking(t, s, "")
	before := string(r.get("/api/carts").Raw)
	a := r.call("POST", "/api/carts/validate", `{"id":"C123456","version":9,"marketId":"NOR","Mine":1.50}`).want(200).passes(true)
	equals(t, "value", string(a.doc().Object("value").JSON()), `{"id":"C123456","version":9,"marketId":"NOR","Mine":1.50,"tags":["checked"]}`)
	equals(t, "sent", string(s.only(t).Body), `{"id":"C123456","version":9,"marketId":"NOR","Mine":1.50}`)
	equals(t, "ETag", a.Header.Get("ETag"), "")
	r.call("POST", "/api/carts/validate", `{}`).want(200).passes(true).is("value.id", nil).is("value.tags", []string{"checked"})
	equals(t, "carts", string(r.get("/api/carts").Raw), before)
	r.get("/api/attempts?cartId=C123456").is("items[0].kind", "validator").is("items[1]", nil)
	equals(t, "attempts", len(r.get("/api/attempts?kind=validator").ids("id")), 2)
}

func TestAGivenCartOfTheWrongShapeIsNotSent(t *testing.T) {
	s := answering(t, approved)
	r := checking(t, s, "")
	before := r.allCarts()
	for body, place := range map[string]string{
		`{"status":1}`: "body.status", `{"id":{}}`: "body.id", `{"marketId":[]}`: "body.marketId", `{"orderForm":{"lineItems":["2"]}}`: "body.orderForm.lineItems[0]",
		`{"tags":[],"Tags":[]}`: "body.tags",
	} {
		r.call("POST", "/api/carts/validate", body).problem(422, place)
	}
	for _, body := range []string{"", "nonsense", `{"id":"a"`} {
		r.call("POST", "/api/carts/validate", body).problem(400)
	}
	r.call("POST", "/api/carts/validate", `[]`).problem(422)
	r.call("POST", "/api/carts/none/validate", "").problem(404)
	equals(t, "calls", len(s.got()), 0)
	equals(t, "what is stored", r.allCarts(), before)
}

func TestIfMatchGuardsAValidation(t *testing.T) {
	s := answering(t, changing)
	r := checking(t, s, "")
	r.call("PATCH", theCart, `{"salesChannel":"app"}`).want(200)
	before := r.allCarts()
	for header, goes := range matches {
		if !goes {
			r.call("POST", theCart+"/validate", "", "If-Match", header).problem(412)
			r.call("POST", theCart+"/order", "", "If-Match", header).problem(412)
		}
	}
	equals(t, "what is stored", r.allCarts(), before)
	equals(t, "calls", len(s.got()), 0)
	r.call("POST", theCart+"/validate", "", "If-Match", `W/"2"`).want(200).passes(true).is("value.version", 3)
}

func TestAttemptsOfAValidator(t *testing.T) {
	s := speaking(t)
	r := checking(t, s.sink, `,"connectorId":"stock","username":"shop","password":"pass-hush","signingSecret":"sign-hush","customHeaders":[{"key":"X-Key","value":"key-hush"}]`)
	s.says(replying(200, rejected))
	r.validate()
	s.says(replying(503, "down"))
	r.validate()
	list := r.get("/api/attempts?kind=validator&cartId=C123456&connectorId=stock").is("items[2]", nil)
	for i, want := range []string{"503 failed answered 503 Service Unavailable: down", "200 succeeded <nil>"} {
		at := fmt.Sprintf("items[%d].", i)
		equals(t, at, fmt.Sprint(list.at(at+"status"), " ", list.at(at+"outcome"), " ", list.at(at+"error")), want)
		list.is(at+"number", 1).is(at+"maxNumber", 1).is(at+"orderId", nil).is(at+"runId", nil).is(at+"url", s.URL).is(at+"host", strings.TrimPrefix(s.URL, "http://"))
		equals(t, "callId", list.at(at+"callId"), s.got()[1-i].Header.Get("Idempotency-Key"))
	}
	full := r.get("/api/attempts/" + list.text("items[1].id"))
	full.is("request.body", string(s.got()[0].Body)).is("response.body", rejected).is("request.method", "POST")
	full.is("request.headers.Authorization", "***").is("request.headers.X-Key", "***").says("hush", "c2hvcDpwYXNzLWh1c2g")
	list.says("hush")
	if strings.Contains(r.log.String(), "hush") {
		t.Error("the log holds a secret")
	}
	r.get("/api/attempts?cartId=C9").is("items", []string{})
	r.get("/api/attempts?kind=validator&status=5xx").is("items[0].id", list.at("items[0].id")).is("items[1]", nil)
}

func TestWhoMayValidate(t *testing.T) {
	s := answering(t, approved)
	r := start(t)
	r.validators(validatorAt(s.URL, ""))
	r.put(cart)
	r.addKey("key-of-a-reader", access.DefaultTenant, access.Reader)
	for _, call := range []string{"POST /api/carts/validate", "POST " + theCart + "/validate", "POST " + theCart + "/order"} {
		r.as("key-of-a-reader").callOf(call, cart).problem(403)
		r.as("nobody").callOf(call, cart).problem(401)
	}
	r.as("key-of-a-reader").get(theCart)
	equals(t, "calls", len(s.got()), 0)
	other := r.stranger()
	other.call("POST", theCart+"/validate", "").problem(404)
	other.call("POST", theCart+"/order", "").problem(404)
	other.call("POST", "/api/carts/validate", cart).want(200).passes(true)
	equals(t, "calls: the stranger has no validator", len(s.got()), 0)
	other.get("/api/attempts").is("items", []string{})
}
