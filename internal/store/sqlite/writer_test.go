package sqlite

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"modernc.org/sqlite"
	lib "modernc.org/sqlite/lib"

	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/event"
	"github.com/orderhook/orderhook/internal/store"
	"github.com/orderhook/orderhook/internal/store/core"
	"github.com/orderhook/orderhook/internal/store/queue"
)

// batch is a write of one statement, that changes no row unless it has to.
func batch(tenant, text string, args ...any) *core.Batch {
	return &core.Batch{Tenant: tenant, Changes: []core.Change{{Text: text, Args: args, Rows: core.AnyRows}}}
}

// put is a batch that stores a name, which must be new.
func put(name string) *core.Batch { return putOf(acme, name) }

func putOf(tenant, name string) *core.Batch {
	return batch(tenant, `INSERT INTO meta (name, value) VALUES (?, x'')`, name)
}

// names returns what batches have put.
func names(t *testing.T, db *DB) string {
	t.Helper()
	var all []string
	must(t, db.engine.Query(ctx, func(r core.Row) error {
		var name string
		err := r.Scan(&name)
		all = append(all, name)
		return err
	}, `SELECT name FROM meta WHERE name NOT LIKE '%.%' ORDER BY name`))
	return strings.Join(all, " ")
}

// hold has the writer wait inside a transaction until release is called, which
// returns what came of that.
func hold(t *testing.T, db *DB) (unblock func() error) {
	t.Helper()
	held, free, done := make(chan struct{}), make(chan struct{}), make(chan error)
	b := batch("holder", `SELECT 1`)
	var once sync.Once // the write may be run again, with those behind it
	b.Changes[0].Into = func(core.Row) error { once.Do(func() { close(held) }); <-free; return nil }
	go func() { done <- db.engine.Commit(ctx, b) }()
	<-held
	return func() error { close(free); return <-done }
}

// enqueue hands over batches without waiting for their answers.
func enqueue(t *testing.T, db *DB, batches ...*core.Batch) (all []*queue.Write) {
	t.Helper()
	for _, b := range batches {
		one := queue.NewWrite(b)
		must(t, db.engine.writer.queue.Put(one))
		all = append(all, one)
	}
	return all
}

// begin begins writes one after the other, so that they wait in this order, and
// returns where their answers will come.
func begin(t *testing.T, db *DB, calls ...func() error) (answers []chan error) {
	t.Helper()
	for _, call := range calls {
		answer, before := make(chan error, 1), db.engine.writer.queue.Len()
		go func() { answer <- call() }()
		for db.engine.writer.queue.Len() == before {
			runtime.Gosched()
		}
		answers = append(answers, answer)
	}
	return answers
}

// onCommit has hook called before each commit, which fails if it returns other than 0.
func onCommit(t *testing.T, db *DB, hook func() int32) {
	t.Helper()
	db.engine.writer.session.conn.(sqlite.HookRegisterer).RegisterCommitHook(hook)
}

func TestWritesThatComeTogetherAreCommittedTogether(t *testing.T) {
	db := openTemp(t)
	commits := 0
	onCommit(t, db, func() int32 { commits++; return 0 })
	unblock := hold(t, db)
	var calls []func() error
	for i := range queue.MostInGroup + 9 {
		calls = append(calls, func() error { return db.Write(ctx, insert(fmt.Sprint("o", i))) })
	}
	answers := begin(t, db, calls...)
	must(t, unblock())
	for _, answer := range answers {
		must(t, <-answer)
	}
	if commits != 2 { // the second for those that did not fit
		t.Errorf("%d commits", commits)
	}
}

// TestWhoWrites: a write that comes alone is committed by its caller, with those that came
// meanwhile. Behind a group of several the goroutine of the writer does it, since more may
// follow; behind a single one a caller does again.
func TestWhoWrites(t *testing.T) {
	db := openTemp(t)
	must(t, db.Write(ctx, insert("first"))) // it was a group by itself
	var by []string
	onCommit(t, db, func() int32 {
		stack := make([]byte, 64<<10)
		if stack = stack[:runtime.Stack(stack, false)]; bytes.Contains(stack, []byte("(*writer).writeHere(")) {
			by = append(by, "caller")
		} else {
			by = append(by, "writer")
		}
		return 0
	})
	must(t, db.Write(ctx, insert("alone")))
	unblock := hold(t, db)
	answers := begin(t, db, func() error { return db.Write(ctx, insert("o1")) }, func() error { return db.Write(ctx, insert("o2")) })
	must(t, unblock())
	for _, answer := range answers {
		must(t, <-answer)
	}
	must(t, db.Write(ctx, insert("after")))
	must(t, db.Write(ctx, insert("alone again")))
	if got := strings.Join(by, " "); got != "caller caller writer caller" {
		t.Errorf("committed by %s", got)
	}
}

// TestGroupsAreBounded: neither the number of the writes in a group nor their
// bytes go beyond the budget, but for one write, which may be larger than that.
func TestGroupsAreBounded(t *testing.T) {
	for name, test := range map[string]struct {
		writes, size, commits int
	}{
		"as many as there may be": {queue.MostInGroup - 1, 1, 1}, // with that which holds the writer
		"one more":                {queue.MostInGroup, 1, 2},
		"bytes":                   {9, queue.MostBytesInGroup / 4, 3},
		"each too large":          {3, 3 * queue.MostBytesInGroup, 3},
	} {
		t.Run(name, func(t *testing.T) {
			db := openTemp(t)
			commits := 0
			onCommit(t, db, func() int32 { commits++; return 0 })
			unblock := hold(t, db)
			var batches []*core.Batch
			for i := range test.writes {
				b := put(fmt.Sprint("n", i))
				b.Size = test.size
				batches = append(batches, b)
			}
			all := enqueue(t, db, batches...)
			must(t, unblock())
			for _, one := range all {
				<-one.Answered()
				must(t, one.Err)
			}
			if commits != test.commits {
				t.Errorf("%d commits, want %d", commits, test.commits)
			}
		})
	}
}

// TestPublicationsAreBounded: those that are run as one are of the same budget.
func TestPublicationsAreBounded(t *testing.T) {
	db := openTemp(t)
	commits := 0
	onCommit(t, db, func() int32 { commits++; return 0 })
	unblock := hold(t, db)
	rows := &core.Insertion{Table: "meta", Often: []string{"name", "value"}}
	var batches []*core.Batch
	for i := range queue.MostInGroup + 9 {
		batches = append(batches, &core.Batch{Tenant: acme, Alike: "v1", Changes: []core.Change{
			{Insertion: rows, Values: []core.Tuple{{Often: []any{fmt.Sprint("n", i), []byte("x")}}}}}})
	}
	all := enqueue(t, db, batches...)
	must(t, unblock())
	for _, one := range all {
		<-one.Answered()
		must(t, one.Err)
	}
	if commits != 2 || len(strings.Fields(names(t, db))) != len(batches) {
		t.Errorf("%d commits; stored: %s", commits, names(t, db))
	}
}

// TestFailedFirstWrite has the write fail that its group began with: it is
// undone, and those behind it are still committed together.
func TestFailedFirstWrite(t *testing.T) {
	db := openTemp(t)
	commits := 0
	onCommit(t, db, func() int32 { commits++; return 0 })
	first := put("first")
	var rest []*queue.Write
	first.Changes = append(first.Changes, core.Change{Text: `SELECT 1`, Rows: core.AnyRows, Into: func(core.Row) error {
		rest = enqueue(t, db, put("second"), put("second"), put("third"))
		return errors.New("its own")
	}})
	if err := db.engine.Commit(ctx, first); err == nil || err.Error() != "its own" {
		t.Errorf("the first: %v", err)
	}
	for _, one := range rest {
		<-one.Answered()
	}
	must(t, rest[0].Err)
	if !errors.Is(rest[1].Err, core.ErrOvertaken) {
		t.Errorf("the second of a name: %v", rest[1].Err)
	}
	must(t, rest[2].Err)
	if commits != 1 {
		t.Errorf("%d commits", commits)
	}
	if got := names(t, db); got != "second third" {
		t.Errorf("kept: %s", got)
	}
}

// TestABatchIsAllOrNothing: what does not hold any more, or a statement that
// changes another number of rows, or fails, undoes its own batch and no other.
func TestABatchIsAllOrNothing(t *testing.T) {
	db := openTemp(t)
	rows := &core.Insertion{Table: "meta", Often: []string{"name", "value"}}
	values := func(names ...string) (all []core.Tuple) {
		for _, name := range names {
			all = append(all, core.Tuple{Often: []any{name, []byte("x")}})
		}
		return all
	}
	with := func(c core.Change) *core.Batch {
		b := put("undone")
		b.Changes = append(b.Changes, c)
		return b
	}
	checked := func(texts ...string) *core.Batch {
		b := put("undone")
		for _, text := range texts {
			b.Checks = append(b.Checks, core.Check{Text: text})
		}
		return b
	}
	for name, test := range map[string]struct {
		*core.Batch
		overtaken bool
	}{
		"a check that does not hold":              {checked(`SELECT 1 WHERE 0`), true},
		"the second of two":                       {checked(`SELECT 1`, `SELECT 1 WHERE 0`), true},
		"a check that fails":                      {checked(`SELECT * FROM nothing`), false},
		"no row where one has to be":              {with(core.Change{Text: `UPDATE meta SET value = x'00' WHERE name = 'none'`, Rows: 1}), true},
		"a row where none may be":                 {with(core.Change{Text: `UPDATE meta SET value = x'00' WHERE name = 'before'`, Rows: 0}), true},
		"two rows where one has to be":            {with(core.Change{Text: `UPDATE meta SET value = x'00' WHERE name IN ('before', 'undone')`, Rows: 1}), true},
		"a returned row too many":                 {with(core.Change{Text: `UPDATE meta SET value = x'00' WHERE name IN ('before', 'undone') RETURNING 1`, Rows: 1, Into: func(core.Row) error { return nil }}), true},
		"a row whose key is taken":                {with(core.Change{Insertion: rows, Values: values("new", "before")}), true},
		"the last of many rows":                   {with(core.Change{Insertion: rows, Values: values("a", "b", "c", "d", "e", "f", "before")}), true},
		"a statement whose key is taken":          {with(core.Change{Text: `INSERT INTO meta (name, value) VALUES ('before', x'')`, Rows: 1}), true},
		"what another kind of constraint refuses": {with(core.Change{Text: `INSERT INTO meta (name, value) VALUES ('new', NULL)`, Rows: 1}), false},
		"a statement that fails":                  {with(core.Change{Text: `DELETE FROM nothing`, Rows: core.AnyRows}), false},
		"the reading of a row that fails":         {with(core.Change{Text: `SELECT 1`, Rows: core.AnyRows, Into: func(core.Row) error { return errors.New("no") }}), false},
	} {
		t.Run(name, func(t *testing.T) {
			// Without savepoints the group is run again, and with them it is not.
			for _, careful := range []int{0, carefulGroups} {
				must(t, db.engine.Commit(ctx, batch("", `DELETE FROM meta WHERE name IN ('before', 'after')`)))
				db.engine.writer.careful = careful
				unblock := hold(t, db)
				all := enqueue(t, db, put("before"), test.Batch, put("after"))
				must(t, unblock())
				for _, one := range all {
					<-one.Answered()
				}
				must(t, all[0].Err)
				must(t, all[2].Err)
				if err := all[1].Err; err == nil || errors.Is(err, core.ErrOvertaken) != test.overtaken || apierr.KindOf(err) == apierr.Unavailable {
					t.Errorf("careful %d: it came to %v", careful, err)
				}
				if got := names(t, db); got != "after before" {
					t.Errorf("careful %d: kept: %s", careful, got)
				}
			}
			if err := db.engine.Commit(ctx, test.Batch); err == nil || names(t, db) != "after before" { // as the first of a group, too
				t.Errorf("alone: %v; kept: %s", err, names(t, db))
			}
		})
	}
}

// TestSavepointsAreForGroupsInTrouble: once a write has failed in the middle, and not before,
// the writes of some groups have savepoints. A check that does not hold is no trouble.
func TestSavepointsAreForGroupsInTrouble(t *testing.T) {
	db := openTemp(t)
	together := func(batches ...*core.Batch) (errs []error) {
		unblock := hold(t, db)
		all := enqueue(t, db, batches...)
		must(t, unblock())
		for _, one := range all {
			<-one.Answered()
			errs = append(errs, one.Err)
		}
		return errs
	}
	saved := func() bool { return db.engine.writer.session.stmts["SAVEPOINT one"] != nil }
	overtaken := put("c")
	overtaken.Checks = []core.Check{{Text: `SELECT 1 WHERE 0`}}
	if errs := together(put("a"), overtaken, put("b")); errs[0] != nil || !errors.Is(errs[1], core.ErrOvertaken) || errs[2] != nil || saved() {
		t.Errorf("%v; savepoints: %v", errs, saved())
	}
	if errs := together(put("d"), put("a"), put("e")); errs[0] != nil || !errors.Is(errs[1], core.ErrOvertaken) || errs[2] != nil || !saved() {
		t.Errorf("%v; savepoints: %v", errs, saved())
	}
	if got := names(t, db); got != "a b d e" {
		t.Errorf("kept: %s", got)
	}
	for n := carefulGroups; n > 0; n-- {
		if got := db.engine.writer.careful; got != n {
			t.Fatalf("%d groups are to have savepoints, want %d", got, n)
		}
		must(t, db.engine.Commit(ctx, batch(acme, `DELETE FROM meta WHERE name = 'none'`)))
	}
	if got := db.engine.writer.careful; got != 0 {
		t.Errorf("%d groups are to have savepoints, long after", got)
	}
}

// TestRowsOfAnInsertion stores as many rows as make statements of every size,
// with the rare columns and without.
func TestRowsOfAnInsertion(t *testing.T) {
	db := openTemp(t)
	must(t, db.engine.Commit(ctx, batch("", `CREATE TABLE insertion (a INTEGER PRIMARY KEY, b TEXT DEFAULT 'none') STRICT`)))
	rows := &core.Insertion{Table: "insertion", Often: []string{"a"}, Rare: []string{"b"}}
	var values []core.Tuple
	for n := range 3*64 + 2*16 + 4 + 3 {
		one := core.Tuple{Often: []any{n}}
		if n >= 70 && n < 200 && n != 150 {
			one.Rare = []any{fmt.Sprint("rare ", n)}
		}
		values = append(values, one)
	}
	must(t, db.engine.Commit(ctx, &core.Batch{Changes: []core.Change{{Insertion: rows, Values: values}}}))
	n := 0
	must(t, db.engine.Query(ctx, func(r core.Row) error {
		var a int
		var b string
		must(t, r.Scan(&a, &b))
		want := "none"
		if values[n].Rare != nil {
			want = values[n].Rare[0].(string)
		}
		if a != n || b != want {
			t.Errorf("row %d is %d, %s", n, a, b)
		}
		n++
		return nil
	}, `SELECT a, b FROM insertion ORDER BY a`))
	if n != len(values) {
		t.Errorf("%d rows of %d", n, len(values))
	}
}

func TestFailedWriteLeavesItsGroupAlone(t *testing.T) {
	db := openTemp(t)
	unblock := hold(t, db)
	answers := begin(t, db,
		func() error { return db.Write(ctx, insert("o1")) },
		func() error { return db.Write(ctx, insert("o1")) },
		func() error { return db.Write(ctx, insert("o2")) })
	for _, do := range []func(store.Tx) error{
		func(tx store.Tx) error { return errors.Join(insert("o3")(tx), errors.New("no")) },
		func(tx store.Tx) error { _ = insert("o4")(tx); panic("no") },
	} { // these do not even wait for the writer
		if err := db.Write(ctx, do); err == nil || apierr.KindOf(err) != apierr.Internal || !strings.Contains(err.Error(), "no") {
			t.Error(err)
		}
	}
	must(t, unblock())
	must(t, <-answers[0])
	wantKind(t, <-answers[1], apierr.Conflict)
	must(t, <-answers[2])
	if !has(t, db, "o1") || !has(t, db, "o2") || has(t, db, "o3") || has(t, db, "o4") {
		t.Error("not the first and last of them are kept")
	}
}

// TestFailedCommitIsEverybodys: a commit that fails is overwritten at once, so
// that it is certain that nothing was written.
func TestFailedCommitIsEverybodys(t *testing.T) {
	db := openTemp(t)
	commits := 0
	onCommit(t, db, func() int32 {
		if commits++; commits == 1 {
			return 1
		}
		return 0
	})
	unblock := hold(t, db)
	failing := put("failing")
	failing.Checks = []core.Check{{Text: `SELECT 1 WHERE 0`}}
	all := enqueue(t, db, put("a"), failing, put("b"))
	wantKind(t, unblock(), apierr.Unavailable)
	for _, one := range all {
		<-one.Answered()
	}
	for _, i := range []int{0, 2} {
		wantKind(t, all[i].Err, apierr.Unavailable)
		if strings.Contains(all[i].Err.Error(), "not known") {
			t.Error(all[i].Err)
		}
	}
	if !errors.Is(all[1].Err, core.ErrOvertaken) {
		t.Errorf("what failed by itself: %v", all[1].Err)
	}
	if commits != 2 || !overwritten(t, db) {
		t.Errorf("%d commits; overwritten: %v", commits, overwritten(t, db))
	}
	must(t, db.engine.Commit(ctx, put("c")))
	if got := names(t, db); got != "c" || commits != 3 {
		t.Errorf("kept: %s, after %d commits", got, commits)
	}
}

// overwritten reports whether something was committed in place of what failed.
func overwritten(t *testing.T, db *DB) (yes bool) {
	t.Helper()
	must(t, db.engine.Query(ctx, func(r core.Row) error { return r.Scan(&yes) }, `SELECT EXISTS (SELECT 1 FROM meta WHERE name = 'write.failed')`))
	return yes
}

// TestUncertainCommit: while what failed cannot be overwritten either, the answer
// says so, and nothing is written before it is overwritten.
func TestUncertainCommit(t *testing.T) {
	db := openTemp(t)
	fails, commits := true, 0
	onCommit(t, db, func() int32 {
		if commits++; fails {
			return 1
		}
		return 0
	})
	err := db.engine.Commit(ctx, put("a"))
	wantKind(t, err, apierr.Unavailable)
	if !strings.Contains(err.Error(), "Whether it was written is not known") || commits != 2 {
		t.Errorf("after %d commits: %v", commits, err)
	}
	err = db.engine.Commit(ctx, put("b"))
	wantKind(t, err, apierr.Unavailable)
	if strings.Contains(err.Error(), "not known") || commits != 3 { // it was not begun
		t.Errorf("after %d commits: %v", commits, err)
	}
	fails = false
	must(t, db.engine.Commit(ctx, put("c")))
	if got := names(t, db); got != "c" || commits != 5 || !overwritten(t, db) {
		t.Errorf("kept: %s, after %d commits", got, commits)
	}
	must(t, db.engine.Commit(ctx, put("d")))
	if commits != 6 { // it is overwritten once
		t.Errorf("%d commits", commits)
	}
}

// TestAFeedBehindALostGroup: an event that was not committed has no place in a feed, and the
// one behind it does not name that place as the one before its own.
func TestAFeedBehindALostGroup(t *testing.T) {
	db := openTemp(t)
	to := putEndpoints(t, db, 1, nil)[0]
	publish(t, db, namedEvent("a"))
	fails := true
	onCommit(t, db, func() int32 {
		if fails {
			fails = false
			return 1
		}
		return 0
	})
	if err := db.Publish(ctx, acme, namedEvent("lost")); err == nil {
		t.Fatal("the commit did not fail")
	}
	publish(t, db, namedEvent("b"))
	f, err := db.Feed(ctx, acme, to.No, store.FeedQuery{Limit: 10, Bytes: 1 << 20})
	must(t, err)
	if len(f.Entries) != 2 || f.Entries[1].Previous != f.Entries[0].Position {
		t.Errorf("the feed has %+v", f.Entries)
	}
}

// TestWhatFailedIsNotThereAfterACrash copies the files right after a commit has
// failed: what a crash would leave holds nothing of it.
func TestWhatFailedIsNotThereAfterACrash(t *testing.T) {
	db := openTemp(t)
	must(t, db.engine.Commit(ctx, put("before")))
	fail := int32(1)
	onCommit(t, db, func() int32 { was := fail; fail = 0; return was })
	wantKind(t, db.engine.Commit(ctx, put("failed")), apierr.Unavailable)
	again := openAt(t, copied(t, db), Options{EncryptionKey: "key of the tests"})
	if got := names(t, again); got != "before" {
		t.Errorf("kept: %s", got)
	}
}

// copied copies the files as a crash would leave them: nothing is closed, and the
// index of the log is lost.
func copied(t *testing.T, db *DB) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "copy.db")
	for _, suffix := range []string{"", "-wal"} {
		data, err := os.ReadFile(db.engine.path + suffix)
		must(t, err)
		must(t, os.WriteFile(path+suffix, data, 0o600))
	}
	return path
}

func TestWhatWriteReturnedForIsInTheFiles(t *testing.T) {
	db := openTemp(t)
	for i := range 50 {
		must(t, db.Write(ctx, insert(fmt.Sprint("o", i))))
	}
	again := openAt(t, copied(t, db), Options{EncryptionKey: "key of the tests"})
	for i := range 50 {
		if !has(t, again, fmt.Sprint("o", i)) {
			t.Errorf("the order o%d is lost", i)
		}
	}
}

func TestQueuedWriteIsTakenBack(t *testing.T) {
	db := openTemp(t)
	unblock := hold(t, db)
	ends, cancel := context.WithCancel(ctx)
	answer := begin(t, db, func() error { return db.Write(ends, insert("o1")) })[0]
	cancel()
	if err := <-answer; !errors.Is(err, context.Canceled) { // while the writer is still held
		t.Error(err)
	}
	must(t, unblock())
	must(t, db.Write(ctx, insert("o2")))
	if has(t, db, "o1") {
		t.Error("a write that was taken back ran")
	}
	if err := db.engine.Commit(ends, put("a")); !errors.Is(err, context.Canceled) || names(t, db) != "" {
		t.Errorf("a commit whose context was over: %v", err)
	}
}

func TestBegunWriteIsWaitedFor(t *testing.T) {
	db := openTemp(t)
	ends, cancel := context.WithCancel(ctx)
	b := put("a")
	b.Changes = append(b.Changes, core.Change{Text: `SELECT 1`, Rows: 1, Into: func(core.Row) error { cancel(); return nil }})
	must(t, db.engine.Commit(ends, b))
	if names(t, db) != "a" {
		t.Error("it is not there")
	}
}

func TestCloseFinishesTheQueue(t *testing.T) {
	path := tempPath(t)
	db := openAt(t, path, Options{})
	unblock := hold(t, db)
	answers := begin(t, db, func() error { return db.Write(ctx, insert("o1")) }, func() error { return db.Write(ctx, insert("o2")) })
	closed := make(chan error)
	go func() { closed <- db.Close() }()
	for !refuses(db) {
		runtime.Gosched()
	}
	wantKind(t, db.Write(ctx, insert("o3")), apierr.Unavailable)
	wantKind(t, db.engine.Commit(ctx, put("a")), apierr.Unavailable)
	must(t, unblock())
	must(t, <-closed)
	for _, answer := range answers {
		must(t, <-answer)
	}
	again := openAt(t, path, Options{})
	if !has(t, again, "o1") || !has(t, again, "o2") || has(t, again, "o3") || names(t, again) != "" {
		t.Error("not just what was queued is kept")
	}
}

func refuses(db *DB) bool {
	return db.engine.writer.queue.Closed()
}

func TestFullDisk(t *testing.T) {
	db := openTemp(t)
	must(t, db.Write(ctx, insert("o1")))
	pragma(t, db, "max_page_count = 1") // SQLite takes the present size for the least
	large := testOrder("large")
	large.Doc.Set("note", noise(1<<20))
	insertLarge := func(tx store.Tx) error { return tx.InsertOrder(ctx, acme, large) }
	err := db.Write(ctx, insertLarge)
	wantKind(t, err, apierr.Unavailable)
	if !strings.Contains(err.Error(), "disk is full") {
		t.Error(err)
	}
	err = db.Write(ctx, func(tx store.Tx) error { return errors.Join(insertLarge(tx), insert("o2")(tx)) })
	wantKind(t, err, apierr.Unavailable)
	unblock := hold(t, db)
	answer := begin(t, db, func() error { return db.Write(ctx, insertLarge) })[0]
	_ = unblock() // SQLite may have undone the whole group
	wantKind(t, <-answer, apierr.Unavailable)
	if !has(t, db, "o1") || has(t, db, "large") || has(t, db, "o2") {
		t.Error("not just what was there before is there now")
	}
	pragma(t, db, "max_page_count = 1000000")
	must(t, db.Write(ctx, insertLarge))
}

// noise is text that stays large when it is compressed.
func noise(n int) string {
	random := make([]byte, n/2)
	_, _ = rand.NewChaCha8([32]byte{}).Read(random)
	return hex.EncodeToString(random)
}

func pragma(t *testing.T, db *DB, text string) {
	t.Helper()
	_, err := db.engine.writer.session.exec("PRAGMA " + text)
	must(t, err)
}

// outside is a connection to the file of a database as another process has one.
func outside(t *testing.T, db *DB) *sql.Conn {
	t.Helper()
	other, err := sql.Open("sqlite", dsn(db.engine.path))
	must(t, err)
	t.Cleanup(func() { other.Close() })
	conn, err := other.Conn(ctx)
	must(t, err)
	return conn
}

// TestAnotherProcessWrites has a lock come from outside, as of `keys create`.
func TestAnotherProcessWrites(t *testing.T) {
	db := openTemp(t)
	conn := outside(t, db)
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
	err := db.Write(ctx, insert("o2"))
	wantKind(t, err, apierr.Unavailable)
	if strings.Contains(err.Error(), "not known") {
		t.Error(err)
	}
	control("ROLLBACK")
	must(t, db.Write(ctx, insert("o2")))
}

// TestGivenUpWhileAnotherProcessWrites: a caller that gives up while its write waits for the
// lock of another process hears that it has given up, and nothing is written.
func TestGivenUpWhileAnotherProcessWrites(t *testing.T) {
	db := openTemp(t)
	conn := outside(t, db)
	_, err := conn.ExecContext(ctx, "BEGIN IMMEDIATE")
	must(t, err)
	pragma(t, db, "busy_timeout = 1")
	given, giveUp := context.WithCancel(ctx)
	before := db.engine.writer.unchanged
	db.engine.writer.unchanged = func() error { giveUp(); return before() } // the write has begun
	if err := db.Write(given, insert("o1")); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	_, err = conn.ExecContext(ctx, "ROLLBACK")
	must(t, err)
	must(t, db.Write(ctx, insert("o1")))
}

// TestEverybodyWaitsForALockAtOnce: what waits when the database is locked by
// another process is answered together, and not one by one.
func TestEverybodyWaitsForALockAtOnce(t *testing.T) {
	db := openTemp(t)
	conn := outside(t, db)
	pragma(t, db, "busy_timeout = 1")
	var all []*queue.Write
	db.Listen(&listening{due: func([]store.Due) { // after a commit, before the next transaction
		_, err := conn.ExecContext(ctx, "BEGIN IMMEDIATE")
		must(t, err)
		all = enqueue(t, db, put("a"), putOf("other", "b"), put("c"))
	}})
	putEndpoints(t, db, 1, nil)
	publish(t, db, benchEvent(benchTime))
	for _, one := range all {
		<-one.Answered()
		wantKind(t, one.Err, apierr.Unavailable)
	}
	if f := figuresOf(t, db); f.CommitsFailed != 1 || f.WritesWaiting != 0 {
		t.Errorf("%+v", f)
	}
}

// TestAnsweredOnceItIsInEffect: when the store is told of a commit, all of it can
// be read, and nobody was answered yet.
func TestAnsweredOnceItIsInEffect(t *testing.T) {
	db := openTemp(t)
	var all []*queue.Write
	told := 0
	db.engine.writer.committed = func(batches []*core.Batch) {
		for i, one := range all {
			select {
			case <-one.Answered():
				t.Errorf("write %d was answered before it was in effect", i)
			default:
			}
		}
		if names(t, db) != "a b" {
			t.Errorf("there is %s", names(t, db))
		}
		told += len(batches)
	}
	unblock := hold(t, db)
	all = enqueue(t, db, put("a"), put("a"), put("b"))
	must(t, unblock())
	for _, one := range all {
		<-one.Answered()
	}
	if told != 3 { // with that which held the writer, without the one that failed
		t.Errorf("told of %d", told)
	}
}

// TestManyPublicationsLeaveOthersTheirTurn: a tenant whose publications would fill a group
// has its share of it, and whoever waits beside it is in the same commit.
func TestManyPublicationsLeaveOthersTheirTurn(t *testing.T) {
	db := openTemp(t)
	commits := 0
	onCommit(t, db, func() int32 { // the second group fails, by which one sees who was in it
		if commits++; commits == 2 {
			return 1
		}
		return 0
	})
	unblock := hold(t, db)
	rows := &core.Insertion{Table: "meta", Often: []string{"name", "value"}}
	insert := func(tenant, name string) *core.Batch {
		return &core.Batch{Tenant: tenant, Alike: "v1", Changes: []core.Change{{Insertion: rows, Values: []core.Tuple{{Often: []any{name, []byte("x")}}}}}}
	}
	var batches []*core.Batch
	for i := range queue.MostInGroup + 9 {
		batches = append(batches, insert(acme, fmt.Sprint("n", i)))
	}
	all := enqueue(t, db, append(batches, insert("other", "o"))...)
	must(t, unblock())
	failed := 0
	for _, one := range all {
		<-one.Answered()
		if one.Err != nil {
			failed++
		}
	}
	// The first group has the write that held it up, too.
	if other := all[len(all)-1]; other.Err != nil || failed != 1+len(all)-queue.MostInGroup {
		t.Errorf("%d were not in the first group, and of the other's one: %v", failed, other.Err)
	}
}

// TestPublicationsThatComeTogether has a few be stored as one, those of another
// tenant and what comes between apart, all in their order.
func TestPublicationsThatComeTogether(t *testing.T) {
	db := openTemp(t)
	l := &dueList{}
	db.Listen(l)
	putEndpoints(t, db, 1, nil)
	unblock := hold(t, db)
	all := [][]*event.Event{
		{namedEvent("a")}, {namedEvent("b"), namedEvent("a"), namedEvent("c")}, nil,
		{namedEvent("a")}, {namedEvent("c"), namedEvent("d")}, {namedEvent("e")}}
	var calls []func() error
	for i, events := range all {
		tenant := acme
		if i == 3 {
			tenant = "other"
		}
		if len(events) == 0 {
			calls = append(calls, func() error { return db.Write(ctx, insert("o1")) })
			continue
		}
		calls = append(calls, func() error { return db.Publish(ctx, tenant, events...) })
	}
	answers := begin(t, db, calls...)
	must(t, unblock())
	for i, answer := range answers {
		if err := <-answer; err != nil {
			t.Errorf("write %d: %v", i, err)
		}
	}
	must(t, db.Publish(ctx, acme))
	stored := map[string]int64{}
	for i, events := range all {
		for _, e := range events {
			if e.Seq != 0 && i != 3 {
				if stored[e.ID] != 0 {
					t.Errorf("%s was stored twice", e.ID)
				}
				stored[e.ID] = e.Seq
			}
		}
	}
	var due []string
	for _, d := range l.due {
		if d.Delivery.Event != stored[d.Event.ID] {
			t.Errorf("%s is of event %d, and has the number %d", d.Event.ID, d.Delivery.Event, stored[d.Event.ID])
		}
		due = append(due, d.Event.ID)
	}
	slices.Sort(due)
	if got := strings.Join(due, " "); got != "a b c d e" {
		t.Errorf("due: %s", got)
	}
}

// TestAlikePublicationsAreRunAsOne has four, one of which is of an id that is
// taken: alone it is decided again, and its events of that id are not stored.
func TestAlikePublicationsAreRunAsOne(t *testing.T) {
	for name, taken := range map[string]bool{"all new": false, "one taken": true} {
		t.Run(name, func(t *testing.T) {
			db := openTemp(t)
			putEndpoints(t, db, 1, nil)
			if taken {
				publish(t, db, namedEvent("b"))
			}
			unblock := hold(t, db)
			var events []*event.Event
			var calls []func() error
			for _, id := range []string{"a", "b", "c", "d"} {
				e := namedEvent(id)
				events = append(events, e)
				calls = append(calls, func() error { return db.Publish(ctx, acme, e) })
			}
			answers := begin(t, db, calls...)
			must(t, unblock())
			for _, answer := range answers {
				must(t, <-answer)
			}
			for i, e := range events {
				first := events[0].Seq
				if is := e.Seq == first+int64(i); is == (taken && i == 1) || first == 0 { // who is not decided again keeps his number
					t.Errorf("%s has the number %d, a %d", e.ID, e.Seq, first)
				}
			}
			if taken && events[1].Seq != 0 {
				t.Error("b was stored again")
			}
			if !insertedAtOnce(db, "events", 4) {
				t.Error("they were not run as one")
			}
			list, err := db.Events(ctx, acme, store.EventFilter{}, store.Page{})
			if must(t, err); len(list.Items) != 4 {
				t.Errorf("%d events are kept", len(list.Items))
			}
			pending, err := db.Deliveries(ctx, acme, store.DeliveryFilter{}, store.Page{})
			if must(t, err); len(pending.Items) != 4 {
				t.Errorf("%d deliveries are kept", len(pending.Items))
			}
		})
	}
}

// insertedAtOnce reports whether a statement was run that inserts so many rows.
func insertedAtOnce(db *DB, table string, rows int) bool {
	for text := range db.engine.writer.session.stmts {
		if strings.HasPrefix(text, "INSERT OR FAIL INTO "+table+" (") && strings.Count(text, "(?") == rows {
			return true
		}
	}
	return false
}

func TestFigures(t *testing.T) {
	db := openTemp(t)
	was := figuresOf(t, db)
	if was.CommitsFailed != 0 || was.WritesWaiting != 0 {
		t.Errorf("at first: %+v", was)
	}
	unblock := hold(t, db)
	all := enqueue(t, db, put("a"), put("a"), put("b"))
	all[0].Since = all[0].Since.Add(-time.Hour)
	if f := figuresOf(t, db); f.WritesWaiting != 3 {
		t.Errorf("%d wait", f.WritesWaiting)
	}
	must(t, unblock())
	for _, one := range all {
		<-one.Answered()
	}
	f := figuresOf(t, db)
	if f.Commits != was.Commits+1 || f.Writes != was.Writes+4 || f.CommitsFailed != 0 || f.WritesWaiting != 0 || f.Committing <= was.Committing {
		t.Errorf("%+v after %+v", f, was)
	}
	if f.Waited < time.Hour-time.Minute || time.Since(f.LastCommit) > time.Hour {
		t.Errorf("%+v", f)
	}
	nothing := func() {
		t.Helper()
		was, fresh := figuresOf(t, db), db.engine.writer.figures.Fresh(time.Hour)
		if err := db.engine.Commit(ctx, put("a")); !errors.Is(err, core.ErrOvertaken) {
			t.Errorf("what is there already: %v", err)
		}
		if f := figuresOf(t, db); !f.LastCommit.Equal(was.LastCommit) || db.engine.writer.figures.Fresh(time.Hour) != fresh {
			t.Errorf("%+v after a group that wrote nothing, %+v before", f, was)
		}
	}
	nothing()
	fail := true
	onCommit(t, db, func() int32 {
		if fail {
			return 1
		}
		return 0
	})
	f = figuresOf(t, db)
	err := db.engine.Commit(ctx, put("c"))
	if failed := figuresOf(t, db); failed.CommitsFailed != 1 || err == nil || db.engine.writer.figures.Fresh(time.Hour) || !failed.LastCommit.Equal(f.LastCommit) || failed.Commits != f.Commits+1 {
		t.Errorf("%+v after %v", failed, err)
	}
	fail = false
	nothing()
	must(t, db.engine.Commit(ctx, put("c")))
	if last := figuresOf(t, db); !db.engine.writer.figures.Fresh(time.Hour) || last.CommitsFailed != 1 || !last.LastCommit.After(f.LastCommit) {
		t.Errorf("%+v", last)
	}
}

func TestCommitsAreSynced(t *testing.T) {
	db := openTemp(t)
	for name, want := range map[string]string{"journal_mode": "wal", "synchronous": "2", "secure_delete": "1", "temp_store": "2"} {
		var got string
		must(t, db.engine.writer.session.query(func(r core.Row) error { return r.Scan(&got) }, "PRAGMA "+name))
		if got != want {
			t.Errorf("%s is %s", name, got)
		}
	}
}

// TestReadersCannotWrite: what is asked outside of the writer changes nothing.
func TestReadersCannotWrite(t *testing.T) {
	db := openTemp(t)
	err := db.engine.Query(ctx, func(core.Row) error { return nil }, `DELETE FROM meta RETURNING 1`)
	e, is := errors.AsType[*sqlite.Error](err)
	if !is || e.Code()&0xff != lib.SQLITE_READONLY {
		t.Error(err)
	}
}
