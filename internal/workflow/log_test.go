package workflow

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/orderhook/orderhook/internal/clock"
	"github.com/orderhook/orderhook/internal/oms"
)

// A database in trouble holds up many orders at once, each again and again.
func TestADatabaseInTroubleFillsNoLog(t *testing.T) {
	var text bytes.Buffer
	c := clock.NewFake(time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC))
	e := New(Options{Clock: c, Log: slog.New(slog.NewTextHandler(&text, nil))})
	full := oms.Errorf(oms.Unavailable, "the disk is full")
	lines := func(want int, holds string) {
		t.Helper()
		got := strings.Split(strings.TrimSpace(text.String()), "\n")
		if len(got) != want || !strings.Contains(got[want-1], holds) {
			t.Errorf("%d lines, want %d, the last with %q:\n%s", len(got), want, holds, text.String())
		}
	}
	for range 1000 {
		e.trouble(orderKey{"acme", "O1"}, "it cannot be stored", full, "call", "call_1")
	}
	lines(1, `level=WARN msg="it cannot be stored" tenant=acme order=O1 call=call_1 error="the disk is full" linesLeftOut=0`)
	c.Advance(quietFor - 1)
	e.trouble(orderKey{"acme", "O1"}, "it cannot be stored", full)
	lines(1, "linesLeftOut=0")
	c.Advance(1)
	e.trouble(orderKey{"acme", "O2"}, "it cannot be read", errors.New("a mistake of the program's"))
	lines(2, `level=ERROR msg="it cannot be read" tenant=acme order=O2 error="a mistake of the program's" linesLeftOut=1000`)
}
