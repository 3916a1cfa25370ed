package settings

import (
	"slices"

	"github.com/orderhook/orderhook/internal/oms"
	"github.com/orderhook/orderhook/internal/secret"
)

const (
	notStored   = `"***" stands for a stored secret, and none is stored here; send the secret itself`
	otherOrigin = `"***" keeps a stored secret only while the scheme, host and port that it goes to stay the same; send the secret itself`
)

// Keep puts the stored secrets in place of each "***" of a document that is
// about to replace the stored settings (API.md, "Settings"); stored may be nil.
// The document is changed in place, and need not be a valid one.
//
// A "***" is a mistake where nothing is stored, and where the secret would
// travel to an origin that it did not go to before: whoever may change a Host
// may not thereby read a secret. All mistakes come as one *[oms.Error] of kind
// [oms.Invalid]; the document is then of no more use.
func Keep(doc *oms.Object, stored *Settings) error {
	if stored == nil {
		stored = Empty()
	}
	sent, were := holders(doc), holders(stored.doc)
	goes, went := findRoutes(sent), findRoutes(were)
	found := &findings{}
	for i, was := range pair(sent, were) {
		h := &sent[i]
		masked := h.masked()
		if len(masked) == 0 {
			continue
		}
		had := was.values()
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
// where "***" would have kept it.
func recognize(doc *oms.Object, stored *Settings, is func(v secret.Value, text string) bool) {
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

// masked returns the holder's secrets for which "***" was sent.
func (h *holder) masked() []secretField {
	return slices.DeleteFunc(slices.Clone(h.secrets), func(s secretField) bool { return s.text() != mask })
}

// values returns the holder's secrets by their labels; a nil holder has none.
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
