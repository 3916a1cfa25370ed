package contract

import (
	"context"
	"database/sql"
	"encoding/hex"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"

	"github.com/orderhook/orderhook/internal/store"
	"github.com/orderhook/orderhook/internal/store/pgtest"
	"github.com/orderhook/orderhook/internal/store/postgres"
	"github.com/orderhook/orderhook/internal/store/sqlite"
)

// The contract holds on either engine: with ORDERHOOK_TEST_DATABASE=postgres all tests
// run on a PostgreSQL server of their own, else on SQLite.
var onServer = os.Getenv("ORDERHOOK_TEST_DATABASE") == "postgres"

// newDatabase is the path, or the URL, of a database for the time of a test.
func newDatabase(t *testing.T) string {
	t.Helper()
	if onServer {
		return pgtest.Database(t, postgres.Migrate)
	}
	return filepath.Join(t.TempDir(), "orderhook.db")
}

// lastingDatabase is newDatabase for as long as there are tests.
func lastingDatabase(t *testing.T, name string) string {
	t.Helper()
	if onServer {
		return pgtest.Lasting(t, postgres.Migrate)
	}
	return filepath.Join(leased.folder, name)
}

func openDatabase(ctx context.Context, path string, clock func() time.Time, log *slog.Logger) (store.Store, error) {
	if onServer {
		return postgres.Open(ctx, path, postgres.Options{EncryptionKey: "key of the contract's tests, long enough", Clock: clock, Log: log})
	}
	return sqlite.Open(ctx, path, sqlite.Options{Exclusive: true, Clock: clock, Log: log})
}

// sqlOf opens a database beside the orderhook that has it open.
func sqlOf(t *testing.T, path string) *sql.DB {
	t.Helper()
	driver, name := "sqlite", "file:"+path
	if onServer {
		driver, name = "pgx", path
	}
	db, err := sql.Open(driver, name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

// needsFile skips a test of what only a file can show.
func needsFile(t *testing.T) {
	t.Helper()
	if onServer {
		t.Skip("this is about SQLite's file")
	}
}

// tables are those of a server's database.
func tables(t *testing.T, db *sql.DB) (all []string) {
	t.Helper()
	rows, err := db.Query(`SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var table string
		if err := rows.Scan(&table); err != nil {
			t.Fatal(err)
		}
		all = append(all, table)
	}
	return all
}

// rowsOf is a digest of each of the tables of a server's database.
func rowsOf(t *testing.T, url string) string {
	t.Helper()
	db := sqlOf(t, url)
	var out []string
	for _, table := range tables(t, db) {
		var digest string
		err := db.QueryRow(fmt.Sprintf(`SELECT count(*) || ' ' || coalesce(md5(string_agg(t::text, chr(10) ORDER BY t::text)), '') FROM %s AS t`, table)).Scan(&digest)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, table+" "+digest)
	}
	return strings.Join(out, "\n")
}

// rowsWith returns the tables of a server's database that have a text in some row, be it
// among bytes. What is left of deleted rows is the server's own business.
func rowsWith(t *testing.T, url, text string) []string {
	t.Helper()
	db := sqlOf(t, url)
	quoted := strings.ReplaceAll(text, "'", "''")
	found := []string{}
	for _, table := range tables(t, db) {
		var has bool
		err := db.QueryRow(fmt.Sprintf(`SELECT EXISTS (SELECT FROM %s AS t WHERE strpos(t::text, '%s') > 0 OR strpos(t::text, '%s') > 0)`,
			table, quoted, hex.EncodeToString([]byte(text)))).Scan(&has)
		if err != nil {
			t.Fatal(err)
		}
		if has {
			found = append(found, table)
		}
	}
	return found
}
