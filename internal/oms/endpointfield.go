package oms

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/orderhook/orderhook/internal/filter"
	"github.com/orderhook/orderhook/internal/secret"
)

// typed returns a field's value if it has the type that is wanted, and notes
// otherwise. null is no mistake, and not ok.
func typed[T any](r *endpointReader, at, want string, v any) (t T, ok bool) {
	t, ok = v.(T)
	if !ok && v != nil {
		r.wrong(at, want, v)
	}
	return t, ok
}

func (r *endpointReader) eventTypes(v any) {
	list, ok := typed[[]any](r, "eventTypes", "a list of texts", v)
	if !ok {
		if v == nil {
			r.add("eventTypes", `is needed; ["*"] is all`)
		}
		return
	}
	if len(list) > maxEventTypes {
		r.add("eventTypes", fmt.Sprintf("must have at most %d entries", maxEventTypes))
		return
	}
	types, ok := r.texts("eventTypes", list)
	if !ok {
		return
	}
	for _, wrong := range CheckTypePatterns(types, "eventTypes") {
		r.add(wrong.Location, wrong.Message)
	}
	r.e.EventTypes = types
}

// texts returns a list's elements if all are texts.
func (r *endpointReader) texts(at string, list []any) (out []string, ok bool) {
	ok = true
	for i, e := range list {
		s, isText := e.(string)
		if !isText {
			ok = false
			r.wrong(fmt.Sprintf("%s[%d]", at, i), "text", e)
		}
		out = append(out, s)
	}
	return out, ok
}

func (r *endpointReader) description(v any) {
	r.e.Description, _ = typed[string](r, "description", "text", v)
	if len([]rune(r.e.Description)) > maxDescription {
		r.add("description", fmt.Sprintf("must be at most %d characters long", maxDescription))
	}
}

// oneOf returns a text that must be one of several; the first of them for null.
func (r *endpointReader) oneOf(at string, v any, all ...string) string {
	text, ok := typed[string](r, at, "text", v)
	if ok && !slices.Contains(all, text) {
		r.add(at, "must be "+strings.Join(all, " or "))
	}
	if !ok {
		return all[0]
	}
	return text
}

func (r *endpointReader) format(v any) {
	r.e.Format = Format(r.oneOf("format", v, string(FormatFull), string(FormatThin)))
}

func (r *endpointReader) ordering(v any) {
	r.e.Ordering = Ordering(r.oneOf("ordering", v, string(OrderingNone), string(OrderingSubject)))
}

// enabled turns the endpoint on or off. Whoever does so knows why.
func (r *endpointReader) enabled(v any) {
	on, ok := typed[bool](r, "enabled", "true or false", v)
	r.e.Enabled, r.e.Disabled = on || !ok, ""
}

func (r *endpointReader) timeout(v any) {
	text, ok := typed[string](r, "timeout", "a duration, as text", v)
	r.e.Timeout = DefaultTimeout
	if !ok {
		return
	}
	if r.e.Timeout, ok = ParseDuration(text, maxTimeout); !ok || r.e.Timeout < minTimeout {
		r.add("timeout", "must be from PT0.1S to PT5M, as PT30S or 00:00:30")
	}
}

func (r *endpointReader) retrySchedule(v any) {
	list, ok := typed[[]any](r, "retrySchedule", "a list of durations", v)
	if !ok {
		r.e.Schedule = DefaultSchedule
		return
	}
	if n := len(list); n == 0 || n > maxRepeats {
		r.add("retrySchedule", fmt.Sprintf("must have from 1 to %d entries", maxRepeats))
		return
	}
	r.e.Schedule = make([]time.Duration, len(list))
	for i, e := range list {
		text, _ := e.(string)
		if r.e.Schedule[i], ok = ParseDuration(text, maxRepeatDelay); !ok {
			r.add(fmt.Sprintf("retrySchedule[%d]", i), "must be a duration of at most P7D, as PT5S or 00:00:05")
		}
	}
}

func (r *endpointReader) maxConcurrency(v any) {
	n, ok := typed[Number](r, "maxConcurrency", "a number", v)
	r.e.Concurrency = DefaultConcurrency
	if !ok {
		return
	}
	var err error
	if r.e.Concurrency, err = strconv.Atoi(string(n)); err != nil || r.e.Concurrency < 1 || r.e.Concurrency > maxConcurrency {
		r.add("maxConcurrency", fmt.Sprintf("must be a whole number from 1 to %d", maxConcurrency))
	}
}

func (r *endpointReader) rateLimit(v any) {
	n, ok := typed[Number](r, "rateLimit", "a number", v)
	r.e.RateLimit = 0
	if !ok {
		return
	}
	var err error
	if r.e.RateLimit, err = strconv.ParseFloat(string(n), 64); err != nil || r.e.RateLimit < minRateLimit || r.e.RateLimit > maxRateLimit {
		r.add("rateLimit", fmt.Sprintf("must be attempts a second, from %v to %d; leave it out for no limit", minRateLimit, maxRateLimit))
	}
}

func (r *endpointReader) filter(v any) {
	r.e.Filter, _ = typed[string](r, "filter", "text", v)
	if r.e.Filter == "" {
		return
	}
	if _, err := filter.Parse(r.e.Filter); err != nil {
		r.add("filter", err.Error())
	}
}

func (r *endpointReader) signatures(v any) {
	list, ok := typed[[]any](r, "signatures", "a list of texts", v)
	if !ok {
		r.e.Signatures = []string{SignatureV1}
		return
	}
	kinds, ok := r.texts("signatures", list)
	if len(kinds) == 0 {
		r.add("signatures", "must have v1, v1a, or both")
	}
	r.e.Signatures = nil
	for i, kind := range kinds {
		switch {
		case ok && kind != SignatureV1 && kind != SignatureV1a:
			r.add(fmt.Sprintf("signatures[%d]", i), "must be v1 or v1a")
		case !slices.Contains(r.e.Signatures, kind):
			r.e.Signatures = append(r.e.Signatures, kind)
		}
	}
}

func (r *endpointReader) secret(v any) {
	text, ok := typed[string](r, "secret", "text", v)
	if !ok {
		return
	}
	if why := r.check.Secret(text); why != "" {
		r.add("secret", why)
	}
	r.e.Secrets = []Secret{{Value: secret.New(text)}}
}
