package checkup

import (
	"strings"
	"testing"

	"github.com/orderhook/orderhook/internal/jsondoc"
	"github.com/orderhook/orderhook/internal/order"
)

// TestWhatNobodyMeansToChange: what is another form of the same is damage, and anything else
// may well be meant.
func TestWhatNobodyMeansToChange(t *testing.T) {
	number := func(s string) any { return jsondoc.Number(s) }
	for _, tc := range []struct {
		was, is any
		want    string
	}{
		{nil, "", "defaults-written"},
		{nil, false, "defaults-written"},
		{nil, number("0.00"), "defaults-written"},
		{nil, []any{}, "defaults-written"},
		{nil, "0001-01-01T00:00:00", "defaults-written"},
		{nil, "text", ""},
		{nil, true, ""},
		{nil, number("95"), ""},
		{"text", nil, ""},

		{number("149.9975"), number("150.00"), "number-damaged"},
		{number("149.9975"), number("149.99"), "number-damaged"},
		{number("149.9975"), number("149.9975"), "number-damaged"}, // another text, or it would be no change
		{number("1234567.8950"), number("1234567.875"), "number-damaged"},
		{"1.250", number("1.25"), "number-damaged"},
		{number("5"), "5", "number-damaged"},
		{true, "true", "number-damaged"},
		{number("999.00"), number("899.10"), ""},
		{number("10.00"), number("10.01"), ""},
		{number("1"), number("2"), ""},

		{number("10"), number("449.99999999999994"), "float-noise"},
		{nil, []any{jsondoc.NewObject(jsondoc.Pair("price", number("0.30000000000000004")))}, "float-noise"},
		{nil, "0.30000000000000004", "float-noise"},
		{number("10"), number("0.1234567890123456789"), ""}, // which was sent

		{"2026-11-21T08:41:12.123456Z", "2026-11-21T08:41:12.123Z", "time-damaged"},
		{"2026-11-21T08:41:12.5Z", "2026-11-21T08:41:12Z", "time-damaged"},
		{"2026-11-21T09:41:12+01:00", "2026-11-21T09:41:12Z", "time-damaged"},
		{"2026-11-21T09:41:12Z", "2026-11-21", "time-damaged"},
		{"2026-11-21T09:41:12Z", "2026-11-24T00:00:00Z", ""},
		{"2026-11-21T09:41:12Z", "2026-11-21T10:02:31Z", ""},

		{"Åse Bjørnsdóttir", "?se Bj?rnsd?ttir", "text-damaged"},
		{"Åse Bjørnsdóttir", "Ã…se BjÃ¸rnsdÃ³ttir", "text-damaged"},
		{"Jose\u0301", "José", "text-damaged"}, // composed otherwise
		{"O'Hara <b>", "O&#39;Hara &lt;b&gt;", "text-damaged"},
		{"  Kari  Nordmann ", "Kari Nordmann", "text-damaged"},
		{"Kari Nordmann", "KARI NORDMANN", "text-damaged"},
		{"李小龍 Bruce 😀 of Hong Kong", "李小龍 Bruce", ""},
		{"New", "Validated", ""},
		{"a", "A", ""}, // hardly any letters
	} {
		got := unmeant(order.Change{Path: "x", Before: tc.was, After: tc.is}, []byte(`{"x":0.1234567890123456789}`))
		if got != tc.want {
			t.Errorf("%v -> %v: got %q, want %q", tc.was, tc.is, got, tc.want)
		}
	}
}

// TestNothingOfAnAnswerReachesTheTerminal but letters.
func TestNothingOfAnAnswerReachesTheTerminal(t *testing.T) {
	got := excerpt([]byte("  a\x1b[31mb\r\nc\u202Ed\u009bе😀\xff"))
	if strings.ContainsAny(got, "\x1b\r\n\u202E\u009b") || !strings.HasPrefix(got, "a [31mb") || !strings.Contains(got, "😀") {
		t.Errorf("got %q", got)
	}
	if got := excerpt([]byte(strings.Repeat("å", mostShown))); !strings.HasSuffix(got, "å…") || strings.Contains(got, "\uFFFD") || len(got) > mostShown+3 {
		t.Errorf("got %q", got)
	}
}
