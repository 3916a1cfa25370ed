package transfer

import (
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
)

// both opens a database of each engine, and returns the tables that they have.
func both(t *testing.T) (f file, s *server, a, b catalogue) {
	t.Helper()
	from := filled(t, 1)
	to := newServer(t)
	one, err := open(ctx, from, false)
	must(t, err)
	t.Cleanup(func() { must(t, one.close(ctx)) })
	other, err := open(ctx, to, true)
	must(t, err)
	t.Cleanup(func() { must(t, other.close(ctx)) })
	a, err = one.catalogue(ctx)
	must(t, err)
	b, err = other.catalogue(ctx)
	must(t, err)
	return one.(file), other.(*server), a, b
}

// TestTheEnginesHaveTheSameTables but for those that are listed, and all that are listed
// are there.
func TestTheEnginesHaveTheSameTables(t *testing.T) {
	_, _, a, b := both(t)
	tables, err := tablesOf(a, b)
	if err != nil {
		t.Errorf("%v: a table or a column that one engine alone has belongs into the lists of table.go", err)
	}
	if len(tables) < 25 {
		t.Errorf("%d tables are copied", len(tables))
	}
	for name := range ownTables {
		if a[name] == nil && b[name] == nil {
			t.Errorf("the table %s is listed, and neither engine has it", name)
		}
	}
	for name := range ownColumns {
		table, column, _ := strings.Cut(name, ".")
		if _, there := b[table].columns[column]; !there || a[table] == nil {
			t.Errorf("the column %s is listed, and PostgreSQL does not have it", name)
		}
		if _, there := a[table].columns[column]; there {
			t.Errorf("the column %s is listed as one of PostgreSQL alone, and SQLite has it, too", name)
		}
	}
}

func TestTablesThatDifferAreRefused(t *testing.T) {
	one := func(key []string, columns ...string) catalogue {
		l := &layout{columns: map[string]kind{}, key: key}
		for _, c := range columns {
			name, k, _ := strings.Cut(c, " ")
			l.columns[name] = kind(k)
		}
		return catalogue{"things": l}
	}
	id := []string{"id"}
	for name, c := range map[string]struct {
		a, b catalogue
		want string
	}{
		"the same":              {one(id, "id text", "n number"), one(id, "id text", "n number"), ""},
		"a table less":          {one(id, "id text"), catalogue{}, "the table things is in one of the databases only"},
		"a table more":          {catalogue{}, one(id, "id text"), "the table things is in one of the databases only"},
		"a column less":         {one(id, "id text", "n number"), one(id, "id text"), `the column n is "number" in one of the databases, and "" in the other`},
		"a column more":         {one(id, "id text"), one(id, "id text", "n number"), "the column n is in one of the databases only"},
		"another kind":          {one(id, "id text", "n number"), one(id, "id text", "n text"), "the column n is"},
		"a kind of one alone":   {one(id, "id text", "n "), one(id, "id text", "n "), "the column n is"},
		"no key":                {one(nil, "id text"), one(nil, "id text"), "neither database has a primary key"},
		"a key that is a float": {one(id, "id float"), one(id, "id float"), "of the primary key is a float"},
	} {
		_, err := tablesOf(c.a, c.b)
		if c.want == "" != (err == nil) || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}

// TestNoTableIsSorted to be read: a large one would take the memory or the disk for it.
func TestNoTableIsSorted(t *testing.T) {
	f, s, a, b := both(t)
	tables, err := tablesOf(a, b)
	must(t, err)
	for _, table := range tables {
		rows, err := f.raw.DB.Query("EXPLAIN QUERY PLAN " + table.selectText(false, nil, nil))
		must(t, err)
		for rows.Next() {
			var id, parent, unused int
			var step string
			must(t, rows.Scan(&id, &parent, &unused, &step))
			if strings.Contains(step, "TEMP B-TREE") {
				t.Errorf("SQLite, table %s: %s", table.name, step)
			}
		}
		must(t, rows.Err())
		must(t, rows.Close())
		plan, err := s.reads.Query(ctx, "EXPLAIN "+table.selectText(false, nil, s.summed(table)))
		must(t, err)
		steps, err := pgx.CollectRows(plan, pgx.RowTo[string])
		must(t, err)
		for _, step := range steps {
			if strings.Contains(step, "Sort  (") && !strings.Contains(step, "Incremental Sort") || strings.Contains(step, "Seq Scan") {
				t.Errorf("PostgreSQL, table %s: %s", table.name, strings.Join(steps, "\n"))
				break
			}
		}
	}
}
