package timetext

import (
	"testing"
	"time"

	"github.com/orderhook/orderhook/internal/spelling"
	"github.com/orderhook/orderhook/internal/weburl"
)

func TestDurations(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"PT0S": 0, "PT0.1S": 100 * time.Millisecond, "PT30S": 30 * time.Second, "PT1M30S": 90 * time.Second, "P1DT12H": 36 * time.Hour, "P1W": 7 * 24 * time.Hour, "P7D": 7 * 24 * time.Hour,
		"PT0.000001S": time.Microsecond, "PT168H": 7 * 24 * time.Hour, "00:00:30": 30 * time.Second, "7.00:00:00": 7 * 24 * time.Hour, "00:00:00": 0,
	} {
		got, ok := ParseDuration(text, 7*24*time.Hour)
		if !ok || got != want {
			t.Errorf("%s is %v, %v", text, got, ok)
		}
		if again, ok := ParseDuration(FormatDuration(want), 7*24*time.Hour); !ok || again != want {
			t.Errorf("%v is written %s", want, FormatDuration(want))
		}
	}
	for _, text := range []string{"", "P", "PT", "30", "30s", "pt30s", "-PT1S", "P1M", "P1Y", "P0.5M", "P8D", "PT604801S", "PT1e3S", "PT99999999999999999999H", "PT9", "7.00:00:00.0000001", "24:00:00", "00:30", " PT1S", "PT1S "} {
		if d, ok := ParseDuration(text, 7*24*time.Hour); ok {
			t.Errorf("%q is %v", text, d)
		}
	}
}

func TestNearest(t *testing.T) {
	known := []string{"eventTypes", "url", "timeout"}
	for name, want := range map[string]string{"evenTypes": "eventTypes", "EVENTTYPE": "eventTypes", "urll": "url", "URL": "", "uri": "url", "colour": "", "timeuot": "timeout", "ulr": "url", "lru": "", "rlu": "", "eventTpyse": "eventTypes", "eventTpysee": ""} {
		if got := spelling.Nearest(name, known); got != want {
			t.Errorf("%s is taken for %q", name, got)
		}
	}
}

func TestURLOrigins(t *testing.T) {
	same := []string{"https://Example.com", "https://example.com:443/a?b", "https://me:x@EXAMPLE.com/#f"}
	for _, text := range same {
		if got := weburl.URLOrigin(text); got != "https://example.com:443" {
			t.Errorf("%s: %s", text, got)
		}
	}
	for _, text := range []string{"http://example.com", "https://example.com:8443", "https://example.org", "", "example.com", "https://[::1]:443"} {
		if weburl.URLOrigin(text) == "https://example.com:443" {
			t.Errorf("%q has the same origin", text)
		}
	}
	if got := weburl.URLOrigin("http://[::1]/x"); got != "http://[::1]:80" {
		t.Errorf("an IPv6 address: %s", got)
	}
}
