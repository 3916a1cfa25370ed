// Package sqlite keeps everything in one SQLite file: the embedded engine,
// for one serving process.
//
// One goroutine writes, and commits writes that come together as one group
// (writer.go). A few connections read. A question is one method on [queries],
// the same within a transaction and outside.
package sqlite

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/orderhook/orderhook/internal/oms"
	"github.com/orderhook/orderhook/internal/secret"
	"github.com/orderhook/orderhook/internal/store"
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

// DB is an open database. It implements [store.Store].
type DB struct {
	queries
	path     string
	lock     *os.File // nil if the database was not opened exclusively
	readers  *readers
	writer   *writer
	indexing indexing
}

var _ store.Store = (*DB)(nil)

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
	db := &DB{path: path, indexing: indexing{due: map[string]int64{}}}
	if err := db.open(ctx, o); err != nil {
		return nil, errors.Join(err, db.release())
	}
	return db, nil
}

func (db *DB) open(ctx context.Context, o Options) (err error) {
	if o.Exclusive {
		if db.lock, err = lockFile(db.path); err != nil {
			return err
		}
	}
	if err := migrate(ctx, db.path, o.Exclusive); err != nil {
		return err
	}
	session, err := openSession(ctx, db.path)
	if err != nil {
		return fmt.Errorf("the database %s cannot be opened: %w", db.path, err)
	}
	sealer, err := unlock(session, db.path, o.EncryptionKey)
	if err != nil {
		return errors.Join(err, session.close())
	}
	if err := bindSecrets(session, sealer, o.Clock); err != nil {
		return errors.Join(err, session.close())
	}
	shared := &shared{sealer: sealer, clock: o.Clock, log: o.Log, settings: newSettingsCache(), effort: defaultEffort}
	shared.opener = secret.NewOpener(sealer, db.findSecret, o.Log)
	db.writer = startWriter(session, func(q *txQuerier) store.Tx { return &tx{queries{q, shared}, q} }, shared.committed)
	if db.readers, err = openReaders(db.path); err != nil {
		return err
	}
	db.queries = queries{db.readers, shared}
	return nil
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

// queries asks everything that can be asked, through the readers or a transaction.
type queries struct {
	q querier
	*shared
}

// shared is what all transactions of a database have in common.
type shared struct {
	sealer   *secret.Sealer
	opener   *secret.Opener
	clock    func() time.Time
	log      *slog.Logger
	settings *settingsCache
	// endpoints is an endpointSet of each tenant that was asked for, as
	// committed last. It holds what the lanes hold too.
	endpoints sync.Map
	unopened  sync.Map       // endpoints that the log was told of, by their [numbered]
	listener  store.Listener // nil: nobody
	effort    effort
}

// tx is one transaction. It implements [store.Tx].
type tx struct {
	queries
	w *txQuerier
}

// Write implements [store.Store].
func (db *DB) Write(ctx context.Context, do func(store.Tx) error) error {
	return db.writer.write(ctx, &write{do: do})
}

// Publish implements [store.Store].
func (db *DB) Publish(ctx context.Context, tenant string, events ...*oms.Event) error {
	return db.writer.write(ctx, db.publication(ctx, tenant, events))
}

// change is Write for what only this package does.
func (db *DB) change(ctx context.Context, do func(*tx) error) error {
	return db.Write(ctx, func(t store.Tx) error { return do(t.(*tx)) })
}

// Ping implements [store.Store].
func (db *DB) Ping(ctx context.Context) error {
	var version int64
	if err := one(ctx, db.readers, []any{&version}, selectSchemaVersion); err != nil {
		return err
	}
	return checkNotNewer(db.path, version)
}

// Close finishes the writes that wait, then ends everything. It must be called once.
func (db *DB) Close() error { return db.release() }

func (db *DB) release() error {
	var errs []error
	if db.readers != nil {
		errs = append(errs, db.readers.close())
	}
	// The last connection to close takes the write-ahead log into the file, and
	// those that only read cannot.
	if db.writer != nil {
		errs = append(errs, db.writer.close())
	}
	if db.lock != nil {
		errs = append(errs, db.lock.Close()) // gives the lock free
	}
	return errors.Join(errs...)
}
