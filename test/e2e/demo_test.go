package e2e

import (
	"strings"
	"testing"
)

func TestDemoOnce(t *testing.T) {
	t.Parallel()
	w := newWhere(t, "TMPDIR="+t.TempDir())
	out := w.succeeds(t, "demo", "--once")
	if !strings.Contains(out, "stopped") || strings.Contains(out, "\x1b") {
		t.Errorf("the demo prints %s", out)
	}
}
