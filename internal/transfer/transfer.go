// Package transfer copies a whole installation from one database into another, from one
// engine into the other: `orderhook migrate --from … --to …`.
//
// It knows no table and no column: the databases say which they have
// (docs/design.md#moving-between-databases). All rows of a table are read in the order of
// its key, and written in transactions of a limited size. How far a table has come is
// written in the same transaction, so that a copy that was killed goes on there. At the end
// all rows of both databases are read again, and compared.
//
// What an engine does in its own way is in sqlite.go and postgres.go. Start reading at
// [Run].
package transfer

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/orderhook/orderhook/internal/secret"
	"github.com/orderhook/orderhook/internal/store/core"
)

// database is one that is copied from or into. Nobody else works with it meanwhile. One
// goroutine uses it, but for lost. Rows are read while others are written, so an
// implementation has a connection for each.
type database interface {
	// sealer opens and seals what is encrypted with the key of the database.
	sealer() *secret.Sealer
	// catalogue returns the tables that there are.
	catalogue(ctx context.Context) (catalogue, error)
	// rows returns the rows of a table behind a key, in the order of the key; nil is all
	// of them. A row has a value for each column, of its kind, or nil.
	rows(ctx context.Context, t *table, after []any) iter.Seq2[[]any, error]
	// isEmpty reports whether a table has no row.
	isEmpty(ctx context.Context, t *table) (bool, error)
	// insert adds rows, and what it sets in the table meta, in one transaction.
	insert(ctx context.Context, t *table, rows [][]any, meta metaRow) error
	// meta returns a row of the table meta; nil if there is no such row.
	meta(ctx context.Context, name string) (value []byte, err error)
	// setMeta stores such a row, in a transaction of its own.
	setMeta(ctx context.Context, row metaRow) error
	// finish makes the database one that works: numbers go on above those that were given,
	// and it is no copy any more.
	finish(ctx context.Context, numbers map[string]int64) error
	// numbers returns the highest number that was given, by the table whose rows have them.
	numbers(ctx context.Context) (map[string]int64, error)
	// holds returns a text as the database can hold it.
	holds(s string) string
	// lost gets why others may have the database now. It is nil for one that others never
	// may.
	lost() <-chan error
	// close lets others have the database. It must be called once.
	close(ctx context.Context) error
}

// metaRow is a row of the table meta, in which both engines note things about themselves.
type metaRow struct {
	name  string
	value []byte
}

// Side says which database is copied from, or into: one of the two flags, which the errors
// name.
type Side struct {
	// Path is that of a file, and URL that of a database on a PostgreSQL server. One of
	// them is given.
	Path, URL string
	// Key is the encryption key. That of a file may be "": it is in FILE.key then.
	Key string
}

// Options of a copy.
type Options struct {
	From, To Side
	// Progress gets a line for people from time to time; it may not be nil.
	Progress func(line string)
}

// ErrDiffers is in the error of a copy that is not the same as what it was copied from.
var ErrDiffers = errors.New("the copy differs from its source")

// OpenError says why a database cannot be copied, or copied into. Nothing was done then,
// and whoever has given the flag can correct it.
type OpenError struct {
	Flag string // of the command line
	Err  error
}

// Error names the flag first.
func (e *OpenError) Error() string { return e.Flag + ": " + e.Err.Error() }

// Unwrap returns the error behind it.
func (e *OpenError) Unwrap() error { return e.Err }

// transfer is one that is under way.
type transfer struct {
	Options
	from, to database
	tables   []*table
	unopened int // sealed texts that do not open with the source's key
	// told is when progress was told last.
	told time.Time
}

// Run copies a database and compares the copy with it. A copy that was interrupted is gone
// on with: if the process dies at any moment, the same call does the rest. Until the end
// the copy has a mark, so that no server opens it (core.ErrHalfCopied). Nothing is changed in
// the source. The error is an [*OpenError] if a database is not one that can be copied, or
// copied into, and [ErrDiffers] if the databases differ at the end.
func Run(ctx context.Context, o Options) (err error) {
	t := &transfer{Options: o, told: time.Now()}
	if t.from, err = open(ctx, o.From, false); err != nil {
		return &OpenError{"--from", err}
	}
	// The caller's context may have ended, and the database must be free afterwards.
	defer func() { err = errors.Join(err, t.from.close(context.WithoutCancel(ctx))) }()
	// The source is locked by now, so the same database cannot be the target.
	if t.to, err = open(ctx, o.To, true); err != nil {
		return &OpenError{"--to", err}
	}
	defer func() { err = errors.Join(err, t.to.close(context.WithoutCancel(ctx))) }()
	return t.run(ctx)
}

// whileOurs returns a context that ends once others may have one of the databases: what is
// read or written after that could be of somebody else. The caller calls the function when
// it is done.
func (t *transfer) whileOurs(ctx context.Context) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	go func() {
		select {
		case err := <-t.from.lost():
			cancel(fmt.Errorf("--from: %w", err))
		case err := <-t.to.lost():
			cancel(fmt.Errorf("--to: %w", err))
		case <-ctx.Done():
		}
	}()
	return ctx, func() { cancel(nil) }
}

// run is Run for databases that are open. If it ends because a database is not ours any
// more, the error says so.
func (t *transfer) run(ctx context.Context) error {
	ctx, stop := t.whileOurs(ctx)
	defer stop()
	if err := t.all(ctx); err != nil {
		return errors.Join(context.Cause(ctx), err)
	}
	return nil
}

// all does the steps one after the other: find out what is to be copied, copy, compare, and
// only then make the copy a database that can be used.
func (t *transfer) all(ctx context.Context) error {
	if err := t.begin(ctx); err != nil {
		return err
	}
	for _, table := range t.tables {
		if err := t.copy(ctx, table); err != nil {
			return fmt.Errorf("copy the table %s: %w", table.name, err)
		}
	}
	// They opened nowhere before, or cannot be named in the target: the operator has to
	// know.
	if t.unopened > 0 {
		t.Progress(fmt.Sprintf("%d secrets could not be sealed anew, since they do not open in --from, or their tenant's name cannot be held in --to: they do not open in the copy", t.unopened))
	}
	if err := t.verify(ctx); err != nil {
		return err
	}
	numbers, err := t.from.numbers(ctx)
	if err != nil {
		return fmt.Errorf("read the numbers that were given: %w", err)
	}
	return t.to.finish(ctx, numbers)
}

// begin finds out what is to be copied, and marks the target, if it is empty, as a copy of
// the source. A target with the mark of the same source is gone on with. Every other one is
// refused.
func (t *transfer) begin(ctx context.Context) (err error) {
	from, err := t.from.catalogue(ctx)
	if err != nil {
		return fmt.Errorf("read the tables of --from: %w", err)
	}
	to, err := t.to.catalogue(ctx)
	if err != nil {
		return fmt.Errorf("read the tables of --to: %w", err)
	}
	if t.tables, err = tablesOf(from, to); err != nil {
		return err
	}
	source, err := t.identity(ctx)
	if err != nil {
		return err
	}
	copyOf, err := t.to.meta(ctx, core.MetaCopyOf)
	switch {
	case err != nil:
		return fmt.Errorf("read the mark of --to: %w", err)
	case copyOf == nil:
		return t.mark(ctx, source)
	case string(copyOf) != source:
		return &OpenError{"--to", errors.New("a part of another database was copied into it: it has to be empty, or an unfinished copy of the same database")}
	}
	t.Progress("going on with a copy that was interrupted")
	return nil
}

// identity tells the source from other databases. It is made of the salt of its key, a
// random number that every database has; only its hash gets into the target.
func (t *transfer) identity(ctx context.Context) (string, error) {
	bound, err := t.from.meta(ctx, core.MetaBound)
	if err == nil && bound == nil {
		return "", &OpenError{"--from", errors.New("its secrets are stored as an earlier version did: start a server of this version on it once")}
	}
	salt, err := t.from.meta(ctx, core.MetaSalt)
	if err != nil {
		return "", fmt.Errorf("read what tells --from from other databases: %w", err)
	}
	if copyOf, err := t.from.meta(ctx, core.MetaCopyOf); err != nil || copyOf != nil {
		return "", &OpenError{"--from", errors.Join(err, core.ErrHalfCopied)}
	}
	sum := sha256.Sum256(salt)
	return hex.EncodeToString(sum[:]), nil
}

// mark marks a target that is empty as a copy of the source. A target that has any row
// belongs to somebody. The target is said to have bound secrets (core.MetaBound): those of
// the source are, and are copied so.
func (t *transfer) mark(ctx context.Context, source string) error {
	for _, table := range t.tables {
		empty, err := t.to.isEmpty(ctx, table)
		if err != nil {
			return fmt.Errorf("look whether the table %s of --to is empty: %w", table.name, err)
		}
		// Nothing is removed to make room: that is for the owner of the target to do.
		if !empty {
			return &OpenError{"--to", fmt.Errorf("it is not empty: its table %s has rows. Nothing was copied", table.name)}
		}
	}
	err := t.to.setMeta(ctx, metaRow{core.MetaBound, []byte("1")})
	if err == nil {
		err = t.to.setMeta(ctx, metaRow{core.MetaCopyOf, []byte(source)})
	}
	if err != nil {
		return fmt.Errorf("mark --to as a copy: %w", err)
	}
	return nil
}

// tellEvery is how often progress is told while a table is copied or compared.
const tellEvery = 2 * time.Second

// tell tells how far something is, unless it was told a moment ago. done tells the end of a
// table, if it has any row.
func (t *transfer) tell(doing string, table *table, rows int, done bool) {
	switch now := time.Now(); {
	case done && rows > 0:
		t.told = now
		t.Progress(fmt.Sprintf("%s %s: %d rows", doing, table.name, rows))
	case !done && now.Sub(t.told) >= tellEvery:
		t.told = now
		t.Progress(fmt.Sprintf("%s %s: %d rows so far", doing, table.name, rows))
	}
}
