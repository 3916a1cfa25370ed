package browser

import (
	"fmt"
	"testing"

	"github.com/chromedp/cdproto/emulation"
)

// TestTimesAreFilteredInTheBrowsersZone: one enters a time as one's own clock shows it, the
// URL has it in UTC, and what was not touched stays as it came, to the microsecond.
func TestTimesAreFilteredInTheBrowsersZone(t *testing.T) {
	s := startServer(t)
	p := open(t, s.url, wide)
	call(p, emulation.SetTimezoneOverride, emulation.SetTimezoneOverrideParams{TimezoneID: "Asia/Tokyo"})
	p.signIn(adminKey)
	const exact = "2026-11-28T08:00:00.123456Z"
	p.visit("/attempts?from=" + exact)
	if got := eval[string](p, `document.querySelector("[name=from]").value`); got != "2026-11-28T17:00:00.123" {
		t.Errorf("08:00 in UTC is shown as %s", got)
	}
	p.says("(your time)")
	eval[bool](p, `document.querySelector("[name=to]").value = "2026-11-28T18:30", true`)
	p.click(".filters button")
	p.until(fmt.Sprintf(`location.search.includes(%q)`, "to="))
	if got := eval[string](p, `new URLSearchParams(location.search).get("from") + " " + new URLSearchParams(location.search).get("to")`); got != exact+" 2026-11-28T09:30:00Z" {
		t.Errorf("the URL has %s", got)
	}
	if got := eval[string](p, `document.querySelector("[name=to]").value`); got != "2026-11-28T18:30" {
		t.Errorf("what was entered comes back as %s", got)
	}
	p.shot("times")
}

// TestTimesAreOfUTCWithoutScript: the label says so, and what is shown can be sent again.
func TestTimesAreOfUTCWithoutScript(t *testing.T) {
	s := startServer(t)
	p := open(t, s.url, wide.withoutScript())
	p.signIn(adminKey)
	p.visit("/attempts?from=2026-11-28T08:00:00Z")
	p.says("(UTC)")
	p.click(".filters button")
	p.waitFor(".filters")
	if got := p.at(); got != "/attempts?from=2026-11-28T08%3A00%3A00Z" {
		t.Errorf("it leads to %s", got)
	}
}
