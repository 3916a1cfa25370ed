package sqlite

import (
	"bytes"
	"database/sql"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/orderhook/orderhook/internal/job"
	"github.com/orderhook/orderhook/internal/store"
)

// holding returns the files of an open database that hold a text. Another process reads them:
// this one would free the locks that SQLite has on them.
func holding(t *testing.T, path, text string) (found []string) {
	t.Helper()
	for _, ending := range []string{"", "-wal", "-shm"} {
		data, err := exec.Command("cat", path+ending).Output()
		must(t, err)
		if bytes.Contains(data, []byte(text)) {
			found = append(found, filepath.Base(path+ending))
		}
	}
	return found
}

// reading begins a read transaction of another connection, as a backup has one.
func reading(t *testing.T, path string) (end func()) {
	t.Helper()
	other, err := sql.Open("sqlite", dsn(path))
	must(t, err)
	tx, err := other.Begin()
	must(t, err)
	var n int
	must(t, tx.QueryRow(`SELECT count(*) FROM orders`).Scan(&n)) // which is its moment
	return func() {
		must(t, tx.Rollback())
		must(t, other.Close())
	}
}

// erase erases an order as its job does.
func erase(t *testing.T, db *DB, id string) {
	t.Helper()
	must(t, db.Write(ctx, func(tx store.Tx) error { return tx.EraseOrder(ctx, acme, id) }))
	for j, done := (&job.Job{OrderID: id}), false; !done; {
		next := *j
		must(t, db.Write(ctx, func(tx store.Tx) (err error) {
			next = *j
			done, err = tx.EraseSome(ctx, acme, &next, 100)
			return err
		}))
		*j = next
	}
}

// TestWhatIsErasedLeavesTheJournal of an open database, once nobody reads an older state of it,
// and nobody is at a write.
func TestWhatIsErasedLeavesTheJournal(t *testing.T) {
	path := tempPath(t)
	db := openAt(t, path, Options{EncryptionKey: "key of the tests"})
	const text = "Åsa-Öberg-secret"
	empties := func(when string, want bool) {
		t.Helper()
		done, err := db.EmptyJournal(ctx)
		if left := holding(t, path, text); err != nil || done != want || (len(left) == 0) != want {
			t.Errorf("%s: done %v, %v; the text is in %v", when, done, err, left)
		}
	}
	o := testOrder("o1")
	o.Doc.Set("customerName", text)
	must(t, db.Write(ctx, func(tx store.Tx) error { return tx.InsertOrder(ctx, acme, o) }))
	before := reading(t, path)
	erase(t, db, "o1")
	empties("a reader has begun before the erasure", false)
	before()
	behind := reading(t, path)
	empties("a reader has begun behind it", false)
	behind()
	other, err := sql.Open("sqlite", dsn(path))
	must(t, err)
	other.SetMaxOpenConns(1)
	_, err = other.Exec(`BEGIN IMMEDIATE`)
	must(t, err)
	empties("somebody has the lock of writers", false)
	_, err = other.Exec(`ROLLBACK`)
	must(t, err)
	must(t, other.Close())
	empties("nobody is at anything", true)
	if done, err := db.EmptyJournal(ctx); err != nil || !done {
		t.Errorf("once more: %v, %v", done, err)
	}
	// The next writes begin the journal anew, and what they hold is there as before.
	must(t, db.Write(ctx, insert("o2")))
	if !has(t, db, "o2") || has(t, db, "o1") {
		t.Error("after that the database has other orders")
	}
}

// TestWhoEmptiesTheJournalIsImpatient: while it waits, no write begins. And what it copies is on the
// disk before the log is gone.
func TestWhoEmptiesTheJournalIsImpatient(t *testing.T) {
	path := tempPath(t)
	openAt(t, path, Options{EncryptionKey: "key of the tests"})
	for range 20 { // it was a matter of chance once
		db, err := openEmptier(ctx, path)
		must(t, err)
		var patience, syncs int
		must(t, db.QueryRow(`PRAGMA busy_timeout`).Scan(&patience))
		must(t, db.QueryRow(`PRAGMA synchronous`).Scan(&syncs))
		if must(t, db.Close()); patience != journalHold || syncs != 2 {
			t.Fatalf("it waits for %d ms, and syncs as %d", patience, syncs)
		}
	}
}

// TestTheJournalIsLeftAlone while nothing was erased, but once after the start: the process
// before may have died behind an erasure. A secret that was destroyed counts, too.
func TestTheJournalIsLeftAlone(t *testing.T) {
	path := tempPath(t)
	db := openAt(t, path, Options{EncryptionKey: "key of the tests"})
	size := func() int64 { n, err := sizeOf(path + "-wal"); must(t, err); return n }
	empty := func(what string, want bool) {
		t.Helper()
		done, err := db.EmptyJournal(ctx)
		if must(t, err); !done || (size() == 0) != want {
			t.Errorf("%s: done %v, the journal has %d bytes", what, done, size())
		}
	}
	empty("at the start", true)
	must(t, db.Write(ctx, insert("o1")))
	empty("behind a write", false)
	erase(t, db, "o1")
	empty("behind an erasure", true)
	putTokens(t, db, 0, []int{1, 2})
	empty("behind settings", false)
	putTokens(t, db, 1, []int{1})
	empty("behind a secret that was destroyed", true)
	must(t, db.DestroySecrets(ctx, hurried))
	empty("behind the note of it", true)
	must(t, db.DestroySecrets(ctx, hurried))
	must(t, db.Write(ctx, insert("o2")))
	empty("behind another write", false)
}
