package settings

import (
	"fmt"
	"strings"

	"github.com/orderhook/orderhook/internal/oms"
)

// mask is shown in place of a secret, and stands for the stored one when it is
// sent back (API.md, "Settings").
const mask = "***"

// connectorSecrets are the fields of a connector that are write-only, besides
// its header values.
var connectorSecrets = []string{"bearerToken", "token", "password", "signingSecret"}

// Masked returns the document with each secret as "***", as it may be shown.
// Empty secrets stay empty: there is nothing to hide, nor to keep. A `${` is
// shown as `$${`, so that what is shown can be sent back.
func (s *Settings) Masked() *oms.Object {
	doc := s.doc.Clone()
	for _, sec := range secretsOf(doc) {
		sec.set(mask)
	}
	escapeObject(doc)
	return doc
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

// Sealed returns the document with each secret encrypted, as it is stored.
func (s *Settings) Sealed(sealer *Sealer) *oms.Object {
	doc := s.doc.Clone()
	for _, sec := range secretsOf(doc) {
		sec.set(sealer.Seal(sec.text()))
	}
	return doc
}

// Unseal decrypts each secret of a document made by [Settings.Sealed], in
// place. Its error says where it failed and wraps [ErrWrongKey] where that is why.
func Unseal(doc *oms.Object, sealer *Sealer) error {
	for _, sec := range secretsOf(doc) {
		plain, err := sealer.Open(sec.text())
		if err != nil {
			return fmt.Errorf("settings: %s: %w", sec.at, err)
		}
		sec.set(plain)
	}
	return nil
}

// secret is one place of a document that holds, or may hold, a secret.
type secret struct {
	in    *oms.Object
	field string
	at    string // path from the document
	label string // tells the secrets of one connector or step apart
}

func (s secret) text() string      { return s.in.Text(s.field) }
func (s secret) set(secret string) { s.in.Set(s.field, secret) }

// holder is a connector or a step, which are what has secrets.
type holder struct {
	obj     *oms.Object
	at      string
	place   place
	secrets []secret
}

// place is the list that a holder stands in, by the names of what is around it.
type place struct{ list, orderType, status string }

// secretsOf returns each secret of a document that is not empty.
func secretsOf(doc *oms.Object) []secret {
	var all []secret
	for _, h := range holders(doc) {
		for _, sec := range h.secrets {
			if sec.text() != "" {
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

func secretsOfConnector(c *oms.Object, at string) []secret {
	var all []secret
	for _, field := range connectorSecrets {
		all = append(all, secret{c, field, join(at, field), field})
	}
	return append(all, headerSecrets(c, "customHeaders", at, func(*oms.Object) bool { return true })...)
}

func secretsOfStep(st *oms.Object, at string) []secret {
	return headerSecrets(st, "properties", at, isHeader)
}

// headerSecrets labels each header with its name and its number among those of
// that name, so that it is found again in another order.
func headerSecrets(o *oms.Object, list, at string, is func(*oms.Object) bool) []secret {
	var all []secret
	count := map[string]int{}
	each(o, list, at, func(h *oms.Object, at string) {
		if !is(h) {
			return
		}
		name := fold(h.Text("key"))
		all = append(all, secret{h, "value", join(at, "value"), fmt.Sprintf("header %d %s", count[name], name)})
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
