package admission

import (
	"net/netip"
	"sync"
	"time"
)

// What of wrong keys is put up with.
const (
	wrongSpan     = time.Minute
	wrongPerSpan  = 10   // of one address; those that follow are told to wait
	wrongTracked  = 4096 // addresses at a time; all others are counted as one
	wrongLogLines = 20   // in a span
)

// WrongKeys counts the wrong keys that came from each address, in spans of a
// minute. It is asked only after a key was found to be wrong: who shares an
// address with somebody who guesses, and has a right key, notices nothing. It is
// safe for concurrent use. Its zero value is ready.
type WrongKeys struct {
	mu     sync.Mutex
	since  time.Time
	from   map[netip.Addr]int
	lines  int // that the log got in this span
	hidden int // lines that it did not get since the last one

	refused int64 // since the start
}

// Wrong is what is to be done about a wrong key.
type Wrong struct {
	Wait time.Duration // until the address may try another one; 0: at once
	// Log says that the log is to tell of the address: once in a span, and not of
	// more than a few addresses. LinesLeftOut is how many others it was not told of.
	Log          bool
	LinesLeftOut int
}

// Note counts a wrong key that came from an address at a time.
func (w *WrongKeys) Note(from netip.Addr, now time.Time) Wrong {
	w.mu.Lock()
	defer w.mu.Unlock()
	if age := now.Sub(w.since); w.from == nil || age < 0 || age >= wrongSpan {
		w.since, w.from, w.lines = now, map[netip.Addr]int{}, 0
	}
	from = network(from)
	if _, known := w.from[from]; !known && len(w.from) >= wrongTracked {
		from = netip.Addr{}
	}
	w.from[from]++
	if w.from[from] <= wrongPerSpan {
		return Wrong{}
	}
	w.refused++
	out := Wrong{Wait: wrongSpan - now.Sub(w.since)}
	if w.from[from] == wrongPerSpan+1 {
		out.Log, out.LinesLeftOut = w.line()
	}
	return out
}

// Refused returns how many wrong keys were answered with a time to wait.
func (w *WrongKeys) Refused() int64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.refused
}

// line reports whether the log may have one more line in this span.
func (w *WrongKeys) line() (ok bool, leftOut int) {
	if w.lines == wrongLogLines {
		w.hidden++
		return false, 0
	}
	w.lines++
	leftOut, w.hidden = w.hidden, 0
	return true, leftOut
}

// network is what one caller has of addresses: of IPv6 it is a whole /64.
func network(a netip.Addr) netip.Addr {
	a = a.Unmap().WithZone("")
	if a.Is6() {
		return netip.PrefixFrom(a, 64).Masked().Addr()
	}
	return a
}
