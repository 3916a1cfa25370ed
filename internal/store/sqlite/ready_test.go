package sqlite

import (
	"bytes"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/orderhook/orderhook/internal/oms"
	"github.com/orderhook/orderhook/internal/store/core"
)

// notReady wants the database to say why it is not.
func notReady(t *testing.T, db *DB, why string) {
	t.Helper()
	err := db.Ping(ctx)
	if oms.KindOf(err) != oms.Unavailable || !strings.Contains(err.Error(), why) {
		t.Errorf("ready is %v, want unavailable: %s", err, why)
	}
}

func TestReadyCommitsSomething(t *testing.T) {
	db := openTemp(t)
	must(t, db.Ping(ctx))
	if f := db.engine.writer.Figures(); f.Writes != 1 || f.LastCommit.IsZero() {
		t.Errorf("%+v after the first question", f)
	}
	must(t, db.Ping(ctx))
	if f := db.engine.writer.Figures(); f.Writes != 1 {
		t.Errorf("%d commits for two questions in a row", f.Writes)
	}
}

func TestNotReadyWithoutTheFileThatWasOpened(t *testing.T) {
	for name, replace := range map[string]func(path string) error{
		"removed": os.Remove,
		"moved":   func(path string) error { return os.Rename(path, path+".old") },
		"replaced": func(path string) error {
			return errors.Join(os.Rename(path, path+".old"), os.WriteFile(path, nil, 0o600))
		},
	} {
		t.Run(name, func(t *testing.T) {
			db := openTemp(t)
			must(t, db.Ping(ctx))
			must(t, replace(db.engine.path))
			notReady(t, db, "removed or replaced")
		})
	}
}

func TestNotReadyWhileTheDiskIsAlmostFull(t *testing.T) {
	db := openTemp(t)
	db.engine.free = func(string) (int64, error) { return 100 << 20, nil }
	notReady(t, db, "has 100 MiB left")
	db.engine.free = func(string) (int64, error) { return leastFree, nil }
	must(t, db.Ping(ctx))
}

func TestNotReadyWhileNoWritesAreTaken(t *testing.T) {
	db := openTemp(t)
	must(t, db.Ping(ctx))
	_, err := db.engine.writer.session.conn.ExecContext(ctx, "PRAGMA query_only = 1")
	must(t, err)
	if err := db.Write(ctx, insert("o1")); err == nil {
		t.Fatal("a write was taken")
	}
	notReady(t, db, "the database cannot be used now")
	_, err = db.engine.writer.session.conn.ExecContext(ctx, "PRAGMA query_only = 0")
	must(t, err)
	must(t, db.Ping(ctx))
}

func TestNotReadyOnceItIsDamaged(t *testing.T) {
	db := openTemp(t)
	must(t, db.Write(ctx, insert("o1")))
	var root, size int64
	must(t, db.engine.Query(ctx, func(r core.Row) error { return r.Scan(&root) }, `SELECT rootpage FROM sqlite_master WHERE name = 'orders'`))
	must(t, db.engine.Query(ctx, func(r core.Row) error { return r.Scan(&size) }, `PRAGMA page_size`))
	must(t, db.Close())
	f, err := os.OpenFile(db.engine.path, os.O_RDWR, 0)
	must(t, err)
	_, err = f.WriteAt(bytes.Repeat([]byte{0xff}, int(size)), (root-1)*size)
	must(t, errors.Join(err, f.Close()))

	damaged := openAt(t, db.engine.path, Options{EncryptionKey: "key of the tests"})
	must(t, damaged.Ping(ctx)) // nobody has met it yet
	if _, err := damaged.Order(ctx, acme, "o1"); err == nil {
		t.Fatal("what was overwritten is found")
	}
	notReady(t, damaged, "damaged")
}
