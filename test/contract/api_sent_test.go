package contract

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/orderhook/orderhook/internal/access"
	"github.com/orderhook/orderhook/internal/attempt"
	"github.com/orderhook/orderhook/internal/event"
	"github.com/orderhook/orderhook/internal/store"
)

// webhookOf names the request of an attempt in the OpenAPI document's section
// webhooks.
var webhookOf = map[string]string{attempt.KindStep: "orderStep", attempt.KindReturnStep: "returnStep", attempt.KindValidator: "cartValidator", attempt.KindExport: "exportOrder"}

// sentConforms fails the test unless what an orderhook sent last is as the
// section webhooks of the OpenAPI document says.
func (r *rig) sentConforms() {
	d, err := describedBy(r.url)
	if err != nil {
		r.t.Errorf("the OpenAPI document: %v", err)
		return
	}
	list, err := r.store.Attempts(context.Background(), access.DefaultTenant, store.AttemptFilter{}, store.Page{Limit: 20})
	if err != nil {
		return // the test took the database away
	}
	for _, at := range list.Items {
		full, err := r.store.Attempt(context.Background(), access.DefaultTenant, at.ID)
		if err != nil || full.Detail == nil || len(full.Detail.Request.Body) == 0 { // it was erased
			continue
		}
		if wrong := d.checkSent(at.Kind, at.EventType, full.Detail.Request.Body); wrong != "" {
			r.t.Errorf("what was sent is not as described: %s", wrong)
		}
	}
}

// checkSent says what of a request's body is not as the document describes it.
func (d *description) checkSent(kind, eventType string, body []byte) string {
	name := webhookOf[kind]
	switch {
	case kind == attempt.KindShadow && bytes.Contains(body, []byte(`"ReturnOrderFormId"`)): // it is sent what its live step is
		name = webhookOf[attempt.KindReturnStep]
	case kind == attempt.KindShadow:
		name = webhookOf[attempt.KindStep]
	case kind == attempt.KindReplay:
		return ""
	case kind == attempt.KindEvent && under(d.doc, "webhooks", eventType) != nil:
		name = eventType
	case kind == attempt.KindEvent:
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
		{"an event", attempt.KindEvent, event.TypeOrderCreated, created, true},
		{"its ids alone", attempt.KindEvent, event.TypeOrderCreated, `{"orderId":"1","eventType":"OrderCreated"}`, true},
		{"of another type", attempt.KindEvent, event.TypeOrderAccepted, created, false},
		{"without a time", attempt.KindEvent, event.TypeOrderCreated, strings.Replace(created, "timestamp", "time", 1), false},
		{"with a version as text", attempt.KindEvent, event.TypeOrderCreated, strings.Replace(created, `"version":1`, `"version":"1"`, 1), false},
		{"with one field more", attempt.KindEvent, event.TypeOrderCreated, strings.Replace(created, `"id":"e"`, `"id":"e","more":1`, 1), false},
		{"published", attempt.KindEvent, "mine", `{"id":"e","type":"mine","timestamp":"2026-11-21T09:00:00Z","data":{"x":[]}}`, true},
		{"published without data", attempt.KindEvent, "mine", `{"id":"e","type":"mine","timestamp":"2026-11-21T09:00:00Z"}`, false},
		{"a step", attempt.KindStep, "", `{"Value":{"Id":"1","OrderLines":[{"Quantity":1}]},"WorkflowStep":{"StopOnError":true}}`, true},
		{"a step in camelCase", attempt.KindStep, "", `{"value":{"id":"1"},"workflowStep":{}}`, false},
		{"a step with a flag as text", attempt.KindStep, "", `{"Value":{},"WorkflowStep":{"StopOnError":"true"}}`, false},
		{"a step with other lines", attempt.KindStep, "", `{"Value":{"OrderLines":[1]},"WorkflowStep":{}}`, false},
		{"a return's step without it", attempt.KindReturnStep, "", `{"Value":{},"WorkflowStep":{}}`, false},
		{"a return's step", attempt.KindReturnStep, "", `{"Value":{},"WorkflowStep":{},"ReturnOrderFormId":"R"}`, true},
		{"a cart", attempt.KindValidator, "", `{"id":"1","orderForm":{"lineItems":[]}}`, true},
		{"a cart of another shape", attempt.KindValidator, "", `{"id":"1","orderForm":{"lineItems":{}}}`, false},
		{"an export", attempt.KindExport, "", `{"order":{"id":"1","status":"New","version":1,"created":"x","modified":"x"},"returnOrderForm":null,"shipment":null}`, true},
		{"an export without a shipment", attempt.KindExport, "", `{"order":{"id":"1","status":"New","version":1,"created":"x","modified":"x"},"returnOrderForm":null}`, false},
	} {
		if wrong := d.checkSent(c.kind, c.eventType, []byte(c.body)); (wrong == "") != c.fine {
			t.Errorf("%s: the judge says %q", c.what, wrong)
		}
	}
}
