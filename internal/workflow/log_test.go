package workflow

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/clock/clocktest"
)

// A database in trouble holds up many orders at once, each again and again.
func TestADatabaseInTroubleFillsNoLog(t *testing.T) {
	var text bytes.Buffer
	c := clocktest.NewFake(time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC))
	e := New(Options{Clock: c, Log: slog.New(slog.NewTextHandler(&text, nil))})
	full := apierr.Errorf(apierr.Unavailable, "the disk is full")
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
	e.trouble(orderKey{"acme", "O2"}, "it cannot be read", errors.New("an error of the program's"))
	lines(2, `level=ERROR msg="it cannot be read" tenant=acme order=O2 error="an error of the program's" linesLeftOut=1000`)
}

func TestAPanicIsSurvivedAndLogged(t *testing.T) {
	var text bytes.Buffer
	log := slog.New(slog.NewTextHandler(&text, nil))
	one, two := func() int { return 1 }, func() int { return 2 }
	if got := survive(log, "no error", nil, one, two); got != 1 || text.Len() != 0 {
		t.Errorf("%d, and the log says %q", got, text.String())
	}
	if got := survive(log, "an error", []any{"run", "run_1"}, func() int { panic("oh") }, two); got != 2 {
		t.Errorf("%d", got)
	}
	if said := text.String(); !strings.Contains(said, `level=ERROR msg="an error" run=run_1 panic=oh stack="goroutine`) {
		t.Errorf("the log says %q", said)
	}
}
