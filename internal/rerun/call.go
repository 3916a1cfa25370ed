package rerun

import (
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/event"
	"github.com/orderhook/orderhook/internal/jsondoc"
	"github.com/orderhook/orderhook/internal/schema"
)

// Kind is what a call asks of its endpoint.
type Kind string

// The kinds of calls.
const (
	KindStep      Kind = "step"      // of an order's workflow
	KindReturn    Kind = "return"    // a step of a return's workflow
	KindValidator Kind = "validator" // about a cart
	KindEvent     Kind = "event"     // a delivery, that of an ExportOrder step included
)

// Format is the version of the form of a [Call]: a reader refuses another one.
const Format = 1

// Call is a recorded request and what came of it, with all that is needed to make it again
// and to decide by another answer. It stands alone: whoever has one needs no database. It
// holds no secret. It must not be changed once it is read; decisions share its documents.
type Call struct {
	Format int    `json:"format"`
	ID     string `json:"id"` // of the attempt
	Kind   Kind   `json:"kind"`

	CallID      string    `json:"callId,omitempty"`
	Number      int       `json:"number"` // of the attempt, from 1
	MaxNumber   int       `json:"maxNumber"`
	StartedAt   time.Time `json:"startedAt"`
	TimeoutMs   int64     `json:"timeoutMs"`
	URL         string    `json:"url"` // as it may be shown
	ConnectorID string    `json:"connectorId,omitempty"`
	EndpointID  string    `json:"endpointId,omitempty"`
	EventType   string    `json:"eventType,omitempty"`
	event.Related

	Request Request `json:"request"`
	// One of these says what the answer is decided by.
	Step      *Step      `json:"step,omitempty"`
	Validator *Validator `json:"validator,omitempty"`
	Event     *Event     `json:"event,omitempty"`

	Answer Answer `json:"answer"`
	// Decision is what the engine made of the answer, as far as the record says. It is nil
	// where that is not on record any more.
	Decision *Decision `json:"decision,omitempty"`
}

// Request is what was sent. Headers are those without secrets.
type Request struct {
	Method  string            `json:"method"`
	Headers map[string]string `json:"headers"`
	Body
}

// Body is the body of a request or of an answer, in the form that is the easiest to read.
// At most one of its fields is set.
type Body struct {
	JSON   jsontext.Value `json:"body,omitzero"`
	Text   string         `json:"bodyText,omitempty"`   // what is no JSON, or has white space in it
	Base64 []byte         `json:"bodyBase64,omitempty"` // what is no text
}

// Step is what the answer to a workflow step is decided by.
type Step struct {
	Config     Document `json:"config"` // as it was sent: without its secret headers
	Status     string   `json:"status"` // whose workflow it was
	OrderType  string   `json:"orderType,omitempty"`
	RunID      string   `json:"runId"`
	ShipmentID string   `json:"shipmentId,omitempty"`
	ReturnID   string   `json:"returnId,omitempty"`
	// Sent is the order as the call sent it.
	Sent Version `json:"sent"`
	// Meanwhile is the order as it was when the answer came, where somebody had changed it.
	Meanwhile  *Version  `json:"meanwhile,omitempty"`
	AnsweredAt time.Time `json:"answeredAt"`
	// Deadline is when the time of the run was over that MaxDurationMs gave it.
	Deadline      time.Time `json:"deadline,omitzero"`
	MaxDurationMs int64     `json:"maxDurationMs,omitempty"`
	// Events are those statuses of which the settings say what happens for endpoints.
	Events []StatusEvents `json:"events,omitempty"`
}

// Version is a version of an order, and the version at which its status was last set.
type Version struct {
	Order         Document `json:"order"`
	StatusVersion int64    `json:"statusVersion"`
}

// StatusEvents is what the settings say of the events of a status.
type StatusEvents struct {
	OrderType string   `json:"orderType"`
	Default   bool     `json:"default,omitempty"`
	Status    string   `json:"status"`
	Replace   bool     `json:"replace,omitempty"`
	Types     []string `json:"types"`
}

// Validator is what the answer of a validator is decided by.
type Validator struct {
	Cart          Document `json:"cart"` // as it was sent
	OnlyLineItems bool     `json:"onlyLineItems,omitempty"`
}

// Event is what the answer to a delivery is decided by, beside the numbers of its attempt.
type Event struct {
	Export bool `json:"export,omitempty"` // of an ExportOrder step: its endpoint is never turned off
}

// Document is a JSON object whose numbers and names are kept as they are.
type Document struct{ *jsondoc.Object }

// MarshalJSON implements json.Marshaler.
func (d Document) MarshalJSON() ([]byte, error) {
	if d.Object == nil {
		return []byte("null"), nil
	}
	return d.JSON(), nil
}

// UnmarshalJSON implements json.Unmarshaler.
func (d *Document) UnmarshalJSON(text []byte) (err error) {
	d.Object, err = schema.ParseStored(text)
	return err
}

// Parse reads a call. Its error says what is wrong with it, and where.
func Parse(text []byte) (*Call, error) {
	c := &Call{}
	if err := json.Unmarshal(text, c); err != nil {
		return nil, apierr.Errorf(apierr.Malformed, "it is no recorded call: %s", err)
	}
	return c, c.check()
}

// check finds what would keep a call from being decided.
func (c *Call) check() error {
	if c.Format != Format {
		return apierr.Errorf(apierr.Invalid, "it is of format %d; this orderhook reads format %d", c.Format, Format)
	}
	there := map[Kind]bool{KindStep: c.Step != nil, KindReturn: c.Step != nil, KindValidator: c.Validator != nil, KindEvent: c.Event != nil}
	switch is, known := there[c.Kind]; {
	case !known:
		return apierr.Errorf(apierr.Invalid, "kind: %q is none of step, return, validator and event", c.Kind)
	case !is:
		return apierr.Errorf(apierr.Invalid, "there is nothing that the answer of a call of the kind %s is decided by", c.Kind)
	case c.Step != nil && (c.Step.Config.Object == nil || c.Step.Sent.Order.Object == nil || c.Step.Meanwhile != nil && c.Step.Meanwhile.Order.Object == nil):
		return apierr.Errorf(apierr.Invalid, "step: config and sent.order must be objects")
	case c.Validator != nil && c.Validator.Cart.Object == nil:
		return apierr.Errorf(apierr.Invalid, "validator.cart must be an object")
	}
	return nil
}

// Text returns the call as a file has it: indented, the same bytes each time.
func (c *Call) Text() ([]byte, error) {
	text, err := json.Marshal(c, json.Deterministic(true), jsontext.WithIndent("  "), jsontext.PreserveRawStrings(true))
	return append(text, '\n'), err
}

// Timeout is how long an attempt may take.
func (c *Call) Timeout() time.Duration { return time.Duration(c.TimeoutMs) * time.Millisecond }
