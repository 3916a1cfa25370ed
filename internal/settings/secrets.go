package settings

import (
	"fmt"
	"net/url"
	"strings"

	"github.com/orderhook/orderhook/internal/jsondoc"
	"github.com/orderhook/orderhook/internal/secret"
	"github.com/orderhook/orderhook/internal/spelling"
	"github.com/orderhook/orderhook/internal/weburl"
)

// mask is what is shown in place of a secret.
const mask = secret.Mask

// connectorSecrets are the fields of a connector that are write-only, besides
// its header values.
var connectorSecrets = []string{"bearerToken", "token", "password", "signingSecret"}

// Masked returns the document with each secret as "***", as it may be shown.
// Empty secrets stay empty: there is nothing to hide, nor to keep. A `${` is
// shown as `$${`, so that what is shown can be sent back. The settings themselves do not
// change.
func (s *Settings) Masked() *jsondoc.Object {
	doc := s.doc.Clone()
	for _, sec := range secretsOf(doc) {
		sec.in.Set(sec.field, mask)
	}
	escapeObject(doc)
	return doc
}

// ReplaceSecrets puts another text in place of each secret of a document that came from
// outside, so that the document may be shown; instead gets the secret and returns that text.
// Where *** stands for a stored secret, it stays.
func ReplaceSecrets(doc *jsondoc.Object, instead func(secret string) string) {
	for _, sec := range secretsOf(doc) {
		if text := sec.text(); text != mask {
			sec.in.Set(sec.field, instead(text))
		}
	}
}

// escapeObject escapes the texts within an object, at any depth.
func escapeObject(o *jsondoc.Object) {
	for _, m := range o.Members() {
		if text, isText := m.Value.(string); isText && strings.Contains(text, "${") {
			o.Set(m.Name, EscapeVariables(text))
		} else {
			escapeWithin(m.Value)
		}
	}
}

// escapeWithin is escapeObject for any value; a text by itself is the business of what
// holds it.
func escapeWithin(v any) {
	switch v := v.(type) {
	case *jsondoc.Object:
		escapeObject(v)
	case []any:
		for i, e := range v {
			if text, isText := e.(string); isText {
				v[i] = EscapeVariables(text)
			} else {
				escapeWithin(e)
			}
		}
	}
}

// MaskQueries puts *** in place of the values in the queries of a document's
// Hosts, those of connectors and those of steps. There may be an access key in one
// (docs/contract.md#secrets).
func MaskQueries(doc *jsondoc.Object) {
	for _, h := range holders(doc) {
		if in, field := h.hostIn(); in != nil && in.Has(field) {
			in.Set(field, weburl.PublicURL(in.Text(field)))
		}
	}
}

// Sealed returns the document as it is stored, with a reference in the place of
// each secret, and all references in it to secrets that there are. Secrets that are not stored yet are
// handed to seal, with their place and the origins that they may go to. Of each secret that
// stays, only the id is written.
func (s *Settings) Sealed(seal func(place string, origins []string, v secret.Value) secret.Sealed) (doc *jsondoc.Object, ids []string) {
	doc = s.doc.Clone()
	all := holders(doc)
	goes := findRoutes(all)
	for i := range all {
		h := &all[i]
		for _, sec := range h.secrets {
			v := sec.value()
			if v.IsZero() {
				continue
			}
			// What is stored already stays bound to the place and the origins that it was
			// given for.
			if v.ID() == "" {
				v = seal(h.placeOf(sec), goes.of(h).list(), v).Reference()
			}
			sec.in.Set(sec.field, v.ID())
			if !v.IsDestroyed() {
				ids = append(ids, v.ID())
			}
		}
	}
	return doc, ids
}

// refer puts references in place of the ids in a stored document. The text is not read: who
// sends it opens it.
func refer(doc *jsondoc.Object) {
	for _, h := range holders(doc) {
		for _, sec := range h.secrets {
			if id := sec.text(); id != "" {
				sec.in.Set(sec.field, secret.Stored(id, h.placeOf(sec)))
			}
		}
	}
}

// conceal takes the texts of secrets out of a document that has been checked. Whoever gets
// the settings from then on cannot read them.
func conceal(doc *jsondoc.Object) {
	for _, sec := range secretsOf(doc) {
		sec.in.Set(sec.field, sec.value())
	}
}

// placeOf is what a secret is bound to, besides the tenant: what [pair] knows
// its holder by. It is stored with the secret, so it must come out the same in each version
// of orderhook.
func (h *holder) placeOf(sec secretField) string {
	k, parts := h.key(sameIdentity), []string{"settings", h.place.list}
	if h.isConnector() {
		kind, name := "name", k.name
		if k.id != "" {
			kind, name = "id", k.id
		}
		parts = append(parts, kind, url.PathEscape(name))
	} else {
		parts = append(parts, url.PathEscape(h.place.orderType), url.PathEscape(h.place.status), url.PathEscape(k.name))
	}
	return strings.Join(append(parts, sec.label), "/")
}

// secretField is one place of a document that holds, or may hold, a secret: as
// text where it was just sent, else as a [secret.Value].
type secretField struct {
	in    *jsondoc.Object
	field string
	at    string // path from the document
	label string // tells the secrets of one connector or step apart
}

// text returns what was just sent; "" for a secret that is stored, whose text is not known
// here.
func (s secretField) text() string { return s.in.Text(s.field) }

// value returns the secret; what is neither text nor a secret is none.
func (s secretField) value() secret.Value {
	raw, _ := s.in.Get(s.field)
	if v, ok := raw.(secret.Value); ok {
		return v
	}
	return secret.New(s.text())
}

// holder is a connector or a step, which are what has secrets. It points into the document,
// so what is set in it is set there.
type holder struct {
	obj     *jsondoc.Object
	at      string
	place   place
	secrets []secretField
}

// place is the list that a holder stands in, by the names of what is around it.
type place struct{ list, orderType, status string }

// secretsOf returns each secret of a document that is not empty.
func secretsOf(doc *jsondoc.Object) []secretField {
	var all []secretField
	for _, h := range holders(doc) {
		for _, sec := range h.secrets {
			if !sec.value().IsZero() {
				all = append(all, sec)
			}
		}
	}
	return all
}

// holders finds all connectors and steps of a document and their secrets. The
// document need not be a valid one: what has the wrong type is passed over.
func holders(doc *jsondoc.Object) []holder {
	var all []holder
	each(doc, "connectors", "", func(c *jsondoc.Object, at string) {
		all = append(all, holder{c, at, place{list: "connectors"}, secretsOfConnector(c, at)})
	})
	steps := func(status *jsondoc.Object, at string, p place) {
		p.status = spelling.FoldName(status.Text("name"))
		each(status, "workflowSteps", at, func(st *jsondoc.Object, at string) {
			all = append(all, holder{st, at, p, secretsOfStep(st, at)})
		})
	}
	each(doc, "orderTypes", "", func(t *jsondoc.Object, at string) {
		each(t, "orderStatuses", at, func(status *jsondoc.Object, at string) {
			steps(status, at, place{list: "orderTypes", orderType: spelling.FoldName(t.Text("name"))})
		})
	})
	each(doc, "returnStatuses", "", func(status *jsondoc.Object, at string) {
		steps(status, at, place{list: "returnStatuses"})
	})
	return all
}

// secretsOfConnector returns the places of secrets of a connector, those of its headers
// included.
func secretsOfConnector(c *jsondoc.Object, at string) []secretField {
	var all []secretField
	for _, field := range connectorSecrets {
		all = append(all, secretField{c, field, join(at, field), field})
	}
	return append(all, headerSecrets(c, "customHeaders", at, func(*jsondoc.Object) bool { return true })...)
}

// secretsOfStep returns the places of a step's secrets: its headers.
func secretsOfStep(st *jsondoc.Object, at string) []secretField {
	return headerSecrets(st, "properties", at, isHeader)
}

// headerSecrets labels each header with its name and its number among those of
// that name, so that it is found again in another order. A header that stands twice has a
// number for each.
func headerSecrets(o *jsondoc.Object, list, at string, is func(*jsondoc.Object) bool) []secretField {
	var all []secretField
	count := map[string]int{}
	each(o, list, at, func(h *jsondoc.Object, at string) {
		if !is(h) {
			return
		}
		name := spelling.FoldName(h.Text("key"))
		all = append(all, secretField{h, "value", join(at, "value"), fmt.Sprintf("headers/%s/%d", url.PathEscape(name), count[name])})
		count[name]++
	})
	return all
}

// each visits the objects in a list, with their paths.
func each(o *jsondoc.Object, list, at string, visit func(e *jsondoc.Object, at string)) {
	for i, v := range o.List(list) {
		if e, ok := v.(*jsondoc.Object); ok {
			visit(e, fmt.Sprintf("%s[%d]", join(at, list), i))
		}
	}
}
