package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/orderhook/orderhook/internal/secret"
	"github.com/orderhook/orderhook/internal/store/core"
)

// Raw is a database whose rows are read and written as they are. `orderhook migrate --from
// … --to …` copies all of one database into another with it. No server has the file
// meanwhile: Raw has the lock. It does not check what is written; package transfer does.
type Raw struct {
	DB     *sql.DB
	Sealer *secret.Sealer
	lock   *os.File
}

// ErrUnused is the error of opening a database raw that no server has opened yet.
var ErrUnused = errors.New("nothing is to be copied: no server of this version has opened the database yet")

// OpenRaw opens a database that exists, to be copied from. Its schema must be the newest,
// and a server must have opened it before: the error is [ErrUnused] else.
func OpenRaw(ctx context.Context, path, key string) (*Raw, error) {
	// The connections below would write into a file as they open it, and it may be anybody's.
	if err := Made(ctx, path); err != nil {
		return nil, err
	}
	path, err := filepath.EvalSymlinks(path)
	if err != nil {
		return nil, fmt.Errorf("the database cannot be found: %w", err)
	}
	return openRaw(ctx, path, key, false)
}

// CreateRaw opens a database to be copied into, and makes the file, its schema and its key
// if they are missing.
func CreateRaw(ctx context.Context, path, key string) (*Raw, error) {
	path, err := ensureFile(path)
	if err != nil {
		return nil, err
	}
	if err := notOthers(ctx, path); err != nil {
		return nil, err
	}
	return openRaw(ctx, path, key, true)
}

// notOthers returns an error if a file is of another program, or of a newer orderhook. It
// changes nothing: a file that is refused must stay as it was.
func notOthers(ctx context.Context, path string) error {
	db, err := sql.Open("sqlite", dsn(path, "query_only(ON)"))
	if err != nil {
		return fmt.Errorf("the database %s cannot be opened: %w", path, err)
	}
	_, err = migrated(ctx, db, path)
	return errors.Join(err, db.Close())
}

// openRaw opens a file in the order of a server: the lock, the schema, the key. The
// connections of DB do not overwrite what is deleted: a copy deletes nothing that was
// anybody's.
func openRaw(ctx context.Context, path, key string, create bool) (r *Raw, err error) {
	r = &Raw{}
	defer func() {
		if err != nil {
			r, err = nil, errors.Join(err, r.Close())
		}
	}()
	if r.lock, err = lockFile(path); err != nil {
		return r, err
	}
	if r.DB, err = sql.Open("sqlite", dsn(path, "page_size(8192)", "journal_mode(WAL)", "synchronous(FULL)", "wal_autocheckpoint(2048)", "journal_size_limit(67108864)")); err != nil {
		return r, fmt.Errorf("the database %s cannot be opened: %w", path, err)
	}
	// The lock is held, so no server can begin to use the database meanwhile.
	used, err := r.used(ctx, path)
	if err != nil {
		return r, err
	}
	if create && !used {
		err = runMigrations(ctx, r.DB, path)
	} else if !used {
		err = fmt.Errorf("%s: %w", path, ErrUnused)
	}
	if err != nil {
		return r, err
	}
	// This connection is only for the key: a new database gets one here, as from a server.
	session, err := openSession(path)
	if err != nil {
		return r, fmt.Errorf("the database %s cannot be opened: %w", path, err)
	}
	r.Sealer, err = unlock(session, path, key)
	return r, errors.Join(err, session.close())
}

// used reports whether the database has been opened before. One that has must have the
// newest schema: migrations are for its owner to ask for.
func (r *Raw) used(ctx context.Context, path string) (used bool, err error) {
	current, err := migrated(ctx, r.DB, path)
	if err != nil {
		return false, err
	}
	// An empty file has no table yet that could be asked.
	var meta bool
	if err := r.DB.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM sqlite_master WHERE name = 'meta')`).Scan(&meta); err != nil || !meta {
		return false, err
	}
	err = r.DB.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM meta WHERE name = ?)`, core.MetaSalt).Scan(&used)
	if err == nil && used && !current {
		err = fmt.Errorf("the schema of the database %s is of another version: run `orderhook migrate --database %s` first", path, path)
	}
	return used, err
}

// Close frees the file.
func (r *Raw) Close() error {
	var errs []error
	if r.DB != nil {
		errs = append(errs, r.DB.Close())
	}
	if r.lock != nil {
		errs = append(errs, r.lock.Close()) // frees the lock
	}
	return errors.Join(errs...)
}
