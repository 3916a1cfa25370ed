package spelling_test

import (
	"testing"

	"github.com/orderhook/orderhook/internal/spelling"
)

func TestCounts(t *testing.T) {
	for n, want := range map[int][2]string{0: {"0 errors", "0 times"}, 1: {"1 error", "once"}, 3: {"3 errors", "3 times"}} {
		if got := [2]string{spelling.Count(n, "error"), spelling.Times(n)}; got != want {
			t.Errorf("%d: %q, want %q", n, got, want)
		}
	}
}
