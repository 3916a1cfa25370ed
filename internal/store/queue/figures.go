package queue

import (
	"sync/atomic"
	"time"

	"github.com/orderhook/orderhook/internal/store"
)

// Figures is what writers measure about themselves, from when the database was opened.
// Writers note, and metrics and readiness read, without a lock.
type Figures struct {
	groups, writes, failed atomic.Int64
	waited, wrote          atomic.Int64          // in ns: the waiting of all writes, and the writing of all groups
	last                   atomic.Int64          // when the last commit succeeded, in Unix ns
	lost                   atomic.Pointer[error] // why the last group was lost; nil: it was not
}

// Note notes a group of writes that began at a time, and that was committed just now; or
// lost, and why.
func (f *Figures) Note(group []*Write, began time.Time, lost error) {
	now, wrote := time.Now(), false
	for _, one := range group {
		wrote = wrote || one.Err == nil
		f.waited.Add(max(0, began.Sub(one.Since).Nanoseconds()))
	}
	f.groups.Add(1)
	f.writes.Add(int64(len(group)))
	f.wrote.Add(now.Sub(began).Nanoseconds())
	if lost != nil {
		f.failed.Add(1)
		f.lost.Store(&lost)
		return
	}
	if !wrote { // nothing was committed, so this says nothing about the disk
		return
	}
	f.last.Store(now.UnixNano())
	f.lost.Store(nil)
}

const (
	// ProbeAfter is how old the last commit may be before a question whether the database is
	// ready has one made: only a commit shows whether it takes writes.
	ProbeAfter = 10 * time.Second
	// ProbeTime is how long that commit may take.
	ProbeTime = 2 * time.Second
)

// Fresh reports whether the last group was committed, within a time: then the database need
// not be tried.
func (f *Figures) Fresh(within time.Duration) bool {
	return f.lost.Load() == nil && time.Since(time.Unix(0, f.last.Load())) < within
}

// Forget has the last commit be long ago, for tests.
func (f *Figures) Forget() { f.last.Store(0) }

// Fill fills in what is known of the writes, of which so many wait.
func (f *Figures) Fill(to *store.Figures, waiting int) {
	to.WritesWaiting, to.Commits, to.Writes, to.CommitsFailed = waiting, f.groups.Load(), f.writes.Load(), f.failed.Load()
	to.Waited, to.Committing = time.Duration(f.waited.Load()), time.Duration(f.wrote.Load())
	if last := f.last.Load(); last > 0 {
		to.LastCommit = time.Unix(0, last).UTC()
	}
}
