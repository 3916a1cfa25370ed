package run

import (
	"bytes"

	"github.com/orderhook/orderhook/internal/jsondoc"
	"github.com/orderhook/orderhook/internal/order"
)

// StepRequest is the body of a workflow step's POST (docs/contract.md#requests):
// the whole order, the step's configuration, and what it runs for; names are
// PascalCase at every depth.
// wire is the step's configuration without its secret headers.
func StepRequest(o, wire *jsondoc.Object, scope order.StepScope) []byte {
	dst := append([]byte(nil), `{"Value":{`...)
	meeting := o.Meeting()
	for _, m := range o.Members() {
		dst = append(jsondoc.AppendName(dst, m.Name, !meeting[m.Name]), ':')
		dst = append(jsondoc.AppendValue(dst, m.Value, true), ',')
	}
	// Fields that are derived from others are sent along, unless the order has them itself.
	if lines := o.Object("orderForm").List("lineItems"); lines != nil && o.Find("orderLines") < 0 {
		dst = append(appendMember(dst, "OrderLines", lines), ',')
	}
	if address := order.ShippingAddress(o, scope.ShipmentID); address != nil && o.Find("shippingAddress") < 0 {
		dst = append(appendMember(dst, "ShippingAddress", address), ',')
	}
	// An order without any member leaves no comma.
	dst = append(bytes.TrimSuffix(dst, []byte{','}), `},"WorkflowStep":`...)
	dst = jsondoc.AppendValue(dst, wire, true)
	if scope.ShipmentID != "" {
		dst = appendMember(append(dst, ','), "ShipmentId", scope.ShipmentID)
	}
	if scope.ReturnID != "" {
		dst = appendMember(append(dst, ','), "ReturnOrderFormId", scope.ReturnID)
	}
	return append(dst, '}')
}

func appendMember(dst []byte, name string, v any) []byte {
	dst = append(jsondoc.AppendName(dst, name, true), ':')
	return jsondoc.AppendValue(dst, v, true)
}
