package transfer

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/orderhook/orderhook/internal/secret"
	"github.com/orderhook/orderhook/internal/store/core"
	"github.com/orderhook/orderhook/internal/store/postgres"
)

// server is a database of a PostgreSQL server. It implements [database]. One connection
// reads, and one writes, because rows are read while others are written.
type server struct {
	raw           *postgres.Raw
	reads, writes *pgx.Conn
	own           map[string]bool // the tables whose key has a column that SQLite does not have
}

// opener is postgres.OpenRaw or postgres.CreateRaw.
type opener func(ctx context.Context, url, key string) (*postgres.Raw, error)

// openPostgres opens a database and makes the two connections.
func openPostgres(ctx context.Context, side Side, open opener) (_ database, err error) {
	s := &server{own: map[string]bool{}}
	if s.raw, err = open(ctx, side.URL, side.Key); err != nil {
		return nil, err
	}
	// These are connections beside that of the lock, which only says that this process is
	// alive.
	if s.reads, err = s.raw.Connect(ctx); err == nil {
		s.writes, err = s.raw.Connect(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, s.close(context.WithoutCancel(ctx)))
	}
	return s, nil
}

// The methods below implement [database].
func (s *server) sealer() *secret.Sealer { return s.raw.Sealer }
func (s *server) lost() <-chan error     { return s.raw.Lost() }
func (s *server) holds(t string) string  { return postgres.Text(t) }

// close ends the connections first, and then gives the database to others.
func (s *server) close(ctx context.Context) error {
	var errs []error
	for _, conn := range []*pgx.Conn{s.reads, s.writes} {
		if conn != nil {
			errs = append(errs, conn.Close(ctx))
		}
	}
	s.raw.Close()
	return errors.Join(errs...)
}

// kindsOfPostgreSQL are the types of columns that its schema uses. Another type is a kind
// of "", which tableOf refuses.
var kindsOfPostgreSQL = map[string]kind{"bigint": number, "text": text, "double precision": float, "bytea": bytes}

// catalogue asks the catalogue of the schema. The columns of a primary key come in its
// order. It notes the tables whose key has a column that SQLite does not have (s.own).
func (s *server) catalogue(ctx context.Context) (catalogue, error) {
	rows, err := s.reads.Query(ctx, `SELECT t.relname::text, a.attname::text, format_type(a.atttypid, NULL)::text, coalesce(array_position(i.indkey::int2[], a.attnum), -1)
		FROM pg_class AS t
		JOIN pg_attribute AS a ON a.attrelid = t.oid AND a.attnum > 0 AND NOT a.attisdropped
		LEFT JOIN pg_index AS i ON i.indrelid = t.oid AND i.indisprimary
		WHERE t.relnamespace = current_schema()::regnamespace AND t.relkind IN ('r', 'p') AND NOT t.relispartition
		ORDER BY 1, 4`)
	if err != nil {
		return nil, err
	}
	all := catalogue{}
	var table, column, kind string
	var at int
	_, err = pgx.ForEachRow(rows, []any{&table, &column, &kind, &at}, func() error {
		inKey := at >= 0
		all.add(table, column, kindsOfPostgreSQL[kind], inKey)
		// Several rows may have the rest of the key in common.
		if inKey && ownColumns[table+"."+column] != "" {
			s.own[table] = true
		}
		return nil
	})
	return all, err
}

// rows reads with one statement; the connection gets the rows as they are asked for.
func (s *server) rows(ctx context.Context, t *table, after []any) iter.Seq2[[]any, error] {
	return func(yield func([]any, error) bool) {
		// The mode has no statement be prepared under a name: a pooler may give each
		// question to another connection.
		text := t.selectText(after != nil, func(i int) string { return fmt.Sprintf("$%d", i+1) }, s.summed(t))
		rows, err := s.reads.Query(ctx, text, append([]any{pgx.QueryExecModeCacheDescribe}, after...)...)
		if err != nil {
			yield(nil, err)
			return
		}
		defer rows.Close()
		for rows.Next() {
			row, err := rows.Values()
			// The reader has had enough, or has got the error.
			if !yield(row, err) || err != nil {
				return
			}
		}
		if err := rows.Err(); err != nil {
			yield(nil, err)
		}
	}
}

// summed says which columns of a table are added up where they are read; nil: none are.
// These are the columns outside of the key, of a table where several rows have the key that
// SQLite gives one.
func (s *server) summed(t *table) func(at int) bool {
	if !s.own[t.name] {
		return nil
	}
	return func(at int) bool { return !slices.Contains(t.key, at) }
}

func (s *server) isEmpty(ctx context.Context, t *table) (empty bool, err error) {
	err = s.reads.QueryRow(ctx, `SELECT NOT EXISTS (SELECT FROM `+t.name+`)`).Scan(&empty)
	return empty, err
}

// insert copies rows with COPY, and stores how far the table is, in one transaction.
func (s *server) insert(ctx context.Context, t *table, rows [][]any, mark metaRow) error {
	return pgx.BeginFunc(ctx, s.writes, func(tx pgx.Tx) error {
		if _, err := tx.CopyFrom(ctx, pgx.Identifier{t.name}, t.columns, pgx.CopyFromRows(rows)); err != nil {
			return err
		}
		return putMeta(ctx, tx, mark)
	})
}

// putMeta stores a row of the table meta within a transaction.
func putMeta(ctx context.Context, tx pgx.Tx, row metaRow) error {
	_, err := tx.Exec(ctx, `INSERT INTO meta (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value`, row.name, row.value)
	return err
}

func (s *server) meta(ctx context.Context, name string) (value []byte, err error) {
	err = s.reads.QueryRow(ctx, `SELECT value FROM meta WHERE name = $1`, name).Scan(&value)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil
	}
	return value, err
}

func (s *server) setMeta(ctx context.Context, row metaRow) error {
	return pgx.BeginFunc(ctx, s.writes, func(tx pgx.Tx) error { return putMeta(ctx, tx, row) })
}

// eventNumbers is the sequence of the numbers of events, whose table has none of its own.
const eventNumbers = "event_numbers"

// numbers are in sequences: of the columns that number their rows by themselves, and of
// events, whose sequence counts blocks of numbers.
func (s *server) numbers(ctx context.Context) (map[string]int64, error) {
	sequences, err := s.sequences(ctx, s.reads)
	if err != nil {
		return nil, err
	}
	all := map[string]int64{}
	for table, sequence := range sequences {
		var last int64
		var called bool
		if err := s.reads.QueryRow(ctx, `SELECT last_value, is_called FROM `+sequence).Scan(&last, &called); err != nil {
			return nil, err
		}
		// A sequence that was never asked has its first value as the last one.
		if !called {
			last-- // it is the next one
		}
		// All numbers of the last block may have been used.
		if all[table] = last; sequence == eventNumbers {
			all[table] = postgres.LastNumber(last)
		}
	}
	return all, nil
}

// sequences returns the names of the sequences, by the tables whose rows they number. A
// column that SQLite does not have is left out.
func (s *server) sequences(ctx context.Context, conn interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
}) (map[string]string, error) {
	rows, err := conn.Query(ctx, `SELECT t.relname::text, a.attname::text, pg_get_serial_sequence(quote_ident(t.relname), a.attname)
		FROM pg_class AS t JOIN pg_attribute AS a ON a.attrelid = t.oid AND a.attidentity <> '' AND NOT a.attisdropped
		WHERE t.relnamespace = current_schema()::regnamespace AND NOT t.relispartition`)
	if err != nil {
		return nil, err
	}
	all := map[string]string{"events": eventNumbers}
	var table, column, sequence string
	_, err = pgx.ForEachRow(rows, []any{&table, &column, &sequence}, func() error {
		// PostgreSQL numbers the column by itself, and no row of it is copied.
		if ownColumns[table+"."+column] == "" {
			all[table] = sequence
		}
		return nil
	})
	return all, err
}

// finish has the sequences go on above the numbers of the source, and removes the mark and
// the positions: in one transaction, which is the last one of the copy.
func (s *server) finish(ctx context.Context, numbers map[string]int64) error {
	return pgx.BeginFunc(ctx, s.writes, func(tx pgx.Tx) error {
		sequences, err := s.sequences(ctx, tx)
		if err != nil {
			return err
		}
		for table, sequence := range sequences {
			last := numbers[table]
			// The source has given no number of these, so the sequence begins as a new one
			// does.
			if last == 0 {
				continue
			}
			if sequence == eventNumbers {
				// false: this value is the next one, because a part of the block before it
				// may be used.
				_, err = tx.Exec(ctx, `SELECT setval('`+sequence+`', $1, false)`, postgres.ValueAbove(last))
			} else {
				_, err = tx.Exec(ctx, `SELECT setval('`+sequence+`', $1)`, last)
			}
			if err != nil {
				return err
			}
		}
		_, err = tx.Exec(ctx, `DELETE FROM meta WHERE name = $1 OR starts_with(name, $2)`, core.MetaCopyOf, metaAt)
		return err
	})
}
