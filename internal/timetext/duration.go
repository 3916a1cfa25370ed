package timetext

import (
	"strings"
	"time"

	"github.com/sosodev/duration"
)

// DurationForms is how a length of time may be written, for messages.
const DurationForms = "a duration, as PT30S, or a time span [d.]hh:mm:ss[.fffffff], as 00:00:30"

// ParseDuration reads a length of time from 0 up to most, in either of the two
// forms that are taken for every time-out (docs/contract.md#settings): as ISO 8601
// writes it, `PT30S` or `P1DT12H`, or as a TimeSpan, `00:00:30`. Years and
// months are refused: they have no fixed length. ok is false for anything else.
func ParseDuration(s string, most time.Duration) (d time.Duration, ok bool) {
	if d, ok := parseTimeSpan(s); ok {
		return d, d <= most
	}
	iso, err := duration.Parse(s)
	if err != nil || iso.Negative || iso.Years != 0 || iso.Months != 0 || !strings.ContainsAny(s, "0123456789") {
		return 0, false
	}
	// As floats first: what is far too long would not fit.
	seconds := iso.Seconds + 60*(iso.Minutes+60*(iso.Hours+24*(iso.Days+7*iso.Weeks)))
	if !(seconds <= most.Seconds()) {
		return 0, false
	}
	return iso.ToTimeDuration(), true
}

// FormatDuration writes a length of time as ISO 8601 does.
func FormatDuration(d time.Duration) string { return duration.Format(d) }
