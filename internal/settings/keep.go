package settings

import (
	"slices"

	"github.com/orderhook/orderhook/internal/jsondoc"
	"github.com/orderhook/orderhook/internal/secret"
)

// These say why a *** keeps nothing.
const (
	notStored   = `"***" stands for a stored secret, and none is stored here; send the secret itself`
	otherOrigin = `"***" keeps a stored secret only while the scheme, host and port that it goes to stay the same; send the secret itself`
)

// Keep puts the stored secrets in place of each "***" of a document that is
// about to replace the stored settings (docs/contract.md#secrets); stored may be nil.
// The document is changed in place, and need not be a valid one.
//
// A "***" is an error where nothing is stored, and where the secret would
// travel to an origin that it did not go to before: whoever may change a Host
// may not thereby read a secret. All errors come as one *[apierr.Error] of kind
// [apierr.Invalid]; the document is then of no more use.
func Keep(doc *jsondoc.Object, stored *Settings) error {
	if stored == nil {
		stored = Empty()
	}
	sent, were := holders(doc), holders(stored.doc)
	goes, went := findRoutes(sent), findRoutes(were)
	found := &findings{}
	// Holders are paired first, so that a connector that was moved in its list keeps its
	// secrets.
	for i, was := range pair(sent, were) {
		h := &sent[i]
		masked := h.masked()
		if len(masked) == 0 {
			continue
		}
		had := was.values()
		// The stored secrets may stay if they go nowhere that they did not go before.
		safe := was != nil && goes.of(h).within(went.of(was))
		for _, sec := range masked {
			switch {
			case had[sec.label].IsZero():
				found.wrong(sec.at, notStored)
			case !safe:
				found.wrong(sec.at, otherOrigin)
			default:
				sec.in.Set(sec.field, had[sec.label])
			}
		}
	}
	return found.err()
}

// recognize puts the stored secret in place of each that was sent again as it is,
// where "***" would have left it unchanged. Where they would go elsewhere, they are new
// secrets for that place.
func recognize(doc *jsondoc.Object, stored *Settings, is func(v secret.Value, text string) bool) {
	sent, were := holders(doc), holders(stored.doc)
	goes, went := findRoutes(sent), findRoutes(were)
	for i, was := range pair(sent, were) {
		h := &sent[i]
		if was == nil || !goes.of(h).within(went.of(was)) {
			continue
		}
		had := was.values()
		for _, sec := range h.secrets {
			if v := had[sec.label]; sec.text() != "" && !v.IsZero() && is(v, sec.text()) {
				sec.in.Set(sec.field, v)
			}
		}
	}
}

// masked returns the holder's secrets for which "***" was sent. The document must be one
// that came from outside.
func (h *holder) masked() []secretField {
	return slices.DeleteFunc(slices.Clone(h.secrets), func(s secretField) bool { return s.text() != mask })
}

// values returns the holder's secrets by their labels; a nil holder has none. Labels tell
// the secrets of one holder apart.
func (h *holder) values() map[string]secret.Value {
	if h == nil {
		return nil
	}
	m := make(map[string]secret.Value, len(h.secrets))
	for _, sec := range h.secrets {
		m[sec.label] = sec.value()
	}
	return m
}
