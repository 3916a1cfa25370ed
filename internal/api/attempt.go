package api

import (
	"context"
	"encoding/base64"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/orderhook/orderhook/internal/access"
	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/attempt"
	"github.com/orderhook/orderhook/internal/event"
	"github.com/orderhook/orderhook/internal/secret"
	"github.com/orderhook/orderhook/internal/store"
	"github.com/orderhook/orderhook/internal/weburl"
)

// attempts registers the operations that read what was sent to others, and what came back
// (docs/contract.md#attempts). Sending again is in replay.go.
func attempts(a *api) {
	handle(a, access.Reader, huma.Operation{OperationID: "list-attempts", Method: http.MethodGet, Path: "/api/attempts", Tags: []string{"Attempts"},
		Summary: "List outgoing requests, the newest first"}, a.listAttempts)
	handle(a, access.Reader, huma.Operation{OperationID: "get-attempt", Method: http.MethodGet, Path: "/api/attempts/{id}", Tags: []string{"Attempts"},
		Summary: "Read an outgoing request and what came back"}, a.getAttempt)
}

// attemptParams are the filters of attempts. All that are given must hold. An empty one
// picks all. Those of ids are compared exactly.
type attemptParams struct {
	CountParams
	Kind           string `query:"kind" enum:"event,step,returnStep,validator,export,replay,shadow"`
	CallID         string `query:"callId"`
	EndpointID     string `query:"endpointId"`
	ConnectorID    string `query:"connectorId"`
	Host           string `query:"host"`
	EventType      string `query:"eventType"`
	OrderID        string `query:"orderId"`
	ShipmentID     string `query:"shipmentId"`
	ReturnID       string `query:"returnId"`
	CartID         string `query:"cartId"`
	SubscriptionID string `query:"subscriptionId"`
	StockItemID    string `query:"stockItemId"`
	DeliveryID     string `query:"deliveryId"`
	RunID          string `query:"runId"`
	Outcome        string `query:"outcome" enum:"succeeded,failed"`
	Status         string `query:"status" doc:"As 500, 5xx, or none where no answer came"`
	MinDurationMs  int64  `query:"minDurationMs" minimum:"0" maximum:"1000000000000"`
	From           string `query:"from" doc:"Started at or after this time"`
	To             string `query:"to" doc:"Started before this time"`
	Text           string `query:"body" doc:"A piece of the request's or the response's body, of three characters or more, in any case"`
}

// listAttempts lists attempts. An endpoint and a delivery are stored under numbers, so
// they are looked up first. A filter that names one that does not exist picks nothing,
// which is an empty list and no error: the same question about an order that was erased
// has the same answer.
func (a *api) listAttempts(ctx context.Context, in *attemptParams) (*listOf[*attempt.Attempt], error) {
	f, err := in.filter()
	if err != nil {
		return nil, err
	}
	if in.EndpointID != "" {
		f.Endpoint, err = a.Store.EndpointNo(ctx, tenantOf(ctx), in.EndpointID)
	}
	if in.DeliveryID != "" && err == nil {
		var d *event.Delivery
		if d, _, err = deliveryOf(ctx, a.Store, in.DeliveryID); err == nil {
			f.Delivery = &d.DeliveryKey
		}
	}
	if apierr.KindOf(err) == apierr.NotFound {
		return nothing[*attempt.Attempt](in.CountParams)
	}
	if err != nil {
		return nil, err
	}
	list, err := listed(ctx, a, in.page(), func(p store.Page) (store.List[*attempt.Attempt], error) {
		return a.Store.Attempts(ctx, tenantOf(ctx), f, p)
	}, publicAttempt)
	return withCount(in.CountParams, list, err, func() (store.Count, error) { return a.Store.AttemptCount(ctx, tenantOf(ctx), f) })
}

// publicAttempt shows an attempt's URL without the values in its query, also where it was
// recorded with them, as earlier versions did. The attempt of the store stays as it is.
func publicAttempt(at *attempt.Attempt) *attempt.Attempt {
	shown := *at
	shown.URL = weburl.PublicURL(at.URL)
	return &shown
}

// leastBody is how many characters a piece of a body has at least
// (docs/contract.md#attempts). The index of bodies has no shorter pieces, so a search for
// one would read every body.
const leastBody = 3

// filter reads the parameters but for those that name something stored. An error names
// the parameter as the caller wrote it.
func (in *attemptParams) filter() (store.AttemptFilter, error) {
	from, to, err := span(in.From, in.To)
	if err != nil {
		return store.AttemptFilter{}, err
	}
	f := store.AttemptFilter{Kind: in.Kind, CallID: in.CallID, ConnectorID: in.ConnectorID, Host: in.Host, EventType: in.EventType,
		Related: event.Related{OrderID: in.OrderID, ShipmentID: in.ShipmentID, ReturnID: in.ReturnID, CartID: in.CartID, SubscriptionID: in.SubscriptionID, StockItemID: in.StockItemID},
		RunID:   in.RunID, Outcome: in.Outcome, MinDuration: time.Duration(in.MinDurationMs) * time.Millisecond, From: from, To: to, Body: in.Text}
	if in.Text != "" && utf8.RuneCountInString(in.Text) < leastBody {
		return f, apierr.Wrong("query.body", "must have %d characters or more", leastBody)
	}
	var ok bool
	if f.StatusFilter, ok = store.ParseStatus(in.Status); !ok {
		return f, apierr.Wrong("query.status", "%s", store.StatusForm)
	}
	return f, nil
}

// FullAttempt is an attempt with both its sides. An attempt in a list has none of this,
// which is why a list of attempts is small. What a page or an export shows of an attempt
// is made by ShowAttempt, too, so that none of them shows more than the API.
type FullAttempt struct {
	*attempt.Attempt
	Request    message        `json:"request"`
	Response   *message       `json:"response,omitempty" doc:"Absent when nothing came back"`
	RemoteAddr string         `json:"remoteAddress,omitempty"`
	TLSVersion string         `json:"tlsVersion,omitempty"`
	Timing     attempt.Timing `json:"timing" doc:"Milliseconds"`
	// Listener got the request in place of the endpoint.
	Listener *attempt.Listener `json:"listener,omitempty" doc:"Who was handed the request in place of the endpoint, by an interception"`
	// Comparison is gone once the order is erased.
	Comparison *comparison `json:"comparison,omitempty" doc:"Of a shadow: how its answer compares with that of its live step"`
}

// comparison is how the answer of a shadow compares, as the API shows it.
type comparison struct {
	ShadowID    string         `json:"shadowId"`
	With        string         `json:"with" doc:"The attempt of the live step that it is compared with"`
	Result      attempt.Result `json:"result" enum:"same,slower,different,failed"`
	Differences []difference   `json:"differences" nullable:"false"`
	More        int            `json:"more,omitempty" doc:"Differences that are not shown"`
}

// difference is one field in which the effects of two answers differ.
type difference struct {
	Path   string   `json:"path" doc:"A field of the decision, as result, or one of the order, as order.properties[Score].value"`
	Live   anyValue `json:"live"`
	Shadow anyValue `json:"shadow"`
}

// anyValue is a value of whatever type.
type anyValue struct{ jsontext.Value }

// Schema implements huma.SchemaProvider.
func (anyValue) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Description: "Any value; null where there is none, and … for one that is too large"}
}

func showComparison(c *attempt.Comparison) *comparison {
	if c == nil {
		return nil
	}
	out := &comparison{ShadowID: c.ShadowID, With: c.With, Result: c.Result, Differences: []difference{}, More: c.More}
	for _, d := range c.Differences {
		out.Differences = append(out.Differences, difference{d.Path, anyValue{d.Live}, anyValue{d.Shadow}})
	}
	return out
}

// message is one side of an exchange. The answer has one of Body and BodyBase64.
// BodyBytes may be more than what is shown, since only the beginning of a response is
// recorded.
type message struct {
	Method     string            `json:"method,omitempty"`
	Headers    map[string]string `json:"headers" doc:"Secrets are ***"`
	Body       string            `json:"body" doc:"A response's first 64 KiB"`
	BodyBase64 string            `json:"bodyBase64,omitempty" doc:"The body, where it is no UTF-8 text"`
	BodyBytes  int64             `json:"bodyBytes" doc:"The length that was sent or read"`
	Truncated  bool              `json:"truncated,omitempty" doc:"There was more than is shown"`
}

// showMessage returns one side of an attempt as the API shows it. Signatures are masked:
// with one, whoever reads it could send the request again. Several values of one header
// are put together with commas, as HTTP allows. A body that is no UTF-8 would lose bytes
// in a JSON text, so it goes out in base64.
func showMessage(m *attempt.Message) *message {
	if m == nil {
		return nil
	}
	out := &message{Method: m.Method, Headers: map[string]string{}, BodyBytes: m.BodyBytes, Truncated: m.Truncated}
	for name, values := range m.Headers {
		out.Headers[name] = strings.Join(values, ", ")
		if secret.IsSignature(name) { // an earlier version recorded them
			out.Headers[name] = secret.Mask
		}
	}
	if utf8.Valid(m.Body) {
		out.Body = string(m.Body)
	} else {
		out.BodyBase64 = base64.StdEncoding.EncodeToString(m.Body)
	}
	return out
}

// AttemptID is the attempt that a path names. It is exported because Huma fills in only
// exported fields, and an embedded struct is a field by its type's name. The same holds
// for the other inputs of operations.
type AttemptID struct {
	ID string `path:"id" doc:"The attempt's id"`
}

type attemptAnswer struct{ Body FullAttempt }

// getAttempt reads one attempt; 404 also for one that retention has removed, and for one
// of another tenant.
func (a *api) getAttempt(ctx context.Context, in *AttemptID) (*attemptAnswer, error) {
	at, err := a.Store.Attempt(ctx, tenantOf(ctx), in.ID)
	if err != nil {
		return nil, err
	}
	return &attemptAnswer{ShowAttempt(at)}, nil
}

// ShowAttempt returns an attempt as the API shows it, without secrets. After its order
// was erased, an attempt has no details left. It is shown with an empty request and no
// response, so that the answer has the same form.
func ShowAttempt(at *attempt.Attempt) FullAttempt {
	d := at.Detail
	if d == nil { // it was erased
		d = &attempt.AttemptDetail{}
	}
	return FullAttempt{Attempt: publicAttempt(at), Request: *showMessage(&d.Request), Response: showMessage(d.Response),
		RemoteAddr: d.RemoteAddr, TLSVersion: d.TLSVersion, Timing: d.Timing, Listener: d.Listener, Comparison: showComparison(d.Comparison)}
}
