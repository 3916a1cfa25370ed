package postgres

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/orderhook/orderhook/internal/store/core"
	"github.com/orderhook/orderhook/internal/store/queue"
)

const (
	// mostRetries is how often a group is tried again that did not get through, since
	// others were in its way or the connection was lost before it was committed.
	mostRetries = 10
	retryPause  = 20 * time.Millisecond // longer each time
	// writeTime bounds one try, with the locks that it waits for.
	writeTime = 30 * time.Second
)

// writers is the connections that write, and what they write next. The queue is one for all
// of them, so that a tenant has its turn whichever connection is free.
type writers struct {
	config    *config
	types     columns
	clock     func() time.Time // tells the positions of feeds
	queue     *queue.Queue
	committed func([]*core.Batch) // is called after a commit, before its writes are answered
	unknown   func()              // is called where nobody knows what became of a commit
	telling   tellOrder
	ended     sync.WaitGroup
	figures   queue.Figures
}

// startWriters starts a goroutine for each connection. The connections are made when the
// first write comes. The id of a writer is random, so that it differs from those of all
// other nodes.
func startWriters(c *config, n int, types columns, clock func() time.Time, committed func([]*core.Batch), unknown func()) *writers {
	w := &writers{config: c, types: types, clock: clock, queue: queue.New(), committed: committed, unknown: unknown}
	for range n {
		w.ended.Add(1)
		go (&writer{writers: w, id: rand.Int64()}).loop()
	}
	return w
}

// write has a batch committed and returns what became of it. If ctx ends before the batch
// has begun, the batch is taken out of the queue; a batch that has begun is waited for.
func (w *writers) write(ctx context.Context, b *core.Batch) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	one := queue.NewWrite(b)
	if err := w.queue.Put(one); err != nil {
		return err
	}
	return one.Await(ctx)
}

// close waits until the queue is empty and all connections have ended.
func (w *writers) close() error {
	w.queue.Close()
	w.ended.Wait()
	return nil
}

// tellOrder has those who tell of commits do so in the order in which the commits began. A
// write that was decided on what another one has committed begins its commit later: so the
// listener hears of it behind that one, although two connections commit at the same time.
type tellOrder struct {
	mu   sync.Mutex
	last chan struct{} // closed once all that began before have been told; nil: none has begun
}

// turn returns what to wait for before telling, and what to close when all is told, or when
// there is nothing to tell.
func (o *tellOrder) turn() (before <-chan struct{}, told chan struct{}) {
	o.mu.Lock()
	defer o.mu.Unlock()
	before, told = o.last, make(chan struct{})
	o.last = told
	return before, told
}

// writer is one connection that writes. Only its goroutine uses it. Each transaction has
// its own number, by which outcome.go finds out what became of it.
type writer struct {
	*writers
	conn  *pgx.Conn // nil: it is to be made
	id    int64     // that no other has, of any node
	tries int64     // transactions that were begun
	feeds core.Feeds
	texts map[*core.Insertion]insertTexts
}

// loop commits group after group until the queue is closed and empty.
func (w *writer) loop() {
	defer w.ended.Done()
	defer w.hangUp()
	for first := w.queue.Wait(); first != nil; first = w.queue.Wait() {
		w.commitGroup(w.gather(first))
	}
}

// hangUp ends the connection: the next transaction makes another one. What was prepared on
// it is forgotten with it.
func (w *writer) hangUp() {
	if w.conn == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_ = w.conn.Close(ctx) // the server ends it, too
	w.conn = nil
}

// commitGroup commits units in one transaction, without those that are refused, and answers
// all of their writes. A transaction with a refused unit is rolled back and done again
// without it: a savepoint for each write would cost all of them, and refusals are rare. A
// group that failed because others were in its way, or since its connection was lost, is
// tried again a few times.
func (w *writer) commitGroup(units []*unit) {
	began := time.Now()
	var all []*queue.Write
	for _, u := range units {
		all = append(all, u.writes...)
	}
	var lost error
	// Each turn of the loop ends the group, or makes it smaller, or counts as a try.
	for tries := 0; len(units) > 0; {
		err := w.try(units)
		if err == nil {
			break
		}
		// This does not count as a try: the group is smaller now, or in smaller pieces.
		if errors.Is(err, errRefused) {
			units = left(units)
			continue
		}
		if tries++; tries > mostRetries || !errors.Is(err, errAgain) {
			lost = err
			break
		}
		if isLost(err) {
			time.Sleep(time.Duration(tries) * retryPause) // the server, or the way to it, may need a moment
		}
	}
	if errors.Is(lost, errUnknown) {
		w.unknown()
	}
	// All that is left of the group shares the fate of its transaction.
	if lost != nil {
		for _, u := range units {
			answerAll(u.writes, notTaken(lost))
		}
	}
	w.figures.Note(all, began, lost)
}

// try commits units in one transaction, and answers them if that succeeded. The error says
// what is to be done: errRefused, that some units must be left out; errAgain, that it may
// be tried again; errUnknown, that nobody knows whether it was committed.
func (w *writer) try(units []*unit) error {
	ctx, cancel := context.WithTimeout(context.Background(), writeTime)
	defer cancel()
	if w.conn == nil {
		conn, err := w.config.connect(ctx)
		if err != nil {
			return failure(err)
		}
		w.conn, w.texts = conn, map[*core.Insertion]insertTexts{}
	}
	// A transaction that is tried again has another number: the mark of the first try says
	// nothing of it.
	w.tries++
	t := &transaction{conn: w.conn, writer: w.id, number: w.tries, feeds: &w.feeds, now: w.clock(), texts: w.texts, types: w.types}
	if err := t.make(ctx, units); err != nil {
		// Only a transaction without refused units gets as far as its places in the feeds.
		if err != errRefused {
			w.feeds.Forget()
		}
		return w.undo(err)
	}
	// The turn is taken before the commit, so that the order of telling is that in which
	// commits began. The locks are still held: what depends on this write begins its commit
	// later.
	before, told := w.telling.turn()
	defer close(told)
	err := w.commit(ctx, t)
	if before != nil {
		<-before
	}
	if err != nil {
		w.feeds.Forget()
		return err
	}
	w.tell(units)
	return nil
}

// tell has what was committed take effect in this process, and then answers its writes.
// Whoever has an answer finds its write in effect.
func (w *writer) tell(units []*unit) {
	w.committed(writtenBy(units))
	for _, u := range units {
		answerAll(u.writes, nil)
	}
}

// undo rolls a transaction back of which nothing was committed, and says whether to try it
// again. A connection on which not even that works is ended.
func (w *writer) undo(err error) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	if _, failed := w.conn.Exec(ctx, "ROLLBACK"); failed != nil || takesNoWrites(err) {
		w.hangUp()
	}
	// Nothing was committed, so the same may be sent again: by another connection where this one
	// takes no writes, which is refused if that is still so.
	if isLost(err) || mayPass(err) || takesNoWrites(err) {
		return errors.Join(errAgain, err)
	}
	return err
}
