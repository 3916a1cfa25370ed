package contract

import (
	"strconv"
	"strings"
	"testing"
)

// exact has numbers that no float64 holds, and fields that nobody knows at every depth.
const exact = `{"ID":"EXACT","Status":"Draft","CREATED":"2020-02-29T23:59:59.1234567Z","CustomerEMail":"kari@example.com",
 "SKU":"x","URLPath":"y","CustomField":{"Deep":[1.50,[{"KEEP":0.10,"nothing":null,"empty":{},"none":[]}]]},
 "customTotal":1234567890123456789,"ratio":0.9876543210987654321,"big":1e5,"small":-1.0E-7,"zero":-0.0,
 "OrderForm":{"custom":true,"LineItems":[{"LineItemId":"L1","Quantity":2.0,"PlacedPrice":0.10,"Loyalty":{"Points":12.340}}]},
 "Properties":[{"Key":"a","Value":"0.10","Colour":"blå <&> \u2028"}]}`

// exactFields is what must be found of it in every answer.
var exactFields = map[string]any{
	"id": "EXACT", "created": "2020-02-29T23:59:59.1234567Z", "customerEmail": "kari@example.com", "SKU": "x", "URLPath": "y",
	"CustomField.Deep[0]": number("1.50"), "CustomField.Deep[1][0].KEEP": number("0.10"), "CustomField.Deep[1][0].nothing": null,
	"CustomField.Deep[1][0].empty": map[string]any{}, "CustomField.Deep[1][0].none": []any{},
	"customTotal": number("1234567890123456789"), "ratio": number("0.9876543210987654321"), "big": number("1e5"), "small": number("-1.0E-7"), "zero": number("-0.0"),
	"orderForm.custom": true, "orderForm.lineItems[0].quantity": number("2.0"), "orderForm.lineItems[0].placedPrice": number("0.10"),
	"orderForm.lineItems[0].Loyalty.Points": number("12.340"), "properties[0].Colour": "blå <&> \u2028",
}

func (a answer) isExact(at string) answer {
	a.t.Helper()
	for path, want := range exactFields {
		a.is(at+path, want)
	}
	return a
}

func TestDocumentsComeBackToTheDigitWithAllTheirFields(t *testing.T) {
	r := start(t)
	r.post(exact).isExact("order.").is("order.version", 1)
	r.get("/api/orders/EXACT").isExact("")
	r.get("/api/orders?q=EXACT").isExact("items[0].")
	r.call("PATCH", "/api/orders/EXACT", `{"Tags":["a"],"created":"2020-02-29T23:59:59.1234567Z","id":"EXACT","version":1}`).want(200).isExact("").is("version", 2)
	r.call("POST", "/api/orders/EXACT/status", `{"status":"Held"}`).want(200).isExact("order.").is("order.version", 3)
	for version := 1; version <= 3; version++ {
		r.get("/api/orders/EXACT/versions/"+strconv.Itoa(version)).isExact("").is("version", version)
	}
}

func TestHistoryHasChangesToTheDigit(t *testing.T) {
	r := start(t)
	r.post(exact)
	r.call("PATCH", "/api/orders/EXACT", `{"ratio":9876543210987654321,"big":2E+3,"CustomField":{"more":0.10}}`).want(200).is("ratio", number("9876543210987654321"))
	h := r.get("/api/orders/EXACT/history").is("items[0].operation", "Patched").is("items[0].version", 2)
	for path, want := range map[string][2]string{"ratio": {"0.9876543210987654321", "9876543210987654321"}, "big": {"1e5", "2E+3"}, "CustomField.more": {"null", "0.10"}} {
		if change := `{"path":"` + path + `","before":` + want[0] + `,"after":` + want[1] + `}`; !strings.Contains(string(h.Raw), change) {
			t.Errorf("no %s in %s", change, h.Raw)
		}
	}
}

func TestAnOrderIsCompletedWhereItSaysNothing(t *testing.T) {
	r := start(t)
	made := r.post(`{"id":null,"status":null,"created":null,"version":77}`)
	made.is("order.status", "New").is("order.version", 1).is("order.created", "2026-11-21T09:00:00.000000Z").is("order.modified", "2026-11-21T09:00:00.000000Z")
	id := made.text("order.id")
	if id == "" || r.post(`{}`).text("order.id") == id {
		t.Errorf("the ids made are %q twice", id)
	}
	equals(t, "Location", made.Header.Get("Location"), "/api/orders/"+id)
	r.get("/api/orders/"+id).is("status", "New")
	r.post(`{"created":"2019-05-01T12:00:00"}`).is("order.created", "2019-05-01T12:00:00")
}

func TestKnownNamesComeInInAnyCaseAndOthersStayAsTheyWereSent(t *testing.T) {
	r := start(t)
	r.post(`{"ID":"C","STATUS":"Draft","ORDERFORM":{"lineitems":[{"LINEITEMID":"1","placedprice":1.0}]},"MyOwnField":1}`)
	r.call("PATCH", "/api/orders/C", `{"orderFORM":{"LineItems":[{"lineItemID":"1","PLACEDPRICE":2.0}]},"MYOWNFIELD":2}`).want(200)
	a := r.get("/api/orders/C").is("orderForm.lineItems[0].placedPrice", number("2.0")).is("MyOwnField", 2)
	a.is("orderForm.lineItems[1]", nil).says("LINEITEM", "ORDERFORM", "MYOWN")
	r.call("POST", "/api/orders/C/status", `{"STATUS":"Held","SKIPRUNWORKFLOW":true}`).want(200).is("runId", nil).is("order.status", "Held")
}
