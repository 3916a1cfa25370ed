package sqlite

import (
	"database/sql"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/store"
)

// notReady wants the database to say why it is not.
func notReady(t *testing.T, db *DB, why string) {
	t.Helper()
	err := db.Ping(ctx)
	if apierr.KindOf(err) != apierr.Unavailable || !strings.Contains(err.Error(), why) {
		t.Errorf("ready is %v, want unavailable: %s", err, why)
	}
}

func figuresOf(t *testing.T, db *DB) store.Figures {
	t.Helper()
	f, err := db.Figures(ctx)
	must(t, err)
	return f
}

func TestReadyCommitsSomething(t *testing.T) {
	db := openTemp(t)
	must(t, db.Ping(ctx))
	if f := figuresOf(t, db); f.Writes != 1 || f.LastCommit.IsZero() {
		t.Errorf("%+v after the first question", f)
	}
	must(t, db.Ping(ctx))
	if f := figuresOf(t, db); f.Writes != 1 {
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
		for _, ending := range openEndings {
			t.Run(name+ending, func(t *testing.T) {
				db := openTemp(t)
				must(t, db.Ping(ctx))
				must(t, replace(db.engine.path+ending))
				notReady(t, db, "removed or replaced")
				wantKind(t, db.Write(ctx, insert("o1")), apierr.Unavailable)
				if has(t, db, "o1") {
					t.Error("a write was made that nobody finds after a restart")
				}
			})
		}
	}
}

// TestWritesGoOnOnceTheFileIsBack: it is the same file.
func TestWritesGoOnOnceTheFileIsBack(t *testing.T) {
	db := openTemp(t)
	must(t, os.Rename(db.engine.path, db.engine.path+".moved"))
	wantKind(t, db.Write(ctx, insert("o1")), apierr.Unavailable)
	must(t, os.Rename(db.engine.path+".moved", db.engine.path))
	must(t, db.Write(ctx, insert("o2")))
	must(t, db.Ping(ctx))
	if has(t, db, "o1") || !has(t, db, "o2") {
		t.Error("what was refused is there, or what was taken is not")
	}
}

// TestAFileThatGoesDuringACommit: the write is not acknowledged.
func TestAFileThatGoesDuringACommit(t *testing.T) {
	db := openTemp(t)
	must(t, db.Write(ctx, insert("o1")))
	w, checks := db.engine.writer, 0
	unchanged := w.unchanged
	w.unchanged = func() error { // the writer waits for work, so this is no race
		if checks++; checks == 2 {
			must(t, os.Rename(db.engine.path, db.engine.path+".moved"))
		}
		return unchanged()
	}
	err := db.Write(ctx, insert("o2"))
	if wantKind(t, err, apierr.Unavailable); !strings.Contains(err.Error(), "not known") {
		t.Errorf("%v", err)
	}
}

// TestAKeyWithoutItsDatabase: to begin a new one would hide that everything is gone.
func TestAKeyWithoutItsDatabase(t *testing.T) {
	for name, ail := range map[string]func(path string) error{
		"removed": os.Remove,
		"emptied": func(path string) error { return os.Truncate(path, 0) },
		"without tables": func(path string) error {
			return errors.Join(os.Remove(path), os.WriteFile(path, nil, 0o600), execSQL(path, `PRAGMA user_version = 1`))
		},
		"foreign": func(path string) error {
			return errors.Join(os.Remove(path), os.WriteFile(path, nil, 0o600), execSQL(path, `CREATE TABLE notes (text)`))
		},
	} {
		t.Run(name, func(t *testing.T) {
			path := tempPath(t)
			must(t, openAt(t, path, Options{}).Close())
			must(t, ail(path))
			before := there(path)
			for name, open := range map[string]func() error{
				"opened":   func() error { _, err := Open(ctx, path, Options{}); return err },
				"served":   func() error { _, err := Open(ctx, path, Options{Exclusive: true}); return err },
				"migrated": func() error { return Migrate(ctx, path) },
			} {
				if err := open(); err == nil || !strings.Contains(err.Error(), "is missing or empty, but its key") && !strings.Contains(err.Error(), "is not one of orderhook's") {
					t.Errorf("%s: %v", name, err)
				}
			}
			if there(path) != before {
				t.Error("a file was made")
			}
		})
	}
}

func execSQL(path, text string) error {
	db, err := sql.Open("sqlite", dsn(path))
	if err != nil {
		return err
	}
	_, err = db.Exec(text)
	return errors.Join(err, db.Close())
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
	_, err := db.engine.writer.session.exec("PRAGMA query_only = 1")
	must(t, err)
	if err := db.Write(ctx, insert("o1")); err == nil {
		t.Fatal("a write was taken")
	}
	notReady(t, db, "the database cannot be used now")
	_, err = db.engine.writer.session.exec("PRAGMA query_only = 0")
	must(t, err)
	must(t, db.Ping(ctx))
}

func TestNotReadyOnceItIsDamaged(t *testing.T) {
	db := openTemp(t)
	must(t, db.Write(ctx, insert("o1")))
	must(t, db.Close())
	damage(t, db.engine.path, "orders")

	damaged := openAt(t, db.engine.path, Options{EncryptionKey: "key of the tests"})
	must(t, damaged.Ping(ctx)) // nobody has met it yet
	if _, err := damaged.Order(ctx, acme, "o1"); err == nil {
		t.Fatal("what was overwritten is found")
	}
	notReady(t, damaged, "damaged")
}
