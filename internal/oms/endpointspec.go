package oms

import (
	"net/url"
	"slices"
	"time"

	"github.com/orderhook/orderhook/internal/secret"
)

// Limits of an endpoint (API.md, "Webhook endpoints and events").
const (
	maxURL         = 2048 // bytes
	maxDescription = 1000 // characters
	maxEventTypes  = 100
	maxHeaders     = 30
	maxHeaderValue = 4096 // bytes
	minTimeout     = 100 * time.Millisecond
	maxTimeout     = 5 * time.Minute
	maxRepeats     = 20
	maxRepeatDelay = 7 * 24 * time.Hour
	maxConcurrency = 256
	minRateLimit   = 0.001 // attempts a second
	maxRateLimit   = 10_000
)

// Masked is shown in place of a secret, and stands for the stored one when it
// is sent back.
const Masked = secret.Mask

const (
	nothingMasked = `"***" stands for a stored secret, and none is stored here; send the secret itself`
	otherOrigin   = "the stored secret goes to the scheme, host and port of the stored url alone; send the secret itself, or null"
)

// EndpointChecks judges what only the package that makes the requests can. Why
// something is wrong is a text without secrets, "" where nothing is.
type EndpointChecks struct {
	Target func(u *url.URL) (why string)
	// HeaderName returns the usual spelling, too, "" of what is no name at all.
	HeaderName  func(name string) (canonical, why string)
	HeaderValue func(value string) (why string)
	Secret      func(text string) (why string)
	// TLS says which field is wrong: ca, certificate or key. A stored key is for
	// requests to the URL.
	TLS func(t EndpointTLS, url string) (field, why string)
}

// NewEndpoint reads the body of a POST. It makes no secrets: what the endpoint
// lacks of them is left to the caller. Errors are [Invalid] and name every
// mistake.
func NewEndpoint(doc *Object, check EndpointChecks, now time.Time) (*Endpoint, error) {
	e := &Endpoint{ID: NewID(EndpointID), Origin: OriginAPI, Format: FormatFull, Enabled: true, Timeout: DefaultTimeout, Schedule: DefaultSchedule,
		Concurrency: DefaultConcurrency, Ordering: OrderingNone, Signatures: []string{SignatureV1}, Created: now, Updated: now}
	r := endpointReader{doc: doc, e: e, check: check}
	return e, r.read(writableFields)
}

// Changed returns the endpoint as the body of a PATCH leaves it: fields that
// are not given stay, null gives them their default. The endpoint itself does
// not change. Errors are as [NewEndpoint]'s.
func (e *Endpoint) Changed(doc *Object, check EndpointChecks, now time.Time) (*Endpoint, error) {
	next := *e
	next.Updated = now
	r := endpointReader{doc: doc, e: &next, was: e, check: check}
	return &next, r.read(changeableFields)
}

// endpointField is a field of an endpoint's body. Its value is nil for null.
type endpointField struct {
	name string
	read func(r *endpointReader, v any)
}

var (
	changeableFields = []endpointField{
		{"url", (*endpointReader).url}, // first: whether secrets may stay depends on it
		{"eventTypes", (*endpointReader).eventTypes},
		{"description", (*endpointReader).description},
		{"format", (*endpointReader).format},
		{"headers", (*endpointReader).headers},
		{"enabled", (*endpointReader).enabled},
		{"timeout", (*endpointReader).timeout},
		{"retrySchedule", (*endpointReader).retrySchedule},
		{"maxConcurrency", (*endpointReader).maxConcurrency},
		{"rateLimit", (*endpointReader).rateLimit},
		{"ordering", (*endpointReader).ordering},
		{"filter", (*endpointReader).filter},
		{"tls", (*endpointReader).tls},
		{"signatures", (*endpointReader).signatures},
	}
	writableFields = append(slices.Clone(changeableFields), endpointField{"secret", (*endpointReader).secret})
	// shownFields are those of an answer that nobody sets. In a change they are
	// passed over, so that an answer can be sent back.
	shownFields = []string{"id", "origin", "created", "updated", "disabledReason", "secrets", "counts", "health"}
)

type endpointReader struct {
	checker
	doc   *Object
	e     *Endpoint // as it is being made
	was   *Endpoint // as it is stored; nil for a new one
	check EndpointChecks
}

func (r *endpointReader) read(fields []endpointField) error {
	r.unknown(fields)
	for _, f := range fields {
		if v, given := r.doc.Get(f.name); given {
			f.read(r, v)
		}
	}
	if _, given := r.doc.Get("url"); !given && r.e.URL == "" {
		r.url(nil)
	}
	if _, given := r.doc.Get("eventTypes"); !given && len(r.e.EventTypes) == 0 {
		r.eventTypes(nil)
	}
	r.movedSecrets()
	if len(r.errors) > 0 {
		return &Error{Kind: Invalid, Detail: "the endpoint is not valid", Fields: r.errors}
	}
	return nil
}

// unknown notes the fields that are not read.
func (r *endpointReader) unknown(fields []endpointField) {
	var known []string
	for _, f := range fields {
		known = append(known, f.name)
	}
	is := func(name string) func(string) bool { return func(k string) bool { return sameName(k, name) } }
	for _, m := range r.doc.Members() {
		meant := Nearest(m.Name, known)
		switch {
		case slices.ContainsFunc(known, is(m.Name)):
		case slices.ContainsFunc(shownFields, is(m.Name)):
			r.shown(m)
		case r.was != nil && sameName(m.Name, "secret"):
			r.add("secret", "is changed by POST /api/endpoints/{id}/rotate-secret")
		case meant != "":
			r.add(joinPath("", m.Name), "is no field of an endpoint; is "+meant+" meant?")
		default:
			r.add(joinPath("", m.Name), "is no field of an endpoint")
		}
	}
}

// shown judges a field that orderhook itself sets.
func (r *endpointReader) shown(m Member) {
	switch {
	case m.Value == nil:
	case r.was == nil:
		r.add(m.Name, "is set by orderhook; leave it out")
	case sameName(m.Name, "id") && m.Value != r.was.ID:
		r.add("id", "never changes")
	}
}
