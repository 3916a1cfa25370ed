package rules

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var (
	tableRow     = regexp.MustCompile("^\\| (PostgreSQL's )?(?:`(\\d{5}_\\w+)` )?\\| (`.*?`) \\| ")
	listedTable  = regexp.MustCompile("`(\\w+)`")
	changedTable = regexp.MustCompile(`(?m)^(?:CREATE TABLE|ALTER TABLE) (\w+) (?:\(|ADD COLUMN)`)
)

// listedTables returns the tables that ARCHITECTURE.md#tables has of each migration, and the
// migrations of SQLite in its order.
func listedTables(document string) (tables map[string][]string, order []string) {
	_, rest, _ := strings.Cut(document, "\n## Tables\n")
	section, _, _ := strings.Cut(rest, "\n## ")
	tables = map[string][]string{}
	migration := ""
	for line := range strings.Lines(section) {
		m := tableRow.FindStringSubmatch(line)
		if m == nil {
			continue
		}
		if m[2] != "" {
			migration = m[1] + m[2]
		}
		if m[2] != "" && m[1] == "" {
			order = append(order, m[2])
		}
		for _, name := range listedTable.FindAllStringSubmatch(m[3], -1) {
			tables[migration] = append(tables[migration], name[1])
		}
	}
	return tables, order
}

// changed returns the tables that the migrations of an engine make or add columns to.
func changed(t *testing.T, engine string) map[string][]string {
	t.Helper()
	files, err := filepath.Glob(root + "/internal/store/" + engine + "/migrations/*.sql")
	if err != nil || files == nil {
		t.Fatal("no migrations of ", engine, err)
	}
	tables := map[string][]string{}
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range changedTable.FindAllStringSubmatch(string(text), -1) {
			migration := strings.TrimSuffix(filepath.Base(name), ".sql")
			tables[migration] = append(tables[migration], m[1])
		}
	}
	return tables
}

// TestTheListOfTablesIsThatOfTheMigrations: ARCHITECTURE.md#tables has each table of both
// engines, and each migration that made one or gave it a column.
func TestTheListOfTablesIsThatOfTheMigrations(t *testing.T) {
	text, err := os.ReadFile(root + "/ARCHITECTURE.md")
	if err != nil {
		t.Fatal(err)
	}
	listed, order := listedTables(string(text))
	if !slices.IsSorted(order) {
		t.Errorf("the migrations are out of order: %q", order)
	}
	of := changed(t, "sqlite")
	for migration, tables := range of {
		for _, table := range tables {
			if !slices.Contains(listed[migration], table) {
				t.Errorf("the table %s of the migration %s is not in the list", table, migration)
			}
		}
	}
	for _, migration := range order {
		for _, table := range listed[migration] {
			if !slices.Contains(of[migration], table) {
				t.Errorf("the list has the table %s of the migration %s, which does nothing to it", table, migration)
			}
		}
	}
	sqlite, own := slices.Concat(slices.Collect(maps.Values(of))...), listed["PostgreSQL's 00001_schema"]
	for _, table := range slices.Concat(slices.Collect(maps.Values(changed(t, "postgres")))...) {
		if slices.Contains(sqlite, table) == slices.Contains(own, table) {
			t.Errorf("the table %s of PostgreSQL is not in the list, or is as one of its own though SQLite has it", table)
		}
	}
}
