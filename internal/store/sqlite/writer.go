package sqlite

import (
	"context"
	"errors"
	"fmt"
	"math"
	"runtime/debug"
	"sync"
	"sync/atomic"

	"github.com/orderhook/orderhook/internal/oms"
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
	empty     bool          // the transaction holds no write yet

	mu      sync.Mutex
	arrived sync.Cond // there is a write in the queue, or closed became true
	queue   []*write
	closed  bool
}

// write is one call of Write, or of Publish: then it has no do.
type write struct {
	do     func(store.Tx) error
	tenant string
	events []*oms.Event
	judged []judgement // of events, at the same places; nil: none was judged
	state  atomic.Int32
	err    error         // the answer, once done is closed
	done   chan struct{} // closed when there is an answer
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

// write has the goroutine do a write and returns what became of it.
func (w *writer) write(ctx context.Context, job *write) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	job.done = make(chan struct{})
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

// gather adds to a group those that wait now, as many as it takes.
func (w *writer) gather(group []*write, most int) []*write {
	w.mu.Lock()
	defer w.mu.Unlock()
	for len(group) < most {
		job := w.pop()
		if job == nil {
			break
		}
		group = append(group, job)
	}
	return group
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
	lost := w.begin()
	if lost != nil { // another process has the lock: let nobody wait for it a second time
		group = w.gather(group, math.MaxInt)
	}
	for ran := 0; lost == nil; {
		if group = w.gather(group, mostInGroup); ran == len(group) {
			break
		}
		if n := publications(group[ran:]); n > 1 {
			lost = w.runTogether(group[ran : ran+n])
			ran += n
		} else {
			lost = w.run(group[ran])
			ran++
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

// publications returns how many publications of one tenant a group begins with.
func publications(group []*write) int {
	n := 0
	for n < len(group) && group[n].do == nil && group[n].tenant == group[0].tenant {
		n++
	}
	return n
}

// runTogether runs publications as if they were one: that takes half the CPU
// time. If it fails, each is run by itself, to fail alone.
func (w *writer) runTogether(some []*write) error {
	all := &write{tenant: some[0].tenant}
	for _, one := range some {
		all.events = append(all.events, one.events...)
		all.judged = append(all.judged, one.judgements()...)
	}
	lost := w.run(all)
	for i := 0; lost == nil && all.err != nil && i < len(some); i++ {
		lost = w.run(some[i])
	}
	return lost
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

// begin begins a transaction.
func (w *writer) begin() error {
	w.empty = true
	return w.session.control("BEGIN IMMEDIATE")
}

// run runs one write, and undoes it if it fails. It returns an error only if
// the transaction is lost with it.
//
// The first of a transaction needs no savepoint: to undo it is to begin anew.
// In a savepoint SQLite copies each page before it changes: without, a hundred
// events or attempts in one write take a seventh less CPU time.
func (w *writer) run(job *write) error {
	if w.empty {
		if w.do(job) {
			w.empty = false
			return nil
		}
		return errors.Join(w.session.control("ROLLBACK"), w.begin())
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
	job.err = call(job.changes(), w.transaction(q))
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

// changes is what the write does.
func (j *write) changes() func(store.Tx) error {
	if j.do != nil {
		return j.do
	}
	return func(t store.Tx) error {
		return t.(*tx).addEvents(context.Background(), j.tenant, j.events, j.judgements())
	}
}

// judgements has a place for each event.
func (j *write) judgements() []judgement {
	if j.judged == nil {
		return make([]judgement, len(j.events))
	}
	return j.judged
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
