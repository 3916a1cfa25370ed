package settings

import (
	"fmt"
	"net/url"
	"strings"

	"github.com/orderhook/orderhook/internal/oms"
	"github.com/orderhook/orderhook/internal/secret"
)

const mask = secret.Mask

// connectorSecrets are the fields of a connector that are write-only, besides
// its header values.
var connectorSecrets = []string{"bearerToken", "token", "password", "signingSecret"}

// Masked returns the document with each secret as "***", as it may be shown.
// Empty secrets stay empty: there is nothing to hide, nor to keep. A `${` is
// shown as `$${`, so that what is shown can be sent back.
func (s *Settings) Masked() *oms.Object {
	doc := s.doc.Clone()
	for _, sec := range secretsOf(doc) {
		sec.in.Set(sec.field, mask)
	}
	escapeObject(doc)
	return doc
}

// HideSecrets puts a text in place of each secret of a document that came from outside,
// so that it may be shown; where *** stands for a stored one, it stays.
func HideSecrets(doc *oms.Object, with string) {
	for _, sec := range secretsOf(doc) {
		if sec.text() != mask {
			sec.in.Set(sec.field, with)
		}
	}
}

func escapeObject(o *oms.Object) {
	for _, m := range o.Members() {
		if text, isText := m.Value.(string); isText && strings.Contains(text, "${") {
			o.Set(m.Name, oms.EscapeVariables(text))
		} else {
			escapeWithin(m.Value)
		}
	}
}

func escapeWithin(v any) {
	switch v := v.(type) {
	case *oms.Object:
		escapeObject(v)
	case []any:
		for i, e := range v {
			if text, isText := e.(string); isText {
				v[i] = oms.EscapeVariables(text)
			} else {
				escapeWithin(e)
			}
		}
	}
}

// MaskQueries puts *** in place of the values in the queries of a document's
// Hosts, those of connectors and those of steps.
func MaskQueries(doc *oms.Object) {
	for _, h := range holders(doc) {
		if in, field := h.hostIn(); in != nil && in.Has(field) {
			in.Set(field, oms.PublicURL(in.Text(field)))
		}
	}
}

// Sealed returns the document as it is stored, with a reference in the place of
// each secret, and all references in it to secrets that there are. Secrets that are not stored yet are
// handed to seal, with their place and the origins that they may go to.
func (s *Settings) Sealed(seal func(place string, origins []string, v secret.Value) secret.Sealed) (doc *oms.Object, ids []string) {
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
			if v.ID() == "" {
				v = seal(h.secretPlace(sec), goes.of(h).list(), v).Reference()
			}
			sec.in.Set(sec.field, v.ID())
			if !v.IsDestroyed() {
				ids = append(ids, v.ID())
			}
		}
	}
	return doc, ids
}

// refer puts references in place of the ids in a stored document.
func refer(doc *oms.Object) {
	for _, h := range holders(doc) {
		for _, sec := range h.secrets {
			if id := sec.text(); id != "" {
				sec.in.Set(sec.field, secret.Stored(id, h.secretPlace(sec)))
			}
		}
	}
}

// conceal takes the texts of secrets out of a document that has been checked.
func conceal(doc *oms.Object) {
	for _, sec := range secretsOf(doc) {
		sec.in.Set(sec.field, sec.value())
	}
}

// secretPlace is what a secret is bound to, besides the tenant: what [pair] knows
// its holder by.
func (h *holder) secretPlace(sec secretField) string {
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
	in    *oms.Object
	field string
	at    string // path from the document
	label string // tells the secrets of one connector or step apart
}

func (s secretField) text() string { return s.in.Text(s.field) }

// value returns the secret; what is neither text nor a secret is none.
func (s secretField) value() secret.Value {
	raw, _ := s.in.Get(s.field)
	if v, ok := raw.(secret.Value); ok {
		return v
	}
	return secret.New(s.text())
}

// holder is a connector or a step, which are what has secrets.
type holder struct {
	obj     *oms.Object
	at      string
	place   place
	secrets []secretField
}

// place is the list that a holder stands in, by the names of what is around it.
type place struct{ list, orderType, status string }

// secretsOf returns each secret of a document that is not empty.
func secretsOf(doc *oms.Object) []secretField {
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
func holders(doc *oms.Object) []holder {
	var all []holder
	each(doc, "connectors", "", func(c *oms.Object, at string) {
		all = append(all, holder{c, at, place{list: "connectors"}, secretsOfConnector(c, at)})
	})
	steps := func(status *oms.Object, at string, p place) {
		p.status = fold(status.Text("name"))
		each(status, "workflowSteps", at, func(st *oms.Object, at string) {
			all = append(all, holder{st, at, p, secretsOfStep(st, at)})
		})
	}
	each(doc, "orderTypes", "", func(t *oms.Object, at string) {
		each(t, "orderStatuses", at, func(status *oms.Object, at string) {
			steps(status, at, place{list: "orderTypes", orderType: fold(t.Text("name"))})
		})
	})
	each(doc, "returnStatuses", "", func(status *oms.Object, at string) {
		steps(status, at, place{list: "returnStatuses"})
	})
	return all
}

func secretsOfConnector(c *oms.Object, at string) []secretField {
	var all []secretField
	for _, field := range connectorSecrets {
		all = append(all, secretField{c, field, join(at, field), field})
	}
	return append(all, headerSecrets(c, "customHeaders", at, func(*oms.Object) bool { return true })...)
}

func secretsOfStep(st *oms.Object, at string) []secretField {
	return headerSecrets(st, "properties", at, isHeader)
}

// headerSecrets labels each header with its name and its number among those of
// that name, so that it is found again in another order.
func headerSecrets(o *oms.Object, list, at string, is func(*oms.Object) bool) []secretField {
	var all []secretField
	count := map[string]int{}
	each(o, list, at, func(h *oms.Object, at string) {
		if !is(h) {
			return
		}
		name := fold(h.Text("key"))
		all = append(all, secretField{h, "value", join(at, "value"), fmt.Sprintf("headers/%s/%d", url.PathEscape(name), count[name])})
		count[name]++
	})
	return all
}

// each visits the objects in a list, with their paths.
func each(o *oms.Object, list, at string, visit func(e *oms.Object, at string)) {
	for i, v := range o.List(list) {
		if e, ok := v.(*oms.Object); ok {
			visit(e, fmt.Sprintf("%s[%d]", join(at, list), i))
		}
	}
}
