package settings

import (
	"slices"

	"github.com/orderhook/orderhook/internal/jsondoc"
	"github.com/orderhook/orderhook/internal/secret"
	"github.com/orderhook/orderhook/internal/spelling"
	"github.com/orderhook/orderhook/internal/weburl"
)

// These say why a *** keeps nothing.
const (
	notStored   = `"***" stands for a stored secret, and none is stored here; send the secret itself`
	ledAway     = `its Host leads the secrets of the connector %q to an origin that they were not given for, so %s cannot stay "***": give the step a connector of its own, with this host and secrets for it, or send the secret itself`
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
		var led []*holder // the steps that are to blame; nil: none is
		if was != nil && !safe {
			led = ledElsewhere(sent, h, went.of(was))
		}
		for _, sec := range masked {
			switch {
			case had[sec.label].IsZero():
				found.wrong(sec.at, notStored)
			case !safe && led != nil:
				for _, step := range led {
					found.wrong(step.at, ledAway, h.obj.Text("connectorId"), sec.at)
				}
				led = []*holder{} // once for all secrets of the connector
			case !safe:
				found.wrong(sec.at, otherOrigin)
			default:
				sec.in.Set(sec.field, had[sec.label])
			}
		}
	}
	return found.err()
}

// ledElsewhere returns the steps whose own Host takes the secrets of a connector to an origin that they
// did not go to before; nil if the connector's own host does that, or none does.
func ledElsewhere(all []holder, connector *holder, went origins) (steps []*holder) {
	id, host := spelling.FoldName(connector.obj.Text("connectorId")), connector.host()
	if !connector.isConnector() || id == "" || host != "" && !went[weburl.URLOrigin(host)] {
		return nil
	}
	for i := range all {
		h := &all[i]
		if to := h.host(); !h.isConnector() && to != "" && spelling.FoldName(h.obj.Text("connectorId")) == id && !went[weburl.URLOrigin(to)] {
			steps = append(steps, h)
		}
	}
	return steps
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
