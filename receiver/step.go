package receiver

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strconv"
)

// StepRequest is the call of a workflow step, or of one of a return
// (docs/contract.md#requests). Order is there to be changed: Patch finds what differs.
type StepRequest struct {
	Call
	Order      Order
	Step       WorkflowStep
	ShipmentID string // "" where the step is not for one shipment
	ReturnID   string // "" where it is not for a return
}

// WorkflowStep is the configuration of a step.
type WorkflowStep struct {
	Name, DisplayName, Connector, ConnectorID, TranslateKey string
	Active, RunAfterOrderIsSaved, StopOnError               bool
	Properties                                              []Property

	Other Members
}

// UnmarshalJSON implements json.Unmarshaler.
func (s *WorkflowStep) UnmarshalJSON(data []byte) error { return decodeObject(data, s) }

// MarshalJSON implements json.Marshaler.
func (s WorkflowStep) MarshalJSON() ([]byte, error) { return encodeObject(reflect.ValueOf(s)) }

// Property returns the value of a property of the step, "" for none.
func (s *WorkflowStep) Property(key string) string { return propertyOf(s.Properties, key) }

// Property returns the value of a property of the order, "" for none.
func (o *Order) Property(key string) string { return propertyOf(o.Properties, key) }

// SetProperty gives the first property of a key a value, or adds one.
func (o *Order) SetProperty(key, value string) {
	for i := range o.Properties {
		if o.Properties[i].Key == key {
			o.Properties[i].Value = value
			return
		}
	}
	o.Properties = append(o.Properties, Property{Key: key, Value: value})
}

func propertyOf(all []Property, key string) string {
	for _, p := range all {
		if p.Key == key {
			return p.Value
		}
	}
	return ""
}

// AddTag adds a tag that the order does not have.
func (o *Order) AddTag(tag string) {
	if !slices.Contains(o.Tags, tag) {
		o.Tags = append(o.Tags, tag)
	}
}

// Return is the return that the step is for, nil where it is for none.
func (r *StepRequest) Return() *ReturnOrderForm {
	for i := range r.Order.ReturnOrderForms {
		if form := &r.Order.ReturnOrderForms[i]; r.ReturnID != "" && form.ReturnID == r.ReturnID {
			return form
		}
	}
	return nil
}

// Shipment is the shipment that the step is for, nil where it is for none.
func (r *StepRequest) Shipment() *Shipment {
	if r.ShipmentID == "" || r.Order.OrderForm == nil {
		return nil
	}
	for i := range r.Order.OrderForm.Shipments {
		if s := &r.Order.OrderForm.Shipments[i]; s.ShipmentID == r.ShipmentID {
			return s
		}
	}
	return nil
}

// A step of an order, and one of a return, may change these fields of it.
var (
	stepFields = []string{"status", "orderType", "tags", "properties", "storeId", "customerEmail", "customerPhone", "customerName", "billingAddress", "orderForm",
		"followUpDate", "assets", "externalIds", "orderNotes", "publicOrderNotes", "errors", "orderOrigin", "relatedOrders", "salesPersonId", "salesPersonName",
		"isReadOnly", "isNotificationsDisabled"}
	returnStepFields = []string{"status", "orderType", "tags", "properties", "followUpDate", "assets", "orderOrigin", "errors", "customerName"}
	controlFields    = []string{"forceUpdate", "keepExistingCustomProperties", "keepExistingListItems", "keepExistingOrderLines", "propertiesRemovalConditions"}
)

// Changes returns what differs between the order as it is now and as it was sent. The error
// names what a patch cannot do, and what the step may not change.
func (r *StepRequest) Changes() (Patch, error) {
	var sent struct{ Value Order }
	if err := json.Unmarshal(r.Body, &sent); err != nil {
		return nil, err
	}
	patch, err := Difference(&sent.Value, &r.Order)
	if err != nil || patch == nil {
		return nil, err
	}
	allowed := stepFields
	if r.Step.Name == "WebhookReturnWorkflowStep" {
		allowed = returnStepFields
	}
	members, _ := membersOf(json.RawMessage(patch))
	for _, name := range members.names() {
		if !slices.Contains(allowed, name) && !slices.Contains(controlFields, name) {
			return nil, fmt.Errorf("%s: a %s may not change it", name, r.Step.Name)
		}
	}
	return patch, nil
}

// Patch answers with what was changed in Order, and has the workflow continue.
func (r *StepRequest) Patch() (Answer, error) {
	patch, err := r.Changes()
	return Continue().With(patch), err
}

// Answer is what a step is answered with (docs/contract.md#effects).
type Answer struct {
	Results []Result `json:"orderActionExecutionResults"`
	Patch   Patch    `json:"orderPatch,omitempty"`
}

// Result is one result of a step.
type Result struct {
	ActionStatus     string `json:"actionStatus"`
	CancelWorkflow   bool   `json:"cancelWorkflow,omitempty"`
	ErrorReason      string `json:"errorReason,omitempty"`
	TriggerNewStatus string `json:"triggerNewStatus,omitempty"`
}

// Continue is a success.
func Continue() Answer { return Answer{Results: []Result{{ActionStatus: "Success"}}} }

// Warn is a success with a warning in the order's history.
func Warn(reason string) Answer {
	return Answer{Results: []Result{{ActionStatus: "Warning", ErrorReason: reason}}}
}

// Fail adds an error to the order, and has the workflow continue.
func Fail(reason string) Answer {
	return Answer{Results: []Result{{ActionStatus: "Error", ErrorReason: reason}}}
}

// Stop adds an error to the order, and stops the workflow where the step has StopOnError;
// without that it is a warning.
func Stop(reason string) Answer {
	return Answer{Results: []Result{{ActionStatus: "Error", CancelWorkflow: true, ErrorReason: reason}}}
}

// With adds a patch.
func (a Answer) With(patch Patch) Answer {
	a.Patch = patch
	return a
}

// Trigger has the order enter a status, with its workflow, once this workflow has ended.
func (a Answer) Trigger(status string) Answer {
	a.Results = append(slices.Clone(a.Results), Result{ActionStatus: "Success", TriggerNewStatus: status})
	return a
}

// Step returns a handler for the calls of a workflow step, of orders and of returns. A call
// that comes again has the answer that it had, and answer is not called; name tells the calls
// of one handler from those of another in the Store.
//
// An error of answer is 500, or what a StatusError says, and orderhook tries again.
func (r *Receiver) Step(name string, answer func(context.Context, *StepRequest) (Answer, error)) http.Handler {
	return r.handler(func(ctx context.Context, call Call) ([]byte, error) {
		req := &StepRequest{Call: call}
		var body struct {
			Value             *Order
			WorkflowStep      WorkflowStep
			ShipmentID        string `json:"ShipmentId"`
			ReturnOrderFormID string `json:"ReturnOrderFormId"`
		}
		if err := json.Unmarshal(call.Body, &body); err != nil {
			return nil, unreadable(err)
		}
		if body.Value == nil {
			return nil, &StatusError{http.StatusBadRequest, "this is no call of a workflow step: it has no Value"}
		}
		req.Order, req.Step, req.ShipmentID, req.ReturnID = *body.Value, body.WorkflowStep, body.ShipmentID, body.ReturnOrderFormID
		return r.once(ctx, name, call, func(ctx context.Context) ([]byte, error) {
			a, err := answer(ctx, req)
			if err != nil {
				return nil, err
			}
			return marshal(a)
		})
	})
}

// attemptOf reads a header that counts.
func attemptOf(h http.Header, name string) int {
	n, _ := strconv.Atoi(h.Get(name))
	return n
}
