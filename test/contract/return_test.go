package contract

import (
	"fmt"
	"strings"
	"testing"
)

// docs/contract.md#requests and docs/contract.md#headers, of return steps.

// returnStep is the key of the step that a return runs.
const returnStep = "WebhookReturnWorkflowStep"

// returnStatuses is that field of settings: Returned and PartiallyReturned,
// with the same steps. Those without a name are WebhookReturnWorkflowSteps.
func returnStatuses(steps ...step) string {
	for i := range steps {
		steps[i].Name = or(steps[i].Name, returnStep)
	}
	return `"returnStatuses":[` + status("Returned", steps...) + "," + status("PartiallyReturned", steps...) + `]`
}

// returning starts an orderhook that has the order, and return workflows of the steps.
func returning(t *testing.T, steps ...step) *rig {
	t.Helper()
	r := lease(t)
	r.settings(with(config(), returnStatuses(steps...)))
	r.post(order)
	return r
}

// giveBack returns so many of the order's two shoes.
func (r *rig) giveBack(quantity string) answer {
	r.t.Helper()
	return r.call("POST", theOrder+"/returns", lines("L1", quantity)).want(201)
}

// lines is the body of a return of pairs of line and quantity.
func lines(pairs ...string) string {
	var all []string
	for i := 0; i < len(pairs); i += 2 {
		all = append(all, fmt.Sprintf(`{"lineItemId":%q,"returnQuantity":%s}`, pairs[i], pairs[i+1]))
	}
	return `{"lineItems":[` + strings.Join(all, ",") + `]}`
}

func TestReturnRequestHasTheWholeOrderAndTheReturn(t *testing.T) {
	s := answering(t, "")
	r := returning(t, step{Host: s.URL, Stop: true, ErrorStatus: "ReturnFailed", Headers: prop("Custom", "yes"), More: `,"translateKey":"steps.return","slaHours":4`})
	res := r.giveBack("2")
	id := res.text("returnId")
	got := s.only(t)
	equals(t, "method", got.Method, "POST")
	for path, want := range map[string]any{
		"Value.Id":            "ORD-12345",
		"Value.Status":        "Returned",
		"Value.CustomerEmail": "kari@example.com",
		"Value.OrderForm.LineItems[0].PlacedPrice":        number("10.10"),
		"Value.OrderLines[0].Code":                        "SHOE-42",
		"Value.ShippingAddress.City":                      "Oslo",
		"Value.CustomField.Deep[1].Keep":                  "me",
		"Value.ReturnOrderForms[0].ReturnId":              id,
		"Value.ReturnOrderForms[0].LineItems[0].Code":     "SHOE-42",
		"Value.ReturnOrderForms[0].LineItems[0].Quantity": 2,
		"ReturnOrderFormId":                               id,
		"ShipmentId":                                      nil,
		"WorkflowStep.Name":                               "WebhookReturnWorkflowStep",
		"WorkflowStep.Connector":                          "Webhook",
		"WorkflowStep.StopOnError":                        true,
		"WorkflowStep.TranslateKey":                       "steps.return",
		"WorkflowStep.SlaHours":                           4,
		"WorkflowStep.Properties[1].Value":                "ReturnFailed",
		"WorkflowStep.Properties[2].Key":                  "Custom",
	} {
		is(t, got.Body, path, want)
	}
	var doc any
	decode(t, got.Body, &doc)
	equals(t, "names not in PascalCase", lowerNames(doc, ""), []string(nil))
	if id == "" || strings.Contains(string(got.Body), `"ShipmentId":null`) {
		t.Errorf("no return id, or an empty ShipmentId: %s", got.Body)
	}
}

func TestReturnHeaders(t *testing.T) {
	s := answering(t, "")
	r := returning(t, step{Host: s.URL, Headers: header("Authorization", "Bearer your-token") + header("X-Warehouse", "oslo")})
	r.giveBack("1")
	got := s.only(t)
	for name, want := range map[string]string{
		"User-Agent": "OmniumOms/test", "Accept": "application/json", "X-Delivery-Count": "1", "X-Max-Delivery-Count": "4",
		"Authorization": "Bearer your-token", "X-Warehouse": "oslo", "Content-Type": "application/json",
	} {
		equals(t, name, got.Header.Get(name), want)
	}
	is(t, got.Body, "WorkflowStep.Properties[1]", nil)
	if strings.Contains(string(got.Body), "your-token") {
		t.Errorf("a secret header is in the body: %s", got.Body)
	}
}

func TestReturnConnector(t *testing.T) {
	const id = `,"ConnectorId":"my-returns"`
	for _, row := range []struct {
		name, step, connector string
		header, want          string
	}{
		{"BearerToken", "my-returns", id + `,"BearerToken":"tok"`, "Authorization", "Bearer tok"},
		{"Username and Password", "my-returns", id + `,"Username":"shop","Password":"pa55"`, "Authorization", "Basic c2hvcDpwYTU1"},
		{"CustomHeaders", "my-returns", id + `,"CustomHeaders":[{"key":"X-Shop","value":"nord"}]`, "X-Shop", "nord"},
		{"SigningSecret", "my-returns", id + `,"SigningSecret":"s"`, "Webhook-Timestamp", ""},
		{"ConnectorId left out on both", "", `,"BearerToken":"tok"`, "Authorization", "Bearer tok"},
		{"EnabledForMarkets", "", `,"EnabledForMarkets":["NOR"],"BearerToken":"tok"`, "Authorization", "Bearer tok"},
		{"DisabledForMarkets", "", `,"DisabledForMarkets":["SWE"],"BearerToken":"tok"`, "Authorization", "Bearer tok"},
	} {
		t.Run(row.name, func(t *testing.T) {
			s, r := answering(t, ""), lease(t)
			r.settings(with(with(config(), returnStatuses(step{ID: row.step})), connectors(connector(s.URL, row.connector))))
			r.post(order)
			r.giveBack("1").is("orderActionExecutionResults[0].actionStatus", "Success")
			got := s.only(t).Header.Get(row.header)
			if got != row.want && (row.want != "" || got == "") {
				t.Errorf("%s is %q, want %q", row.header, got, row.want)
			}
		})
	}
}

func TestReturnHostTakesPrecedenceOverTheConnectors(t *testing.T) {
	own, other, r := answering(t, ""), answering(t, ""), lease(t)
	doc := with(config(), returnStatuses(step{Host: own.URL, ID: "c"}))
	r.settings(with(doc, connectors(connector(other.URL, `,"ConnectorId":"c","BearerToken":"tok"`))))
	r.post(order)
	r.giveBack("1")
	equals(t, "Authorization", own.only(t).Header.Get("Authorization"), "Bearer tok")
	equals(t, "calls of the connector's Host", len(other.got()), 0)
}

// TestAReturnOfVeryManyLinesGetsAShortAnswer, also where each of them is wrong.
func TestAReturnOfVeryManyLinesGetsAShortAnswer(t *testing.T) {
	r := lease(t)
	r.post(order)
	for _, n := range []int{100, 500_000} {
		body := `{"lineItems":[` + strings.TrimSuffix(strings.Repeat(`{},`, n), ",") + `]}`
		a := r.call("POST", theOrder+"/returns", body).want(422)
		if len(a.Raw) > 10_000 {
			t.Errorf("the answer to %d lines has %d bytes", n, len(a.Raw))
		}
	}
}
