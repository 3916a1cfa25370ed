package contract

import (
	"fmt"
	"strings"
	"testing"
	"unicode"
)

// docs/contract.md#requests.

func TestRequestHasTheWholeOrderInPascalCase(t *testing.T) {
	s := answering(t, "")
	placed(t, step{Host: s.URL, More: `,"slaHours":4,"routing":{"queueName":"fraud"},"translateKey":"steps.fraud"`, Headers: prop("Custom", "yes")})
	got := s.only(t)
	equals(t, "method", got.Method, "POST")
	for path, want := range map[string]any{
		"Value.Id":                                   "ORD-12345",
		"Value.Status":                               "New",
		"Value.CustomerEmail":                        "kari@example.com",
		"Value.Tags":                                 []string{"first"},
		"Value.Properties[0].Key":                    "Channel",
		"Value.OrderForm.LineItems[0].Code":          "SHOE-42",
		"Value.OrderForm.LineItems[0].PlacedPrice":   number("10.10"),
		"Value.OrderForm.Shipments[0].Address.Line1": "Storgata 1",
		"Value.CustomField.Deep[1].Keep":             "me",
		"Value.Version":                              1,
		"WorkflowStep.Name":                          "WebhookWorkflowStep",
		"WorkflowStep.Connector":                     "Webhook",
		"WorkflowStep.StopOnError":                   false,
		"WorkflowStep.TranslateKey":                  "steps.fraud",
		"WorkflowStep.SlaHours":                      4,
		"WorkflowStep.Routing.QueueName":             "fraud",
		"WorkflowStep.Properties[1].Key":             "Custom",
		"WorkflowStep.Properties[1].Value":           "yes",
	} {
		is(t, got.Body, path, want)
	}
	var doc any
	decode(t, got.Body, &doc)
	if wrong := lowerNames(doc, ""); len(wrong) > 0 {
		t.Errorf("not in PascalCase: %v", wrong)
	}
}

// lowerNames returns the paths of all names that begin with a small letter.
func lowerNames(v any, at string) (wrong []string) {
	switch v := v.(type) {
	case map[string]any:
		for name, e := range v {
			if unicode.IsLower([]rune(name)[0]) {
				wrong = append(wrong, at+"."+name)
			}
			wrong = append(wrong, lowerNames(e, at+"."+name)...)
		}
	case []any:
		for i, e := range v {
			wrong = append(wrong, lowerNames(e, fmt.Sprint(at, "[", i, "]"))...)
		}
	}
	return wrong
}

func TestRequestNamesTheConnectorId(t *testing.T) {
	s := answering(t, "")
	r := lease(t)
	doc := config(status("New", step{ID: "my-validation-service", Stop: true, ErrorStatus: "ValidationFailed"}))
	r.settings(with(doc, connectors(connector(s.URL, `,"ConnectorId":"my-validation-service"`))))
	r.post(order)
	is(t, s.only(t).Body, "WorkflowStep.ConnectorId", "my-validation-service")
	is(t, s.only(t).Body, "WorkflowStep.StopOnError", true)
	is(t, s.only(t).Body, "WorkflowStep.Properties[0].Value", "ValidationFailed")
}

func TestOrderLinesAndShippingAddress(t *testing.T) {
	own := strings.Replace(order, `"tags"`, `"shippingAddress":{"city":"Tromsø"},"tags"`, 1)
	other := `{"id":"ORD-12345","status":"New","OrderLines":[{"code":"OWN"}]}`
	bare := `{"id":"ORD-12345","status":"New"}`
	pickup := `{"id":"ORD-12345","orderForm":{"lineItems":[],"shipments":[{"shipmentId":"SHIP-67890"}]}}`
	for _, row := range []struct {
		name, order       string
		lines, code, city any
	}{
		{"repeat line items and first shipment's address", order, "SHOE-42", "SHOE-42", "Oslo"},
		{"the order's own address stays", own, "SHOE-42", "SHOE-42", "Tromsø"},
		{"orderLines are the line items", other, "OWN", "OWN", nowhere},
		{"nothing to repeat", bare, nowhere, nowhere, nowhere},
		{"a shipment without an address", pickup, nowhere, nowhere, nowhere},
	} {
		t.Run(row.name, func(t *testing.T) {
			s, r := answering(t, ""), lease(t)
			r.settings(config(status("New", step{Host: s.URL})))
			r.post(row.order)
			body := s.only(t).Body
			is(t, body, "Value.OrderLines[0].Code", row.lines)
			is(t, body, "Value.OrderForm.LineItems[0].Code", row.code)
			is(t, body, "Value.ShippingAddress.City", row.city)
		})
	}
}

func TestShipmentScope(t *testing.T) {
	s, r := answering(t, ""), lease(t)
	r.settings(config(status("New", step{Host: s.URL}), status("Packed", step{Host: s.URL})))
	r.post(order)
	is(t, s.only(t).Body, "ShipmentId", nil)
	res := r.call("POST", theOrder+"/status", `{"status":"Packed","shipmentId":"SHIP-2"}`).want(200)
	res.is("order.status", "New").is("order.orderForm.shipments[1].orderStatus", "Packed").is("order.orderForm.shipments[0].status", "New")
	body := s.got()[1].Body
	is(t, body, "ShipmentId", "SHIP-2")
	is(t, body, "Value.ShippingAddress.City", "Bergen")
	is(t, body, "Value.OrderForm.Shipments[1].OrderStatus", "Packed")
	is(t, body, "ReturnOrderFormId", nil)
	equals(t, "the entry's shipment", r.history("ExecuteExportOrder")[1].ShipmentID, "SHIP-2")
}

func TestNumbersTravelAsTheyWereWritten(t *testing.T) {
	s, r := answering(t, ""), lease(t)
	r.settings(config(status("New", step{Host: s.URL})))
	r.post(`{"id":"ORD-12345","total":0.10,"weight":1234567890123456789,"rate":0.9876543210987654321}`)
	for path, want := range map[string]number{"Value.Total": number("0.10"), "Value.Weight": number("1234567890123456789"), "Value.Rate": number("0.9876543210987654321")} {
		is(t, s.only(t).Body, path, want)
	}
}
