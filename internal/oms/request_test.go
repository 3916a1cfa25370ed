package oms_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/orderhook/orderhook/internal/oms"
)

func TestAStepRequestHasTheOrderTheStepAndTheScope(t *testing.T) {
	const wire = `{"name":"WebhookWorkflowStep","connector":"Webhook","connectorId":"my-validation-service","stopOnError":true,"properties":[{"key":"ErrorStatus","value":"ValidationFailed"}]}`
	const step = `{"Name":"WebhookWorkflowStep","Connector":"Webhook","ConnectorId":"my-validation-service","StopOnError":true,"Properties":[{"Key":"ErrorStatus","Value":"ValidationFailed"}]}`
	order := doc(t, `{"id":"BGO-1","status":"New","customerEmail":"kari@example.no","loyaltyTier":"Gold","total":10.10,"properties":[{"key":"Gift","value":"no"}]}`)
	const value = `{"Id":"BGO-1","Status":"New","CustomerEmail":"kari@example.no","LoyaltyTier":"Gold","Total":10.10,"Properties":[{"Key":"Gift","Value":"no"}]}`
	for _, tc := range []struct {
		name  string
		scope oms.StepScope
		want  string
	}{
		{"of an order", oms.StepScope{}, `{"Value":` + value + `,"WorkflowStep":` + step + `}`},
		{"of a shipment", oms.StepScope{ShipmentID: "SHIP-67890"}, `{"Value":` + value + `,"WorkflowStep":` + step + `,"ShipmentId":"SHIP-67890"}`},
		{"of a return", oms.StepScope{ReturnID: "RET-1"}, `{"Value":` + value + `,"WorkflowStep":` + step + `,"ReturnOrderFormId":"RET-1"}`},
		{"of both", oms.StepScope{ShipmentID: "S1", ReturnID: "RET-1"}, `{"Value":` + value + `,"WorkflowStep":` + step + `,"ShipmentId":"S1","ReturnOrderFormId":"RET-1"}`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, string(oms.StepRequest(order, doc(t, wire), tc.scope))); diff != "" {
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
		{"the lines", form(`"lineItems":[{"lineItemId":"1"}]`), "", `{"OrderForm":{"LineItems":[{"LineItemId":"1"}]},"OrderLines":[{"LineItemId":"1"}]}`},
		{"no lines in an empty list", form(`"lineItems":[]`), "", `{"OrderForm":{"LineItems":[]},"OrderLines":[]}`},
		{"the orderLines of an order that was stored before stay", `{"orderLines":[{"a":1}],"orderForm":{"lineItems":[{}]}}`, "", `{"OrderLines":[{"A":1}],"OrderForm":{"LineItems":[{}]}}`},
		{"the first shipment's address", form(shipments), "", `{"OrderForm":{` + pascal + `},"ShippingAddress":{"City":"Bergen"}}`},
		{"that of the shipment in scope", form(shipments), "S2", `{"OrderForm":{` + pascal + `},"ShippingAddress":{"City":"Oslo"}}`},
		{"a shipment in scope without one", form(shipments), "S3", `{"OrderForm":{` + pascal + `}}`},
		{"the order's own shippingAddress stays", `{"shippingAddress":{"city":"Voss"},"orderForm":{"shipments":[{"address":{"city":"Oslo"}}]}}`, "",
			`{"ShippingAddress":{"City":"Voss"},"OrderForm":{"Shipments":[{"Address":{"City":"Oslo"}}]}}`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			want := `{"Value":` + tc.want + `,"WorkflowStep":{}`
			if tc.shipment != "" {
				want += `,"ShipmentId":"` + tc.shipment + `"`
			}
			got := oms.StepRequest(doc(t, tc.order), doc(t, `{}`), oms.StepScope{ShipmentID: tc.shipment})
			if diff := cmp.Diff(want+`}`, string(got)); diff != "" {
				t.Errorf("body (-want +got):\n%s", diff)
			}
		})
	}
}
