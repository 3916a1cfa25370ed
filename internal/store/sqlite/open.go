// Package sqlite keeps everything in one SQLite file: the embedded engine,
// for one serving process.
//
// It is an engine of [core.Store], which decides what is written. One goroutine
// writes, and commits what comes together as one group (writer.go). A few
// connections read.
package sqlite

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/orderhook/orderhook/internal/store"
	"github.com/orderhook/orderhook/internal/store/core"
)

// Options say how a database is opened.
type Options struct {
	// EncryptionKey seals the secrets in the database. If it is empty, the key
	// is read from FILE.key, which is made when neither it nor a sealed value exists.
	EncryptionKey string
	// Exclusive keeps every other exclusive user off the file for as long as
	// the database is open, as `serve` does.
	Exclusive bool
	// Clock tells the time; nil means time.Now.
	Clock func() time.Time
	// Log is told when a listener panics; nil means slog.Default().
	Log *slog.Logger
}

// DB is an open database: a store, and the file that it is kept in.
type DB struct {
	*core.Store
	engine *engine
}

var _ store.Store = (*DB)(nil)

// engine implements [core.Engine].
type engine struct {
	readers *readers
	path    string
	lock    *os.File // nil if the database was not opened exclusively
	writer  *writer
	numbers atomic.Int64 // the last that was given out
	condition
}

// Open opens the database file, makes it when it is not there, and brings its
// schema up to date. It returns [ErrInUse] when another process has the file
// exclusively, and [secret.ErrWrongKey] when its secrets were sealed with
// another key.
func Open(ctx context.Context, path string, o Options) (*DB, error) {
	if o.Clock == nil {
		o.Clock = time.Now
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	path, err := ensureFile(path)
	if err != nil {
		return nil, err
	}
	e := &engine{path: path}
	db := &DB{engine: e}
	if err := db.open(ctx, o); err != nil {
		return nil, errors.Join(err, e.Close())
	}
	return db, nil
}

func (db *DB) open(ctx context.Context, o Options) (err error) {
	e := db.engine
	if o.Exclusive {
		if e.lock, err = lockFile(e.path); err != nil {
			return err
		}
	}
	if err := migrate(ctx, e.path, o.Exclusive); err != nil {
		return err
	}
	if e.opened, err = os.Stat(e.path); err != nil {
		return err
	}
	e.free = freeBytes
	session, err := openSession(ctx, e.path)
	if err != nil {
		return fmt.Errorf("the database %s cannot be opened: %w", e.path, err)
	}
	sealer, err := unlock(session, e.path, o.EncryptionKey)
	if err != nil {
		return errors.Join(err, session.close())
	}
	db.Store = core.New(e, core.Options{Sealer: sealer, Clock: o.Clock, Log: o.Log})
	e.writer = startWriter(session, db.Store.Committed)
	if e.readers, err = openReaders(e.path); err != nil {
		return err
	}
	if err := db.BindSecrets(ctx); err != nil {
		return err
	}
	return e.number(ctx)
}

// number has the numbers go on behind the last one that was stored.
func (e *engine) number(ctx context.Context) error {
	return e.Query(ctx, func(r core.Row) error {
		var last int64
		err := r.Scan(&last)
		e.numbers.Store(last)
		return err
	}, `SELECT max(coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'events'), 0), coalesce((SELECT max(seq) FROM events), 0))`)
}

// Numbers implements [core.Engine]: one process writes, so it counts in memory.
// What several would need, ARCHITECTURE.md says.
func (e *engine) Numbers(_ context.Context, n int) (first int64, err error) {
	return e.numbers.Add(int64(n)) - int64(n) + 1, nil
}

// Commit implements [core.Engine].
func (e *engine) Commit(ctx context.Context, b *core.Batch) error {
	return e.noticed(e.writer.write(ctx, b))
}

// Query implements [core.Engine].
func (e *engine) Query(ctx context.Context, each func(core.Row) error, text string, args ...any) error {
	return e.noticed(e.readers.Query(ctx, each, text, args...))
}

// QueryOnce implements [core.Engine].
func (e *engine) QueryOnce(ctx context.Context, each func(core.Row) error, text string, args ...any) error {
	return e.noticed(e.readers.QueryOnce(ctx, each, text, args...))
}

// ensureFile makes an empty database that only its owner can read, if there is
// none, and returns its path with symbolic links resolved: two names of one
// file have one lock and one key.
func ensureFile(path string) (string, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err == nil {
		err = f.Close()
	}
	if err != nil && !errors.Is(err, os.ErrExist) {
		return "", fmt.Errorf("the database cannot be made: %w", err)
	}
	// A file that is there is not opened here: to close it again would drop the
	// locks that SQLite holds on it in this process.
	return filepath.EvalSymlinks(path)
}

// Close finishes the writes that wait, then ends everything. It must be called once.
func (e *engine) Close() error {
	var errs []error
	if e.readers != nil {
		errs = append(errs, e.readers.close())
	}
	// The last connection to close takes the write-ahead log into the file, and
	// those that only read cannot.
	if e.writer != nil {
		errs = append(errs, e.writer.close())
	}
	if e.lock != nil {
		errs = append(errs, e.lock.Close()) // gives the lock free
	}
	return errors.Join(errs...)
}
