package sqlite

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
	"sync/atomic"

	"github.com/orderhook/orderhook/internal/store"
)

// mostInGroup bounds how many writes are committed together, and with it how
// long the first of them waits for the last.
const mostInGroup = 128

// writer is the one goroutine that writes. It begins a transaction for the
// first write that waits, runs that and all that came meanwhile, each such that
// it can be undone alone, and makes them durable with one commit.
type writer struct {
	session *session
	// transaction makes what a write sees of the transaction.
	transaction func(*txQuerier) store.Tx
	// committed is called after a commit, before its writes are answered.
	committed func(changes)
	ended     chan struct{} // closed once the goroutine has returned

	mu      sync.Mutex
	arrived sync.Cond // there is a write in the queue, or closed became true
	queue   []*write
	closed  bool
}

// write is one call of Write.
type write struct {
	do    func(store.Tx) error
	state atomic.Int32
	err   error         // the answer, once done is closed
	done  chan struct{} // closed when there is an answer
}

// The states of a write. A caller whose context ends takes a queued write
// back; one that has begun will be answered with what became of it.
const (
	queued int32 = iota
	begun
	takenBack
)

func startWriter(s *session, transaction func(*txQuerier) store.Tx, committed func(changes)) *writer {
	w := &writer{session: s, transaction: transaction, committed: committed, ended: make(chan struct{})}
	w.arrived.L = &w.mu
	go w.loop()
	return w
}

// write has the goroutine run do and returns what became of it.
func (w *writer) write(ctx context.Context, do func(store.Tx) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	job := &write{do: do, done: make(chan struct{})}
	if !w.enqueue(job) {
		return errClosed
	}
	select {
	case <-job.done:
	case <-ctx.Done():
		if job.state.CompareAndSwap(queued, takenBack) {
			return ctx.Err()
		}
		<-job.done
	}
	return job.err
}

func (w *writer) enqueue(job *write) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return false
	}
	w.queue = append(w.queue, job)
	w.arrived.Signal()
	return true
}

// close has the queue finished, then the goroutine and its connection ended.
func (w *writer) close() error {
	w.mu.Lock()
	w.closed = true
	w.arrived.Signal()
	w.mu.Unlock()
	<-w.ended
	return w.session.close()
}

func (w *writer) loop() {
	defer close(w.ended)
	for job := w.wait(); job != nil; job = w.wait() {
		w.commitGroup(job)
	}
}

// wait returns the next write, nil when there is none and will be none.
func (w *writer) wait() *write {
	w.mu.Lock()
	defer w.mu.Unlock()
	for {
		if job := w.pop(); job != nil {
			return job
		}
		if w.closed {
			return nil
		}
		w.arrived.Wait()
	}
}

// next returns a write that waits now, nil if there is none.
func (w *writer) next() *write {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.pop()
}

func (w *writer) pop() *write {
	for len(w.queue) > 0 {
		job := w.queue[0]
		w.queue[0] = nil
		w.queue = w.queue[1:]
		if job.state.CompareAndSwap(queued, begun) {
			return job
		}
	}
	return nil
}

// commitGroup runs the first write and those that wait behind it and answers
// them all. When the transaction as a whole is lost, so are they.
func (w *writer) commitGroup(first *write) {
	group := []*write{first}
	lost := w.session.control("BEGIN IMMEDIATE")
	if lost != nil { // another process has the lock: let nobody wait for it a second time
		for job := w.next(); job != nil; job = w.next() {
			group = append(group, job)
		}
	}
	for i := 0; lost == nil && i < len(group); i++ {
		lost = w.run(group[i], i == 0)
		if job := w.nextOf(group, lost); job != nil {
			group = append(group, job)
		}
	}
	if lost == nil {
		lost = w.session.control("COMMIT")
	}
	if lost != nil {
		_ = w.session.control("ROLLBACK") // fails when SQLite has done it already
		lost = unavailable("the database did not take the write", lost)
	}
	if lost == nil {
		w.committed(w.session.changes)
	}
	w.session.changes = changes{}
	clear(w.session.unsettled)
	answer(group, lost)
}

// nextOf returns the write to run next in a group, nil when it is complete.
func (w *writer) nextOf(group []*write, lost error) *write {
	if lost != nil || len(group) == mostInGroup {
		return nil
	}
	return w.next()
}

// answer gives each write its own error, or else what the group came to.
func answer(group []*write, lost error) {
	for _, job := range group {
		if job.err == nil {
			job.err = lost
		}
		close(job.done)
	}
}

// run runs one write, and undoes it if it fails. It returns an error only if
// the transaction is lost with it.
//
// The first of a transaction needs no savepoint: to undo it is to begin anew.
// In a savepoint SQLite copies each page before it changes: without, a hundred
// events or attempts in one write take a seventh less CPU time.
func (w *writer) run(job *write, first bool) error {
	if first {
		if w.do(job) {
			return nil
		}
		return w.controlAll("ROLLBACK", "BEGIN IMMEDIATE")
	}
	if err := w.session.control("SAVEPOINT one"); err != nil {
		return err
	}
	if w.do(job) {
		return w.session.control("RELEASE one")
	}
	return w.controlAll("ROLLBACK TO one", "RELEASE one")
}

func (w *writer) controlAll(texts ...string) error {
	for _, text := range texts {
		if err := w.session.control(text); err != nil {
			return err
		}
	}
	return nil
}

// do runs a write in the transaction, and reports whether it succeeded.
func (w *writer) do(job *write) bool {
	q := &txQuerier{session: w.session}
	job.err = call(job.do, w.transaction(q))
	if q.broken != nil {
		job.err = q.broken // do may have swallowed it
	}
	q.broken = errOver
	if job.err != nil {
		return false
	}
	w.session.changes.add(q.changes)
	return true
}

// errOver is the answer to a write that uses its transaction after it returned.
var errOver = errors.New("the transaction is over")

// call runs do; its panic is an error of its caller and nobody else's.
func call(do func(store.Tx) error, tx store.Tx) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic in a write: %v\n%s", p, debug.Stack())
		}
	}()
	return do(tx)
}
