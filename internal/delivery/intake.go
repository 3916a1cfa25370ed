package delivery

import (
	"slices"
	"sync/atomic"
)

// intake is the results that wait for a completer to take them, and the count of those that
// are not written yet. Any goroutine puts one in and asks whether it is full; the goroutine
// of the completer alone does the rest. The zero value is empty.
//
// It has no lock. Where thousands of endpoints answer at once, thousands of goroutines wait
// for a processor, so each that gets a lock has to wait for one before it frees that: with a
// lock, 200 goroutines waited for it at any time.
type intake struct {
	newest  atomic.Pointer[entry]
	count   atomic.Int64 // results that are not written yet, those that were taken included
	bytes   atomic.Int64 // of those
	blocked atomic.Bool  // full has said yes, and no attempt begins
}

// entry is a result, in front of those that came before it.
type entry struct {
	result
	before *entry
}

// put adds a result.
func (i *intake) put(one result) {
	i.count.Add(1)
	i.bytes.Add(one.size())
	e := &entry{result: one}
	for {
		e.before = i.newest.Load()
		if i.newest.CompareAndSwap(e.before, e) {
			return
		}
	}
}

// take appends the results that were put in to others, the oldest first.
func (i *intake) take(to []result) []result {
	from := len(to)
	for e := i.newest.Swap(nil); e != nil; e = e.before {
		to = append(to, e.result)
	}
	slices.Reverse(to[from:])
	return to
}

// full reports whether as many results are not written yet as may. Once that is so, it stays
// so until reopened. first is true for who finds it so first.
func (i *intake) full() (full, first bool) {
	if i.blocked.Load() {
		return true, false
	}
	if i.count.Load() < mostUnrecorded && i.bytes.Load() < mostBytes {
		return false, false
	}
	return true, i.blocked.CompareAndSwap(false, true)
}

// remove takes off the count a result that is written.
func (i *intake) remove(one *result) {
	i.count.Add(-1)
	i.bytes.Add(-one.size())
}

// reopened ends that the intake is full, if half as many are left at most. It reports
// whether it did.
func (i *intake) reopened() bool {
	return i.blocked.Load() && i.count.Load() <= mostUnrecorded/2 && i.bytes.Load() <= mostBytes/2 && i.blocked.CompareAndSwap(true, false)
}
