package run_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/orderhook/orderhook/internal/order"
	"github.com/orderhook/orderhook/internal/order/ordertest"
	"github.com/orderhook/orderhook/internal/run"
)

func TestAStepRequestHasTheOrderTheStepAndTheScope(t *testing.T) {
	const wire = `{"name":"WebhookWorkflowStep","connector":"Webhook","connectorId":"my-validation-service","stopOnError":true,"properties":[{"key":"ErrorStatus","value":"ValidationFailed"}]}`
	const step = `{"Name":"WebhookWorkflowStep","Connector":"Webhook","ConnectorId":"my-validation-service","StopOnError":true,"Properties":[{"Key":"ErrorStatus","Value":"ValidationFailed"}]}`
	o := ordertest.Doc(t, `{"id":"BGO-1","status":"New","customerEmail":"kari@example.no","loyaltyTier":"Gold","total":10.10,"properties":[{"key":"Gift","value":"no"}]}`)
	const value = `{"Id":"BGO-1","Status":"New","CustomerEmail":"kari@example.no","LoyaltyTier":"Gold","Total":10.10,"Properties":[{"Key":"Gift","Value":"no"}]}`
	for _, tc := range []struct {
		name  string
		scope order.StepScope
		want  string
	}{
		{"of an order", order.StepScope{}, `{"Value":` + value + `,"WorkflowStep":` + step + `}`},
		{"of a shipment", order.StepScope{ShipmentID: "SHIP-67890"}, `{"Value":` + value + `,"WorkflowStep":` + step + `,"ShipmentId":"SHIP-67890"}`},
		{"of a return", order.StepScope{ReturnID: "RET-1"}, `{"Value":` + value + `,"WorkflowStep":` + step + `,"ReturnOrderFormId":"RET-1"}`},
		{"of both", order.StepScope{ShipmentID: "S1", ReturnID: "RET-1"}, `{"Value":` + value + `,"WorkflowStep":` + step + `,"ShipmentId":"S1","ReturnOrderFormId":"RET-1"}`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, string(run.StepRequest(o, ordertest.Doc(t, wire), tc.scope))); diff != "" {
				t.Errorf("body (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAStepRequestRepeatsLinesAndAddress(t *testing.T) {
	const shipments = `"shipments":[{"shipmentId":"S1","address":{"city":"Bergen"}},{"shipmentId":"S2","address":{"city":"Oslo"}},{"shipmentId":"S3"}]`
	const pascal = `"Shipments":[{"ShipmentId":"S1","Address":{"City":"Bergen"}},{"ShipmentId":"S2","Address":{"City":"Oslo"}},{"ShipmentId":"S3"}]`
	for _, tc := range []struct{ name, order, shipment, want string }{
		{"an empty order", `{}`, "", `{}`},
		{"the lines", ordertest.Form(`"lineItems":[{"lineItemId":"1"}]`), "", `{"OrderForm":{"LineItems":[{"LineItemId":"1"}]},"OrderLines":[{"LineItemId":"1"}]}`},
		{"no lines in an empty list", ordertest.Form(`"lineItems":[]`), "", `{"OrderForm":{"LineItems":[]},"OrderLines":[]}`},
		{"the orderLines of an order that was stored before stay", `{"orderLines":[{"a":1}],"orderForm":{"lineItems":[{}]}}`, "", `{"OrderLines":[{"A":1}],"OrderForm":{"LineItems":[{}]}}`},
		{"the first shipment's address", ordertest.Form(shipments), "", `{"OrderForm":{` + pascal + `},"ShippingAddress":{"City":"Bergen"}}`},
		{"that of the shipment in scope", ordertest.Form(shipments), "S2", `{"OrderForm":{` + pascal + `},"ShippingAddress":{"City":"Oslo"}}`},
		{"a shipment in scope without one", ordertest.Form(shipments), "S3", `{"OrderForm":{` + pascal + `}}`},
		{"the order's own shippingAddress stays", `{"shippingAddress":{"city":"Voss"},"orderForm":{"shipments":[{"address":{"city":"Oslo"}}]}}`, "",
			`{"ShippingAddress":{"City":"Voss"},"OrderForm":{"Shipments":[{"Address":{"City":"Oslo"}}]}}`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			want := `{"Value":` + tc.want + `,"WorkflowStep":{}`
			if tc.shipment != "" {
				want += `,"ShipmentId":"` + tc.shipment + `"`
			}
			got := run.StepRequest(ordertest.Doc(t, tc.order), ordertest.Doc(t, `{}`), order.StepScope{ShipmentID: tc.shipment})
			if diff := cmp.Diff(want+`}`, string(got)); diff != "" {
				t.Errorf("body (-want +got):\n%s", diff)
			}
		})
	}
}
