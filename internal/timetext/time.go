package timetext

import (
	"errors"
	"fmt"
	"time"
)

// Years that a time may lie in, in UTC (docs/contract.md#documents). A time beyond
// them can be written in no other zone, or not as JSON at all.
const (
	firstYear = 1970
	lastYear  = 9998
)

// Layouts that [ParseTime] takes on demand beside RFC 3339; such times are UTC.
const (
	LayoutLocal = "2006-01-02T15:04:05.999999999"
	LayoutDate  = time.DateOnly
)

var (
	errNoTime    = errors.New("must be a time as 2026-11-21T09:30:00Z")
	errTimeRange = fmt.Errorf("must lie in the UTC years %d to %d", firstYear, lastYear)
)

// ParseTime reads a point in time that came in from outside, in RFC 3339 or in
// one of the other layouts given, and returns it in UTC, cut to the microsecond.
// The error says what is wrong without repeating the text.
func ParseTime(text string, other ...string) (time.Time, error) {
	at, err := time.Parse(time.RFC3339Nano, text)
	for _, layout := range other {
		if err != nil {
			at, err = time.Parse(layout, text)
		}
	}
	if err != nil {
		return time.Time{}, errNoTime
	}
	return Stored(at)
}

// Stored returns a point in time as it is stored: in UTC, cut to the microsecond. It is an
// error for one that lies in no year that a time may lie in.
func Stored(at time.Time) (time.Time, error) {
	at = at.UTC().Truncate(time.Microsecond)
	if at.Year() < firstYear || at.Year() > lastYear {
		return time.Time{}, errTimeRange
	}
	return at, nil
}

// Layout is how documents and events carry a time: UTC, to the microsecond.
const Layout = "2006-01-02T15:04:05.000000Z"

// FormatTime writes a time as documents carry it.
func FormatTime(t time.Time) string { return t.UTC().Format(Layout) }
