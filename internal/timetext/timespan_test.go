package timetext

import (
	"testing"
	"time"
)

func TestTimeSpans(t *testing.T) {
	for in, want := range map[string]time.Duration{
		"00:00:30":                30 * time.Second, // the example of the specification
		"00:00:00":                0,
		"00:01:00":                time.Minute,
		"23:59:59":                day - time.Second,
		"1.00:00:00":              day,
		"10.02:03:04":             10*day + 2*time.Hour + 3*time.Minute + 4*time.Second,
		"00:00:00.5":              500 * time.Millisecond,
		"00:00:00.0000001":        100 * time.Nanosecond, // one tick
		"00:00:01.2345678":        1234567800 * time.Nanosecond,
		"0.00:00:01":              time.Second,
		"007.00:00:01":            7*day + time.Second,
		"106750.23:59:59.9999999": 106751*day - 100*time.Nanosecond,
	} {
		if got, ok := parseTimeSpan(in); !ok || got != want {
			t.Errorf("parseTimeSpan(%q) = %v, %v, want %v", in, got, ok, want)
		}
	}
}

func TestWhatIsNoTimeSpan(t *testing.T) {
	for in, why := range map[string]string{
		"":                   "nothing",
		"30":                 "in .NET thirty days",
		"00:30":              "in .NET half an hour",
		"24:00:00":           "hours",
		"00:60:00":           "minutes",
		"00:00:60":           "seconds",
		"0:00:30":            "one digit",
		"000:00:30":          "three digits",
		"-00:00:30":          "negative",
		"+00:00:30":          "sign",
		" 00:00:30":          "space",
		"00:00:30 ":          "space",
		"00:00:30\n":         "line end",
		"00:00:30.":          "no fraction",
		"00:00:30,5":         "comma",
		"00:00:30.12345678":  "eight digits",
		".00:00:30":          "no days",
		"1:00:00:30":         "colon after days",
		"106751.00:00:00":    "more than a Duration holds",
		"99999999.00:00:00":  "more than a Duration holds",
		"999999999.00:00:00": "nine digits of days",
		"PT30S":              "ISO 8601",
		"30s":                "Go",
		"٠٠:٠٠:٣٠":           "digits of another script",
	} {
		if got, ok := parseTimeSpan(in); ok {
			t.Errorf("parseTimeSpan(%q) = %v, want none: %s", in, got, why)
		}
	}
}
