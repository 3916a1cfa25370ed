package sqlite

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
	"time"

	"github.com/orderhook/orderhook/internal/store/core"
	"github.com/orderhook/orderhook/internal/store/queue"
)

// writer writes, one group after the other. It begins a transaction for the first batch
// that waits, and makes its changes and those of the batches that came meanwhile, each in
// such a way that it can be undone alone. Then one commit makes all of them durable
// (group commit).
//
// A goroutine of its own does that for what waits. If nothing waits and nothing is being
// written, the goroutine of the caller does it: to hand a batch over and wait for the answer
// takes two goroutines that are woken, which is a tenth of the time of a single write. Where
// writes come together it does not: what came meanwhile would have to wait until the other
// goroutine is woken, where that would have gone on at once.
//
// Its fields belong to who has the turn, but for queue and figures, which take care of
// themselves.
type writer struct {
	turn      sync.Mutex
	session   *session
	queue     *queue.Queue
	unchanged func() error        // returns an error if the files are not those that were opened
	committed func([]*core.Batch) // is called after a commit, before its writes are answered
	ended     chan struct{}       // closed once the goroutine has returned
	clock     func() time.Time    // tells the positions of feeds
	feeds     core.Feeds          // where they end
	alone     bool                // the last group was a single write
	empty     bool                // the transaction has no write yet
	careful   int                 // so many groups are still to have a savepoint for each write
	uncertain bool                // a commit failed, and no commit has succeeded since
	figures   queue.Figures
}

// startWriter starts the goroutine. It ends with close, and then it has committed all that
// was in the queue.
func startWriter(s *session, clock func() time.Time, unchanged func() error, committed func([]*core.Batch)) *writer {
	w := &writer{session: s, queue: queue.New(), clock: clock, unchanged: unchanged, committed: committed, ended: make(chan struct{})}
	go w.loop()
	return w
}

// write has a batch written and waits for the result. If ctx ends before the batch has
// begun, the batch is taken out of the queue; a batch that has begun is waited for. If its
// transaction could not begin, nothing was tried, so a caller that has given up hears that
// it did, and not that the database was busy meanwhile.
func (w *writer) write(ctx context.Context, b *core.Batch) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	one := queue.NewWrite(b)
	if !w.writeHere(one) {
		if err := w.queue.Put(one); err != nil {
			return err
		}
	}
	err := one.Await(ctx)
	if _, not := errors.AsType[notBegunError](err); not && ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}

// notBegunError is why a transaction has not begun.
type notBegunError struct{ error }

// Unwrap returns the cause.
func (e notBegunError) Unwrap() error { return e.error }

// writeHere commits a write, and what comes behind it meanwhile, on the goroutine of its
// caller. It reports whether it did: not if writes come together.
func (w *writer) writeHere(one *queue.Write) bool {
	if !w.turn.TryLock() {
		return false
	}
	defer w.turn.Unlock()
	if !w.alone || !w.queue.Begin(one) {
		return false
	}
	// A panic in here ends the process, as on the goroutine of the writer. Its caller may
	// survive panics, and would go on with half a transaction.
	defer func() {
		if p := recover(); p != nil {
			go panic(fmt.Sprintf("panic while the database was written: %v\n%s", p, debug.Stack()))
			select {}
		}
	}()
	w.commitGroup(one)
	return true
}

// close lets the goroutine finish the queue, and then ends the goroutine and its
// connection. A caller that still writes is waited for.
func (w *writer) close() error {
	w.queue.Close()
	<-w.ended
	w.turn.Lock()
	defer w.turn.Unlock()
	return w.session.close()
}

// loop commits group after group. What comes while one is committed makes up the next: so
// the groups are as large as the disk is slow, and a single write is committed at once.
func (w *writer) loop() {
	defer close(w.ended)
	for w.queue.Arrived() {
		w.turn.Lock()
		// What has arrived may have been committed by a caller, or taken back.
		if first := w.queue.Next(); first != nil {
			w.commitGroup(first)
		}
		w.turn.Unlock()
	}
}

// group is the writes of one transaction.
type group struct {
	writes []*queue.Write
	size   int
}

// add adds a write, and its bytes.
func (g *group) add(w *queue.Write) {
	g.writes = append(g.writes, w)
	g.size += w.Size
}

// full reports whether the group must take no more. It is looked at behind each write, so
// that one that is larger than the bound is a group by itself.
func (g *group) full() bool {
	return len(g.writes) >= queue.MostInGroup || g.size >= queue.MostBytesInGroup
}

// commitGroup makes the changes of the first write and of those that wait behind it, and
// answers them all. A write that is refused, as one that was overtaken, has its own error,
// and the others are committed. If the transaction as a whole is lost, so are all of them.
// The answers come last, when what was committed is in effect for readers in memory, too.
func (w *writer) commitGroup(first *queue.Write) {
	began := time.Now()
	g := &group{}
	w.careful = max(0, w.careful-1)
	lost := w.begin()
	if lost != nil { // another process has the lock: let nobody wait for it a second time
		lost = notBegunError{lost}
		for next := first; next != nil; next = w.queue.Next() {
			g.add(next)
		}
	}
	for next := first; lost == nil && next != nil; {
		lost = w.runAlike(g, next)
		if why, undo := errors.AsType[undoError](lost); undo {
			lost = w.runAgain(g, why)
		}
		if next = nil; lost == nil && !g.full() {
			next = w.queue.Next()
		}
	}
	batches := written(g.writes)
	if lost == nil { // one row for all calls of one minute and kind, however many writes record them
		lost = w.session.changeAll(core.CountCalls(dialect, batches))
	}
	if lost == nil {
		lost = w.extendFeeds(batches)
	}
	if lost == nil {
		lost = w.commit()
	} else {
		_ = w.session.control("ROLLBACK") // it fails if SQLite has rolled back already
		lost = unavailable("the database did not take the write", lost)
	}
	// What the feeds would have ended with is not there.
	if lost != nil {
		w.feeds.Forget()
	}
	// The listener hears of it, and its effects are there, before any caller has the
	// answer.
	if lost == nil {
		w.committed(batches)
		if err := w.unchanged(); err != nil { // it is committed, but where nobody finds it after a restart
			lost = unavailable("the database file was removed or replaced while it took the write. Whether it was written is not known: it may be gone after a restart", err)
		}
	}
	w.alone = len(g.writes) == 1
	w.figures.Note(g.writes, began, lost)
	answer(g.writes, lost)
}

// extendFeeds gives the events of a group their places in the feeds. Groups are committed one
// after the other, so the order of the places is that of the commits.
func (w *writer) extendFeeds(batches []*core.Batch) error {
	changes, err := w.feeds.Extend(dialect, batches, w.clock(), w.session.query)
	if err != nil {
		return err
	}
	return w.session.changeAll(changes)
}

// written returns the batches that were not undone.
func written(writes []*queue.Write) []*core.Batch {
	batches := make([]*core.Batch, 0, len(writes))
	for _, one := range writes {
		if one.Err == nil {
			batches = append(batches, one.Batch)
		}
	}
	return batches
}

// answer gives each write its own error, or else what the group came to. From then on the
// caller goes on, on its own goroutine.
func answer(writes []*queue.Write, lost error) {
	for _, one := range writes {
		if one.Err == nil {
			one.Err = lost
		}
		one.Answer()
	}
}

// begin begins a transaction that may write. If the last commit failed, it first commits a
// tiny change: that overwrites what the failed commit may have left in the log, so that no
// crash can bring it back. BEGIN IMMEDIATE takes the lock of the file at once: a command
// beside the server may have it, and then the whole group waits for it, instead of failing
// in the middle.
func (w *writer) begin() error {
	if w.uncertain {
		if err := w.overwrite(); err != nil {
			return err
		}
	}
	if err := w.unchanged(); err != nil {
		return err
	}
	w.empty = true
	return w.session.control("BEGIN IMMEDIATE")
}

// commit commits the transaction. If that fails, nobody sees its changes, but they may be
// on the disk, and a crash could bring them back after the callers were told that nothing
// was written. So they are overwritten at once. Only if that fails, too, the answer is that
// nobody knows (docs/design.md#group-commits).
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

// overwrite commits a tiny change. The frames of the failed commit are in the log behind
// the last good one, and this commit takes their place.
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

// runAlike runs a write, and those with it that may be run as one, of the same tenant: that
// takes half the CPU time. No more are taken than the tenant's share of the group. If they
// fail together, each is run by itself, so that only the one that is wrong fails. It
// returns an error only if the transaction is lost.
func (w *writer) runAlike(g *group, first *queue.Write) error {
	from := len(g.writes)
	g.add(first)
	for first.Alike != "" && !g.full() && len(g.writes)-from < w.queue.Share(first.Tenant) {
		next := w.queue.NextAlike(first.Tenant, first.Alike)
		if next == nil {
			break
		}
		g.add(next)
	}
	some := g.writes[from:]
	if len(some) > 1 {
		if done, lost := w.run(queue.Together(some)); done == nil || lost != nil {
			return lost
		}
	}
	for _, one := range some {
		var lost error
		if one.Err, lost = w.run(one.Batch); lost != nil {
			return lost
		}
	}
	return nil
}

// undoError is why a write has failed in the middle of its changes, where nothing but the end
// of the transaction can undo them.
type undoError struct{ error }

// carefulGroups is how many groups have savepoints once a write has failed in the middle. Who
// sends many such writes, as events that are there already, makes others pay for savepoints,
// but not for a whole group that is run twice, more often than once in so many groups.
const carefulGroups = 64

// run makes the changes of one batch, and undoes them if one of them fails: then err says
// why. lost is an error only if the transaction is lost, and with it the other writes of
// the group; if it is an undoError, they can be run again.
//
// A batch whose checks do not hold has changed nothing. Hardly any other fails, so none has a
// savepoint: within one, SQLite copies each page before it changes it. Without, a hundred
// events or attempts in one write take a seventh less CPU time, and groups of many writes that
// change pages all over the file a fifth. A batch that fails in the middle all the same is
// undone by the end of the transaction. If it was the first one, that is begun again; if not,
// the whole group is run again, each write with a savepoint.
func (w *writer) run(b *core.Batch) (err, lost error) {
	if w.empty || w.careful == 0 {
		return w.runUnsaved(b)
	}
	if lost = w.session.control("SAVEPOINT one"); lost != nil {
		return nil, lost
	}
	if err = w.session.apply(b); err == nil {
		return nil, w.session.control("RELEASE one")
	}
	err = refused(err)
	for _, text := range []string{"ROLLBACK TO one", "RELEASE one"} {
		if lost = w.session.control(text); lost != nil {
			return err, lost
		}
	}
	return err, nil
}

// runUnsaved is run without a savepoint.
func (w *writer) runUnsaved(b *core.Batch) (err, lost error) {
	if err = w.session.holds(b.Checks); errors.Is(err, core.ErrOvertaken) {
		return err, nil
	}
	if err == nil {
		err = w.session.changeAll(b.Changes)
	}
	if err == nil {
		w.empty = false
		return nil, nil
	}
	err = refused(err)
	w.careful = carefulGroups
	if w.empty {
		return err, errors.Join(w.session.control("ROLLBACK"), w.begin())
	}
	return nil, undoError{err}
}

// runAgain undoes all writes of a group, and runs each again by itself, so that only the one
// that is wrong fails. If SQLite has undone them already, it has ended the transaction, and
// the group is lost: why says for what reason.
func (w *writer) runAgain(g *group, why undoError) error {
	if w.session.control("ROLLBACK") != nil {
		return why.error
	}
	lost := w.begin()
	for i := 0; i < len(g.writes) && lost == nil; i++ {
		one := g.writes[i]
		one.Undone()
		one.Err, lost = w.run(one.Batch)
	}
	return lost
}

// refused returns why a batch was not applied. If another row has the same key by now, the
// batch was overtaken, as by any other change: when it is decided again, the draft finds
// out what is there.
func refused(err error) error {
	if isDuplicate(err) {
		return fmt.Errorf("%w: %w", core.ErrOvertaken, err)
	}
	return failure(err)
}
