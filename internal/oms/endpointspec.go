package oms

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
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
const Masked = "***"

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
	// TLS says which field is wrong: ca, certificate or key.
	TLS func(t EndpointTLS) (field, why string)
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

// movedSecrets notes secrets that would travel to another origin than they were
// given for, without having been sent again: whoever may change a URL may not
// thereby read a secret.
func (r *endpointReader) movedSecrets() {
	if r.was == nil || !r.moved() {
		return
	}
	if _, given := r.doc.Get("headers"); !given && len(r.was.Headers) > 0 {
		r.add("headers", otherOrigin)
	}
	if _, given := r.doc.Get("tls"); !given && r.was.TLS != nil && r.was.TLS.Key != "" {
		r.add("tls", otherOrigin)
	}
}

func (r *endpointReader) moved() bool { return URLOrigin(r.was.URL) != URLOrigin(r.e.URL) }

// stored returns the secret that a *** stands for, and notes why it stands for none.
func (r *endpointReader) stored(at, secret string) string {
	switch {
	case r.was == nil || secret == "":
		r.add(at, nothingMasked)
	case r.moved():
		r.add(at, otherOrigin)
	}
	return secret
}

// typed returns a field's value if it has the type that is wanted, and notes
// otherwise. null is no mistake, and not ok.
func typed[T any](r *endpointReader, at, want string, v any) (t T, ok bool) {
	t, ok = v.(T)
	if !ok && v != nil {
		r.wrong(at, want, v)
	}
	return t, ok
}

func (r *endpointReader) url(v any) {
	text, ok := typed[string](r, "url", "text", v)
	if !ok {
		if v == nil {
			r.add("url", "is needed")
		}
		return
	}
	u, why := CheckURL(text)
	if why == "" {
		why = r.check.Target(u)
	}
	if why != "" {
		r.add("url", why)
	} else {
		r.e.URL = r.unmasked(text, u)
	}
}

// CheckURL reads the URL of an endpoint, and says what is wrong with it, if
// anything. It does not repeat the URL: there may be a password in it.
func CheckURL(text string) (u *url.URL, why string) {
	u, ok := ParseURL(text)
	switch {
	case !ok:
		return nil, "must be an absolute http or https URL, as https://example.com/webhooks"
	case len(text) > maxURL:
		return nil, fmt.Sprintf("must be at most %d bytes long", maxURL)
	case strings.Contains(text, "#"):
		return nil, "must have no fragment"
	}
	return u, ""
}

// unmasked puts the stored user name and password in place of their masks: the
// password's, or that of a user name without one, which is a token then.
func (r *endpointReader) unmasked(text string, u *url.URL) string {
	if u.User == nil {
		return text
	}
	password, given := u.User.Password()
	if password != Masked && (given || u.User.Username() != Masked) {
		return text
	}
	r.e.URL = text // whose origin is compared
	was := url.User("")
	if stored := r.storedURL(); stored != nil && stored.User != nil {
		was = stored.User
	}
	if given {
		password, _ = was.Password()
		u.User = url.UserPassword(u.User.Username(), r.stored("url", password))
	} else {
		u.User = url.User(r.stored("url", was.Username()))
	}
	return u.String()
}

func (r *endpointReader) storedURL() *url.URL {
	if r.was == nil {
		return nil
	}
	u, _ := url.Parse(r.was.URL) // checked when it came in
	return u
}

func (r *endpointReader) eventTypes(v any) {
	list, ok := typed[[]any](r, "eventTypes", "a list of texts", v)
	if !ok {
		if v == nil {
			r.add("eventTypes", `is needed; ["*"] is all`)
		}
		return
	}
	if len(list) > maxEventTypes {
		r.add("eventTypes", fmt.Sprintf("must have at most %d entries", maxEventTypes))
		return
	}
	types, ok := r.texts("eventTypes", list)
	if !ok {
		return
	}
	for _, wrong := range CheckTypePatterns(types, "eventTypes") {
		r.add(wrong.Location, wrong.Message)
	}
	r.e.EventTypes = types
}

// texts returns a list's elements if all are texts.
func (r *endpointReader) texts(at string, list []any) (out []string, ok bool) {
	ok = true
	for i, e := range list {
		s, isText := e.(string)
		if !isText {
			ok = false
			r.wrong(fmt.Sprintf("%s[%d]", at, i), "text", e)
		}
		out = append(out, s)
	}
	return out, ok
}

func (r *endpointReader) description(v any) {
	r.e.Description, _ = typed[string](r, "description", "text", v)
	if len([]rune(r.e.Description)) > maxDescription {
		r.add("description", fmt.Sprintf("must be at most %d characters long", maxDescription))
	}
}

// oneOf returns a text that must be one of several; the first of them for null.
func (r *endpointReader) oneOf(at string, v any, all ...string) string {
	text, ok := typed[string](r, at, "text", v)
	if ok && !slices.Contains(all, text) {
		r.add(at, "must be "+strings.Join(all, " or "))
	}
	if !ok {
		return all[0]
	}
	return text
}

func (r *endpointReader) format(v any) {
	r.e.Format = Format(r.oneOf("format", v, string(FormatFull), string(FormatThin)))
}

func (r *endpointReader) ordering(v any) {
	r.e.Ordering = Ordering(r.oneOf("ordering", v, string(OrderingNone), string(OrderingSubject)))
}

// enabled turns the endpoint on or off. Whoever does so knows why.
func (r *endpointReader) enabled(v any) {
	on, ok := typed[bool](r, "enabled", "true or false", v)
	r.e.Enabled, r.e.Disabled = on || !ok, ""
}

func (r *endpointReader) timeout(v any) {
	text, ok := typed[string](r, "timeout", "a duration, as text", v)
	r.e.Timeout = DefaultTimeout
	if !ok {
		return
	}
	if r.e.Timeout, ok = ParseDuration(text, maxTimeout); !ok || r.e.Timeout < minTimeout {
		r.add("timeout", "must be a duration from PT0.1S to PT5M, as PT30S")
	}
}

func (r *endpointReader) retrySchedule(v any) {
	list, ok := typed[[]any](r, "retrySchedule", "a list of durations", v)
	if !ok {
		r.e.Schedule = DefaultSchedule
		return
	}
	if n := len(list); n == 0 || n > maxRepeats {
		r.add("retrySchedule", fmt.Sprintf("must have from 1 to %d entries", maxRepeats))
		return
	}
	r.e.Schedule = make([]time.Duration, len(list))
	for i, e := range list {
		text, _ := e.(string)
		if r.e.Schedule[i], ok = ParseDuration(text, maxRepeatDelay); !ok {
			r.add(fmt.Sprintf("retrySchedule[%d]", i), "must be a duration of at most P7D, as PT5S")
		}
	}
}

func (r *endpointReader) maxConcurrency(v any) {
	n, ok := typed[Number](r, "maxConcurrency", "a number", v)
	r.e.Concurrency = DefaultConcurrency
	if !ok {
		return
	}
	var err error
	if r.e.Concurrency, err = strconv.Atoi(string(n)); err != nil || r.e.Concurrency < 1 || r.e.Concurrency > maxConcurrency {
		r.add("maxConcurrency", fmt.Sprintf("must be a whole number from 1 to %d", maxConcurrency))
	}
}

func (r *endpointReader) rateLimit(v any) {
	n, ok := typed[Number](r, "rateLimit", "a number", v)
	r.e.RateLimit = 0
	if !ok {
		return
	}
	var err error
	if r.e.RateLimit, err = strconv.ParseFloat(string(n), 64); err != nil || r.e.RateLimit < minRateLimit || r.e.RateLimit > maxRateLimit {
		r.add("rateLimit", fmt.Sprintf("must be attempts a second, from %v to %d; leave it out for no limit", minRateLimit, maxRateLimit))
	}
}

func (r *endpointReader) filter(v any) {
	r.e.Filter, _ = typed[string](r, "filter", "text", v)
	if _, err := ParseFilter(r.e.Filter); err != nil {
		if e, ok := err.(*Error); ok {
			for _, wrong := range e.Fields {
				r.add(wrong.Location, wrong.Message)
			}
		}
	}
}

func (r *endpointReader) signatures(v any) {
	list, ok := typed[[]any](r, "signatures", "a list of texts", v)
	if !ok {
		r.e.Signatures = []string{SignatureV1}
		return
	}
	kinds, ok := r.texts("signatures", list)
	if len(kinds) == 0 {
		r.add("signatures", "must have v1, v1a, or both")
	}
	r.e.Signatures = nil
	for i, kind := range kinds {
		switch {
		case ok && kind != SignatureV1 && kind != SignatureV1a:
			r.add(fmt.Sprintf("signatures[%d]", i), "must be v1 or v1a")
		case !slices.Contains(r.e.Signatures, kind):
			r.e.Signatures = append(r.e.Signatures, kind)
		}
	}
}

func (r *endpointReader) secret(v any) {
	text, ok := typed[string](r, "secret", "text", v)
	if !ok {
		return
	}
	if why := r.check.Secret(text); why != "" {
		r.add("secret", why)
	}
	r.e.Secrets = []Secret{{Text: text}}
}
