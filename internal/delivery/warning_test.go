package delivery

import (
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/orderhook/orderhook/internal/clock/clocktest"
)

// TestWarningsComeInNoFlood: some of each kind are logged, and how many were not.
func TestWarningsComeInNoFlood(t *testing.T) {
	var text strings.Builder
	c := clocktest.NewFake(time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC))
	w := &warnings{log: slog.New(slog.NewTextHandler(&text, nil)), clock: c, kinds: map[warningKind]*flood{}}
	for range 1000 {
		w.warn(acme, "one kind", "id", 1)
	}
	w.warn(acme, "another kind")
	w.warn("other", "one kind") // another tenant's
	if n := strings.Count(text.String(), `"one kind" tenant=acme`); n != mostWarnings || !strings.Contains(text.String(), `"one kind" tenant=other`) || !strings.Contains(text.String(), "another kind") {
		t.Errorf("%d lines of a thousand, and of another kind: %s", n, text.String())
	}
	text.Reset()
	c.Advance(warningSpan)
	w.warn(acme, "one kind", "id", 2)
	w.warn(acme, "one kind", "id", 3)
	lines := strings.Split(strings.TrimSpace(text.String()), "\n")
	if len(lines) != 2 || !strings.Contains(lines[0], "id=2 linesLeftOut=980") || strings.Contains(lines[1], "LeftOut") {
		t.Errorf("later: %s", text.String())
	}
}
