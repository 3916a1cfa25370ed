package event

import (
	"reflect"
	"time"

	"github.com/orderhook/orderhook/internal/filter"
	"github.com/orderhook/orderhook/internal/schema"
	"github.com/orderhook/orderhook/internal/secret"
	"github.com/orderhook/orderhook/internal/timetext"
)

// Endpoint is a subscriber: where events of some types are POSTed to, and how.
// It is stored sealed as a whole, since its URL may hold secrets; all others it
// refers to. Callers of the API, the webHook section and ExportOrder steps make endpoints,
// and package delivery sends to them. One that is stored is shared by many goroutines, so
// whoever changes it changes a copy.
type Endpoint struct {
	// No numbers the tenant's endpoints from 1; the store sets it.
	No     int64  `json:"-"`
	ID     string `json:"id"`
	Origin Origin `json:"origin"`
	URL    string `json:"url"`
	// Connector is the name and id of the connector of an ExportOrder step,
	// which has the URL and all else then; nil for other origins.
	Connector *ConnectorRef `json:"connector,omitempty"`
	// Step is the ExportOrder step whose headers the requests have; nil: none are
	// any step's.
	Step        *StepRef        `json:"step,omitempty"`
	EventTypes  []string        `json:"eventTypes"` // names, `*`, and `order_*`
	Description string          `json:"description,omitempty"`
	Format      Format          `json:"format"`
	Headers     []Header        `json:"headers,omitempty"`
	Enabled     bool            `json:"enabled"`
	Disabled    string          `json:"disabled,omitempty"`  // why it is not enabled; "" where somebody asked for it
	DisabledAt  time.Time       `json:"disabledAt,omitzero"` // since when; zero where Disabled is "", and for those turned off before this was kept
	Timeout     time.Duration   `json:"timeout"`
	Schedule    []time.Duration `json:"schedule"` // delays before the repeats, one each
	Concurrency int             `json:"concurrency"`
	RateLimit   float64         `json:"rateLimit,omitempty"` // attempts a second; 0: no limit
	Ordering    Ordering        `json:"ordering"`
	// Reordering is the id of the job that has the pending deliveries follow a
	// change of Ordering; "" where all do. Until it has ended, the events of a
	// subject may arrive in another order, and new ones of an endpoint that is to
	// get them in their order wait.
	Reordering string       `json:"reordering,omitempty"`
	Filter     string       `json:"filter,omitempty"`
	TLS        *EndpointTLS `json:"tls,omitempty"`
	Signatures []string     `json:"signatures"`          // v1, v1a
	Secrets    []Secret     `json:"secrets,omitempty"`   // the newest first
	SigningKey secret.Value `json:"signingKey,omitzero"` // whsk_…, for v1a
	Created    time.Time    `json:"created"`
	Updated    time.Time    `json:"updated"`
}

// The fields that callers set, one row each: reading and checking them, the hints in
// messages, the audit log and the OpenAPI document are made of these rows
// (docs/contract.md#endpoints). What an endpoint has that says nothing of a field is
// the row's Default.
var endpointFields = []endpointField{
	{ShapeField: schema.ShapeField{Name: "url", Format: "uri", Required: true, Limits: schema.Limits{MaxLength: maxURL}, Doc: "http or https, without a fragment; or feed: where nothing is to be sent, and the feed is read"},
		set: (*endpointReader).url, of: func(e *Endpoint) any { return e.URL }}, // first: whether secrets may stay depends on it
	{ShapeField: schema.ShapeField{Name: "eventTypes", Type: schema.ShapeTexts, Required: true, Limits: schema.Limits{MinItems: 1, MaxItems: 100}, Hint: `["*"] is all`,
		Doc: "Names of types, * for all, and beginnings as order_*", Example: []string{"order_*"}},
		set: (*endpointReader).eventTypes, of: func(e *Endpoint) any { return e.EventTypes }},
	{ShapeField: schema.ShapeField{Name: "description", Limits: schema.Limits{MaxLength: 1000}},
		set: textInto(func(e *Endpoint) *string { return &e.Description }), of: func(e *Endpoint) any { return e.Description }},
	{ShapeField: schema.ShapeField{Name: "format", Enum: []string{string(FormatFull), string(FormatThin)}, Default: string(FormatFull), Doc: "The whole event, or its ids alone"},
		set: textInto(func(e *Endpoint) *Format { return &e.Format }), of: func(e *Endpoint) any { return e.Format }},
	{ShapeField: schema.ShapeField{Name: "headers", Type: schema.ShapeNamed, Doc: "Sent with every request, at most 30. A list of {key, value} will do, too"},
		set: (*endpointReader).headers, of: func(e *Endpoint) any { return e.Headers }},
	{ShapeField: schema.ShapeField{Name: "enabled", Type: schema.ShapeFlag, Default: true},
		set: (*endpointReader).enabled, of: func(e *Endpoint) any { return e.Enabled }},
	{ShapeField: schema.ShapeField{Name: "timeout", Default: timetext.FormatDuration(DefaultTimeout), Doc: "Of one attempt, PT0.1S to PT5M"},
		set: (*endpointReader).timeout, of: func(e *Endpoint) any { return e.Timeout }},
	{ShapeField: schema.ShapeField{Name: "retrySchedule", Type: schema.ShapeTexts, Limits: schema.Limits{MinItems: 1, MaxItems: 20}, Default: formatDurations(DefaultSchedule),
		Form: "a duration of at most P7D, as PT5S or 00:00:05", Each: isRepeatDelay,
		Doc: "The wait before each repeat, at most P7D", Example: []string{"PT5S", "PT1M"}},
		set: (*endpointReader).retrySchedule, of: func(e *Endpoint) any { return e.Schedule }},
	{ShapeField: schema.ShapeField{Name: "maxConcurrency", Type: schema.ShapeWhole, Limits: schema.Limits{Min: 1, Max: 256}, Default: 64, Doc: "How many attempts at the same time"},
		set: func(r *endpointReader, v any) { r.e.Concurrency = v.(int) }, of: func(e *Endpoint) any { return e.Concurrency }},
	{ShapeField: schema.ShapeField{Name: "rateLimit", Type: schema.ShapeNumber, Limits: schema.Limits{Min: 0.001, Max: 10_000},
		Form: "attempts a second, from 0.001 to 10000; leave it out for no limit", Doc: "Attempts a second; none if it is left out"},
		set: (*endpointReader).rateLimit, of: func(e *Endpoint) any { return e.RateLimit }},
	{ShapeField: schema.ShapeField{Name: "ordering", Enum: []string{string(OrderingNone), string(OrderingSubject)}, Default: string(OrderingNone),
		Doc: "subject: the events of one subject arrive one after the other, in their order"},
		set: textInto(func(e *Endpoint) *Ordering { return &e.Ordering }), of: func(e *Endpoint) any { return e.Ordering }},
	{ShapeField: schema.ShapeField{Name: "filter", Limits: schema.Limits{MaxLength: filter.MaxLength}, Example: "data.orderForm.total > 1000",
		Doc: "An expression over id, type, timestamp, orderId, subject and data; only events that it is true for, or that it cannot check, are sent"},
		set: (*endpointReader).filter, of: func(e *Endpoint) any { return e.Filter }},
	{ShapeField: schema.ShapeField{Name: "tls", Type: schema.ShapeObject, Of: tlsShape},
		set: (*endpointReader).tls, of: func(e *Endpoint) any { return e.TLS }},
	{ShapeField: schema.ShapeField{Name: "signatures", Type: schema.ShapeTexts, Enum: []string{SignatureV1, SignatureV1a}, Limits: schema.Limits{MinItems: 1}, Default: []string{SignatureV1},
		Doc: `v1: HMAC-SHA256 with the secret; v1a: Ed25519, verified with the public key. ["v1"] if it is left out`},
		set: (*endpointReader).signatures, of: func(e *Endpoint) any { return e.Signatures }},
	{ShapeField: schema.ShapeField{Name: "secret", Doc: "whsec_ and the base64 of 24 to 64 bytes; one is made if it is left out. A later one is made by rotate-secret"},
		new: true, set: (*endpointReader).secret, of: func(e *Endpoint) any { return e.Secrets }},
}

// tlsShape is what `tls` may have.
var tlsShape = &schema.Shape{Name: "EndpointTLS", Noun: "tls", Fields: []schema.ShapeField{
	{Name: "ca", Doc: "PEM, instead of the system's roots"},
	{Name: "certificate", Doc: "PEM: the client certificate, and what leads from it to its root"},
	{Name: "key", Doc: "PEM, of the certificate; shown as ***"},
}}

// shownFields are those of an answer that nobody sets. In a change they are
// passed over, so that an answer can be sent back. What is in them is not looked at, but
// for the id.
var shownFields = []string{"id", "origin", "created", "updated", "disabledReason", "disabledAt", "reorderingJob", "secrets", "counts", "health", "recent", "warnings"}

// Origin says what an endpoint was made by. What was made elsewhere cannot be changed
// through the API (docs/contract.md#endpoints). It never changes.
type Origin string

// The origins.
const (
	OriginAPI       Origin = "api"
	OriginWebHook   Origin = "webHook"   // the section of the config file
	OriginConnector Origin = "connector" // an ExportOrder step
)

// FeedURL is the URL of an endpoint that nothing is sent to: what it is given is read from
// its feed (docs/events.md#an-endpoint-without-a-receiver).
const FeedURL = "feed:"

// FeedOnly reports whether nothing is sent to an endpoint.
func (e *Endpoint) FeedOnly() bool { return e.URL == FeedURL }

// ConnectorRef finds a connector in the settings, as a step does. Host is the
// step's own, which takes the place of the connector's. It names the connector as the
// settings had it when the event was made; which one that is today is looked up at each
// attempt.
type ConnectorRef struct {
	Name string `json:"name"`
	ID   string `json:"id,omitempty"`
	Host string `json:"host,omitempty"`
}

// Ordering says in which order an endpoint gets its events. See docs/contract.md#ordering.
// A change of it has a job put what is pending in order.
type Ordering string

// The orderings.
const (
	OrderingNone    Ordering = "none"
	OrderingSubject Ordering = "subject" // the events of one subject one after the other
)

// The kinds of Standard Webhooks signatures. For v1 both sides need the secret; v1a is
// verified with a public key (docs/contract.md#signing).
const (
	SignatureV1  = "v1"
	SignatureV1a = "v1a"
)

// StepRef finds an ExportOrder step in the settings again. The place counts first, then the
// display name: see [settings.Settings.ExportStep].
type StepRef struct {
	OrderType   string `json:"orderType,omitempty"` // "": it is of a return's status
	Status      string `json:"status"`
	Index       int    `json:"index"` // among the status's steps, from 0
	DisplayName string `json:"displayName,omitempty"`
}

// Header is one custom header of requests. Its value is a secret. Its name has the usual
// spelling of HTTP. Whoever is shown an endpoint sees names alone.
type Header struct {
	Name  string       `json:"name"`
	Value secret.Value `json:"value,omitzero"`
}

// Secret is a signing secret as whsec_…. After a rotation several sign at once, until those
// from before end.
type Secret struct {
	Value secret.Value `json:"text"`
	Until time.Time    `json:"until,omitzero"` // it signs no longer then; zero: for good
}

// EndpointTLS says how an endpoint's TLS is verified, in PEM. What is empty is left to the
// defaults: the system's roots, and no client certificate.
type EndpointTLS struct {
	CA          string       `json:"ca,omitempty"` // instead of the system's roots
	Certificate string       `json:"certificate,omitempty"`
	Key         secret.Value `json:"key,omitzero"` // of Certificate
}

// ChangedFields names the fields in which an endpoint differs from what it was, both
// as they are stored: a secret is a reference then, and a new one another. The audit log
// names them.
func (e *Endpoint) ChangedFields(was *Endpoint) (names []string) {
	for _, f := range endpointFields {
		if !reflect.DeepEqual(f.of(was), f.of(e)) {
			names = append(names, f.Name)
		}
	}
	return names
}
