package api

import (
	"maps"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/orderhook/orderhook/internal/outbound"
	"github.com/orderhook/orderhook/internal/run"
	"github.com/orderhook/orderhook/internal/schema"
	"github.com/orderhook/orderhook/internal/settings"
)

// The webhooks section of the OpenAPI document describes every request that
// orderhook makes by itself, and what may be answered (docs/contract.md#sources).

// Names of the schemas of two-way requests. The first two are what steps send, the third
// what a validator gets where it wants an envelope, and the last what an export sends.
const (
	stepRequest       = "StepRequest"
	returnStepRequest = "ReturnStepRequest"
	cartEnvelope      = "CartEnvelope"
	exportedOrder     = "ExportedOrder"
)

// webhookSchemas makes the schemas of what orderhook sends by itself, and of what may be
// answered. Names of steps' requests begin with a capital letter there, so their shapes
// are those of the wire, and not those of the API (docs/contract.md#names).
func webhookSchemas(s shapeSchemas) {
	answer, step, order := run.StepAnswerShape().Wire(), settings.StepShape().Wire(), schema.OrderShape().Wire()
	s.add(answer, "Everything may be left out, and be in any letter case.")
	s.add(step, "")
	s.add(order, "")
	value := &huma.Schema{AllOf: []*huma.Schema{schemaRef(order.Name), {Type: huma.TypeObject, Properties: map[string]*huma.Schema{
		"OrderLines":      {Type: huma.TypeArray, Items: schemaRef("OrderLineOnTheWire"), Description: "OrderForm.LineItems once more"},
		"ShippingAddress": {AllOf: []*huma.Schema{schemaRef("AddressOnTheWire")}, Description: "That of the shipment in scope, else of the first"},
	}}}, Description: "The whole order"}
	fields := map[string]*huma.Schema{"Value": value, "WorkflowStep": schemaRef(step.Name),
		"ShipmentId": {Type: huma.TypeString, Description: "Only where the step runs for a shipment"}}
	s[stepRequest] = sent(fields, "Value", "WorkflowStep")
	// A return step sends what a step sends, and one member more.
	fields = maps.Clone(fields)
	fields["ReturnOrderFormId"] = &huma.Schema{Type: huma.TypeString, Description: "The return that the workflow runs for"}
	s[returnStepRequest] = sent(fields, "Value", "WorkflowStep", "ReturnOrderFormId")

	validator := schema.ValidatorAnswerShape()
	// The value of a validator's answer is read as a patch of the cart, so it has the
	// schema of one.
	validator.Field("value").Of = &schema.Shape{Name: cartPatch}
	s.add(validator, "Everything may be left out, and be in any letter case.")
	s[cartEnvelope] = sent(map[string]*huma.Schema{"cart": schemaRef(newCartSchema)}, "cart")
	s[exportedOrder] = sent(map[string]*huma.Schema{"order": schemaRef(orderSchema),
		"returnOrderForm": orNull(schemaRef("ReturnOrderForm")), "shipment": orNull(schemaRef(shipmentSchema))}, "order", "returnOrderForm", "shipment")
	eventSchemas(s)
}

// sent is the schema of a body that orderhook sends. More fields may be added to it, so
// it forbids none.
func sent(fields map[string]*huma.Schema, required ...string) *huma.Schema {
	return &huma.Schema{Type: huma.TypeObject, Properties: fields, Required: required}
}

// webhooks are the requests by name. Those of events are named after their types. They
// stand in the part of an OpenAPI document that is for requests to URLs which the
// document does not know.
func webhooks() map[string]*huma.PathItem {
	all := map[string]*huma.PathItem{
		"orderStep":     stepHook("order-step", "A workflow step asks an endpoint about an order", schemaRef(stepRequest)),
		"returnStep":    stepHook("return-step", "A workflow step asks an endpoint about a return", schemaRef(returnStepRequest)),
		"cartValidator": validatorHook("cart-validator"),
		"exportOrder":   exportHook("export-order"),
	}
	eventWebhooks(all)
	return all
}

// callbacks attaches the same requests to the operations that name their URLs:
// those who generate a client leave out what no operation leads to.
//
// The keys of the inner maps say where in the operation's body the URL is.
func callbacks(o *huma.OpenAPI) {
	const host = "{$request.body#/connectors/0/host}"
	either := &huma.Schema{AnyOf: []*huma.Schema{schemaRef(stepRequest), schemaRef(returnStepRequest)}}
	attach(o.Paths["/api/settings"].Put, map[string]map[string]*huma.PathItem{
		"step":      {host: stepHook("receive-step", "A workflow step asks the connector's endpoint", either)},
		"validator": {host: validatorHook("receive-cart")},
		"export":    {host: exportHook("receive-export")},
	})
	attach(o.Paths["/api/endpoints"].Post, map[string]map[string]*huma.PathItem{"event": {"{$request.body#/url}": anyEvent()}})
}

// attach gives an operation callbacks; Huma's own field for them lacks the
// level of the URLs. It expects the requests right below the name of a callback, where
// the standard has a URL first. Extensions are written into the operation as they are.
func attach(op *huma.Operation, all map[string]map[string]*huma.PathItem) {
	op.Extensions = map[string]any{"callbacks": all}
}

// stepHook is the request of a workflow step.
func stepHook(id, summary string, body *huma.Schema) *huma.PathItem {
	return twoWay(id, summary, "The endpoint's answer says what becomes of the order and its workflow. A failed request is made again after 1, 5 and 15 seconds.",
		body, "StepAnswerOnTheWire", append(deliveryCounts(), shadowHeader())...)
}

// shadowHeader says that a request is that of a shadow step (docs/contract.md#shadow-steps).
func shadowHeader() *huma.Param {
	return sentHeader(outbound.ShadowHeader, huma.TypeString, "true, where the step is a shadow: its answer is only compared, and nothing comes of it. Absent otherwise")
}

// validatorHook is the request to a validator, whose body is one of two.
func validatorHook(id string) *huma.PathItem {
	cart := &huma.Schema{AnyOf: []*huma.Schema{schemaRef(newCartSchema), schemaRef(cartEnvelope)},
		Description: "The cart; in an envelope where the connector's property IsRequestWrapperEnabled is true"}
	return twoWay(id, "A validator is asked about a cart", "It is not repeated: whatever fails, fails the validation.", cart, "ValidatorAnswer")
}

// exportHook is the request of an export, which is delivered as an event is.
func exportHook(id string) *huma.PathItem {
	return oneWay(id, "An ExportOrder step sends an order", "It is repeated until it is acknowledged.", schemaRef(exportedOrder),
		append(signatureHeaders(), attemptHeader())...)
}

// twoWay is a request whose answer is read. answer names the schema of its body. The
// statuses are those of which the contract says something (docs/contract.md#outcomes).
func twoWay(id, summary, description string, body *huma.Schema, answer string, headers ...*huma.Param) *huma.PathItem {
	headers = append(headers, sentHeader("Idempotency-Key", huma.TypeString, "The same for every attempt of one call"))
	return webhook(id, summary, description, body, append(headers, signatureHeaders()...), map[string]*huma.Response{
		"200": {Description: "Answered. An empty body is a success that changes nothing; another 2xx is read as well.",
			Content: map[string]*huma.MediaType{"application/json": {Schema: schemaRef(answer)}}},
		"400":     {Description: "Failed, and not repeated"},
		"404":     {Description: "Failed, and not repeated"},
		"default": {Description: "Failed"},
	})
}

// oneWay is a request that is only acknowledged. A status alone acknowledges it
// (docs/contract.md#delivery).
func oneWay(id, summary, description string, body *huma.Schema, headers ...*huma.Param) *huma.PathItem {
	responses := map[string]*huma.Response{
		"410":     {Description: "Nobody wants these any more: the endpoint is turned off"},
		"default": {Description: "Not acknowledged: it is sent again by the endpoint's schedule"},
	}
	for _, status := range []string{"200", "201", "202", "204"} {
		responses[status] = &huma.Response{Description: "Acknowledged"}
	}
	return webhook(id, summary, description, body, headers, responses)
}

// webhook is a request that orderhook makes. It needs no key of the API: the empty
// security requirement says so, or the document's own would hold.
func webhook(id, summary, description string, body *huma.Schema, headers []*huma.Param, responses map[string]*huma.Response) *huma.PathItem {
	headers = append(headers, sentHeader("traceparent", huma.TypeString, "W3C Trace Context: that of the call of the API that it came of, where that has one"),
		sentHeader("tracestate", huma.TypeString, "That of the call of the API, where it has one"))
	return &huma.PathItem{Post: &huma.Operation{OperationID: id, Method: http.MethodPost, Summary: summary, Description: description,
		Parameters: headers, RequestBody: jsonBody(body, "", nil), Responses: responses,
		Security: []map[string][]string{{}}}}
}

// sentHeader is a header of such a request. None is marked as required, since some are
// sent only with a secret.
func sentHeader(name, kind, doc string) *huma.Param {
	return &huma.Param{Name: name, In: "header", Description: doc, Schema: &huma.Schema{Type: kind}}
}

// deliveryCounts are the headers that count the attempts of a step's call.
func deliveryCounts() []*huma.Param {
	return []*huma.Param{sentHeader("X-Delivery-Count", huma.TypeInteger, "Number of the attempt, from 1"),
		sentHeader("X-Max-Delivery-Count", huma.TypeInteger, "How many attempts there are at most")}
}

// attemptHeader counts the attempts at a delivery.
func attemptHeader() *huma.Param {
	return sentHeader("X-Attempt", huma.TypeInteger, "Number of the attempt, from 1")
}

// signatureHeaders are those of Standard Webhooks, where there is a secret to
// sign with.
func signatureHeaders() []*huma.Param {
	return []*huma.Param{sentHeader("webhook-id", huma.TypeString, "The same for every attempt; what came twice has it twice"),
		sentHeader("webhook-timestamp", huma.TypeString, "When the attempt was made, in Unix seconds"),
		sentHeader("webhook-signature", huma.TypeString, "Signatures of id, timestamp and body, as Standard Webhooks has them")}
}
