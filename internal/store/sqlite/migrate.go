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

	"github.com/pressly/goose/v3"
	"modernc.org/sqlite"
	lib "modernc.org/sqlite/lib"

	"github.com/orderhook/orderhook/internal/clock"
	"github.com/orderhook/orderhook/internal/spelling"
)

//go:embed migrations/*.sql
var migrationFiles embed.FS

// newestSchema is the number of the last file in migrations. The last migration must be a
// file: one that is written in Go is not counted, so 00034 follows 00033.
var newestSchema = lastMigration()

// lastMigration reads that number from the names of the files.
func lastMigration() (number int64) {
	files, err := migrationFiles.ReadDir("migrations")
	if err == nil { // the files are sorted by name, and the names begin with the numbers
		name, _, _ := strings.Cut(files[len(files)-1].Name(), "_")
		number, err = strconv.ParseInt(name, 10, 64)
	}
	if err != nil {
		panic(err) // the files are part of the program, so this is a bug
	}
	return number
}

func init() {
	// Migrations fill columns that are compared without regard to case. They need the
	// function fold for that: the function lower of SQLite knows English letters only.
	sqlite.MustRegisterDeterministicScalarFunction("fold", 1, func(_ *sqlite.FunctionContext, args []driver.Value) (driver.Value, error) {
		if text, ok := args[0].(string); ok {
			return spelling.FoldName(text), nil
		}
		return args[0], nil
	})
}

// Migrate makes the database file, if it does not exist, and brings its schema up to date.
// It may be called beside a running server of the same version: then the schema is up to
// date already.
func Migrate(ctx context.Context, path string) error {
	path, err := ensureFile(path)
	if err != nil {
		return err
	}
	return migrate(ctx, path, false)
}

// migrate runs the missing migrations. They must not run in two processes at the same time,
// nor while a server works with the old schema. So a process without the lock takes it for
// that time; locked says that the caller has it.
func migrate(ctx context.Context, path string, locked bool) error {
	// Pages of 8 KiB waste less space with events of a few KB than the usual 4 KiB, and
	// there are half as many of them. The size can only be set for a new database.
	// What is moved is overwritten where it was, as everything that is deleted.
	db, err := sql.Open("sqlite", dsn(path, "page_size(8192)", "secure_delete(ON)"))
	if err != nil {
		return fmt.Errorf("the database %s cannot be opened: %w", path, err)
	}
	defer db.Close()
	if done, err := migrated(ctx, db, path); done || err != nil {
		return err
	}
	if locked {
		return bringUpToDate(ctx, db, path)
	}
	return migrateLocked(ctx, db, path, migrateWait)
}

// migrateWait is how long a command waits for the lock of another process that will not
// migrate the database itself.
const migrateWait = 3 * time.Second

// migrateLocked takes the lock and runs the migrations. If another process has the lock, it
// waits so long for that one to run them, as a server that is starting does. A server that
// serves with the old schema never will: then the error says so.
func migrateLocked(ctx context.Context, db *sql.DB, path string, wait time.Duration) error {
	patience, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	for {
		lock, err := lockFile(path)
		if err == nil {
			// The migrations may take as long as they take: they move what a large database holds.
			return errors.Join(bringUpToDate(ctx, db, path), lock.Close())
		}
		if clock.Pause(patience, clock.Real{}, 20*time.Millisecond) != nil {
			return fmt.Errorf("%w, and its schema is not up to date", err)
		}
		if done, err := migrated(ctx, db, path); done || err != nil {
			return err
		}
	}
}

// migrated reports whether the schema is up to date. An empty file is not, and is no error
// unless its key is there. It is an error if the file is no database, not one of orderhook,
// or one of a newer orderhook: that one may have stored what this one would misread.
func migrated(ctx context.Context, db *sql.DB, path string) (bool, error) {
	key := there(path + ".key") // before the tables: who makes a database makes its key last
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
		if key {
			return false, missing(path)
		}
		return false, nil
	}
	var version int64
	if err := db.QueryRowContext(ctx, selectSchemaVersion).Scan(&version); err != nil {
		return false, fmt.Errorf("the version of the schema of %s cannot be read: %w", path, err)
	}
	return version == newestSchema, checkNotNewer(path, version)
}

// selectSchemaVersion reads the number of the last migration that was made. The table is
// goose's.
const selectSchemaVersion = `SELECT max(version_id) FROM goose_db_version`

// checkNotNewer returns an error if a schema is newer than this program. Ping asks it too:
// another version may have migrated the file beside the server.
func checkNotNewer(path string, version int64) error {
	if version > newestSchema {
		return fmt.Errorf("the database %s is of a newer orderhook: its schema is %d, this one knows those up to %d", path, version, newestSchema)
	}
	return nil
}

// bringUpToDate makes the schema of a new database as a whole, and the missing migrations of
// any other.
func bringUpToDate(ctx context.Context, db *sql.DB, path string) error {
	var parts int
	if err := db.QueryRowContext(ctx, `SELECT count(*) FROM sqlite_master`).Scan(&parts); err != nil {
		return fmt.Errorf("the database %s cannot be opened: %w", path, err)
	}
	if parts == 0 {
		return makeNew(ctx, db, path)
	}
	return runMigrations(ctx, db, path)
}

// runMigrations makes the missing migrations, in the order of their numbers. Each is a
// transaction of its own, but for the one in Go (livemigration.go), so a process that dies
// goes on at the next start.
func runMigrations(ctx context.Context, db *sql.DB, path string) error {
	files, err := fs.Sub(migrationFiles, "migrations")
	if err != nil {
		return fmt.Errorf("the migrations of this program cannot be read: %w", err)
	}
	p, err := goose.NewProvider(goose.DialectSQLite3, db, files, goose.WithDisableGlobalRegistry(true), goose.WithGoMigrations(liveMigration))
	if err != nil {
		return fmt.Errorf("the migrations of this program cannot be read: %w", err)
	}
	if _, err := p.Up(ctx); err != nil {
		return fmt.Errorf("the database %s cannot be brought up to date: %w", path, err)
	}
	return nil
}
