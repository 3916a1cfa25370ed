package sqlite

import (
	"database/sql"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pressly/goose/v3"
)

func TestMigrate(t *testing.T) {
	path := tempPath(t)
	must(t, Migrate(ctx, path))
	must(t, Migrate(ctx, path))
	info, err := os.Stat(path)
	must(t, err)
	if info.Mode().Perm() != 0o600 {
		t.Errorf("the database's mode is %o", info.Mode().Perm())
	}
	openAt(t, path, Options{Exclusive: true})
	must(t, Migrate(ctx, path)) // beside a server
}

func TestMigrateNotUnderARunningServer(t *testing.T) {
	path := tempPath(t)
	openAt(t, path, Options{Exclusive: true})
	// Without a wait, it does not wait for the server to migrate.
	if err := migrateLocked(ctx, nil, path, 0); !errors.Is(err, ErrInUse) {
		t.Errorf("a running server's old schema: %v", err)
	}
}

// TestMigrationsTakeTheirTime: the wait is for the lock alone. A large database takes longer
// than that.
func TestMigrationsTakeTheirTime(t *testing.T) {
	path := tempPath(t)
	must(t, os.WriteFile(path, nil, 0o600))
	db, err := sql.Open("sqlite", dsn(path, "page_size(8192)", "secure_delete(ON)"))
	must(t, err)
	defer db.Close()
	must(t, migrateLocked(ctx, db, path, 0))
	done, err := migrated(ctx, db, path)
	must(t, err)
	if !done {
		t.Error("the migrations were not made")
	}
}

func TestNewerDatabase(t *testing.T) {
	path := tempPath(t)
	db := openAt(t, path, Options{})
	runSQL(t, path, `INSERT INTO goose_db_version (version_id, is_applied) VALUES (99, 1)`)
	if err := db.Ping(ctx); err == nil {
		t.Error("a database that has become newer is as ready as before")
	}
	_, err := Open(ctx, path, Options{})
	if err == nil || !strings.Contains(err.Error(), "is of a newer orderhook: its schema is 99") {
		t.Errorf("a newer database: %v", err)
	}
}

func TestNotADatabase(t *testing.T) {
	dir := t.TempDir()
	text := filepath.Join(dir, "text")
	must(t, os.WriteFile(text, []byte(strings.Repeat("no database ", 100)), 0o600))
	others := filepath.Join(dir, "others")
	must(t, os.WriteFile(others, nil, 0o600))
	runSQL(t, others, `CREATE TABLE theirs (a)`)
	for path, want := range map[string]string{
		text:                                "is not a database",
		others:                              "is not one of orderhook's",
		dir:                                 "cannot be opened",
		filepath.Join(dir, "missing", "db"): "no such file or directory",
	} {
		_, err := Open(ctx, path, Options{})
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v, want one that %s", path, err, want)
		}
	}
}

// Events of before the webhook_id stay as they were, but for times that no answer
// could be written with.
func TestEventsOfBeforeTheWebhookID(t *testing.T) {
	path := tempPath(t)
	migrateTo(t, path, 9)
	for _, at := range []string{"-1", "1", "253370764799999999", "253402344000000000"} {
		runSQL(t, path, `INSERT INTO events (tenant, id, type, at, subject_kind, subject_id, order_id) VALUES ('default', 'e`+at+`', 't', `+at+`, '', '', '')`)
	}
	db := openAt(t, path, Options{})
	for id, want := range map[string]int64{"e-1": 0, "e1": 1, "e253370764799999999": 253370764799999999, "e253402344000000000": 253370764799999999} {
		e, err := db.Event(ctx, "default", id)
		must(t, err)
		if e.Timestamp.UnixMicro() != want || e.MessageID() != id {
			t.Errorf("%s is of %v, its webhook-id %s", id, e.Timestamp, e.MessageID())
		}
	}
}

// migrateTo makes a database as an orderhook with that newest schema left it.
func migrateTo(t *testing.T, path string, version int64) {
	t.Helper()
	_, err := ensureFile(path)
	must(t, err)
	files, err := fs.Sub(migrationFiles, "migrations")
	must(t, err)
	db, err := sql.Open("sqlite", dsn(path))
	must(t, err)
	p, err := goose.NewProvider(goose.DialectSQLite3, db, files, goose.WithDisableGlobalRegistry(true), goose.WithGoMigrations(liveMigration))
	must(t, err)
	_, err = p.UpTo(ctx, version)
	must(t, errors.Join(err, db.Close()))
}

// runSQL runs a statement on a connection of its own.
func runSQL(t *testing.T, path, text string) {
	t.Helper()
	db, err := sql.Open("sqlite", dsn(path))
	must(t, err)
	_, err = db.Exec(text)
	must(t, errors.Join(err, db.Close()))
}

// TestMigrateFailedDeliveries: what their last attempts came to stands in the
// deliveries that had failed before there was a place for it.
func TestMigrateFailedDeliveries(t *testing.T) {
	path := tempPath(t)
	migrateTo(t, path, 7)
	runSQL(t, path, `
		INSERT INTO deliveries (tenant, event, endpoint, status, attempts, max_attempts, due, updated) VALUES
			('acme', 1, 1, 'f', 2, 2, 0, 9), ('acme', 2, 1, 'f', 1, 1, 0, 9);
		INSERT INTO attempts (tenant, id, kind, event, endpoint, event_type, format, number, max_number, started, duration_ms, url, host, status, outcome, error, order_id) VALUES
			('acme', 'att_1', 'event', 1, 1, '', '', 1, 2, 1, 1, '', '', 500, 'failed', 'answered 500', ''),
			('acme', 'att_2', 'event', 1, 1, '', '', 2, 2, 1, 1, '', '', 0, 'failed', 'connection refused', ''),
			('acme', 'att_3', 'replay', 1, 1, '', '', 1, 1, 1, 1, '', '', 404, 'failed', 'answered 404', '')`)
	must(t, Migrate(ctx, path))
	db, err := sql.Open("sqlite", dsn(path))
	must(t, err)
	defer db.Close()
	for event, want := range map[int]string{1: "0 connection refused", 2: "0 "} {
		var got string
		must(t, db.QueryRow(`SELECT last_status || ' ' || last_error FROM deliveries WHERE event = ?`, event).Scan(&got))
		if got != want {
			t.Errorf("delivery %d: %q, want %q", event, got, want)
		}
	}
}
