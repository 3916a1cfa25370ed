package receiver

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Dialect is how a database wants its SQL written.
type Dialect int

// The databases that an SQLStore works with.
const (
	SQLite Dialect = iota
	PostgreSQL
)

// SQLStore is a Store in two tables of your database, receiver_marks and receiver_positions.
// What a handler writes through Tx is committed together with the mark. Several programs may
// share them.
//
// The driver is yours to choose. One of SQLite has to wait for locks rather than fail
// (busy_timeout), if other programs write to the file, too.
type SQLStore struct {
	db      *sql.DB
	dialect Dialect
	// writing has one transaction at a time with SQLite, where a second one would fail or wait
	// for the first anyway.
	writing chan struct{}
}

// NewSQLStore makes the tables where there are none.
func NewSQLStore(ctx context.Context, db *sql.DB, dialect Dialect) (*SQLStore, error) {
	bytes := map[Dialect]string{SQLite: "BLOB", PostgreSQL: "BYTEA"}[dialect]
	if bytes == "" {
		return nil, fmt.Errorf("there is no dialect %d", dialect)
	}
	for _, statement := range []string{
		`CREATE TABLE IF NOT EXISTS receiver_marks (name TEXT NOT NULL, key TEXT NOT NULL, result ` + bytes + `, marked_at BIGINT NOT NULL, PRIMARY KEY (name, key))`,
		`CREATE INDEX IF NOT EXISTS receiver_marks_age ON receiver_marks (marked_at)`,
		`CREATE TABLE IF NOT EXISTS receiver_positions (name TEXT NOT NULL PRIMARY KEY, position TEXT NOT NULL)`,
	} {
		if _, err := db.ExecContext(ctx, statement); err != nil {
			return nil, fmt.Errorf("make the tables of the store: %w", err)
		}
	}
	return &SQLStore{db: db, dialect: dialect, writing: make(chan struct{}, 1)}, nil
}

// Once implements Store.
func (s *SQLStore) Once(ctx context.Context, mark Mark, do func(context.Context) ([]byte, error)) (result []byte, repeated bool, err error) {
	if s.dialect == SQLite {
		select {
		case s.writing <- struct{}{}:
			defer func() { <-s.writing }()
		case <-ctx.Done():
			return nil, false, ctx.Err()
		}
	}
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return nil, false, fmt.Errorf("begin a transaction: %w", err)
	}
	defer func() { _ = tx.Rollback() }() // after a commit it does nothing
	// The first statement writes. So another transaction with this mark waits here for the end of
	// the first one, and sees what became of it.
	fresh, err := s.mark(ctx, tx, mark)
	if err == nil {
		err = s.move(ctx, tx, mark)
	}
	switch {
	case err != nil:
	case fresh:
		result, err = s.do(ctx, tx, mark, do)
	default:
		err = tx.QueryRowContext(ctx, s.text(`SELECT result FROM receiver_marks WHERE name = ? AND key = ?`), mark.Name, mark.Key).Scan(&result)
	}
	if err != nil {
		return nil, false, err
	}
	if err := tx.Commit(); err != nil {
		return nil, false, fmt.Errorf("commit: %w", err)
	}
	return result, !fresh, nil
}

// mark stores a mark, and reports whether it was not there before.
func (s *SQLStore) mark(ctx context.Context, tx *sql.Tx, mark Mark) (fresh bool, err error) {
	if mark.Key == "" {
		return true, nil
	}
	n, err := s.changed(ctx, tx, `INSERT INTO receiver_marks (name, key, marked_at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING`, mark.Name, mark.Key, time.Now().Unix())
	return n > 0, err
}

// move moves a position from where the caller knows it to be.
func (s *SQLStore) move(ctx context.Context, tx *sql.Tx, mark Mark) error {
	if mark.To == "" {
		return nil
	}
	n, err := s.changed(ctx, tx, `UPDATE receiver_positions SET position = ? WHERE name = ? AND position = ?`, mark.To, mark.Name, mark.From)
	if err == nil && n == 0 && mark.From == "" {
		n, err = s.changed(ctx, tx, `INSERT INTO receiver_positions (name, position) VALUES (?, ?) ON CONFLICT DO NOTHING`, mark.Name, mark.To)
	}
	if err == nil && n == 0 {
		return ErrMoved
	}
	return err
}

func (s *SQLStore) do(ctx context.Context, tx *sql.Tx, mark Mark, do func(context.Context) ([]byte, error)) ([]byte, error) {
	result, err := do(context.WithValue(ctx, txKey{}, tx))
	if err != nil || mark.Key == "" || result == nil {
		return result, err
	}
	_, err = s.changed(ctx, tx, `UPDATE receiver_marks SET result = ? WHERE name = ? AND key = ?`, result, mark.Name, mark.Key)
	return result, err
}

// Done implements Store.
func (s *SQLStore) Done(ctx context.Context, name, key string) (done bool, err error) {
	err = s.db.QueryRowContext(ctx, s.text(`SELECT count(*) > 0 FROM receiver_marks WHERE name = ? AND key = ?`), name, key).Scan(&done)
	return done, wrap("look for a mark", err)
}

// Position implements Store.
func (s *SQLStore) Position(ctx context.Context, name string) (position string, err error) {
	err = s.db.QueryRowContext(ctx, s.text(`SELECT position FROM receiver_positions WHERE name = ?`), name).Scan(&position)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	return position, wrap("read a position", err)
}

// Forget removes marks that are older than an age, and returns how many. Keep them for longer
// than orderhook may send something again: a retry schedule, and as long as people redeliver
// by hand.
func (s *SQLStore) Forget(ctx context.Context, age time.Duration) (int64, error) {
	result, err := s.db.ExecContext(ctx, s.text(`DELETE FROM receiver_marks WHERE marked_at < ?`), time.Now().Add(-age).Unix())
	if err != nil {
		return 0, fmt.Errorf("remove marks: %w", err)
	}
	return result.RowsAffected()
}

func (s *SQLStore) changed(ctx context.Context, tx *sql.Tx, statement string, args ...any) (int64, error) {
	result, err := tx.ExecContext(ctx, s.text(statement), args...)
	if err != nil {
		return 0, fmt.Errorf("%s: %w", statement, err)
	}
	return result.RowsAffected()
}

// text is a statement with the placeholders of the dialect.
func (s *SQLStore) text(statement string) string {
	if s.dialect == SQLite {
		return statement
	}
	var out strings.Builder
	for i, part := range strings.Split(statement, "?") {
		if i > 0 {
			out.WriteString("$" + strconv.Itoa(i))
		}
		out.WriteString(part)
	}
	return out.String()
}

func wrap(doing string, err error) error {
	if err != nil {
		return fmt.Errorf("%s: %w", doing, err)
	}
	return nil
}
