package spelling_test

import (
	"testing"

	"github.com/orderhook/orderhook/internal/spelling"
)

func TestClip(t *testing.T) {
	for _, row := range []struct {
		text string
		most int
		want string
	}{
		{"", 3, ""},
		{"abc", 3, "abc"},
		{"abcd", 3, "abc…"},
		{"abå", 4, "abå"},
		{"abåd", 4, "abå…"},
		{"abåd", 3, "ab…"},      // å has two bytes
		{"€€", 2, "…"},          // not one of them has room
		{"a\xffbcd", 4, "abc…"}, // no UTF-8
		{"a\xff", 2, "a\xff"},   // nothing is cut
		{"abc", 0, "…"},         // no room at all
	} {
		if got := spelling.Clip(row.text, row.most); got != row.want {
			t.Errorf("Clip(%q, %d) = %q, want %q", row.text, row.most, got, row.want)
		}
	}
}
