package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/orderhook/orderhook/internal/oms"
	"github.com/orderhook/orderhook/internal/store"
	"modernc.org/sqlite"
)

// hold has the writer wait inside a transaction until release is called.
func hold(t *testing.T, db *DB) (release func()) {
	t.Helper()
	held, free, done := make(chan struct{}), make(chan struct{}), make(chan error)
	go func() {
		done <- db.Write(ctx, func(store.Tx) error { close(held); <-free; return nil })
	}()
	<-held
	return func() { close(free); must(t, <-done) }
}

// enqueue hands over writes without waiting for their answers.
func enqueue(t *testing.T, db *DB, do ...func(store.Tx) error) []*write {
	t.Helper()
	var jobs []*write
	for _, do := range do {
		jobs = append(jobs, &write{do: do})
	}
	return enqueueAll(t, db, jobs...)
}

func enqueueAll(t *testing.T, db *DB, jobs ...*write) []*write {
	t.Helper()
	for _, job := range jobs {
		job.done = make(chan struct{})
		if !db.writer.enqueue(job) {
			t.Fatal("the writer is closed")
		}
	}
	return jobs
}

// onCommit has hook called before each commit, which fails if it returns other than 0.
func onCommit(t *testing.T, db *DB, hook func() int32) {
	t.Helper()
	must(t, db.writer.session.conn.Raw(func(c any) error {
		c.(sqlite.HookRegisterer).RegisterCommitHook(hook)
		return nil
	}))
}

func TestWritesThatComeTogetherAreCommittedTogether(t *testing.T) {
	db := openTemp(t)
	commits := 0
	onCommit(t, db, func() int32 { commits++; return 0 })
	release := hold(t, db)
	var do []func(store.Tx) error
	for i := range mostInGroup + 9 {
		do = append(do, insert(fmt.Sprint("o", i)))
	}
	jobs := enqueue(t, db, do...)
	release()
	for _, job := range jobs {
		<-job.done
		must(t, job.err)
	}
	if commits != 2 { // the second for those that did not fit
		t.Errorf("%d commits", commits)
	}
}

// TestFailedFirstWrite has the write fail that its group began with: it is
// undone, and those behind it are still committed together.
func TestFailedFirstWrite(t *testing.T) {
	db := openTemp(t)
	commits := 0
	onCommit(t, db, func() int32 { commits++; return 0 })
	jobs := []*write{}
	err := db.Write(ctx, func(tx store.Tx) error {
		jobs = enqueue(t, db, insert("o2"), insert("o2"), insert("o3"))
		return errors.Join(insert("o1")(tx), errors.New("its own"))
	})
	if err == nil || err.Error() != "its own" {
		t.Errorf("the first: %v", err)
	}
	for _, job := range jobs {
		<-job.done
	}
	must(t, jobs[0].err)
	wantKind(t, jobs[1].err, oms.Conflict)
	must(t, jobs[2].err)
	if commits != 1 {
		t.Errorf("%d commits", commits)
	}
	if has(t, db, "o1") || !has(t, db, "o2") || !has(t, db, "o3") {
		t.Error("what failed is kept, or something behind it is not")
	}
}

func TestFailedWriteLeavesItsGroupAlone(t *testing.T) {
	db := openTemp(t)
	release := hold(t, db)
	jobs := enqueue(t, db, insert("o1"),
		func(tx store.Tx) error { return errors.Join(insert("o2")(tx), errors.New("no")) },
		func(tx store.Tx) error { _ = insert("o3")(tx); panic("no") },
		insert("o1"), insert("o4"))
	release()
	for i, want := range []string{"", "no", "panic in a write: no", `an order "o1" exists already`, ""} {
		<-jobs[i].done
		if got := fmt.Sprint(jobs[i].err); want == "" && jobs[i].err != nil || !strings.HasPrefix(got, want) && want != "" {
			t.Errorf("write %d: %s", i, got)
		}
	}
	if !has(t, db, "o1") || has(t, db, "o2") || has(t, db, "o3") || !has(t, db, "o4") {
		t.Error("not the first and last of them are kept")
	}
}

// TestPublicationsThatComeTogether has a few be stored as one, those of another
// tenant and what comes between apart, all in their order.
func TestPublicationsThatComeTogether(t *testing.T) {
	db := openTemp(t)
	l := &dueList{}
	db.Listen(l)
	putEndpoints(t, db, 1, nil)
	release := hold(t, db)
	jobs := enqueueAll(t, db,
		publication(acme, "a"), publication(acme, "b", "a", "c"), publication(acme),
		publication("other", "a"),
		&write{do: insert("o1")},
		publication(acme, "c", "d"), publication(acme, "e"))
	release()
	for i, job := range jobs {
		if <-job.done; job.err != nil {
			t.Errorf("write %d: %v", i, job.err)
		}
	}
	var got []string
	for _, due := range l.due {
		got = append(got, due.Event.ID)
	}
	if got := strings.Join(got, " "); got != "a b c d e" {
		t.Errorf("due: %s", got)
	}
	last := int64(0)
	for job, isNew := range map[int][]bool{0: {true}, 1: {true, false, true}, 3: {true}, 5: {false, true}, 6: {true}} {
		for i, e := range jobs[job].events {
			if (e.Seq != 0) != isNew[i] {
				t.Errorf("event %d of write %d has the number %d", i, job, e.Seq)
			}
		}
	}
	for _, job := range jobs {
		for _, e := range job.events {
			if e.Seq != 0 && e.Seq <= last {
				t.Errorf("%s has the number %d, after %d", e.ID, e.Seq, last)
			}
			last = max(last, e.Seq)
		}
	}
}

// TestAPublicationThatFailsFailsAlone has one of a few that come together fail.
func TestAPublicationThatFailsFailsAlone(t *testing.T) {
	for _, before := range []*write{{do: insert("o1")}, publication("other", "x"), {do: func(store.Tx) error { return errors.New("no") }}} {
		db := openTemp(t)
		bad := publication(acme, "b")
		bad.events = append(bad.events, nil) // which makes it panic
		release := hold(t, db)
		jobs := enqueueAll(t, db, before, publication(acme, "a"), bad, publication(acme, "c"))
		release()
		for i, job := range jobs[1:] {
			if <-job.done; (job.err != nil) != (i == 1) {
				t.Errorf("write %d: %v", i, job.err)
			}
		}
		list, err := db.Events(ctx, acme, store.EventFilter{}, store.Page{})
		must(t, err)
		if len(list.Items) != 2 || list.Items[0].ID != "c" || list.Items[1].ID != "a" {
			t.Errorf("kept: %v", list.Items)
		}
	}
}

func publication(tenant string, ids ...string) *write {
	job := &write{tenant: tenant}
	for _, id := range ids {
		e := benchEvent(benchTime)
		e.ID = id
		job.events = append(job.events, e)
	}
	return job
}

func TestFailedCommitIsEverybodys(t *testing.T) {
	db := openTemp(t)
	fail := int32(1)
	onCommit(t, db, func() int32 { return fail })
	jobs := []*write{}
	errFirst := db.Write(ctx, func(tx store.Tx) error {
		jobs = enqueue(t, db, insert("o2"), func(store.Tx) error { return errors.New("its own") })
		return insert("o1")(tx)
	})
	wantKind(t, errFirst, oms.Unavailable)
	<-jobs[0].done
	wantKind(t, jobs[0].err, oms.Unavailable)
	if <-jobs[1].done; jobs[1].err.Error() != "its own" {
		t.Error(jobs[1].err)
	}
	fail = 0
	must(t, db.Write(ctx, insert("o3")))
	if has(t, db, "o1") || has(t, db, "o2") || !has(t, db, "o3") {
		t.Error("something of the failed group is kept, or nothing after it")
	}
}

func TestQueuedWriteIsTakenBack(t *testing.T) {
	db := openTemp(t)
	release := hold(t, db)
	ends, cancel := context.WithCancel(ctx)
	answer := make(chan error)
	go func() { answer <- db.Write(ends, insert("o1")) }()
	for waiting(db) == 0 {
		runtime.Gosched()
	}
	cancel()
	if err := <-answer; !errors.Is(err, context.Canceled) { // while the writer is still held
		t.Error(err)
	}
	release()
	must(t, db.Write(ctx, insert("o2")))
	if has(t, db, "o1") {
		t.Error("a write that was taken back ran")
	}
}

func waiting(db *DB) int {
	db.writer.mu.Lock()
	defer db.writer.mu.Unlock()
	return len(db.writer.queue)
}

func TestBegunWriteIsWaitedFor(t *testing.T) {
	db := openTemp(t)
	ends, cancel := context.WithCancel(ctx)
	must(t, db.Write(ends, func(tx store.Tx) error {
		cancel()
		return tx.InsertOrder(ends, acme, testOrder("o1"))
	}))
	if !has(t, db, "o1") {
		t.Error("the order is not there")
	}
}

func TestCloseFinishesTheQueue(t *testing.T) {
	path := tempPath(t)
	db := openAt(t, path, Options{})
	release := hold(t, db)
	jobs := enqueue(t, db, insert("o1"), insert("o2"))
	closed := make(chan error)
	go func() { closed <- db.Close() }()
	for !refuses(db) {
		runtime.Gosched()
	}
	wantKind(t, db.Write(ctx, insert("o3")), oms.Unavailable)
	release()
	must(t, <-closed)
	for _, job := range jobs {
		<-job.done
		must(t, job.err)
	}
	again := openAt(t, path, Options{})
	if !has(t, again, "o1") || !has(t, again, "o2") || has(t, again, "o3") {
		t.Error("not just what was queued is kept")
	}
}

func refuses(db *DB) bool {
	db.writer.mu.Lock()
	defer db.writer.mu.Unlock()
	return db.writer.closed
}

func TestFullDisk(t *testing.T) {
	db := openTemp(t)
	must(t, db.Write(ctx, insert("o1")))
	pragma(t, db, "max_page_count = 1") // SQLite takes the present size for the least
	large := testOrder("large")
	large.Doc.Set("note", strings.Repeat("x", 1<<20))
	err := db.Write(ctx, func(tx store.Tx) error { return tx.InsertOrder(ctx, acme, large) })
	wantKind(t, err, oms.Unavailable)
	if !strings.Contains(err.Error(), "disk is full") {
		t.Error(err)
	}
	err = db.Write(ctx, func(tx store.Tx) error { // one that does not look at its errors
		_ = tx.InsertOrder(ctx, acme, large)
		_, _ = tx.Order(ctx, acme, "o1")
		_ = tx.InsertOrder(ctx, acme, testOrder("o2"))
		return nil
	})
	wantKind(t, err, oms.Unavailable)
	if !has(t, db, "o1") || has(t, db, "large") || has(t, db, "o2") {
		t.Error("not just what was there before is there now")
	}
	pragma(t, db, "max_page_count = 1000000")
	must(t, db.Write(ctx, func(tx store.Tx) error { return tx.InsertOrder(ctx, acme, large) }))
}

func pragma(t *testing.T, db *DB, text string) {
	t.Helper()
	_, err := db.writer.session.conn.ExecContext(ctx, "PRAGMA "+text)
	must(t, err)
}

// TestAnotherProcessWrites has a lock come from outside, as of `keys create`.
func TestAnotherProcessWrites(t *testing.T) {
	db := openTemp(t)
	outside, err := sql.Open("sqlite", dsn(db.path))
	must(t, err)
	defer outside.Close()
	conn, err := outside.Conn(ctx)
	must(t, err)
	control := func(text string) {
		_, err := conn.ExecContext(ctx, text)
		must(t, err)
	}
	control("BEGIN IMMEDIATE")
	answer := make(chan error)
	go func() { answer <- db.Write(ctx, insert("o1")) }()
	control("COMMIT")
	must(t, <-answer) // it waited, if it had to

	pragma(t, db, "busy_timeout = 1")
	control("BEGIN IMMEDIATE")
	wantKind(t, db.Write(ctx, insert("o2")), oms.Unavailable)
	control("ROLLBACK")
	must(t, db.Write(ctx, insert("o2")))
}

func TestTransactionUsedAfterItsEnd(t *testing.T) {
	db := openTemp(t)
	var leaked store.Tx
	must(t, db.Write(ctx, func(tx store.Tx) error { leaked = tx; return nil }))
	if err := insert("o1")(leaked); !errors.Is(err, errOver) {
		t.Error(err)
	}
	if _, err := leaked.Order(ctx, acme, "o1"); !errors.Is(err, errOver) {
		t.Error(err)
	}
}

// TestWhatWriteReturnedForIsInTheFiles copies the files as a crash would leave
// them: nothing is closed, and the index of the log is lost.
func TestWhatWriteReturnedForIsInTheFiles(t *testing.T) {
	db := openTemp(t)
	for i := range 50 {
		must(t, db.Write(ctx, insert(fmt.Sprint("o", i))))
	}
	copied := filepath.Join(t.TempDir(), "copy.db")
	for _, suffix := range []string{"", "-wal"} {
		data, err := os.ReadFile(db.path + suffix)
		must(t, err)
		must(t, os.WriteFile(copied+suffix, data, 0o600))
	}
	again := openAt(t, copied, Options{EncryptionKey: "key of the tests"})
	for i := range 50 {
		if !has(t, again, fmt.Sprint("o", i)) {
			t.Errorf("the order o%d is lost", i)
		}
	}
}

func TestCommitsAreSynced(t *testing.T) {
	db := openTemp(t)
	for name, want := range map[string]string{"journal_mode": "wal", "synchronous": "2"} {
		var got string
		must(t, db.writer.session.conn.QueryRowContext(ctx, "PRAGMA "+name).Scan(&got))
		if got != want {
			t.Errorf("%s is %s", name, got)
		}
	}
}
