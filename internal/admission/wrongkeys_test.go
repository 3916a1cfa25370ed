package admission

import (
	"encoding/binary"
	"net/netip"
	"testing"
	"time"
)

var start = time.Date(2026, 11, 28, 9, 0, 0, 0, time.UTC)

// note notes n wrong keys and returns what is to be done about the last.
func note(w *WrongKeys, n int, from string, now time.Time) (last Wrong) {
	for range n {
		last = w.Note(netip.MustParseAddr(from), now)
	}
	return last
}

func TestWrongKeysOfAnAddress(t *testing.T) {
	w := &WrongKeys{}
	if got := note(w, wrongPerSpan, "192.0.2.1", start); got != (Wrong{}) {
		t.Errorf("the last that is put up with: %+v", got)
	}
	later := start.Add(20 * time.Second)
	if got := note(w, 1, "192.0.2.1", later); got != (Wrong{Wait: 40 * time.Second, Log: true}) {
		t.Errorf("the first over it: %+v", got)
	}
	if got := note(w, 1, "192.0.2.1", later); got != (Wrong{Wait: 40 * time.Second}) {
		t.Errorf("the next: %+v", got)
	}
	if got := note(w, 1, "192.0.2.2", later); got != (Wrong{}) {
		t.Errorf("of another address: %+v", got)
	}
	if got := note(w, wrongPerSpan, "192.0.2.1", start.Add(wrongSpan)); got != (Wrong{}) {
		t.Errorf("in the next span: %+v", got)
	}
}

// A clock that was set back must not make an address wait for hours.
func TestWrongKeysAfterTheClockWasSetBack(t *testing.T) {
	w := &WrongKeys{}
	note(w, 2*wrongPerSpan, "192.0.2.1", start)
	if got := note(w, 1, "192.0.2.1", start.Add(-time.Hour)); got != (Wrong{}) {
		t.Errorf("%+v", got)
	}
}

func TestAddressesOfOneCaller(t *testing.T) {
	for _, c := range []struct {
		a, b string
		same bool
	}{
		{"192.0.2.1", "::ffff:192.0.2.1", true},
		{"192.0.2.1", "192.0.2.2", false},
		{"2001:db8:0:1::1", "2001:db8:0:1:ffff::2", true},
		{"2001:db8:0:1::1", "2001:db8:0:2::1", false},
		{"fe80::1%eth0", "fe80::2", true},
	} {
		w := &WrongKeys{}
		note(w, wrongPerSpan, c.a, start)
		if got := note(w, 1, c.b, start).Wait > 0; got != c.same {
			t.Errorf("%s and %s: %v", c.a, c.b, got)
		}
	}
}

func numbered(i int) netip.Addr {
	var b [4]byte
	binary.BigEndian.PutUint32(b[:], uint32(i))
	return netip.AddrFrom4(b)
}

// TestManyAddresses has more addresses than are tracked: memory and log stay
// bounded, and those that are tracked are counted as before.
func TestManyAddresses(t *testing.T) {
	w := &WrongKeys{}
	lines, waits := 0, 0
	for i := range 3 * wrongTracked {
		for range wrongPerSpan + 1 {
			got := w.Note(numbered(i), start)
			if got.Log {
				lines++
			}
			if got.Wait > 0 {
				waits++
			}
		}
	}
	if len(w.from) > wrongTracked+1 || lines != wrongLogLines {
		t.Errorf("%d addresses, %d lines", len(w.from), lines)
	}
	if want := wrongTracked + 2*wrongTracked*(wrongPerSpan+1) - wrongPerSpan; waits != want {
		t.Errorf("%d had to wait, want %d", waits, want)
	}
	got := Wrong{}
	for range wrongPerSpan + 1 {
		got = w.Note(numbered(1), start.Add(wrongSpan))
	}
	if !got.Log || got.LinesLeftOut != wrongTracked+1-wrongLogLines { // one for all that were not tracked
		t.Errorf("the next line: %+v", got)
	}
}
