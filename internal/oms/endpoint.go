package oms

import (
	"time"

	"github.com/orderhook/orderhook/internal/secret"
)

// Endpoint is a subscriber: where events of some types are POSTed to, and how.
// It is stored sealed as a whole, since its URL may hold secrets; all others it
// refers to.
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
	Disabled    string          `json:"disabled,omitempty"` // why it is not enabled; "" where somebody asked for it
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

// What holds for an endpoint that says nothing else.
const (
	DefaultTimeout     = 30 * time.Second // of one attempt
	DefaultConcurrency = 64               // attempts at the same time
)

// DefaultSchedule is the delays before the repeats (CONTRACT.md, "Event
// notifications"). It must not be changed.
var DefaultSchedule = []time.Duration{5 * time.Second, 30 * time.Second, 2 * time.Minute, 10 * time.Minute, time.Hour}

// Origin says what an endpoint was made by.
type Origin string

// The origins.
const (
	OriginAPI       Origin = "api"
	OriginWebHook   Origin = "webHook"   // the section of the config file
	OriginConnector Origin = "connector" // an ExportOrder step
)

// ConnectorRef finds a connector in the settings, as a step does. Host is the
// step's own, which takes the place of the connector's.
type ConnectorRef struct {
	Name string `json:"name"`
	ID   string `json:"id,omitempty"`
	Host string `json:"host,omitempty"`
}

// Ordering says in which order an endpoint gets its events.
type Ordering string

// The orderings.
const (
	OrderingNone    Ordering = "none"
	OrderingSubject Ordering = "subject" // the events of one subject one after the other
)

// The kinds of Standard Webhooks signatures.
const (
	SignatureV1  = "v1"
	SignatureV1a = "v1a"
)

// StepRef finds an ExportOrder step in the settings again.
type StepRef struct {
	OrderType   string `json:"orderType,omitempty"` // "": it is of a return's status
	Status      string `json:"status"`
	Index       int    `json:"index"` // among the status's steps, from 0
	DisplayName string `json:"displayName,omitempty"`
}

// Header is one custom header of requests. Its value is a secret.
type Header struct {
	Name  string       `json:"name"`
	Value secret.Value `json:"value,omitzero"`
}

// Secret is a signing secret as whsec_….
type Secret struct {
	Value secret.Value `json:"text"`
	Until time.Time    `json:"until,omitzero"` // it signs no longer then; zero: for good
}

// EndpointTLS says how an endpoint's TLS is verified, in PEM.
type EndpointTLS struct {
	CA          string       `json:"ca,omitempty"` // instead of the system's roots
	Certificate string       `json:"certificate,omitempty"`
	Key         secret.Value `json:"key,omitzero"` // of Certificate
}

// Health is how an endpoint has been doing. Success and failure mean attempts.
type Health struct {
	// Pending and Failed count the deliveries that wait, and those that failed for
	// good. They are not counted to the end where there are very many: then there are
	// at least so many.
	Pending, Failed             int64
	PendingCapped, FailedCapped bool
	// Succeeded counts deliveries since the endpoint was made.
	Succeeded    int64
	LastSuccess  time.Time
	LastFailure  time.Time
	LastError    string
	Consecutive  int       // failures since the last success
	FailingSince time.Time // the first of them; zero: none
	// FilterErrors counts the events that the filter could not judge, since the
	// endpoint was made; the endpoint got them.
	FilterErrors    int64
	LastFilterError FilterError // the last of them
	Streak          Streak
}

// FilterError says why a filter could not judge an event.
type FilterError struct {
	At      time.Time // zero: there was none
	EventID string
	Why     string // without anything of the event's data
}

// Streak is an endpoint's failures since its last success of which none is long
// after the one before: what an endpoint is turned off for (CONTRACT.md, "Event
// notifications"). A failure, silence, and a failure say little.
type Streak struct {
	Since      time.Time // the first of them; zero: there is none
	Deliveries int       // that failed at their first attempt
	Beginning  bool      // the last failure was such a first one, and others are to follow
}

// Then returns the streak that s, whose last failure was at a time, and a later
// one are. If the silence between them is longer than the given one, it is the
// later one alone.
func (s Streak) Then(last time.Time, later Streak, silence time.Duration) Streak {
	switch {
	case later.Since.IsZero():
		return s
	case s.Since.IsZero(), later.Since.Sub(last) > silence:
		return later
	}
	return Streak{s.Since, s.Deliveries + later.Deliveries, later.Beginning}
}

// Failed returns how many deliveries have failed: one whose first attempt has
// just failed may succeed yet.
func (s Streak) Failed() int {
	if s.Beginning {
		return s.Deliveries - 1
	}
	return s.Deliveries
}
