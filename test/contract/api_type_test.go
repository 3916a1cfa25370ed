package contract

import "testing"

func TestWrongTypesNameTheirPlaces(t *testing.T) {
	r, _ := furnished(t)
	before := r.stored()
	for _, c := range []struct {
		call, body string
		places     []string
	}{
		{"POST /api/orders", `{"id":true,"orderType":{},"orderForm":{"lineItems":[{},{"lineItemId":[]}]},"errors":"none"}`,
			[]string{"body.id", "body.orderType", "body.orderForm.lineItems[1].lineItemId", "body.errors"}},
		{"POST /api/orders", `{"id":""}`, []string{"body.id"}},
		{"POST /api/orders", `{"status":""}`, []string{"body.status"}},
		{"POST /api/orders", `{"status":{"s3cret":1}}`, []string{"body.status"}},
		{"POST /api/orders", `{"returnOrderForms":["s3cret"],"errors":7}`, []string{"body.returnOrderForms[0]", "body.errors"}},
		{"PATCH /api/orders/ORD-12345", `{"version":"s3cret"}`, []string{"body.version"}},
		{"POST /api/orders", `{"created":"s3cret"}`, []string{"body.created"}},
		{"PATCH /api/orders/ORD-12345", `{"MarketId":["s3cret"],"OrderForm":{"Shipments":[{"Status":["s3cret"]}]}}`,
			[]string{"body.marketId", "body.orderForm.shipments[0].status"}},
		{"PATCH /api/orders/ORD-12345", `{"forceUpdate":"tags"}`, []string{"body.forceUpdate"}},
		{"PATCH /api/orders/ORD-12345", `{"status":""}`, []string{"body.status"}},
		{"PATCH /api/orders/ORD-12345", `{"status":null,"forceUpdate":["status"]}`, []string{"body.status"}},
		{"POST /api/orders/ORD-12345/status", `{}`, []string{"body"}},
		{"POST /api/orders/ORD-12345/status", `{"status":""}`, []string{"body.status"}},
		{"POST /api/orders/ORD-12345/status", `{"status":"  "}`, []string{"body.status"}},
		{"POST /api/orders/ORD-12345/status", `{"status":null}`, []string{"body.status"}},
		{"POST /api/orders/ORD-12345/status", `{"status":["s3cret"],"shipmentId":{"s3cret":"s3cret"},"skipRunWorkflow":"s3cret"}`,
			[]string{"body.status", "body.shipmentId", "body.skipRunWorkflow"}},
		{"POST /api/orders/ORD-12345/status", `{"status":"Held","shipmentId":"none"}`, []string{"body.shipmentId"}},
		{"POST /api/orders/ORD-12345/status", `{"status":"Held","returnId":"none"}`, []string{"body.returnId"}},
		{"POST /api/orders/ORD-12345/status", `{"status":"Held","sttaus":"s3cret"}`, []string{"body.sttaus"}},
		{"POST /api/keys", `{"role":"king"}`, []string{"body.role"}},
		{"POST /api/keys", `{"role":5,"name":["s3cret"]}`, []string{"body.role", "body.name"}},
		{"POST /api/keys", `{"name":"x"}`, []string{"body.role"}},
		{"PUT /api/settings", `{"connectors":[{"name":"W","bearerToken":{"a":"s3cret"},"password":["s3cret"],"timeout":"s3cret"}]}`,
			[]string{"body.connectors[0].bearerToken", "body.connectors[0].password", "body.connectors[0].timeout"}},
		{"POST /api/settings/check", `{"connectors":[{"name":"W","host":"http://me:s3cret@example.com/","customHeaders":[{"key":"A","value":"s3cret\n"},{"key":"s3cret value","value":""}]}]}`,
			[]string{"body.connectors[0].host", "body.connectors[0].customHeaders[0].value", "body.connectors[0].customHeaders[1].key"}},
	} {
		t.Run(c.call+" "+c.body, func(t *testing.T) { r.in(t).callOf(c.call, c.body).problem(422, c.places...) })
	}
	equals(t, "what is stored", r.stored(), before)
}

func TestWhatIsNotThere(t *testing.T) {
	r, _ := furnished(t)
	for _, call := range []string{"GET /api/orders/none", "PATCH /api/orders/none", "DELETE /api/orders/none", "DELETE /api/orders/none?permanently=true",
		"GET /api/orders/none/history", "GET /api/orders/none/versions/1", "GET /api/orders/ORD-12345/versions/99", "GET /api/runs/none",
		"GET /api/attempts/none", "GET /api/settings/99", "DELETE /api/keys/none", "GET /api/nothing", "GET /nothing", "POST /api/", "GET /api/orders/a/b"} {
		r.callOf(call, `{}`).problem(404)
	}
	r.call("POST", "/api/orders/none/status", `{"status":"Held"}`).problem(404)
}

func TestADuplicateIDIsAConflict(t *testing.T) {
	r, _ := furnished(t)
	before := r.stored()
	a := r.call("POST", "/api/orders", `{"id":"ORD-12345","customerEmail":"other@example.com"}`).problem(409)
	equals(t, "what is stored", r.stored(), before)
	a.is("detail", `an order "ORD-12345" exists already`)
}
