package sqlite

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"strings"
	"time"

	"github.com/orderhook/orderhook/internal/oms"
	"github.com/orderhook/orderhook/internal/store/core"
	"github.com/pressly/goose/v3"
	"modernc.org/sqlite"
	lib "modernc.org/sqlite/lib"
)

//go:embed migrations/*.sql
var migrationFiles embed.FS

// newestSchema is the number of the last file in migrations.
var newestSchema = lastMigration()

func lastMigration() (number int64) {
	files, err := migrationFiles.ReadDir("migrations")
	if err == nil { // they are sorted by their names, which begin with the numbers
		name, _, _ := strings.Cut(files[len(files)-1].Name(), "_")
		number, err = strconv.ParseInt(name, 10, 64)
	}
	if err != nil {
		panic(err) // they are part of the program
	}
	return number
}

func init() {
	// Migrations fill columns that compare without regard to case as fold does,
	// which SQLite's own lower, for English letters alone, does not.
	sqlite.MustRegisterDeterministicScalarFunction("fold", 1, func(_ *sqlite.FunctionContext, args []driver.Value) (driver.Value, error) {
		if text, ok := args[0].(string); ok {
			return oms.FoldName(text), nil
		}
		return args[0], nil
	})
	// Questions look into documents, of which large ones are stored compressed.
	sqlite.MustRegisterDeterministicScalarFunction("unpacked", 1, func(_ *sqlite.FunctionContext, args []driver.Value) (driver.Value, error) {
		text, ok := args[0].(string)
		if !ok {
			return args[0], nil
		}
		json, err := core.Unpacked([]byte(text))
		return string(json), err
	})
}

// Migrate makes the database file, if it is not there, and brings its schema
// up to date. It works beside a running server, which has done so already.
func Migrate(ctx context.Context, path string) error {
	path, err := ensureFile(path)
	if err != nil {
		return err
	}
	return migrate(ctx, path, false)
}

// migrate runs the migrations that are missing. Two processes must not run
// them at the same time, nor one while a server works with the old schema: who
// does not hold the lock takes it for that long.
func migrate(ctx context.Context, path string, locked bool) error {
	// Pages of 8 KiB are half as many as those of the usual size, and waste less
	// beside events of a few KB. Only a new database takes this.
	db, err := sql.Open("sqlite", dsn(path, "page_size(8192)"))
	if err != nil {
		return err
	}
	defer db.Close()
	if done, err := migrated(ctx, db, path); done || err != nil {
		return err
	}
	if locked {
		return runMigrations(ctx, db, path)
	}
	return migrateLocked(ctx, db, path)
}

// migrateWait is how long a command waits for the lock of another process, if
// that is not about to migrate the database itself.
const migrateWait = 3 * time.Second

// migrateLocked runs the migrations under a lock of its own, unless the
// process that has the lock runs them.
func migrateLocked(ctx context.Context, db *sql.DB, path string) error {
	ctx, cancel := context.WithTimeout(ctx, migrateWait)
	defer cancel()
	for {
		lock, err := lockFile(path)
		if err == nil {
			return errors.Join(runMigrations(ctx, db, path), lock.Close())
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%w, and its schema is not up to date", err)
		case <-time.After(20 * time.Millisecond):
		}
		if done, err := migrated(ctx, db, path); done || err != nil {
			return err
		}
	}
}

// migrated reports whether nothing is to be done. What is no database, or not
// one of orderhook's, or a newer one, is an error.
func migrated(ctx context.Context, db *sql.DB, path string) (bool, error) {
	var tables, ours int
	err := db.QueryRowContext(ctx, `SELECT count(*), count(*) FILTER (WHERE name = 'goose_db_version') FROM sqlite_master`).Scan(&tables, &ours)
	if e, ok := errors.AsType[*sqlite.Error](err); ok && e.Code() == lib.SQLITE_NOTADB {
		return false, fmt.Errorf("%s is not a database", path)
	}
	if err != nil {
		return false, fmt.Errorf("the database %s cannot be opened: %w", path, err)
	}
	if ours == 0 {
		if tables > 0 {
			return false, fmt.Errorf("the database %s is not one of orderhook's", path)
		}
		return false, nil
	}
	var version int64
	if err := db.QueryRowContext(ctx, selectSchemaVersion).Scan(&version); err != nil {
		return false, err
	}
	return version == newestSchema, checkNotNewer(path, version)
}

const selectSchemaVersion = `SELECT max(version_id) FROM goose_db_version`

func checkNotNewer(path string, version int64) error {
	if version > newestSchema {
		return fmt.Errorf("the database %s is of a newer orderhook: its schema is %d, this one knows those up to %d", path, version, newestSchema)
	}
	return nil
}

func runMigrations(ctx context.Context, db *sql.DB, path string) error {
	files, err := fs.Sub(migrationFiles, "migrations")
	if err != nil {
		return err
	}
	p, err := goose.NewProvider(goose.DialectSQLite3, db, files, goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return err
	}
	if _, err := p.Up(ctx); err != nil {
		return fmt.Errorf("the database %s cannot be brought up to date: %w", path, err)
	}
	return nil
}
