package event

import (
	"net/url"
	"slices"
	"time"

	"github.com/orderhook/orderhook/internal/ids"
	"github.com/orderhook/orderhook/internal/jsondoc"
	"github.com/orderhook/orderhook/internal/schema"
	"github.com/orderhook/orderhook/internal/spelling"
)

// maxURL bounds a URL. The messages say why a mask stands for no secret.
const (
	maxURL        = 2048 // bytes
	nothingMasked = `"***" stands for a stored secret, and none is stored here; send the secret itself`
	otherOrigin   = "the stored secret goes to the scheme, host and port of the stored url alone; send the secret itself, or null"
)

// EndpointChecks checks what only the package that makes the requests can. Why
// something is wrong is a text without secrets, "" where nothing is. They come from
// outside, since this package makes no request and knows neither TLS nor addresses.
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
// lacks of them is left to the caller. Errors are [apierr.Invalid] and name every
// error. Nothing is stored by it.
func NewEndpoint(doc *jsondoc.Object, check EndpointChecks, now time.Time) (*Endpoint, error) {
	e := DefaultEndpoint()
	// What a caller sends of these is refused.
	e.ID, e.Origin, e.Created, e.Updated = ids.New(ids.Endpoint), OriginAPI, now, now
	r := endpointReader{doc: doc, e: e, check: check}
	return e, r.read()
}

// DefaultEndpoint returns an endpoint that says nothing of itself: each field has its
// default. A field that is added to the rows has its default here, too.
func DefaultEndpoint() *Endpoint {
	r := endpointReader{e: &Endpoint{}}
	for _, f := range endpointFields {
		if f.Default != nil {
			f.set(&r, f.Default)
		}
	}
	return r.e
}

// Changed returns the endpoint as the body of a PATCH leaves it: fields that
// are not given stay, null gives them their default. The endpoint itself does
// not change. Errors are as [NewEndpoint]'s. Secrets that the body does not have stay,
// unless its URL would take them to another origin.
func (e *Endpoint) Changed(doc *jsondoc.Object, check EndpointChecks, now time.Time) (*Endpoint, error) {
	next := *e
	next.Updated = now
	r := endpointReader{doc: doc, e: &next, was: e, check: check}
	return &next, r.read()
}

// endpointField is a field of an endpoint that callers set. of reads the field of an
// endpoint, to compare it.
type endpointField struct {
	schema.ShapeField
	new bool // only of a new endpoint
	// set takes a value that is as the shape has it, its default for null; nil if it
	// has none.
	set func(r *endpointReader, v any)
	of  func(e *Endpoint) any
}

// textInto is the set of a text that needs no other check than its shape.
func textInto[T ~string](field func(e *Endpoint) *T) func(*endpointReader, any) {
	return func(r *endpointReader, v any) {
		text, _ := v.(string)
		*field(r.e) = T(text)
	}
}

// EndpointShape is the body that makes an endpoint.
func EndpointShape() *schema.Shape { return shapeOfEndpoint("EndpointBody", true) }

// EndpointPatchShape is the body that changes an endpoint. It lacks the fields that only a
// new one has.
func EndpointPatchShape() *schema.Shape { return shapeOfEndpoint("EndpointPatch", false) }

// shapeOfEndpoint makes a shape of the rows. Those of a new endpoint alone, as its secret,
// are left out of the other.
func shapeOfEndpoint(name string, new bool) *schema.Shape {
	s := &schema.Shape{Name: name, Noun: "an endpoint"}
	for _, f := range endpointFields {
		if new || !f.new {
			s.Fields = append(s.Fields, f.ShapeField)
		}
	}
	return s
}

// endpointReader reads one body into an endpoint, and collects all that is wrong with it.
type endpointReader struct {
	schema.Checker
	doc   *jsondoc.Object
	e     *Endpoint // as it is being made
	was   *Endpoint // as it is stored; nil for a new one
	check EndpointChecks
}

// read goes through the rows in their order. What depends on several fields at once is
// looked at in the end.
func (r *endpointReader) read() error {
	r.unknown()
	for _, f := range endpointFields {
		switch v, given := r.doc.Get(f.Name); {
		case f.new && r.was != nil: // unknown has said so
		case given:
			r.field(f, v)
		case f.Required && r.was == nil:
			r.Needed(&f.ShapeField)
		}
	}
	r.movedSecrets()
	return r.Invalid("an endpoint")
}

// field reads the value of a field. Null gives a field its default, if it need not be
// there.
func (r *endpointReader) field(f endpointField, v any) {
	if v == nil && f.Required {
		r.Needed(&f.ShapeField)
		return
	}
	if v == nil {
		f.set(r, f.Default)
	} else if taken, ok := r.Take(&f.ShapeField, v); ok {
		f.set(r, taken)
	}
}

// unknown notes the fields that are not read. A name that is nearly right is named in the
// message.
func (r *endpointReader) unknown() {
	known := shapeOfEndpoint("", r.was == nil)
	for _, m := range r.doc.Members() {
		switch {
		case len(r.Errors) == schema.MostFieldErrors: // a hostile body has a million members
			return
		case known.Named(m.Name) != nil:
		case slices.ContainsFunc(shownFields, func(f string) bool { return spelling.SameField(f, m.Name) }):
			r.shown(m)
		// Whoever sends it wants a new secret, so the message says how to get one.
		case r.was != nil && spelling.SameField(m.Name, "secret"):
			r.Add("secret", "is changed by POST /api/endpoints/{id}/rotate-secret")
		default:
			r.Add(jsondoc.JoinPath("", m.Name), known.Unknown(m.Name))
		}
	}
}

// shown checks a field that orderhook itself sets. A new endpoint has none of them; in a
// change they come from an answer that is sent back.
func (r *endpointReader) shown(m jsondoc.Member) {
	switch {
	case m.Value == nil:
	case r.was == nil:
		r.Add(m.Name, "is set by orderhook; leave it out")
	case spelling.SameField(m.Name, "id") && m.Value != r.was.ID:
		r.Add("id", "never changes")
	}
}
