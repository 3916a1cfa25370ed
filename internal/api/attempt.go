package api

import (
	"context"
	"encoding/base64"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"

	"github.com/orderhook/orderhook/internal/oms"
	"github.com/orderhook/orderhook/internal/store"
)

func attempts(a *api) {
	handle(a, oms.Reader, huma.Operation{OperationID: "list-attempts", Method: http.MethodGet, Path: "/api/attempts", Tags: []string{"Attempts"},
		Summary: "List outgoing requests, the newest first"}, a.listAttempts)
	handle(a, oms.Reader, huma.Operation{OperationID: "get-attempt", Method: http.MethodGet, Path: "/api/attempts/{id}", Tags: []string{"Attempts"},
		Summary: "Read an outgoing request and what came back"}, a.getAttempt)
}

// attemptParams are the filters of attempts.
type attemptParams struct {
	CountParams
	Kind           string `query:"kind" enum:"event,step,returnStep,validator,export,replay"`
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

func (a *api) listAttempts(ctx context.Context, in *attemptParams) (*listOf[*oms.Attempt], error) {
	f, err := in.filter()
	if err != nil {
		return nil, err
	}
	if in.EndpointID != "" {
		f.Endpoint, err = a.Store.EndpointNo(ctx, tenantOf(ctx), in.EndpointID)
	}
	if in.DeliveryID != "" && err == nil {
		var d *oms.Delivery
		if d, _, err = deliveryOf(ctx, a.Store, in.DeliveryID); err == nil {
			f.Delivery = &d.DeliveryKey
		}
	}
	if oms.KindOf(err) == oms.NotFound {
		return nothing[*oms.Attempt](in.CountParams)
	}
	if err != nil {
		return nil, err
	}
	list, err := listed(ctx, a, in.page(), func(p store.Page) (store.List[*oms.Attempt], error) {
		return a.Store.Attempts(ctx, tenantOf(ctx), f, p)
	}, publicAttempt)
	return counted(in.CountParams, list, err, func() (store.Count, error) { return a.Store.AttemptCount(ctx, tenantOf(ctx), f) })
}

// publicAttempt shows an attempt's URL without the values in its query, also
// where it was recorded with them.
func publicAttempt(at *oms.Attempt) *oms.Attempt {
	shown := *at
	shown.URL = oms.PublicURL(at.URL)
	return &shown
}

// leastBody is how many characters a piece of a body has at least (API.md, "Attempts").
const leastBody = 3

// filter reads the parameters but for those that name something stored.
func (in *attemptParams) filter() (store.AttemptFilter, error) {
	from, to, err := span(in.From, in.To)
	if err != nil {
		return store.AttemptFilter{}, err
	}
	f := store.AttemptFilter{Kind: in.Kind, CallID: in.CallID, ConnectorID: in.ConnectorID, Host: in.Host, EventType: in.EventType,
		Related: oms.Related{OrderID: in.OrderID, ShipmentID: in.ShipmentID, ReturnID: in.ReturnID, CartID: in.CartID, SubscriptionID: in.SubscriptionID, StockItemID: in.StockItemID},
		RunID:   in.RunID, Outcome: in.Outcome, MinDuration: time.Duration(in.MinDurationMs) * time.Millisecond, From: from, To: to, Body: in.Text}
	if in.Text != "" && utf8.RuneCountInString(in.Text) < leastBody {
		return f, oms.Wrong("query.body", "must have %d characters or more", leastBody)
	}
	var ok bool
	if f.StatusFilter, ok = store.ParseStatus(in.Status); !ok {
		return f, oms.Wrong("query.status", "%s", store.StatusForm)
	}
	return f, nil
}

// FullAttempt is an attempt with both its sides.
type FullAttempt struct {
	*oms.Attempt
	Request    message    `json:"request"`
	Response   *message   `json:"response,omitempty" doc:"Absent when nothing came back"`
	RemoteAddr string     `json:"remoteAddress,omitempty"`
	TLSVersion string     `json:"tlsVersion,omitempty"`
	Timing     oms.Timing `json:"timing" doc:"Milliseconds"`
}

// message is one side of an exchange.
type message struct {
	Method     string            `json:"method,omitempty"`
	Headers    map[string]string `json:"headers" doc:"Secrets are ***"`
	Body       string            `json:"body" doc:"A response's first 64 KiB"`
	BodyBase64 string            `json:"bodyBase64,omitempty" doc:"The body, where it is no UTF-8 text"`
	BodyBytes  int64             `json:"bodyBytes" doc:"The length that was sent or read"`
	Truncated  bool              `json:"truncated,omitempty" doc:"There was more than is shown"`
}

func showMessage(m *oms.Message) *message {
	if m == nil {
		return nil
	}
	out := &message{Method: m.Method, Headers: map[string]string{}, BodyBytes: m.BodyBytes, Truncated: m.Truncated}
	for name, values := range m.Headers {
		out.Headers[name] = strings.Join(values, ", ")
		if oms.IsSignature(name) { // which was recorded once
			out.Headers[name] = oms.Masked
		}
	}
	if utf8.Valid(m.Body) {
		out.Body = string(m.Body)
	} else {
		out.BodyBase64 = base64.StdEncoding.EncodeToString(m.Body)
	}
	return out
}

// AttemptID is the attempt that a path names.
type AttemptID struct {
	ID string `path:"id" doc:"The attempt's id"`
}

type attemptAnswer struct{ Body FullAttempt }

func (a *api) getAttempt(ctx context.Context, in *AttemptID) (*attemptAnswer, error) {
	at, err := a.Store.Attempt(ctx, tenantOf(ctx), in.ID)
	if err != nil {
		return nil, err
	}
	return &attemptAnswer{showAttempt(at)}, nil
}

func showAttempt(at *oms.Attempt) FullAttempt {
	d := at.Detail
	if d == nil { // it was erased
		d = &oms.AttemptDetail{}
	}
	return FullAttempt{Attempt: publicAttempt(at), Request: *showMessage(&d.Request), Response: showMessage(d.Response),
		RemoteAddr: d.RemoteAddr, TLSVersion: d.TLSVersion, Timing: d.Timing}
}
