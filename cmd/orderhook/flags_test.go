package main

import (
	"strings"
	"testing"
	"time"

	"github.com/orderhook/orderhook/internal/app"
)

func TestDuration(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"PT30S": 30 * time.Second, "30s": 30 * time.Second, "PT1M30S": 90 * time.Second,
		"PT0.5S": time.Second / 2, "0": 0, "PT0S": 0, "P1D": 24 * time.Hour, " 5m ": 5 * time.Minute, "00:00:30": 30 * time.Second, "1.00:00:00": 24 * time.Hour,
	} {
		var d duration
		if err := d.UnmarshalText([]byte(text)); err != nil || time.Duration(d) != want {
			t.Errorf("%q: %v, %v", text, time.Duration(d), err)
		}
	}
	for _, text := range []string{"", "30", "P", "PT", "-1s", "-PT1S", "P2D", "25h", "P1000000Y", "24:00:00", "1.00:00:01", "00:30", "x"} {
		var d duration
		if err := d.UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q was taken for %v", text, time.Duration(d))
		}
	}
}

func TestPeriod(t *testing.T) {
	const day = 24 * time.Hour
	for text, want := range map[string]time.Duration{"P5D": 5 * day, "120h": 5 * day, " P1W ": 7 * day, "PT1S": time.Second, "P3650D": 3650 * day, "5.00:00:00": 5 * day} {
		var p period
		if err := p.UnmarshalText([]byte(text)); err != nil || time.Duration(p) != want {
			t.Errorf("%q: %v, %v", text, time.Duration(p), err)
		}
	}
	for _, text := range []string{"", "5", "5d", "P", "P1Y", "P1M", "0", "PT0S", "-1h", "-P1D", "P3651D", "P1000000W"} {
		var p period
		if err := p.UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q was taken for %v", text, time.Duration(p))
		}
	}
}

func TestAnswerBytes(t *testing.T) {
	for text, want := range map[string]answerBytes{"8MiB": 8 << 20, "256 MiB": 256 << 20, "8388608": 8 << 20, "1GiB": 1 << 30, "9000001": 9000001} {
		var b, again answerBytes
		if err := b.UnmarshalText([]byte(text)); err != nil || b != want {
			t.Errorf("%q: %d, %v", text, b, err)
		}
		if err := again.UnmarshalText([]byte(b.String())); err != nil || again != b {
			t.Errorf("%q is written %q, and read %d", text, b, again)
		}
	}
	for _, text := range []string{"", "0", "-1", "7MiB", "much", "999999999GiB"} {
		var b answerBytes
		if err := b.UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q is taken for %d", text, b)
		}
	}
}

func TestNoOutgoingCallAtAllIsAUserError(t *testing.T) {
	if err := (&outgoing{}).set(&app.Options{}); !app.IsUserError(err) || !strings.Contains(err.Error(), "--max-outgoing") {
		t.Errorf("%v", err)
	}
}
