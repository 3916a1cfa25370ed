package postgres

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"

	"github.com/orderhook/orderhook/internal/clock"
)

//go:embed migrations/*.sql
var migrationFiles embed.FS

// newestSchema is the number of the last file in migrations. It is not that of SQLite: each
// engine has migrations of its own.
var newestSchema = lastMigration()

// lastMigration reads that number from the names of the files.
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

// Migrate brings the schema of the database of a URL up to date. Nodes that work with the
// database keep working if the schema is up to date already.
func Migrate(ctx context.Context, url string) error {
	c, err := parse(url)
	if err != nil {
		return err
	}
	return migrate(ctx, c)
}

// migrationLock is the advisory lock of who migrates: nodes may start at the same time.
const migrationLock = 0x6f726465726d6967

// errPooledMigration is the error of a migration through a pooler. The lock of who migrates
// belongs to a connection of the server, which a pooler keeps.
var errPooledMigration = errors.New("the schema of the database is not up to date, and cannot be brought up to date through a pooler: run `orderhook migrate --database` with the URL of the server itself")

// migrate runs the migrations that are missing. If others start at the same time, one of
// them runs them, and the others wait for its lock and find them done. The lock belongs to
// the connection, so it is free if the process dies.
func migrate(ctx context.Context, c *config) (err error) {
	conn, err := c.connect(ctx)
	if err != nil {
		return failure(err)
	}
	defer func() { err = errors.Join(err, conn.Close(context.WithoutCancel(ctx))) }() // gives the lock free
	if err := suits(ctx, conn); err != nil {
		return failure(err)
	}
	// Nearly always the schema is up to date, and then no lock is needed, and a pooler is
	// no obstacle.
	if done, err := migrated(ctx, conn); done || err != nil {
		return failure(err)
	}
	// This is checked only here: behind a pooler a schema that is up to date is used as any
	// other.
	if c.pooled() {
		return errPooledMigration
	}
	if _, err := conn.Exec(ctx, `SELECT pg_advisory_lock($1)`, int64(migrationLock)); err != nil {
		return failure(err)
	}
	// This looks once more, with the lock: another node may just have done it.
	s, err := schemaOf(ctx, conn)
	if err == nil {
		err = s.suits()
	}
	if err != nil || s.number >= newestSchema {
		return failure(err)
	}
	return failure(s.bringUpToDate(ctx, c, conn))
}

// oldestServer is the first version that is known to do.
const oldestServer = 150000

// suits is an error if the server or the database lacks something that is needed, and says
// what.
func suits(ctx context.Context, conn *pgx.Conn) error {
	var version int
	var encoding string
	var icu bool
	err := conn.QueryRow(ctx, `SELECT current_setting('server_version_num')::int, current_setting('server_encoding'),
		EXISTS (SELECT FROM pg_collation WHERE collname = 'und-x-icu')`).Scan(&version, &encoding, &icu)
	switch {
	case err != nil:
		return err
	// The number is made of the major version and four digits for the minor one.
	case version < oldestServer:
		return fmt.Errorf("the server is PostgreSQL %d: %d or later is needed", version/10000, oldestServer/10000)
	case encoding != "UTF8":
		return fmt.Errorf("the database is encoded as %s: create it with ENCODING 'UTF8'", encoding)
	case !icu:
		return errors.New("the server was built without ICU, which compares names without regard to case")
	}
	return planned(ctx, conn)
}

// planned is an error if the server does not have the settings that the connection asked
// for: a pooler may have left them out.
func planned(ctx context.Context, conn *pgx.Conn) error {
	rows, err := conn.Query(ctx, `SELECT name, setting FROM pg_settings WHERE name = any($1)`, slices.Collect(maps.Keys(planning)))
	if err != nil {
		return err
	}
	var others []string
	var name, setting string
	_, err = pgx.ForEachRow(rows, []any{&name, &setting}, func() error {
		// Units do not matter: pg_settings shows these as they were given.
		if setting != planning[name] {
			others = append(others, fmt.Sprintf("%s = '%s'", name, planning[name]))
		}
		return nil
	})
	if err == nil && len(others) > 0 {
		slices.Sort(others)
		err = fmt.Errorf("the connections do not have the settings that orderhook asks for, as behind a pooler: give them to its role with ALTER ROLE … SET, one by one: %s", strings.Join(others, ", "))
	}
	return err
}

// migrated reports whether nothing is to be done. A database that is not one of
// orderhook's, or one that this version cannot work with, is an error.
func migrated(ctx context.Context, conn *pgx.Conn) (bool, error) {
	s, err := schemaOf(ctx, conn)
	if err != nil {
		return false, err
	}
	return s.number >= newestSchema, s.suits()
}

const (
	// migrationWait bounds how long a migration waits for the locks of a table. Whoever
	// writes to the table waits behind it for as long.
	migrationWait = time.Second
	// migrationTries is how often a migration is tried that did not get its locks, and
	// migrationPause the time between two tries, in which others get their turn.
	migrationTries = 60
	migrationPause = time.Second
)

// runMigrations runs the migrations that are missing. Nodes of the version before may be at
// work, so that a migration gives up its place where it does not get a lock soon.
func runMigrations(ctx context.Context, c *config) error {
	files, err := fs.Sub(migrationFiles, "migrations")
	if err != nil {
		return err
	}
	// goose knows database/sql only.
	own := c.pool.ConnConfig.Copy()
	own.RuntimeParams["lock_timeout"] = strconv.FormatInt(migrationWait.Milliseconds(), 10)
	db := stdlib.OpenDB(*own)
	defer db.Close()
	p, err := goose.NewProvider(goose.DialectPostgres, db, files, goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return err
	}
	for tries := 1; ; tries++ {
		if _, err = p.Up(ctx); code(err) != lockTimeout || tries == migrationTries {
			break
		}
		if err := clock.Pause(ctx, clock.Real{}, migrationPause); err != nil {
			return err
		}
	}
	if err != nil {
		return fmt.Errorf("the database cannot be brought up to date: %w", err)
	}
	return nil
}
