package transfer

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"

	"github.com/orderhook/orderhook/internal/secret"
	"github.com/orderhook/orderhook/internal/store/core"
	"github.com/orderhook/orderhook/internal/store/postgres"
	"github.com/orderhook/orderhook/internal/store/sqlite"
)

// open opens one of the databases. create says that it is the one to copy into, and makes
// it if it is not there.
func open(ctx context.Context, s Side, create bool) (database, error) {
	if s.URL != "" {
		return openPostgres(ctx, s, map[bool]opener{false: postgres.OpenRaw, true: postgres.CreateRaw}[create])
	}
	// A path is a file of SQLite.
	f := file{}
	var err error
	if create {
		f.raw, err = sqlite.CreateRaw(ctx, s.Path, s.Key)
	} else {
		f.raw, err = sqlite.OpenRaw(ctx, s.Path, s.Key)
	}
	return f, err
}

// file is a database of SQLite. It implements [database]. The driver makes as many
// connections as are needed at once.
type file struct{ raw *sqlite.Raw }

// Nobody takes the lock of a file away, and a file holds every text.
func (f file) sealer() *secret.Sealer      { return f.raw.Sealer }
func (f file) lost() <-chan error          { return nil }
func (f file) close(context.Context) error { return f.raw.Close() }
func (f file) holds(s string) string       { return s }

// kindsOfSQLite are the types of columns of STRICT tables.
var kindsOfSQLite = map[string]kind{"INTEGER": number, "TEXT": text, "REAL": float, "BLOB": bytes}

// catalogue asks SQLite for its tables and columns; its own tables are left out. pk is the
// place of a column in the primary key, 0 for none.
func (f file) catalogue(ctx context.Context) (catalogue, error) {
	rows, err := f.raw.DB.QueryContext(ctx, `SELECT t.name, c.name, c.type, c.pk FROM sqlite_master AS t, pragma_table_info(t.name) AS c
		WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite~_%' ESCAPE '~' ORDER BY t.name, c.pk`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	all := catalogue{}
	for rows.Next() {
		var table, column, kind string
		var inKey int
		if err := rows.Scan(&table, &column, &kind, &inKey); err != nil {
			return nil, err
		}
		all.add(table, column, kindsOfSQLite[kind], inKey > 0)
	}
	return all, rows.Err()
}

// add adds a column. Those of the key come in its order.
func (c catalogue) add(table, column string, k kind, inKey bool) {
	if c[table] == nil {
		c[table] = &layout{columns: map[string]kind{}}
	}
	c[table].columns[column] = k
	// They are added in the order of the key (the queries sort by it).
	if inKey {
		c[table].key = append(c[table].key, column)
	}
}

// rows reads with one statement, which stays open while its rows are asked for.
func (f file) rows(ctx context.Context, t *table, after []any) iter.Seq2[[]any, error] {
	return func(yield func([]any, error) bool) {
		rows, err := f.raw.DB.QueryContext(ctx, t.selectText(after != nil, func(int) string { return "?" }, nil), after...)
		if err != nil {
			yield(nil, err)
			return
		}
		defer rows.Close()
		for rows.Next() {
			// A new slice for each row: the caller holds rows until it writes them.
			row, into := make([]any, len(t.columns)), make([]any, len(t.columns))
			for i := range row {
				into[i] = &row[i]
			}
			if err := rows.Scan(into...); err != nil {
				yield(nil, err)
				return
			}
			for i, v := range row {
				if b, is := v.([]byte); is && b == nil {
					row[i] = []byte{} // the driver's empty value, which it would take for NULL
				}
			}
			// The reader has had enough.
			if !yield(row, nil) {
				return
			}
		}
		if err := rows.Err(); err != nil {
			yield(nil, err)
		}
	}
}

// selectText is the statement that reads the rows of a table, behind a key or all. summed
// are the columns whose values are added up for the rows of one key; nil: none are.
func (t *table) selectText(behind bool, parameter func(i int) string, summed func(at int) bool) string {
	columns := make([]string, len(t.columns))
	for i, name := range t.columns {
		// sum makes a numeric of bigints, which is none of the four kinds.
		if columns[i] = name; summed != nil && summed(i) {
			columns[i] = "CAST(sum(" + name + ") AS bigint)"
		}
	}
	key := strings.Join(t.keyColumns(), ", ")
	var s strings.Builder
	fmt.Fprintf(&s, "SELECT %s FROM %s", strings.Join(columns, ", "), t.name)
	// A comparison of rows, which both engines answer along the index of the key.
	if behind {
		parameters := make([]string, len(t.key))
		for i := range parameters {
			parameters[i] = parameter(i)
		}
		fmt.Fprintf(&s, " WHERE (%s) > (%s)", key, strings.Join(parameters, ", "))
	}
	if summed != nil {
		s.WriteString(" GROUP BY " + key)
	}
	return s.String() + " ORDER BY " + key
}

func (f file) isEmpty(ctx context.Context, t *table) (empty bool, err error) {
	err = f.raw.DB.QueryRowContext(ctx, `SELECT NOT EXISTS (SELECT 1 FROM `+t.name+`)`).Scan(&empty)
	return empty, err
}

// mostParameters is how many parameters a statement has at most: SQLite takes 32,766.
const mostParameters = 3000

// insert adds rows with statements of many rows each, and stores how far the table is, in
// one transaction.
func (f file) insert(ctx context.Context, t *table, rows [][]any, mark metaRow) error {
	return f.within(ctx, func(tx *sql.Tx) error {
		// So many rows as fit into one statement.
		most := mostParameters / len(t.columns)
		for part := range slices.Chunk(rows, most) {
			tuple := "(" + strings.TrimSuffix(strings.Repeat("?, ", len(t.columns)), ", ") + ")"
			// All values are arguments; the names are those of the catalogue.
			text := "INSERT INTO " + t.name + " (" + strings.Join(t.columns, ", ") + ") VALUES " + strings.TrimSuffix(strings.Repeat(tuple+", ", len(part)), ", ")
			if _, err := tx.ExecContext(ctx, text, slices.Concat(part...)...); err != nil {
				return err
			}
		}
		return f.putMeta(ctx, tx, mark)
	})
}

// within runs do in a transaction. If do returns an error, nothing of it stays.
func (f file) within(ctx context.Context, do func(tx *sql.Tx) error) error {
	tx, err := f.raw.DB.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	if err := do(tx); err != nil {
		return errors.Join(err, tx.Rollback())
	}
	return tx.Commit()
}

func (f file) meta(ctx context.Context, name string) (value []byte, err error) {
	err = f.raw.DB.QueryRowContext(ctx, `SELECT value FROM meta WHERE name = ?`, name).Scan(&value)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	return value, err
}

func (f file) setMeta(ctx context.Context, row metaRow) error {
	return f.within(ctx, func(tx *sql.Tx) error { return f.putMeta(ctx, tx, row) })
}

// putMeta stores a row of the table meta within a transaction.
func (f file) putMeta(ctx context.Context, tx *sql.Tx, row metaRow) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO meta (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value`, row.name, row.value)
	return err
}

// numbers are in the table sqlite_sequence, by the name of the table that has them. Tables
// without AUTOINCREMENT have none.
func (f file) numbers(ctx context.Context) (map[string]int64, error) {
	rows, err := f.raw.DB.QueryContext(ctx, `SELECT name, seq FROM sqlite_sequence`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	all := map[string]int64{}
	for rows.Next() {
		var table string
		var last int64
		if err := rows.Scan(&table, &last); err != nil {
			return nil, err
		}
		all[table] = last
	}
	return all, rows.Err()
}

// finish has the numbers go on above those of the source, and removes the mark and the
// positions: in one transaction, which is the last one of the copy. A number that SQLite
// has counted up further while rows were inserted stays.
func (f file) finish(ctx context.Context, numbers map[string]int64) error {
	return f.within(ctx, func(tx *sql.Tx) error {
		for table, last := range numbers {
			// A row there can be too low, or missing if the table is empty.
			if _, err := tx.ExecContext(ctx, `DELETE FROM sqlite_sequence WHERE name = ?1 AND seq < ?2`, table, last); err != nil {
				return err
			}
			if _, err := tx.ExecContext(ctx, `INSERT INTO sqlite_sequence (name, seq) SELECT ?1, ?2 WHERE NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = ?1)`, table, last); err != nil {
				return err
			}
		}
		_, err := tx.ExecContext(ctx, `DELETE FROM meta WHERE name = ? OR substr(name, 1, length(?)) = ?`, core.MetaCopyOf, metaAt, metaAt)
		return err
	})
}
