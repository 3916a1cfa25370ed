package event

import (
	"slices"
	"strconv"
	"time"

	"github.com/orderhook/orderhook/internal/filter"
	"github.com/orderhook/orderhook/internal/jsondoc"
	"github.com/orderhook/orderhook/internal/secret"
	"github.com/orderhook/orderhook/internal/timetext"
)

// eventTypes takes the types that the endpoint wants, and notes those that cannot be any.
func (r *endpointReader) eventTypes(v any) {
	r.e.EventTypes = v.([]string)
	for _, wrong := range CheckTypePatterns(r.e.EventTypes, "eventTypes") {
		r.Add(wrong.Location, wrong.Message)
	}
}

// enabled turns the endpoint on or off. Whoever does so knows why. So a reason from before
// goes.
func (r *endpointReader) enabled(v any) {
	r.e.Enabled, r.e.Disabled, r.e.DisabledAt = v.(bool), "", time.Time{}
}

// DefaultTimeout is the time of one attempt where nobody says another: at an
// endpoint, and of a step whose connector has none.
const DefaultTimeout = 30 * time.Second

// DefaultSchedule is the delays before the repeats (docs/contract.md#delivery).
// It must not be changed.
var DefaultSchedule = []time.Duration{5 * time.Second, 30 * time.Second, 2 * time.Minute, 10 * time.Minute, time.Hour}

// The bounds of what durations an endpoint may have.
const (
	minTimeout     = 100 * time.Millisecond
	maxTimeout     = 5 * time.Minute
	maxRepeatDelay = 7 * 24 * time.Hour
)

// timeout takes the time of one attempt.
func (r *endpointReader) timeout(v any) {
	var ok bool
	if r.e.Timeout, ok = timetext.ParseDuration(v.(string), maxTimeout); !ok || r.e.Timeout < minTimeout {
		r.Add("timeout", "must be from PT0.1S to PT5M, as PT30S or 00:00:30")
	}
}

// retrySchedule takes the delays before the repeats. The row of the field has had each of
// them checked.
func (r *endpointReader) retrySchedule(v any) {
	texts := v.([]string)
	r.e.Schedule = make([]time.Duration, len(texts))
	for i, text := range texts {
		r.e.Schedule[i], _ = timetext.ParseDuration(text, maxRepeatDelay)
	}
}

// isRepeatDelay reports whether a text is a delay that a schedule may have.
func isRepeatDelay(text string) bool {
	_, ok := timetext.ParseDuration(text, maxRepeatDelay)
	return ok
}

// formatDurations writes durations as the API shows them.
func formatDurations(all []time.Duration) []string {
	texts := make([]string, len(all))
	for i, d := range all {
		texts[i] = timetext.FormatDuration(d)
	}
	return texts
}

// rateLimit takes the attempts a second. It is a float: nobody pays by it.
func (r *endpointReader) rateLimit(v any) {
	n, _ := v.(jsondoc.Number)
	r.e.RateLimit, _ = strconv.ParseFloat(string(n), 64) // null is no number, and no limit
}

// filter takes the filter as text. It is parsed here to be checked, and once more where
// events are held against it. An empty text is no filter, and lets every event pass.
func (r *endpointReader) filter(v any) {
	if r.e.Filter, _ = v.(string); r.e.Filter == "" {
		return
	}
	if _, err := filter.Parse(r.e.Filter); err != nil {
		r.Add("filter", err.Error())
	}
}

// signatures takes the kinds of signatures, each once.
func (r *endpointReader) signatures(v any) {
	r.e.Signatures = nil
	for _, kind := range v.([]string) {
		if !slices.Contains(r.e.Signatures, kind) {
			r.e.Signatures = append(r.e.Signatures, kind)
		}
	}
}

// secret takes the signing secret of a new endpoint. If there is none, the caller makes
// one. The check comes from package outbound, which signs with it.
func (r *endpointReader) secret(v any) {
	text, ok := v.(string)
	if !ok {
		return
	}
	if why := r.check.Secret(text); why != "" {
		r.Add("secret", why)
	}
	r.e.Secrets = []Secret{{Value: secret.New(text)}}
}
