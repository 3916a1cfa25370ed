package transfer

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/orderhook/orderhook/internal/secret"
	"github.com/orderhook/orderhook/internal/store/core"
)

// kind is a kind of values. Both engines have these four and no others, in their schemas,
// so that a value is the same in both (docs/design.md#postgresql).
type kind string

const (
	number kind = "number" // int64
	text   kind = "text"   // string
	float  kind = "float"  // float64
	bytes  kind = "bytes"  // []byte
)

// catalogue is the tables of a database, by name, as the database itself says. It is not
// stored: a new column is copied without a change here.
type catalogue map[string]*layout

// layout is a table of one database.
type layout struct {
	columns map[string]kind // "" is a kind that the other engine does not have
	key     []string        // of the primary key, in its order
}

// ownTables are the tables that are not copied. Each engine has rows of its own there. The
// text says why. A test fails if one engine has a table that is neither in the other nor
// here.
var ownTables = map[string]string{
	"goose_db_version": "the migrations of the engine that have been made",
	"meta":             "salt and check value of the database's own encryption key, and marks of its engine",
	"nodes":            "which processes work with the database now; only PostgreSQL has several",
	"leases":           "which of them does what",
	"news":             "what they tell each other",
	"commits":          "what became of the commits of a connection; only PostgreSQL can lose the answer to one",
}

// ownColumns are the columns that only PostgreSQL has. They are not copied. The text says
// why.
var ownColumns = map[string]string{
	"order_versions.rowid": "SQLite numbers rows by itself; it orders what retention removes",
	"call_counts.writer":   "on PostgreSQL each connection counts in rows of its own, which are added up where they are read",
}

// uniqueColumns are the keys of tables that have no primary key on PostgreSQL: an index
// there has the beginning of a long text alone.
var uniqueColumns = map[string][]string{
	"order_external_ids": {"of_tenant", "of_order", "external_id"},
}

// table is a table that both databases have. It is made once, and nothing changes it.
type table struct {
	name    string
	columns []string // sorted
	kinds   []kind
	key     []int // the columns that order the rows, the same in both databases
	sealed  int   // the column that is sealed; -1: none is
	// reseal seals the value of that column with another key; nil if sealed is -1.
	reseal func(*secret.Sealer, secret.Resealer, func(string) any) (string, error)
}

// tablesOf returns the tables to copy, by name. It is an error if the databases have not
// the same. Then one of them is of another version, or somebody has changed its schema: a
// copy would lose something.
func tablesOf(a, b catalogue) ([]*table, error) {
	var tables []*table
	for _, name := range slices.Sorted(maps.Keys(a)) {
		// Copied rows of these would be wrong in the target.
		if ownTables[name] != "" {
			continue
		}
		// The two databases are of different versions, or one of them has a table that is
		// not of orderhook.
		if b[name] == nil {
			return nil, fmt.Errorf("the table %s is in one of the databases only", name)
		}
		t, err := tableOf(name, a[name], b[name])
		if err != nil {
			return nil, fmt.Errorf("the table %s: %w", name, err)
		}
		tables = append(tables, t)
	}
	for name := range b {
		if ownTables[name] == "" && a[name] == nil {
			return nil, fmt.Errorf("the table %s is in one of the databases only", name)
		}
	}
	return tables, nil
}

// tableOf compares the columns of a table in both databases, and chooses the key. Columns
// of one engine alone, which ownColumns names, are left out.
func tableOf(name string, a, b *layout) (*table, error) {
	t := &table{name: name, sealed: -1}
	for _, column := range slices.Sorted(maps.Keys(a.columns)) {
		if ownColumns[name+"."+column] != "" {
			continue
		}
		// "" is a kind that this package does not know, so the value could change on its
		// way.
		if a.columns[column] == "" || a.columns[column] != b.columns[column] {
			return nil, fmt.Errorf("the column %s is %q in one of the databases, and %q in the other", column, a.columns[column], b.columns[column])
		}
		// compare has no order for such a value.
		if slices.Contains(a.key, column) && a.columns[column] == float {
			return nil, fmt.Errorf("the column %s of the primary key is a %s", column, float)
		}
		t.columns, t.kinds = append(t.columns, column), append(t.kinds, a.columns[column])
	}
	// This is the other way round: what only the target has would stay empty.
	for column := range b.columns {
		if _, there := a.columns[column]; !there && ownColumns[name+"."+column] == "" {
			return nil, fmt.Errorf("the column %s is in one of the databases only", column)
		}
	}
	// The longer one begins with the tenant, and has an index in both databases.
	if t.key = t.keyOf(a); len(t.keyOf(b)) > len(t.key) {
		t.key = t.keyOf(b)
	}
	if t.key == nil {
		return nil, fmt.Errorf("neither database has a primary key of columns that both have")
	}
	// What is sealed with the key of one database has to be sealed anew for the other.
	for _, s := range core.SealedColumns {
		if s.Table == name {
			t.sealed, t.reseal = slices.Index(t.columns, s.Column), s.Reseal
		}
	}
	return t, nil
}

// keyOf returns the columns of a primary key, as places in t.columns; nil if one of them is
// not copied. A column of ownColumns is left out of the key: rows that differ in that alone
// are added up to one.
func (t *table) keyOf(l *layout) (key []int) {
	columns := l.key
	// A table without a primary key has one here, or cannot be copied.
	if columns == nil {
		columns = uniqueColumns[t.name]
	}
	for _, column := range columns {
		if ownColumns[t.name+"."+column] != "" {
			continue
		}
		at := slices.Index(t.columns, column)
		if at < 0 {
			return nil
		}
		key = append(key, at)
	}
	return key
}

// keyColumns are the names of the columns of the key.
func (t *table) keyColumns() (names []string) {
	for _, at := range t.key {
		names = append(names, t.columns[at])
	}
	return names
}

// keyIn returns the key of a row. Two rows of one table never have the same.
func (t *table) keyIn(row []any) (key []any) {
	for _, at := range t.key {
		key = append(key, row[at])
	}
	return key
}

// compareKeys orders keys as both databases do: texts byte by byte.
func compareKeys(a, b []any) int {
	for i := range a {
		if c := compare(a[i], b[i]); c != 0 {
			return c
		}
	}
	return 0
}

// compare orders two values of a key, which are of the same kind.
func compare(a, b any) int {
	switch a := a.(type) {
	case int64:
		return cmp.Compare(a, b.(int64))
	case string:
		return strings.Compare(a, b.(string))
	case []byte:
		return slices.Compare(a, b.([]byte))
	}
	// Another kind would be an error in the program: no database can cause it.
	panic(fmt.Sprintf("a key has a value of the type %T", a)) // keys are of these kinds (tableOf)
}

// shown is a key for people. The beginning of a hash will do. Keys hold no secrets.
func (t *table) shown(key []any) string {
	var parts []string
	for i, v := range key {
		if b, is := v.([]byte); is {
			v = fmt.Sprintf("%x…", b[:min(len(b), 8)])
		}
		parts = append(parts, fmt.Sprintf("%s=%v", t.columns[t.key[i]], v))
	}
	return strings.Join(parts, " ")
}

// bytesOf is about how much memory a row takes, so that a transaction of large rows has
// fewer of them.
func bytesOf(row []any) (n int) {
	for _, v := range row {
		switch v := v.(type) {
		case string:
			n += len(v)
		case []byte:
			n += len(v)
		}
		// About what a value takes in an interface, whatever is in it.
		n += 16
	}
	return n
}
