// Package postgres stores everything in a database of a PostgreSQL server, which several
// nodes may use at the same time (docs/design.md#postgresql).
//
// It is an engine of [core.Store], which decides what is written; it knows no order, event
// or run. A few connections write, each a group of writes at a time (writer.go, commit.go):
// what must not change meanwhile is locked first, and what a write was decided on is
// checked behind that. Pools of connections read, one for each class of questions
// (conn.go). nodes.go is where the nodes of a database know of each other. Start reading at
// [Open] and at writer.commitGroup.
package postgres

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/orderhook/orderhook/internal/store"
	"github.com/orderhook/orderhook/internal/store/core"
)

// Options say how a database is opened.
type Options struct {
	// EncryptionKey seals the secrets in the database. It is required, and the same for all
	// nodes: a server has no file beside its database that a key could be made in.
	EncryptionKey string
	// Clock tells the time; nil means time.Now.
	Clock func() time.Time
	// Log is told when a listener panics; nil means slog.Default().
	Log *slog.Logger
	// Writers is how many connections write; 0 is DefaultWriters.
	Writers int
}

// DefaultWriters is how many connections write. Two keep the server at work while one waits
// for its disk.
const DefaultWriters = 2

// DB is an open database. Several processes may have one open.
type DB struct {
	*core.Store
	engine *engine
	alone  *alone // nil: others may work with it, too
}

var _ store.Store = (*DB)(nil)

// engine implements [core.Engine]. openWith makes it, and Close ends it. All goroutines use
// it.
type engine struct {
	*readers
	writers *writers
	config  *config
	numbers numbers
	salt    []byte // of the encryption key that the database was opened with
}

// Open opens the database of a URL, postgres://…, and brings its schema up to date. No
// error repeats the URL, which may hold a password.
func Open(ctx context.Context, url string, o Options) (*DB, error) {
	if o.EncryptionKey == "" {
		return nil, ErrNoKey
	}
	config, err := parse(url)
	if err != nil {
		return nil, err
	}
	return openWith(ctx, config, o)
}

// openWith is Open for a URL that was read.
func openWith(ctx context.Context, config *config, o Options) (*DB, error) {
	config.onlyWritable()
	if o.Clock == nil {
		o.Clock = time.Now
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	if o.Writers == 0 {
		o.Writers = DefaultWriters
	}
	if err := migrate(ctx, config); err != nil {
		return nil, err
	}
	db := &DB{engine: &engine{config: config}}
	if err := db.open(ctx, config, o); err != nil {
		return nil, errors.Join(err, db.engine.Close())
	}
	return db, nil
}

// open does the steps of Open behind the migrations. After an error the caller closes what
// there is.
func (db *DB) open(ctx context.Context, config *config, o Options) (err error) {
	e := db.engine
	if e.readers, err = openReaders(ctx, config); err != nil {
		return err
	}
	sealer, err := unlock(ctx, config, o.EncryptionKey)
	if err != nil {
		return err
	}
	e.salt = sealer.Salt()
	types, err := columnTypes(ctx, e.readers)
	if err != nil {
		return fmt.Errorf("the database cannot be read: %w", err)
	}
	db.Store = core.New(e, core.Options{Sealer: sealer, Clock: o.Clock, Log: o.Log})
	e.writers = startWriters(config, o.Writers, types, o.Clock, db.Store.Committed, db.Store.Unknown)
	if err := db.CheckWhole(ctx); err != nil {
		return err
	}
	return db.BindSecrets(ctx)
}

// Commit implements [core.Engine]. It waits for the answer.
func (e *engine) Commit(ctx context.Context, b *core.Batch) error { return e.writers.write(ctx, b) }

// Close finishes the writes that wait, then ends everything. It must be called once. It
// also closes what a failed Open has left.
func (e *engine) Close() error {
	var err error
	if e.writers != nil {
		err = e.writers.close()
	}
	if e.readers != nil {
		e.readers.close()
	}
	return err
}
