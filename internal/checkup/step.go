package checkup

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"github.com/orderhook/orderhook/internal/answer"
	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/ids"
	"github.com/orderhook/orderhook/internal/jsondoc"
	"github.com/orderhook/orderhook/internal/order"
	"github.com/orderhook/orderhook/internal/outbound"
	"github.com/orderhook/orderhook/internal/rerun"
	"github.com/orderhook/orderhook/internal/run"
	"github.com/orderhook/orderhook/internal/settings"
	"github.com/orderhook/orderhook/internal/spelling"
	"github.com/orderhook/orderhook/internal/timetext"
	"github.com/orderhook/orderhook/internal/workflow"
	"github.com/orderhook/orderhook/internal/workflow/decide"
)

// errorStatus is the ErrorStatus of the step that calls the endpoint. The step has
// StopOnError, so that the report shows all that an answer can do.
const errorStatus = "CheckFailed"

// stepKind calls an endpoint of a workflow step, of an order or of a return.
type stepKind struct {
	now      func() time.Time
	returns  bool
	settings [signings]*settings.Settings
}

// newStepKind makes the settings in which the endpoint is the step of the document's
// status.
func newStepKind(o *Options, secrets *memorySecrets) (kind, error) {
	k := &stepKind{now: o.Now, returns: o.Kind == Return}
	for s := range signings {
		doc := jsondoc.NewObject(jsondoc.Pair("connectors", []any{connector(o, s, "Webhook")}))
		if k.returns {
			doc.Set("returnStatuses", []any{k.status(o, order.StatusReturned), k.status(o, order.StatusPartiallyReturned)})
		} else {
			status := k.status(o, cmp.Or(o.Document.Text("status"), order.StatusNew))
			doc.Set("orderTypes", []any{jsondoc.NewObject(jsondoc.Pair("name", "Check"), jsondoc.Pair("orderStatuses", []any{status}))})
		}
		var err error
		if k.settings[s], err = read(doc, secrets); err != nil {
			return nil, err
		}
	}
	return k, nil
}

// status is a status of the settings whose only step is the endpoint's.
func (k *stepKind) status(o *Options, name string) *jsondoc.Object {
	step := settings.WebhookStep
	if k.returns {
		step = settings.WebhookReturnStep
	}
	properties := append([]any{property("ErrorStatus", errorStatus)}, properties(o)...)
	return jsondoc.NewObject(jsondoc.Pair("name", name), jsondoc.Pair("workflowSteps", []any{jsondoc.NewObject(jsondoc.Pair("name", step),
		jsondoc.Pair("connector", "Webhook"), jsondoc.Pair("connectorId", "check"), jsondoc.Pair("stopOnError", true), jsondoc.Pair("properties", properties))}))
}

// connector is the endpoint as a connector of the settings.
func connector(o *Options, s signing, name string) *jsondoc.Object {
	c := jsondoc.NewObject(jsondoc.Pair("name", name), jsondoc.Pair("connectorId", "check"), jsondoc.Pair("host", o.URL), jsondoc.Pair("timeout", timetext.FormatDuration(o.Timeout)))
	if text := signingSecret(o, s); text != "" {
		c.Set("signingSecret", text)
	}
	var headers []any
	for _, h := range o.Headers {
		headers = append(headers, property(h.Name, h.Value))
	}
	if headers != nil {
		c.Set("customHeaders", headers)
	}
	return c
}

// signingSecret is the secret that a signing is made with; "": there is none.
func signingSecret(o *Options, s signing) string {
	switch s {
	case genuine:
		return o.Secret
	case forged:
		return outbound.NewSecret()
	}
	return ""
}

// property is a key with its value, as settings have them.
func property(key, value string) *jsondoc.Object {
	return jsondoc.NewObject(jsondoc.Pair("key", key), jsondoc.Pair("value", value))
}

// properties are those that were given.
func properties(o *Options) (list []any) {
	for _, p := range o.Properties {
		list = append(list, property(p.Name, p.Value))
	}
	return list
}

// read reads settings as a server does that takes them, seals their secrets, and reads them
// as one that finds them stored.
func read(doc *jsondoc.Object, secrets *memorySecrets) (*settings.Settings, error) {
	s, _, err := settings.Incoming{Doc: doc, Literal: true}.Check()
	if err != nil {
		return nil, err
	}
	stored, _ := s.Sealed(secrets.seal)
	return settings.ParseStored(stored), nil
}

// example implements kind.
func (k *stepKind) example() *jsondoc.Object { return exampleOrder() }

// begin implements kind: the order is created, or lines of it are returned, and the run that
// begins by that is at the call.
func (k *stepKind) begin(doc *jsondoc.Object) (*call, error) {
	f := k.facts()
	d, err := decide.Create(f, decide.Document{Object: doc.Clone()}, !k.returns)
	if err == nil && k.returns {
		f.Order = d.Order
		var r order.ReturnRequest
		if r, err = returned(d.Order.Doc); err == nil {
			d, err = decide.Return(f, r)
		}
	}
	if err != nil {
		return nil, err
	}
	if d.Run == nil || d.Run.Position.CallID == "" {
		return nil, apierr.Wrong("order", "no step would run for it in its status")
	}
	f.Order, f.Run, f.Settings, f.Sent = d.Order, d.Run, f.Today, d.Order.Doc
	return &call{
		doc: f.Sent,
		request: func(v variation) (outbound.Request, error) {
			at := f
			at.Now, at.Settings, at.Run = k.now(), k.settings[v.signing], f.Run.Clone()
			at.Run.Position.Attempt = v.attempt
			return workflow.StandaloneRequest(tenant, at)
		},
		effect: func(r outbound.Request, x outbound.Exchange) effect { return k.effect(f, r, x) },
	}, nil
}

// facts are what the server knows before it creates an order.
func (k *stepKind) facts() decide.Facts {
	return decide.Facts{Now: k.now().UTC(), Today: k.settings[genuine], MaxOrderBytes: order.DefaultOrderBytes, NewID: ids.New}
}

// returned asks to return one piece of the first line that has any.
func returned(o *jsondoc.Object) (order.ReturnRequest, error) {
	for _, line := range o.Object("orderForm").Objects("lineItems") {
		quantity, _ := line.Get("quantity")
		if n, ok := jsondoc.DecimalOf(quantity); ok && n.IsPositive() && line.Text("lineItemId") != "" {
			one := decimal.Min(n, decimal.NewFromInt(1))
			return order.ReturnRequest{Lines: []order.ReturnLine{{LineItemID: line.Text("lineItemId"), Quantity: jsondoc.Number(one.String()), Reason: "Too small"}}}, nil
		}
	}
	return order.ReturnRequest{}, apierr.Wrong("order", "it has no line that can be returned: one with a lineItemId and a quantity")
}

// effect says what the engine would make of an answer. Where a failure is tried again, it says
// what comes of the last attempt, if that fails alike.
func (k *stepKind) effect(f decide.Facts, r outbound.Request, x outbound.Exchange) effect {
	o := answer.Step(x)
	a := x.Record(r.Kind, o.Failure)
	a.CallID, a.Number, a.MaxNumber = r.IdempotencyKey, r.Delivery, r.MaxDelivery
	d := rerun.DecideStep(f, *a, o)
	if d.Outcome != rerun.Retry {
		return effect{Decision: d, text: becomes(f, d)}
	}
	a.Number = a.MaxNumber // the last one
	last := rerun.DecideStep(f, *a, o)
	var within time.Duration
	for _, pause := range decide.RetryDelays[r.Delivery-1:] {
		within += pause
	}
	return effect{Decision: d, text: fmt.Sprintf("the call is tried again %s within %s; if all fail alike, %s", spelling.Times(r.MaxDelivery-r.Delivery), within, becomes(f, last))}
}

// becomes says what a decision makes of the order and its workflow.
func becomes(f decide.Facts, d *rerun.Decision) string {
	said := "the step is a " + string(d.Result)
	if d.Result == run.ActionError {
		said = "the step is an Error"
	}
	if d.Outcome == rerun.Answered && d.Reason != "" {
		said += " (" + d.Reason + ")"
	}
	parts := append([]string{said}, changed(d.Changes)...)
	if d.Status != "" {
		parts = append(parts, fmt.Sprintf("the status %s becomes %s", f.Order.Status(), d.Status))
	}
	if d.Stops {
		parts = append(parts, "the workflow stops, since the step has StopOnError")
	}
	if d.Triggers != "" {
		parts = append(parts, "then the order enters "+d.Triggers+", with its workflow")
	}
	return strings.Join(parts, "; ")
}

// mostNamed is how many fields a text names.
const mostNamed = 5

// changed says which fields change, in a part of a sentence; none: no part.
func changed(changes []order.Change) []string {
	var names []string
	for _, c := range changes {
		if name, _, _ := strings.Cut(c.Path, "["); !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return nil
	}
	more := ""
	if len(names) > mostNamed {
		more = fmt.Sprintf(" and %d more", len(names)-mostNamed)
		names = names[:mostNamed]
	}
	return []string{"it changes " + strings.Join(names, ", ") + more}
}
