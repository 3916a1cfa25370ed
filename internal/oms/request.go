package oms

// StepScope says what of an order a step runs for.
type StepScope struct {
	ShipmentID string // "" when the step is not shipment-scoped
	ReturnID   string // "" outside return workflows
}

// StepRequest is the body of a workflow step's POST (order-workflow-step.txt
// and return-workflow-step.txt, "Request Format"): the whole order, the step's
// configuration, and what it runs for; names are PascalCase at every depth.
// wire is the step's configuration without its secret headers.
func StepRequest(order, wire *Object, scope StepScope) []byte {
	dst := append([]byte(nil), `{"Value":{`...)
	meeting := order.meeting()
	for _, m := range order.Members() {
		dst = append(appendName(dst, m.Name, !meeting[m.Name]), ':')
		dst = append(appendValue(dst, m.Value, true), ',')
	}
	if lines := order.Object("orderForm").List("lineItems"); lines != nil && lacks(order, "orderLines") {
		dst = append(appendMember(dst, "OrderLines", lines), ',')
	}
	if address := shippingAddress(order, scope.ShipmentID); address != nil && lacks(order, "shippingAddress") {
		dst = append(appendMember(dst, "ShippingAddress", address), ',')
	}
	dst = append(trimComma(dst), `},"WorkflowStep":`...)
	dst = appendValue(dst, wire, true)
	if scope.ShipmentID != "" {
		dst = appendMember(append(dst, ','), "ShipmentId", scope.ShipmentID)
	}
	if scope.ReturnID != "" {
		dst = appendMember(append(dst, ','), "ReturnOrderFormId", scope.ReturnID)
	}
	return append(dst, '}')
}

func lacks(o *Object, name string) bool {
	_, ok := o.Get(name)
	return !ok
}

func appendMember(dst []byte, name string, v any) []byte {
	dst = append(appendName(dst, name, true), ':')
	return appendValue(dst, v, true)
}

func trimComma(dst []byte) []byte {
	if dst[len(dst)-1] == ',' {
		return dst[:len(dst)-1]
	}
	return dst
}

// shippingAddress is the address of the shipment in scope, else of the first.
func shippingAddress(order *Object, shipmentID string) *Object {
	shipments := order.Object("orderForm").Objects("shipments")
	for _, s := range shipments {
		if shipmentID == "" || keyText(s, "shipmentId") == shipmentID {
			return s.Object("address")
		}
	}
	return nil
}
