// Package sqlite is the embedded engine: it stores everything in one SQLite file, for one
// serving process (docs/design.md#the-database-is-the-only-truth).
//
// It is an engine of [core.Store], which decides what is written; it knows no order, event
// or run. One goroutine writes, and commits the writes that come together as one group
// (writer.go). A few connections read (conn.go). The rest of the package is what a file
// needs beside that: its lock, its key, its schema, backup and restore, and the search for
// damage. Start reading at [Open] and at writer.commitGroup.
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
	// EncryptionKey encrypts the secrets in the database. If it is empty, the key is read
	// from FILE.key. That file is made if it does not exist and nothing is encrypted yet.
	EncryptionKey string
	// Exclusive locks the file against every other exclusive user while the database is
	// open. `serve` does this. Commands that may work beside a server leave it false.
	Exclusive bool
	// Clock tells the time; nil means time.Now. The store takes the times of rows from it.
	Clock func() time.Time
	// Log gets the panics of a listener; nil means slog.Default().
	Log *slog.Logger
}

// DB is an open database: a store, and its file.
type DB struct {
	*core.Store
	engine *engine
}

var _ store.Store = (*DB)(nil)

// engine implements [core.Engine]. Open makes it, and Close ends it. Readers use it from
// any goroutine; only the writer writes, one group at a time.
type engine struct {
	readers *readers
	path    string
	lock    *os.File // nil if the database was not opened exclusively
	writer  *writer
	numbers atomic.Int64 // the last number that was given out
	condition
}

// Open opens the database file. It makes the file if it does not exist, and brings its
// schema up to date. It returns [ErrInUse] if another process has the file exclusively,
// and [secret.ErrWrongKey] if its secrets were encrypted with another key.
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

// open does the steps of Open, each of which relies on those before it: the lock keeps
// other servers away from the migrations, these make the table that the key is checked by,
// and without the key nothing can be read that is sealed. After an error the caller closes
// what there is.
func (db *DB) open(ctx context.Context, o Options) (err error) {
	e := db.engine
	if o.Exclusive {
		if e.lock, err = lockFile(e.path); err != nil {
			return err
		}
		if err := hasOneName(e.path); err != nil {
			return err
		}
	}
	if err := migrate(ctx, e.path, o.Exclusive); err != nil {
		return err
	}
	e.free = freeBytes
	session, err := openSession(e.path)
	if err != nil {
		return fmt.Errorf("the database %s cannot be opened: %w", e.path, err)
	}
	sealer, err := unlock(session, e.path, o.EncryptionKey)
	if err != nil {
		return errors.Join(err, session.close())
	}
	db.Store = core.New(e, core.Options{Sealer: sealer, Clock: o.Clock, Log: o.Log})
	// From here on the files must stay these: openSession has made the log beside the
	// database.
	if e.opened, err = openedFiles(e.path); err != nil {
		return errors.Join(err, session.close())
	}
	e.writer = startWriter(session, o.Clock, e.opened.unchanged, db.Store.Committed)
	if e.readers, err = openReaders(e.path); err != nil {
		return fmt.Errorf("the database %s cannot be opened: %w", e.path, err)
	}
	// No server may work with a database that another is being copied into.
	if err := db.CheckWhole(ctx); err != nil {
		return err
	}
	if err := db.BindSecrets(ctx); err != nil {
		return err
	}
	if err := e.number(ctx); err != nil {
		return fmt.Errorf("the number of the last event cannot be read: %w", err)
	}
	return nil
}

// number has the numbers of events continue behind the last one that was given. The table
// sqlite_sequence remembers it even if the event itself was removed.
func (e *engine) number(ctx context.Context) error {
	return e.Query(ctx, func(r core.Row) error {
		var last int64
		err := r.Scan(&last)
		e.numbers.Store(last)
		return err
	}, `SELECT max(coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'events'), 0), coalesce((SELECT max(seq) FROM events), 0))`)
}

// Numbers implements [core.Engine]. Only one process writes, so it counts in memory.
// Numbers that no event got, as those of a write that was refused, may be given again after
// a restart.
func (e *engine) Numbers(_ context.Context, n int) (first int64, err error) {
	return e.numbers.Add(int64(n)) - int64(n) + 1, nil
}

// AwaitOthers implements [core.Engine]: each commit is over before the next one begins.
func (e *engine) AwaitOthers(context.Context) (bool, error) { return true, nil }

// Dialect implements [core.Engine].
func (e *engine) Dialect() *core.Dialect { return dialect }

// dialect is SQLite's: lists are given as JSON. named is for names, hardly any of which
// holds letters beyond ASCII: only these are compared by the function fold of Go, which is
// slow.
var dialect = &core.Dialect{Pieces: map[string]string{
	"numbers":     `IN (SELECT value FROM json_each(%1))`,
	"texts":       `IN (SELECT value FROM json_each(%1))`,
	"eachtext":    `json_each(%1)`,
	"feedparts":   `IN (SELECT (SELECT max(f.first) FROM feed AS f WHERE f.tenant = %1 AND f.first <= n.value) FROM json_each(%2) AS n)`,
	"erased":      `EXISTS (SELECT 1 FROM events AS e INDEXED BY events_erased WHERE e.seq = deliveries.event AND e.data IS NULL)`,
	"field":       `%1 ->> '$.%2'`,
	"callkey":     `tenant, span, start, kind, outcome`,
	"same":        `%1 = %2`,
	"newestevent": `(SELECT coalesce(max(seq), 0) FROM events)`,
	"pairs":       `tenant = %1 AND (event, endpoint) IN (SELECT key, value FROM json_each(%2))`,
	"alldue": `(SELECT value AS event FROM json_each(?)) AS one CROSS JOIN deliveries ON deliveries.tenant = ? AND deliveries.event = one.event AND deliveries.endpoint = ?
		CROSS JOIN events ON events.seq = deliveries.event AND events.tenant = deliveries.tenant`,
	"attemptsofevent": `CROSS JOIN attempts AS a INDEXED BY attempts_delivery ON a.tenant = e.tenant AND a.event = e.seq AND a.event > 0`,
	"named":           `(%1 = %2 COLLATE NOCASE OR octet_length(%1) > length(%1) AND fold(%1) = %3)`,
}}

// Commit implements [core.Engine]. It notices if the file is damaged, as all questions do.
func (e *engine) Commit(ctx context.Context, b *core.Batch) error {
	if err := e.writer.write(ctx, b); err != nil {
		return e.noticed(err)
	}
	return nil
}

// Query implements [core.Engine]. It asks a connection of the class that the context is
// marked with.
func (e *engine) Query(ctx context.Context, each func(core.Row) error, text string, args ...any) error {
	if err := e.readers.pools[store.ClassOf(ctx)].query(ctx, each, text, args...); err != nil {
		return e.noticed(err)
	}
	return nil
}

// QueryOnce implements [core.Engine], as Query does.
func (e *engine) QueryOnce(ctx context.Context, each func(core.Row) error, text string, args ...any) error {
	if err := e.readers.pools[store.ClassOf(ctx)].queryOnce(ctx, each, text, args...); err != nil {
		return e.noticed(err)
	}
	return nil
}

// ensureFile makes an empty database that only its owner can read, if there is none and
// none was there. It returns the path with symbolic links resolved, so that a file with two
// names still has one lock and one key. It must not open a file that is there: to close it
// again would free the locks that SQLite has on it in this process.
func ensureFile(path string) (string, error) {
	path, err := resolved(path)
	if err != nil {
		return "", err
	}
	if err := refuseUnfinished(path); err != nil {
		return "", err
	}
	// The key is looked for first: another process that makes this database makes the
	// file before the key.
	if there(path+".key") && !there(path) {
		return "", missing(path)
	}
	belongs, err := ownerOf(path)
	if err != nil {
		return "", err
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err == nil {
		err = errors.Join(belongs.give(f), f.Close())
	}
	if err != nil && !errors.Is(err, os.ErrExist) {
		return "", fmt.Errorf("the database cannot be made: %w", err)
	}
	return path, nil
}

// resolved returns the path of a database, which need not be there, with symbolic links
// resolved. A link may lead to a file that is not there yet: then its folder is what has to
// exist.
func resolved(path string) (string, error) {
	if to, err := os.Readlink(path); err == nil { // it may lead to a file that is not there
		if !filepath.IsAbs(to) {
			to = filepath.Join(filepath.Dir(path), to)
		}
		path = to
	}
	if to, err := filepath.EvalSymlinks(path); err == nil {
		return to, nil
	}
	dir, err := filepath.EvalSymlinks(filepath.Dir(path))
	if err != nil {
		return "", fmt.Errorf("the database %s cannot be found: %w", path, err)
	}
	return filepath.Join(dir, filepath.Base(path)), nil
}

// refuseUnfinished returns an error while a restore of the database was begun and not
// finished: its files may be of two databases.
func refuseUnfinished(path string) error {
	if there(path + restoring) {
		return fmt.Errorf("a restore of %s was interrupted: run orderhook restore again", path)
	}
	return nil
}

// missing is the error for a database that is not there, or is empty, although its key
// is: to begin a new one would hide that everything is gone.
func missing(path string) error {
	return fmt.Errorf("%s is missing or empty, but its key %[1]s.key is there: put the database back, or restore a backup; for a new one with that key, move the key file, and name it with --encryption-key-file", path)
}

// Close finishes the writes that wait, and then ends everything. It must be called exactly
// once. It also closes what a failed Open has left.
func (e *engine) Close() error {
	var errs []error
	if e.readers != nil {
		errs = append(errs, e.readers.close())
	}
	// The last connection that closes copies the write-ahead log into the file. A
	// connection that can only read could not do that.
	if e.writer != nil {
		errs = append(errs, e.writer.close())
	}
	if e.lock != nil {
		errs = append(errs, e.lock.Close()) // frees the lock
	}
	return errors.Join(errs...)
}
