package attempt

import (
	"strings"
	"time"

	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/event"
)

// Kinds of outgoing requests (docs/contract.md#attempts).
const (
	KindStep       = "step"
	KindReturnStep = "returnStep"
	KindValidator  = "validator"
	KindEvent      = "event"
	KindExport     = "export"
	KindReplay     = "replay" // one of another kind, sent again by hand
	KindShadow     = "shadow" // of a step that is called beside another one, and changes nothing
)

// Kinds is all of them, as a list of attempts offers them.
var Kinds = []string{KindEvent, KindStep, KindReturnStep, KindValidator, KindExport, KindReplay, KindShadow}

// Outcomes of an attempt.
const (
	OutcomeSucceeded = "succeeded"
	OutcomeFailed    = "failed"
)

// Outcomes is both of them.
var Outcomes = []string{OutcomeSucceeded, OutcomeFailed}

// Attempt is the record of one outgoing request.
type Attempt struct {
	ID          string           `json:"id"`
	Kind        string           `json:"kind" enum:"step,returnStep,validator,event,export,replay,shadow"`
	CallID      string           `json:"callId"` // an event's is its delivery's id
	Number      int              `json:"number"`
	MaxNumber   int              `json:"maxNumber"`
	StartedAt   time.Time        `json:"startedAt"`
	DurationMs  float64          `json:"durationMs"`
	URL         string           `json:"url"`
	Host        string           `json:"host"`             // with the port where the URL has one
	Status      int              `json:"status,omitempty"` // 0: no answer
	Outcome     string           `json:"outcome" enum:"succeeded,failed"`
	Error       string           `json:"error,omitempty"`
	Warnings    []apierr.Warning `json:"warnings,omitempty" nullable:"false"` // what of the answer was not read, or not applied
	ConnectorID string           `json:"connectorId,omitempty"`
	event.Related
	RunID      string `json:"runId,omitempty"`
	EndpointID string `json:"endpointId,omitempty"`
	EventID    string `json:"eventId,omitempty"`
	EventType  string `json:"eventType,omitempty"`
	DeliveryID string `json:"deliveryId,omitempty"`
	// Delivery is the delivery's key, Format the body it sent; nothing for
	// other kinds.
	Delivery event.DeliveryKey `json:"-"`
	Format   event.Format      `json:"-"`
	// Detail is what only `GET /api/attempts/{id}` shows; lists leave it nil.
	Detail *AttemptDetail `json:"-"`
}

// ListenerScheme is what the URL of an attempt begins with that a listener got in place of the
// endpoint (docs/contract.md#interceptions). The id of the interception follows.
const ListenerScheme = "listener:"

// Intercepted reports whether a listener got the request in place of the endpoint. Lists have no
// details, and say so by the URL.
func (a Attempt) Intercepted() bool { return strings.HasPrefix(a.URL, ListenerScheme) }

// AttemptDetail is the request and the response of an attempt, secrets masked.
type AttemptDetail struct {
	Request    Message  `json:"request"`
	Response   *Message `json:"response,omitempty"` // nil: nothing came back
	RemoteAddr string   `json:"remoteAddr,omitempty"`
	TLSVersion string   `json:"tlsVersion,omitempty"`
	Timing     Timing   `json:"timing"`
	// Listener is who was handed the request in place of the endpoint; nil: nobody.
	Listener *Listener `json:"listener,omitempty"`
	// Comparison is of the attempt of a shadow alone.
	Comparison *Comparison `json:"comparison,omitempty"`
}

// Listener is somebody who intercepts the calls of steps (docs/contract.md#interceptions).
type Listener struct {
	InterceptionID string `json:"interceptionId"`
	KeyID          string `json:"keyId" doc:"Of the key that it was begun with"`
	KeyName        string `json:"keyName,omitempty"`
}

// Message is one side of an exchange.
type Message struct {
	Method  string              `json:"method,omitempty"`
	Headers map[string][]string `json:"headers"`
	Body    []byte              `json:"-"` // a request's whole, a response's first 64 KiB
	// BodyBytes is the length that was sent or read, Truncated whether Body is
	// shorter than it, or reading stopped at a limit.
	BodyBytes int64 `json:"bodyBytes"`
	Truncated bool  `json:"truncated,omitempty"`
}

// Timing says how long the parts of an attempt took, in milliseconds; 0 where
// a part did not happen, as on a reused connection.
type Timing struct {
	DNS       float64 `json:"dns"`
	Connect   float64 `json:"connect"`
	TLS       float64 `json:"tls"`
	FirstByte float64 `json:"firstByte"` // from the start of the attempt
}

// Bare returns what stays of an attempt once its order was erased: that it was made, and what
// came of it.
func (a *Attempt) Bare() *Attempt {
	bare := *a
	bare.Warnings, bare.Detail = nil, a.Detail.Bare()
	return &bare
}

// Bare returns the detail without bodies, headers and values of the order, which is what
// stays of it once its order was erased.
func (d *AttemptDetail) Bare() *AttemptDetail {
	if d == nil {
		return nil
	}
	bare := *d
	bare.Request.Headers, bare.Request.Body, bare.Comparison = nil, nil, nil
	if d.Response != nil {
		answer := *d.Response
		answer.Headers, answer.Body = nil, nil
		bare.Response = &answer
	}
	return &bare
}
