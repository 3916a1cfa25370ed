package contract

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/orderhook/orderhook/internal/oms"
	"github.com/orderhook/orderhook/internal/store"
)

// webhookOf names the request of an attempt in the OpenAPI document's section
// webhooks.
var webhookOf = map[string]string{oms.KindStep: "orderStep", oms.KindReturnStep: "returnStep", oms.KindValidator: "cartValidator", oms.KindExport: "exportOrder"}

// sentConforms fails the test unless what an orderhook sent last is as the
// section webhooks of the OpenAPI document says.
func (r *rig) sentConforms() {
	d, err := describedBy(r.url)
	if err != nil {
		r.t.Errorf("the OpenAPI document: %v", err)
		return
	}
	list, err := r.store.Attempts(context.Background(), oms.DefaultTenant, store.AttemptFilter{}, store.Page{Limit: 20})
	if err != nil {
		return // the test took the database away
	}
	for _, at := range list.Items {
		full, err := r.store.Attempt(context.Background(), oms.DefaultTenant, at.ID)
		if err != nil || full.Detail == nil || len(full.Detail.Request.Body) == 0 { // it was erased
			continue
		}
		if wrong := d.judgeSent(at.Kind, at.EventType, full.Detail.Request.Body); wrong != "" {
			r.t.Errorf("what was sent is not as described: %s", wrong)
		}
	}
}

// judgeSent says what of a request's body is not as the document describes it.
func (d *description) judgeSent(kind, eventType string, body []byte) string {
	name := webhookOf[kind]
	switch {
	case kind == oms.KindReplay:
		return ""
	case kind == oms.KindEvent && under(d.doc, "webhooks", eventType) != nil:
		name = eventType
	case kind == oms.KindEvent:
		name = "customEvent"
	case under(d.doc, "webhooks", name) == nil:
		return fmt.Sprintf("there is no webhook for the kind %q", kind)
	}
	return d.validate([]string{"webhooks", name, "post", "requestBody", "content", "application/json", "schema"}, body)
}

func TestRequestsThatAreNotAsDescribedAreFound(t *testing.T) {
	d, err := describedBy(start(t).url)
	if err != nil {
		t.Fatal(err)
	}
	const created = `{"id":"e","type":"OrderCreated","timestamp":"2026-11-21T09:00:00Z","data":{"id":"1","status":"New","version":1,"created":"x","modified":"x"}}`
	for _, c := range []struct {
		what, kind, eventType, body string
		fine                        bool
	}{
		{"an event", oms.KindEvent, oms.TypeOrderCreated, created, true},
		{"its ids alone", oms.KindEvent, oms.TypeOrderCreated, `{"orderId":"1","eventType":"OrderCreated"}`, true},
		{"of another type", oms.KindEvent, oms.TypeOrderAccepted, created, false},
		{"without a time", oms.KindEvent, oms.TypeOrderCreated, strings.Replace(created, "timestamp", "time", 1), false},
		{"with a version as text", oms.KindEvent, oms.TypeOrderCreated, strings.Replace(created, `"version":1`, `"version":"1"`, 1), false},
		{"with one field more", oms.KindEvent, oms.TypeOrderCreated, strings.Replace(created, `"id":"e"`, `"id":"e","more":1`, 1), false},
		{"published", oms.KindEvent, "mine", `{"id":"e","type":"mine","timestamp":"2026-11-21T09:00:00Z","data":{"x":[]}}`, true},
		{"published without data", oms.KindEvent, "mine", `{"id":"e","type":"mine","timestamp":"2026-11-21T09:00:00Z"}`, false},
		{"a step", oms.KindStep, "", `{"Value":{"Id":"1","OrderLines":[{"Quantity":1}]},"WorkflowStep":{"StopOnError":true}}`, true},
		{"a step in camelCase", oms.KindStep, "", `{"value":{"id":"1"},"workflowStep":{}}`, false},
		{"a step with a flag as text", oms.KindStep, "", `{"Value":{},"WorkflowStep":{"StopOnError":"true"}}`, false},
		{"a step with other lines", oms.KindStep, "", `{"Value":{"OrderLines":[1]},"WorkflowStep":{}}`, false},
		{"a return's step without it", oms.KindReturnStep, "", `{"Value":{},"WorkflowStep":{}}`, false},
		{"a return's step", oms.KindReturnStep, "", `{"Value":{},"WorkflowStep":{},"ReturnOrderFormId":"R"}`, true},
		{"a cart", oms.KindValidator, "", `{"id":"1","orderForm":{"lineItems":[]}}`, true},
		{"a cart of another shape", oms.KindValidator, "", `{"id":"1","orderForm":{"lineItems":{}}}`, false},
		{"an export", oms.KindExport, "", `{"order":{"id":"1","status":"New","version":1,"created":"x","modified":"x"},"returnOrderForm":null,"shipment":null}`, true},
		{"an export without a shipment", oms.KindExport, "", `{"order":{"id":"1","status":"New","version":1,"created":"x","modified":"x"},"returnOrderForm":null}`, false},
	} {
		if wrong := d.judgeSent(c.kind, c.eventType, []byte(c.body)); (wrong == "") != c.fine {
			t.Errorf("%s: the judge says %q", c.what, wrong)
		}
	}
}
