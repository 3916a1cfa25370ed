package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
)

// example is an endpoint of every kind: a fraud check of orders, a check of returns, a cart
// validator, and a receiver of events. An edition of it may answer otherwise than the first.
type example struct {
	*httptest.Server
	edition edition

	mu     sync.Mutex
	got    []http.Header
	bodies []string
}

// reply is an answer before it is written.
type reply struct {
	status int
	result map[string]any // the first of orderActionExecutionResults
	patch  map[string]any
	cart   map[string]any // a validator's answer
	raw    string         // instead of all that
}

// edition is what an edition of the endpoint does otherwise.
type edition struct {
	name   string
	change func(kind string, r *reply)
	write  func(doc map[string]any) string // instead of JSON as Go writes it
}

func newExample(t *testing.T, e edition) *example {
	t.Helper()
	x := &example{edition: e}
	x.Server = httptest.NewServer(x)
	t.Cleanup(x.Close)
	return x
}

// calls returns the headers and the bodies of the calls so far.
func (x *example) calls() ([]http.Header, []string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.got, x.bodies
}

// ServeHTTP implements http.Handler. The kind of a call is told by its body, so that all go to
// one URL.
func (x *example) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	body, _ := io.ReadAll(req.Body)
	x.mu.Lock()
	x.got, x.bodies = append(x.got, req.Header), append(x.bodies, string(body))
	x.mu.Unlock()
	var in map[string]any
	if err := json.Unmarshal(body, &in); err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	kind, r := "event", &reply{status: http.StatusNoContent}
	switch {
	case in["ReturnOrderFormId"] != nil:
		kind, r = "return", returnReply(in["Value"].(map[string]any))
	case in["Value"] != nil:
		kind, r = "step", fraudReply(in["Value"].(map[string]any))
	case in["cart"] != nil:
		kind, r = "validator", cartReply(in["cart"].(map[string]any))
	}
	if x.edition.change != nil {
		x.edition.change(kind, r)
	}
	w.WriteHeader(r.status)
	if kind != "event" {
		_, _ = io.WriteString(w, x.text(r))
	}
}

func (x *example) text(r *reply) string {
	doc := r.cart
	switch {
	case r.raw != "":
		return r.raw
	case doc == nil:
		doc = map[string]any{"OrderActionExecutionResults": []any{r.result}, "OrderPatch": r.patch}
	}
	if x.edition.write != nil {
		return x.edition.write(doc)
	}
	var text bytes.Buffer
	e := json.NewEncoder(&text)
	e.SetEscapeHTML(false)
	_ = e.Encode(doc)
	return text.String()
}

// at returns what stands at a path of an object; nil for nothing.
func at(v any, path ...string) any {
	for _, name := range path {
		o, _ := v.(map[string]any)
		v = o[name]
	}
	return v
}

// fraudReply scores an order by its total and the country of its bill.
func fraudReply(order map[string]any) *reply {
	total, _ := at(order, "OrderForm", "Total").(float64)
	score := 10
	if total > 1000 {
		score += 50
	}
	if country := at(order, "BillingAddress", "CountryCode"); country != "NO" {
		score += 30
	}
	r := &reply{status: http.StatusOK, result: map[string]any{"ActionStatus": "Success"}, patch: map[string]any{
		"Tags":       []any{"fraud-checked"},
		"Properties": []any{map[string]any{"Key": "FraudScore", "Value": fmt.Sprint(score)}, map[string]any{"Key": "FraudModel", "Value": "m1"}},
		"OrderForm":  map[string]any{"HandlingTotal": json.Number("10.50")},
	}}
	switch {
	case score >= 90:
		r.result["CancelWorkflow"], r.result["ErrorReason"] = true, fmt.Sprintf("the score is %d", score)
	case score >= 60:
		r.result["ActionStatus"] = "Warning"
		r.patch["Status"] = "Screened"
	case score >= 40:
		r.result["TriggerNewStatus"] = "Express"
	}
	return r
}

// returnReply takes a return back.
func returnReply(map[string]any) *reply {
	return &reply{status: http.StatusOK, result: map[string]any{"ActionStatus": "Success"}, patch: map[string]any{"Tags": []any{"return-checked"}}}
}

// cartReply refuses more than ten of a line, and gives a price otherwise.
func cartReply(cart map[string]any) *reply {
	lines, _ := at(cart, "orderForm", "lineItems").([]any)
	for _, l := range lines {
		line := l.(map[string]any)
		if quantity, _ := line["quantity"].(float64); quantity > 10 {
			return &reply{status: http.StatusOK, cart: map[string]any{"isValidatedSuccessful": false,
				"validationErrors": []any{map[string]any{"message": "at most 10", "referenceId": line["lineItemId"]}}}}
		}
		line["placedPrice"] = json.Number("9.90")
	}
	return &reply{status: http.StatusOK, cart: map[string]any{"isValidatedSuccessful": true, "value": map[string]any{"orderForm": map[string]any{"lineItems": lines}}}}
}
