package settings

import (
	"slices"

	"github.com/orderhook/orderhook/internal/oms"
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
	sent, had := holders(doc), holders(stored.doc)
	goes, went := findRoutes(sent), findRoutes(had)
	found := &findings{}
	for i, was := range pair(sent, had) {
		h := &sent[i]
		masked := h.masked()
		if len(masked) == 0 {
			continue
		}
		plain := was.plain()
		safe := was != nil && goes.of(h).within(went.of(was))
		for _, sec := range masked {
			switch {
			case plain[sec.label] == "":
				found.wrong(sec.at, notStored)
			case !safe:
				found.wrong(sec.at, otherOrigin)
			default:
				sec.set(plain[sec.label])
			}
		}
	}
	return found.err()
}

// masked returns the holder's secrets for which "***" was sent.
func (h *holder) masked() []secret {
	return slices.DeleteFunc(slices.Clone(h.secrets), func(s secret) bool { return s.text() != mask })
}

// plain returns the holder's secrets by their labels; a nil holder has none.
func (h *holder) plain() map[string]string {
	if h == nil {
		return nil
	}
	m := make(map[string]string, len(h.secrets))
	for _, sec := range h.secrets {
		m[sec.label] = sec.text()
	}
	return m
}
