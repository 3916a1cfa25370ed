package oms

import (
	"strings"
	"time"

	"github.com/sosodev/duration"
)

// ParseDuration reads a length of time as ISO 8601 writes it, `PT30S` or
// `P1DT12H`, from 0 up to most (API.md, "Lists"). Years and months are refused:
// they have no fixed length. ok is false for anything else.
func ParseDuration(s string, most time.Duration) (d time.Duration, ok bool) {
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
