package sqlite

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/orderhook/orderhook/internal/store/core"
)

// Bounds of what is committed together, and with it of how long the first write
// of a group waits for the last. One write may be larger than the second: an
// order of 10 MiB is.
const (
	mostInGroup    = 128
	mostBytesAlong = 4 << 20
)

// writer is the one goroutine that writes. It begins a transaction for the first
// batch that waits, makes the changes of that and of those that came meanwhile,
// each such that it can be undone alone, and makes them durable with one commit.
type writer struct {
	session   *session
	queue     *queue
	committed func([]*core.Batch) // is called after a commit, before its writes are answered
	ended     chan struct{}       // closed once the goroutine has returned
	empty     bool                // the transaction holds no write yet
	uncertain bool                // a commit failed, and no other has succeeded since
	figures   figures
}

func startWriter(s *session, committed func([]*core.Batch)) *writer {
	w := &writer{session: s, queue: newQueue(), committed: committed, ended: make(chan struct{})}
	go w.loop()
	return w
}

// write has the goroutine commit a batch and returns what became of it.
func (w *writer) write(ctx context.Context, b *core.Batch) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	one := &write{Batch: b, since: time.Now(), done: make(chan struct{})}
	if err := w.queue.put(one); err != nil {
		return err
	}
	return one.await(ctx)
}

// close has the queue finished, then the goroutine and its connection ended.
func (w *writer) close() error {
	w.queue.close()
	<-w.ended
	return w.session.close()
}

func (w *writer) loop() {
	defer close(w.ended)
	for first := w.queue.wait(); first != nil; first = w.queue.wait() {
		w.commitGroup(first)
	}
}

// group is what is committed together.
type group struct {
	writes []*write
	size   int
}

func (g *group) add(w *write) {
	g.writes = append(g.writes, w)
	g.size += w.Size
}

func (g *group) full() bool { return len(g.writes) >= mostInGroup || g.size >= mostBytesAlong }

// commitGroup makes the changes of the first write and of those that wait behind
// it, and answers them all. When the transaction as a whole is lost, so are they.
func (w *writer) commitGroup(first *write) {
	began := time.Now()
	g := &group{}
	lost := w.begin()
	if lost != nil { // another process has the lock: let nobody wait for it a second time
		for next := first; next != nil; next = w.queue.next() {
			g.add(next)
		}
	}
	for next := first; lost == nil && next != nil; {
		lost = w.runAlike(g, next)
		if next = nil; lost == nil && !g.full() {
			next = w.queue.next()
		}
	}
	if lost == nil {
		lost = w.commit()
	} else {
		_ = w.session.control("ROLLBACK") // fails when SQLite has done it already
		lost = unavailable("the database did not take the write", lost)
	}
	w.figures.note(g, began, lost)
	if lost == nil {
		w.committed(written(g.writes))
	}
	answer(g.writes, lost)
}

// written returns the batches that were not undone.
func written(writes []*write) []*core.Batch {
	batches := make([]*core.Batch, 0, len(writes))
	for _, one := range writes {
		if one.err == nil {
			batches = append(batches, one.Batch)
		}
	}
	return batches
}

// answer gives each write its own error, or else what the group came to.
func answer(writes []*write, lost error) {
	for _, one := range writes {
		if one.err == nil {
			one.err = lost
		}
		close(one.done)
	}
}

// begin begins a transaction. If the last commit failed, one that changes next to
// nothing comes first: what the failed one may have left in the log is overwritten
// then, and no crash brings it back.
func (w *writer) begin() error {
	if w.uncertain {
		if err := w.overwrite(); err != nil {
			return err
		}
	}
	w.empty = true
	return w.session.control("BEGIN IMMEDIATE")
}

// commit makes the transaction durable. If it fails, nothing of it is to be seen,
// but the disk may have it: then it is overwritten, so that the answer is certain.
func (w *writer) commit() error {
	err := w.session.control("COMMIT")
	if err == nil {
		return nil
	}
	_ = w.session.control("ROLLBACK")
	w.uncertain = true
	if w.overwrite() != nil {
		return unavailable("the database failed while it took the write. Whether it was written is not known: it is not to be seen now, and may be there after a restart", err)
	}
	return unavailable("the database did not take the write", err)
}

// overwrite commits next to nothing.
func (w *writer) overwrite() error {
	for _, text := range []string{"BEGIN IMMEDIATE", `INSERT INTO meta (name, value) VALUES ('write.failed', x'') ON CONFLICT DO UPDATE SET value = randomblob(8)`, "COMMIT"} {
		if err := w.session.control(text); err != nil {
			_ = w.session.control("ROLLBACK")
			return err
		}
	}
	w.uncertain = false
	return nil
}

// runAlike runs a write, and those with it that may be run as one: that takes half
// the CPU time. If together they fail, each is run by itself, to fail alone. It
// returns an error only if the transaction is lost.
func (w *writer) runAlike(g *group, first *write) error {
	from := len(g.writes)
	g.add(first)
	for first.Alike != "" && !g.full() && len(g.writes)-from < w.queue.share(first.Tenant) {
		next := w.queue.nextAlike(first.Tenant, first.Alike)
		if next == nil {
			break
		}
		g.add(next)
	}
	some := g.writes[from:]
	if len(some) > 1 {
		if done, lost := w.run(together(some)); done == nil || lost != nil {
			return lost
		}
	}
	for _, one := range some {
		var lost error
		if one.err, lost = w.run(one.Batch); lost != nil {
			return lost
		}
	}
	return nil
}

// together makes one batch of those that are alike.
func together(some []*write) *core.Batch {
	all := &core.Batch{Checks: some[0].Checks, Changes: make([]core.Change, len(some[0].Changes))}
	for i := range all.Changes {
		all.Changes[i].Insertion = some[0].Changes[i].Insertion
		for _, one := range some {
			all.Changes[i].Values = append(all.Changes[i].Values, one.Changes[i].Values...)
		}
	}
	return all
}

// run makes the changes of one batch, and undoes them if one fails: that is err.
// It is lost only if the transaction is.
//
// The first of a transaction needs no savepoint: to undo it is to begin anew.
// In a savepoint SQLite copies each page before it changes: without, a hundred
// events or attempts in one write take a seventh less CPU time.
func (w *writer) run(b *core.Batch) (err, lost error) {
	if w.empty {
		if err = refused(w.session.apply(b)); err == nil {
			w.empty = false
			return nil, nil
		}
		return err, errors.Join(w.session.control("ROLLBACK"), w.begin())
	}
	if lost = w.session.control("SAVEPOINT one"); lost != nil {
		return nil, lost
	}
	if err = refused(w.session.apply(b)); err == nil {
		return nil, w.session.control("RELEASE one")
	}
	for _, text := range []string{"ROLLBACK TO one", "RELEASE one"} {
		if lost = w.session.control(text); lost != nil {
			return err, lost
		}
	}
	return err, nil
}

// refused is why a batch was not applied. A row that another took the key of is as
// any other thing that changed.
func refused(err error) error {
	if isDuplicate(err) {
		return fmt.Errorf("%w: %w", core.ErrOvertaken, err)
	}
	return failure(err)
}

// figures is what the writer measures of itself.
type figures struct {
	groups, writes, failed atomic.Int64
	waited, wrote          atomic.Int64 // ns, of all writes, and of all groups
	longestWait            atomic.Int64 // ns
	last                   atomic.Int64 // when the last commit succeeded, in Unix ns
	lastError              atomic.Pointer[string]
}

func (f *figures) note(g *group, began time.Time, lost error) {
	now, wrote := time.Now(), false
	for _, one := range g.writes {
		wrote = wrote || one.err == nil
		wait := began.Sub(one.since).Nanoseconds()
		f.waited.Add(max(0, wait))
		if wait > f.longestWait.Load() {
			f.longestWait.Store(wait)
		}
	}
	f.groups.Add(1)
	f.writes.Add(int64(len(g.writes)))
	f.wrote.Add(now.Sub(began).Nanoseconds())
	if lost != nil {
		f.failed.Add(1)
		text := lost.Error()
		f.lastError.Store(&text)
		return
	}
	if !wrote { // that nothing was committed says nothing of the disk
		return
	}
	f.last.Store(now.UnixNano())
	f.lastError.Store(nil)
}

// Figures is how the writer has been doing since the database was opened.
type Figures struct {
	Waiting        int // writes
	Groups, Writes int64
	Failed         int64         // groups that were not committed
	Waited, Wrote  time.Duration // of all writes until they began, and of all groups
	LongestWait    time.Duration
	LastCommit     time.Time // zero: none yet
	LastError      string    // why the last group failed; "" if it did not
}

// Figures returns how the writer has been doing.
func (w *writer) Figures() Figures {
	f := &w.figures
	out := Figures{Waiting: w.queue.len(), Groups: f.groups.Load(), Writes: f.writes.Load(), Failed: f.failed.Load(),
		Waited: time.Duration(f.waited.Load()), Wrote: time.Duration(f.wrote.Load()), LongestWait: time.Duration(f.longestWait.Load())}
	if last := f.last.Load(); last > 0 {
		out.LastCommit = time.Unix(0, last).UTC()
	}
	if text := f.lastError.Load(); text != nil {
		out.LastError = *text
	}
	return out
}
