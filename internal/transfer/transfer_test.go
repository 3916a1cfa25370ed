package transfer

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/orderhook/orderhook/internal/nodes"
	"github.com/orderhook/orderhook/internal/secret"
	"github.com/orderhook/orderhook/internal/store/core"
	"github.com/orderhook/orderhook/internal/store/pgtest"
	"github.com/orderhook/orderhook/internal/store/postgres"
	"github.com/orderhook/orderhook/internal/store/sqlite"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Run(m)) }

var ctx = context.Background()

// Keys that were made are opened at once; one that a person thought of is slow to guess.
var sourceKey, targetKey, otherKey = secret.NewKey(), secret.NewKey(), secret.NewKey()

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// filled makes a database of SQLite with rows in every table, of every kind of values. It
// knows no table: so those that are added later are tested, too.
func filled(t *testing.T, rows int) Side {
	t.Helper()
	s := Side{Path: filepath.Join(t.TempDir(), "shop 1%.db"), Key: sourceKey}
	db, err := sqlite.Open(ctx, s.Path, sqlite.Options{EncryptionKey: s.Key})
	must(t, err)
	must(t, db.Close())
	change(t, s, func(f file, tables map[string]*table) {
		random := rand.New(rand.NewPCG(1, 2))
		for _, table := range tables {
			nullable := nullableOf(t, f, table.name)
			all := make([][]any, rows)
			for i := range all {
				all[i] = randomRow(random, f, table, nullable, i)
			}
			must(t, f.insert(ctx, table, all, metaRow{"test", []byte("1")}))
		}
		_, err := f.raw.DB.Exec(`DELETE FROM meta WHERE name = 'test'; UPDATE sqlite_sequence SET seq = seq + 10500`)
		must(t, err)
	})
	return s
}

// change opens a database of SQLite as a copy does, and calls do with its tables.
func change(t *testing.T, s Side, do func(f file, tables map[string]*table)) {
	t.Helper()
	db, err := open(ctx, s, false)
	must(t, err)
	defer func() { must(t, db.close(ctx)) }()
	c, err := db.catalogue(ctx)
	must(t, err)
	tables, err := tablesOf(c, c)
	must(t, err)
	byName := map[string]*table{}
	for _, table := range tables {
		byName[table.name] = table
	}
	do(db.(file), byName)
}

func nullableOf(t *testing.T, f file, table string) map[string]bool {
	t.Helper()
	rows, err := f.raw.DB.Query(`SELECT name FROM pragma_table_info(?) WHERE "notnull" = 0 AND pk = 0`, table)
	must(t, err)
	defer rows.Close()
	names := map[string]bool{}
	for rows.Next() {
		var name string
		must(t, rows.Scan(&name))
		names[name] = true
	}
	must(t, rows.Err())
	return names
}

var (
	hardTexts  = []string{"", "a", "Ünïcødé ☃", "a\x00b", "\xff\xfe", `{"a":[1,"\u0000"]}`, "'; --", "line\nline\ttab\\N", strings.Repeat("long ", 20_000)}
	hardBytes  = [][]byte{{}, {0}, {0xff, 0, 0xfe}, []byte("text"), make([]byte, 100_000)}
	hardFloats = []float64{0, -1.5, math.MaxFloat64, math.SmallestNonzeroFloat64, 0.1}
	hardInts   = []int64{0, -1, math.MaxInt64, math.MinInt64, 1 << 53}
)

// randomRow makes the i-th row of a table. Its key, and what looks like an id, is unlike
// those of others.
func randomRow(random *rand.Rand, f file, t *table, nullable map[string]bool, i int) []any {
	row := make([]any, len(t.columns))
	for at, column := range t.columns {
		inKey := slices.Contains(t.key, at) || slices.Contains([]string{"id", "hash", "seq", "call_id"}, column)
		switch {
		case nullable[column] && random.IntN(3) == 0:
		case inKey && t.kinds[at] == number:
			row[at] = int64(i + 1)
		case inKey && t.kinds[at] == text:
			row[at] = fmt.Sprintf("%s-%d-%s", column, i%5*100+i, []string{"", "é", "\x00", "\xff"}[i%4])
			if t.sealed >= 0 { // sealed for a tenant whose name any database can hold
				row[at] = fmt.Sprintf("%s-%d-é", column, i%5*100+i)
			}
		case inKey:
			row[at] = fmt.Appendf(nil, "%s-%d\x00", column, i)
		case t.kinds[at] == number:
			row[at] = hardInts[random.IntN(len(hardInts))]
		case t.kinds[at] == text:
			row[at] = short(column, hardTexts[random.IntN(len(hardTexts))])
		case t.kinds[at] == float:
			row[at] = hardFloats[random.IntN(len(hardFloats))]
		default:
			row[at] = hardBytes[random.IntN(len(hardBytes))]
		}
	}
	seal(f, t, row)
	return row
}

// short cuts texts that PostgreSQL has an index of, all of each: names.
func short(column, s string) string {
	if slices.Contains([]string{"doc", "entry", "data", "detail", "error", "url"}, column) || len(s) < 200 {
		return s
	}
	return s[:200]
}

// seal gives a row of a table with secrets one that opens.
func seal(f file, t *table, row []any) {
	value := t.value(row)
	set := func(column string, v any) { row[slices.Index(t.columns, column)] = v }
	switch t.name {
	case "secrets":
		one := f.sealer().Seal(value("tenant").(string), value("place").(string), []string{"https://a.example"}, secret.New("s3cret "+value("id").(string)))
		set("id", one.ID)
		set("origins", `["https://a.example"]`)
		set("sealed", one.Text)
	case "endpoints":
		set("doc", f.sealer().SealDocument(value("tenant").(string), fmt.Sprintf("endpoints/%d", value("no")), `{"url":"https://a.example/s3cret"}`))
	}
}

func newFile(t *testing.T) Side {
	t.Helper()
	return Side{Path: filepath.Join(t.TempDir(), "copy.db"), Key: targetKey}
}

func newServer(t *testing.T) Side {
	t.Helper()
	return Side{URL: pgtest.Empty(t), Key: targetKey}
}

// targets are the engines that are copied into.
var targets = map[string]func(*testing.T) Side{"sqlite": newFile, "postgres": newServer}

// run copies, and returns what is told of it.
func run(t *testing.T, from, to Side) (told string, err error) {
	t.Helper()
	err = Run(ctx, Options{From: from, To: to, Progress: func(line string) { told += line + "\n" }})
	if strings.Contains(told, "s3cret") || err != nil && strings.Contains(err.Error(), "s3cret") {
		t.Errorf("a secret is told: %s%v", told, err)
	}
	return told, err
}

// TestACopyThereAndBack has all rows, of all kinds of values, and its secrets open with
// its own key alone.
func TestACopyThereAndBack(t *testing.T) {
	from, there, other, back := filled(t, 40), newServer(t), newServer(t), newFile(t)
	back.Key = otherKey
	told, err := run(t, from, there)
	if err != nil {
		t.Fatalf("there: %v\n%s", err, told)
	}
	if told, err = run(t, there, other); err != nil {
		t.Fatalf("to another server: %v\n%s", err, told)
	}
	if told, err = run(t, other, back); err != nil {
		t.Fatalf("back: %v\n%s", err, told)
	}
	change(t, back, func(copied file, tables map[string]*table) {
		change(t, from, func(f file, _ map[string]*table) {
			for _, table := range tables {
				if n := len(sameRows(t, table, f, copied)); n != 40 {
					t.Errorf("the table %s has %d rows", table.name, n)
				}
			}
			numbers, err := f.numbers(ctx)
			must(t, err)
			ofCopy, err := copied.numbers(ctx)
			must(t, err)
			for table, last := range numbers {
				if n := ofCopy[table]; n < last || n > last+1000 { // those of events go by blocks
					t.Errorf("the next number of %s comes behind %d, in the source behind %d", table, n, last)
				}
			}
			if len(numbers) < 3 {
				t.Errorf("numbers of %v only are given", numbers)
			}
		})
	})
	for name, side := range map[string]Side{"there": there, "back": back} {
		side.Key = sourceKey
		if _, err := open(ctx, side, false); !errors.Is(err, secret.ErrWrongKey) {
			t.Errorf("%s, the key of the source: %v", name, err)
		}
	}
}

// sameRows compares a table of two files and returns the keys of its rows.
func sameRows(t *testing.T, table *table, a, b file) (keys []string) {
	t.Helper()
	digest := secret.NewDigest()
	read := func(f file) (rows []string) {
		for row, err := range f.rows(ctx, table, nil) {
			must(t, err)
			if place := slices.Index(table.columns, "place"); table.sealed >= 0 && place >= 0 && strings.Contains(postgres.Text(row[place].(string)), "\uFFFD") {
				row[table.sealed] = "" // it was sealed for another text than the one that is stored now
			} else if table.sealed >= 0 {
				text, err := table.reseal(f.sealer(), digest, table.value(row))
				must(t, err)
				row[table.sealed] = text
			}
			for i, v := range row {
				if s, is := v.(string); is {
					row[i] = postgres.Text(s) // as it was stored on its way
				}
			}
			rows = append(rows, fmt.Sprintf("%q %v", table.keyIn(row), row))
		}
		slices.Sort(rows)
		return rows
	}
	one, other := read(a), read(b)
	if !slices.Equal(one, other) {
		t.Errorf("the table %s is not the same", table.name)
	}
	return other
}

// failing is a database that fails at the n-th write of rows, and after it was done.
type failing struct {
	database
	n *int
}

var errKilled = errors.New("killed")

func (f failing) insert(ctx context.Context, t *table, rows [][]any, meta metaRow) error {
	if *f.n--; *f.n == 0 {
		return errKilled
	}
	err := f.database.insert(ctx, t, rows, meta)
	if *f.n--; err == nil && *f.n == 0 {
		return errKilled
	}
	return err
}

// TestACopyThatIsInterruptedGoesOn at each write, before it and after it.
func TestACopyThatIsInterruptedGoesOn(t *testing.T) {
	for name, target := range targets {
		t.Run(name, func(t *testing.T) {
			from, to := filled(t, 8), target(t)
			interrupted := 0
			for {
				n := 1 + interrupted%3
				err := runWith(t, from, to, func(d database) database { return failing{d, &n} })
				if err == nil {
					break
				}
				if !errors.Is(err, errKilled) {
					t.Fatal(err)
				}
				interrupted++
			}
			if interrupted < 30 {
				t.Errorf("it was interrupted %d times", interrupted)
			}
			if _, err := run(t, from, to); err == nil || !strings.Contains(err.Error(), "--to: it is not empty") {
				t.Errorf("once more: %v", err)
			}
		})
	}
}

// runWith is Run with a target that is wrapped.
func runWith(t *testing.T, from, to Side, wrap func(database) database) error {
	t.Helper()
	source, err := open(ctx, from, false)
	must(t, err)
	defer func() { must(t, source.close(ctx)) }()
	target, err := open(ctx, to, true)
	must(t, err)
	defer func() { must(t, target.close(ctx)) }()
	return (&transfer{Options: Options{Progress: func(string) {}}, from: source, to: wrap(target)}).run(ctx)
}

// hanging is a database whose first write of rows does not end by itself.
type hanging struct{ database }

func (h hanging) insert(ctx context.Context, _ *table, _ [][]any, _ metaRow) error {
	// As another node does that takes this one for dead.
	if _, err := h.database.(*server).writes.Exec(ctx, `DELETE FROM nodes`); err != nil {
		return err
	}
	<-ctx.Done()
	return ctx.Err()
}

// TestACopyEndsWhenAnotherNodeHasTheDatabase, which may change it from then on.
func TestACopyEndsWhenAnotherNodeHasTheDatabase(t *testing.T) {
	err := runWith(t, filled(t, 1), newServer(t), func(d database) database { return hanging{d} })
	if !errors.Is(err, postgres.ErrReplaced) || !strings.Contains(err.Error(), "--to: this process was silent") {
		t.Error(err)
	}
}

// damaged is a database whose copy is damaged before it is compared.
type damaged struct {
	database
	damage func(t *table, row []any) []any // nil: the row is gone
}

func (d damaged) rows(ctx context.Context, t *table, after []any) iter.Seq2[[]any, error] {
	return func(yield func([]any, error) bool) {
		for row, err := range d.database.rows(ctx, t, after) {
			if err == nil {
				row = d.damage(t, row)
			}
			if (row != nil || err != nil) && !yield(row, err) {
				return
			}
		}
	}
}

// TestADifferenceIsFound, and named by its table and key.
func TestADifferenceIsFound(t *testing.T) {
	first := map[string]bool{}
	for name, c := range map[string]struct {
		table string
		do    func(f file, t *table, row []any) []any
		want  string
	}{
		"a text":      {"orders", func(_ file, t *table, row []any) []any { return with(t, row, "doc", "{}!") }, "orders: the row tenant=tenant-0- id=id-0- has another doc"},
		"a number":    {"runs", func(_ file, t *table, row []any) []any { return with(t, row, "since", int64(77)) }, "has another since"},
		"a float":     {"attempts", func(_ file, t *table, row []any) []any { return with(t, row, "duration_ms", 0.3) }, "has another duration_ms"},
		"bytes":       {"body_chunks", func(_ file, t *table, row []any) []any { return with(t, row, "chunk", []byte("?")) }, "body_chunks: the row key=1 has another chunk"},
		"nothing":     {"events", func(_ file, t *table, row []any) []any { return with(t, row, "data", []byte("once nothing")) }, "has another data"},
		"a row less":  {"sessions", func(file, *table, []any) []any { return nil }, "sessions: the row hash=686173682d300000"[:30]},
		"a row more":  {"audit", func(_ file, t *table, row []any) []any { return with(t, row, "id", "id-0-more") }, "is not in --from"},
		"another key": {"audit", func(_ file, t *table, row []any) []any { return with(t, row, "id", "id-0-more") }, "is missing in --to"},
		"a secret": {"endpoints", func(f file, t *table, row []any) []any {
			return with(t, row, "doc", f.sealer().SealDocument("tenant-0-é", "endpoints/1", "{}"))
		}, "endpoints: the row tenant=tenant-0-é no=1 has another doc"},
		"a secret that was moved": {"endpoints", func(f file, t *table, row []any) []any {
			return with(t, row, "doc", f.sealer().SealDocument("tenant-0-é", "endpoints/2", `{"url":"https://a.example/s3cret"}`))
		}, "endpoints: the row tenant=tenant-0-é no=1 has another doc"},
	} {
		t.Run(name, func(t *testing.T) {
			clear(first)
			err := runWith(t, filled(t, 3), newFile(t), func(d database) database {
				return damaged{database: d, damage: func(t *table, row []any) []any {
					if t.name != c.table || first[t.name] {
						return row
					}
					first[t.name] = true
					return c.do(d.(file), t, row)
				}}
			})
			if !errors.Is(err, ErrDiffers) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v; want %q", err, c.want)
			}
		})
	}
}

func with(t *table, row []any, column string, v any) []any {
	row[slices.Index(t.columns, column)] = v
	return row
}

// TestACopyThatDiffersIsNotServed: nobody may take it for whole.
func TestACopyThatDiffersIsNotServed(t *testing.T) {
	to := newFile(t)
	err := runWith(t, filled(t, 2), to, func(d database) database {
		return damaged{database: d, damage: func(*table, []any) []any { return nil }}
	})
	if !errors.Is(err, ErrDiffers) {
		t.Fatal(err)
	}
	if _, err := sqlite.Open(ctx, to.Path, sqlite.Options{EncryptionKey: targetKey}); !errors.Is(err, core.ErrHalfCopied) {
		t.Errorf("it is opened: %v", err)
	}
}

func TestWhatIsRefused(t *testing.T) {
	from := filled(t, 2)
	unused := func(t *testing.T) Side {
		s := newFile(t)
		must(t, sqlite.Migrate(ctx, s.Path))
		return s
	}
	opened := func(t *testing.T, s Side) Side {
		db, err := sqlite.Open(ctx, s.Path, sqlite.Options{EncryptionKey: s.Key, Exclusive: true})
		must(t, err)
		t.Cleanup(func() { must(t, db.Close()) })
		return s
	}
	served := func(t *testing.T) Side {
		s := newServer(t)
		db, err := postgres.Open(ctx, s.URL, postgres.Options{EncryptionKey: s.Key})
		must(t, err)
		node, err := nodes.Join(ctx, nodes.Options{Database: db.Nodes()})
		must(t, err)
		t.Cleanup(func() { node.Stop(ctx); must(t, db.Close()) })
		return s
	}
	half := func(t *testing.T, of Side) Side {
		s := newFile(t)
		n := 3
		if err := runWith(t, of, s, func(d database) database { return failing{d, &n} }); !errors.Is(err, errKilled) {
			t.Fatal(err)
		}
		return s
	}
	keyed := func(s Side, key string) Side { s.Key = key; return s }
	for name, c := range map[string]struct {
		from, to Side
		want     string
	}{
		"no such file":               {newFile(t), newFile(t), "--from: there is no database"},
		"no database":                {Side{Path: "transfer_test.go", Key: sourceKey}, newFile(t), "is not a database"},
		"never used":                 {unused(t), newFile(t), "--from: "},
		"never used on a server":     {newServer(t), newFile(t), "--from: nothing is to be copied"},
		"a wrong key":                {keyed(from, otherKey), newFile(t), "--from: the given encryption key does not fit"},
		"a wrong key of the target":  {from, keyed(half(t, from), otherKey), "--to: the given encryption key does not fit"},
		"a server runs":              {opened(t, filled(t, 1)), newFile(t), "is in use by another orderhook"},
		"a server runs on --to":      {from, opened(t, newFile(t)), "is in use by another orderhook"},
		"a node serves":              {from, served(t), "--to: the database is in use by another orderhook"},
		"not empty":                  {from, filled(t, 1), "--to: it is not empty: its table"},
		"a copy of another":          {filled(t, 1), half(t, from), "--to: a part of another database was copied into it"},
		"a copy that is not whole":   {keyed(half(t, from), targetKey), newFile(t), "--from: the database is a copy that is not finished"},
		"the same":                   {from, from, "is in use by another orderhook"},
		"secrets of an earlier time": {unbound(t), newFile(t), "--from: its secrets are stored as an earlier version did"},
		"an earlier schema":          {earlier(t), newFile(t), "run `orderhook migrate --database"},
		"an earlier schema of --to":  {from, earlier(t), "run `orderhook migrate --database"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := run(t, c.from, c.to)
			if _, is := errors.AsType[*OpenError](err); !is || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v; want an OpenError with %q", err, c.want)
			}
		})
	}
}

// unbound is a database whose secrets no server of this version has bound yet.
func unbound(t *testing.T) Side {
	s := filled(t, 1)
	change(t, s, func(f file, _ map[string]*table) {
		_, err := f.raw.DB.Exec(`DELETE FROM meta WHERE name = ?`, core.MetaBound)
		must(t, err)
	})
	return s
}

// earlier is a database of an earlier version.
func earlier(t *testing.T) Side {
	s := filled(t, 1)
	change(t, s, func(f file, _ map[string]*table) {
		_, err := f.raw.DB.Exec(`DELETE FROM goose_db_version WHERE version_id = (SELECT max(version_id) FROM goose_db_version)`)
		must(t, err)
	})
	return s
}

// TestCountsOfSeveralConnectionsAreAddedUp: a file has one row for what each connection of
// PostgreSQL has counted by itself.
func TestCountsOfSeveralConnectionsAreAddedUp(t *testing.T) {
	there, back := newServer(t), newFile(t)
	if _, err := run(t, filled(t, 3), there); err != nil {
		t.Fatal(err)
	}
	db, err := open(ctx, there, false)
	must(t, err)
	s := db.(*server)
	c, err := s.catalogue(ctx)
	must(t, err)
	var numbers, all []string
	for column, kind := range c["call_counts"].columns {
		if all = append(all, column); kind == number && !slices.Contains(c["call_counts"].key, column) {
			numbers = append(numbers, column+" = 7")
		}
	}
	_, err = s.writes.Exec(ctx, "UPDATE call_counts SET "+strings.Join(numbers, ", "))
	must(t, err)
	list := strings.Join(all, ", ")
	_, err = s.writes.Exec(ctx, "INSERT INTO call_counts ("+list+") SELECT "+strings.Replace(list, "writer", "writer + 100", 1)+" FROM call_counts")
	must(t, err)
	must(t, s.close(ctx))
	if told, err := run(t, there, back); err != nil {
		t.Fatalf("%v: %s", err, told)
	}
	change(t, back, func(f file, _ map[string]*table) {
		var rows, fourteen int
		must(t, f.raw.DB.QueryRow(`SELECT count(*), count(*) FILTER (WHERE calls = 14 AND d0 = 14 AND d28 = 14) FROM call_counts`).Scan(&rows, &fourteen))
		if rows != 3 || fourteen != 3 {
			t.Errorf("of %d rows %d are added up", rows, fourteen)
		}
	})
}

// TestASecretThatDoesNotOpen does not keep the others from being copied.
func TestASecretThatDoesNotOpen(t *testing.T) {
	from, to := filled(t, 2), newServer(t)
	change(t, from, func(f file, _ map[string]*table) {
		_, err := f.raw.DB.Exec(`UPDATE secrets SET place = place || '!' WHERE id = (SELECT min(id) FROM secrets)`)
		must(t, err)
	})
	if told, err := run(t, from, to); err != nil || !strings.Contains(told, "1 secrets could not be sealed anew") {
		t.Errorf("%v: %s", err, told)
	}
}
