package sqlite

import (
	"database/sql"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write schema.sql anew from the migrations")

// TestTheSchemaIsThatOfTheMigrations: a new database, which is made from schema.sql, is the
// same as one that has gone through all migrations, to the last index and row.
func TestTheSchemaIsThatOfTheMigrations(t *testing.T) {
	migrated := newFile(t)
	must(t, runMigrations(ctx, migrated, "migrated"))
	if *update {
		must(t, os.WriteFile("schema.sql", []byte(dumped(t, migrated)), 0o644))
		t.Skip("schema.sql is written; the next run compares")
	}
	made := newFile(t)
	must(t, makeNew(ctx, made, "made"))
	a, b := strings.SplitAfter(dumped(t, migrated), "\n"), strings.SplitAfter(dumped(t, made), "\n")
	for _, line := range a {
		if !slices.Contains(b, line) {
			t.Errorf("a new database lacks %s", line)
		}
	}
	for _, line := range b {
		if !slices.Contains(a, line) {
			t.Errorf("only a new database has %s", line)
		}
	}
	for _, db := range []*sql.DB{migrated, made} {
		var size int
		must(t, db.QueryRow(`PRAGMA page_size`).Scan(&size))
		if size != 8192 {
			t.Errorf("the pages have %d bytes", size)
		}
	}
}

// newFile opens an empty file as migrate does.
func newFile(t *testing.T) *sql.DB {
	t.Helper()
	path := tempPath(t)
	must(t, os.WriteFile(path, nil, 0o600))
	db, err := sql.Open("sqlite", dsn(path, "page_size(8192)", "secure_delete(ON)"))
	must(t, err)
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// dumped returns the statements that make a database: its tables, the rows that migrations
// leave in them, and its indexes.
func dumped(t *testing.T, db *sql.DB) string {
	t.Helper()
	var b strings.Builder
	b.WriteString("-- The schema of a new database. Written from the migrations by a test (schema.go says how);\n-- a change of it is a new migration.\n\n")
	for _, what := range []string{"table", "index", "trigger", "view"} {
		for _, r := range queried(t, db, `SELECT name, sql FROM sqlite_master WHERE type = ? AND sql IS NOT NULL AND name NOT LIKE 'sqlite_%' ORDER BY tbl_name, name`, what) {
			fmt.Fprintf(&b, "%s;\n\n", r[1])
			if what == "table" {
				b.WriteString(insertsInto(t, db, r[0]))
			}
		}
	}
	return b.String()
}

// insertsInto returns the statements that fill a table, in the order of their texts. Of
// goose's table only the numbers are taken, not when they were made.
func insertsInto(t *testing.T, db *sql.DB, table string) string {
	t.Helper()
	var names, quoted []string
	for _, r := range queried(t, db, fmt.Sprintf(`SELECT name FROM pragma_table_info('%s')`, table)) {
		if table != "goose_db_version" || r[0] == "version_id" || r[0] == "is_applied" {
			names, quoted = append(names, r[0]), append(quoted, fmt.Sprintf("quote(%q)", r[0]))
		}
	}
	order := "1"
	if table == "goose_db_version" {
		order = "version_id" // goose takes the last row for the newest
	}
	var b strings.Builder
	for _, r := range queried(t, db, fmt.Sprintf(`SELECT %s FROM %s ORDER BY %s`, strings.Join(quoted, ` || ', ' || `), table, order)) {
		fmt.Fprintf(&b, "INSERT INTO %s (%s) VALUES (%s);\n", table, strings.Join(names, ", "), r[0])
	}
	if b.Len() > 0 {
		b.WriteString("\n")
	}
	return b.String()
}

// queried returns the rows of a query, whose values are texts.
func queried(t *testing.T, db *sql.DB, query string, args ...any) (out [][]string) {
	t.Helper()
	rows, err := db.Query(query, args...)
	must(t, err)
	defer rows.Close()
	names, err := rows.Columns()
	must(t, err)
	for rows.Next() {
		row := make([]string, len(names))
		to := make([]any, len(names))
		for i := range row {
			to[i] = &row[i]
		}
		must(t, rows.Scan(to...))
		out = append(out, row)
	}
	must(t, rows.Err())
	return out
}
