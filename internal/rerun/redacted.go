package rerun

import (
	"net/url"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/orderhook/orderhook/internal/event"
	"github.com/orderhook/orderhook/internal/jsondoc"
	"github.com/orderhook/orderhook/internal/redact"
	"github.com/orderhook/orderhook/internal/schema"
)

// sharedHeaders are the headers of requests that say how a call is to be made again, and those
// of answers that are decided by. All others may say more than is meant for others.
var sharedHeaders = []string{"User-Agent", "Accept", "Content-Type", "Idempotency-Key", "X-Delivery-Count", "X-Max-Delivery-Count", "X-Attempt", "Retry-After"}

// Redacted returns a call without what is personal in it, as it may be given to others. What
// its answer comes to is decided anew, by the documents as they are then; an answer by which
// nothing can be decided is an error.
func Redacted(c *Call, r *redact.Redactor) (*Call, error) {
	d, out := r.Document(), *c
	docs := []*Document{}
	if c.Step != nil {
		s := *c.Step
		out.Step = &s
		docs = append(docs, &s.Config, &s.Sent.Order)
		if s.Meanwhile != nil {
			m := *s.Meanwhile
			s.Meanwhile = &m
			docs = append(docs, &m.Order)
		}
	}
	if c.Validator != nil {
		v := *c.Validator
		out.Validator = &v
		docs = append(docs, &v.Cart)
	}
	for _, doc := range docs {
		d.Learn(doc.Object)
	}
	bodies := []*Body{&out.Request.Body, &out.Answer.Body}
	values := make([]any, len(bodies))
	for i, b := range bodies {
		if v, err := jsondoc.ParseValue(b.Bytes(), schema.Known); err == nil {
			values[i] = v
			d.Learn(v)
		}
	}
	for _, doc := range docs {
		doc.Object = d.Value(doc.Object).(*jsondoc.Object)
	}
	for i, b := range bodies {
		if values[i] != nil {
			*b = Body{JSON: jsontext.Value(jsondoc.AppendValue(nil, d.Value(values[i]), false))}
		} else {
			*b = bodyOf([]byte(d.Text(string(b.Bytes()))))
		}
	}
	out.Request.Headers, out.Answer.Headers = shared(c.Request.Headers), shared(c.Answer.Headers)
	out.Answer.Error, out.URL = d.Text(c.Answer.Error), pathOf(c.URL)
	out.Related = related(d, c.Related)
	var err error
	out.Decision, err = out.Decide(&out.Answer)
	return &out, err
}

// related returns the ids of a call, in which an e-mail address may be.
func related(d *redact.Document, r event.Related) event.Related {
	for _, id := range []*string{&r.OrderID, &r.ShipmentID, &r.ReturnID, &r.CartID, &r.SubscriptionID, &r.StockItemID} {
		o := jsondoc.NewObject(jsondoc.Pair("id", *id))
		*id = d.Value(o).(*jsondoc.Object).Text("id")
	}
	return r
}

func shared(headers map[string]string) map[string]string {
	out := map[string]string{}
	for _, name := range sharedHeaders {
		if value, ok := headers[name]; ok {
			out[name] = value
		}
	}
	return out
}

// pathOf is the path of a URL: its host is nobody's business.
func pathOf(text string) string {
	u, err := url.Parse(text)
	if err != nil {
		return ""
	}
	return u.Path
}
