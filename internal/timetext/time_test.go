package timetext_test

import (
	"testing"
	"time"

	"github.com/orderhook/orderhook/internal/timetext"
)

// docs/contract.md#documents: times lie in the UTC years 1970 to 9998.
func TestTimesThatComeIn(t *testing.T) {
	const noTime, outside = "must be a time as 2026-11-21T09:30:00Z", "must lie in the UTC years 1970 to 9998"
	for text, want := range map[string]string{
		"2026-11-21T09:30:00.1234567+01:00": "2026-11-21T08:30:00.123456Z",
		"1970-01-01T00:00:00Z":              "1970-01-01T00:00:00.000000Z",
		"1969-12-31T23:00:00-01:00":         "1970-01-01T00:00:00.000000Z",
		"9998-12-31T23:59:59.9999999Z":      "9998-12-31T23:59:59.999999Z",
		"9999-01-01T00:30:00+01:00":         "9998-12-31T23:30:00.000000Z",
		"1969-12-31T23:59:59.9999999Z":      outside,
		"1970-01-01T00:30:00+01:00":         outside,
		"9998-12-31T23:30:00-01:00":         outside,
		"9999-12-31T23:59:59-12:00":         outside,
		"9999-12-31T23:59:59Z":              outside,
		"0000-01-01T00:00:00Z":              outside,
		"0001-01-01T00:00:00":               noTime, // has no zone
		"2026-11-21":                        noTime,
		"10000-01-01T00:00:00Z":             noTime,
		"":                                  noTime,
		"yesterday":                         noTime,
	} {
		at, err := timetext.ParseTime(text)
		got := timetext.FormatTime(at)
		if err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("%s is %s, not %s", text, got, want)
		}
	}
	for text, want := range map[string]time.Time{
		"2026-11-21T09:30:00": time.Date(2026, 11, 21, 9, 30, 0, 0, time.UTC),
		"2026-11-21":          time.Date(2026, 11, 21, 0, 0, 0, 0, time.UTC),
		"0001-01-01T00:00:00": {},
		"9999-12-31":          {},
	} {
		if at, err := timetext.ParseTime(text, timetext.LayoutLocal, timetext.LayoutDate); !at.Equal(want) || (err == nil) == want.IsZero() {
			t.Errorf("%s is %v: %v", text, at, err)
		}
	}
}
