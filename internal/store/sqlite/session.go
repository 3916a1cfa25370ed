package sqlite

import (
	"context"
	"database/sql"
	"errors"

	"github.com/orderhook/orderhook/internal/store/core"
)

// session is the connection that writes, with its prepared statements. Only the goroutine
// of the writer uses it, except while the database is opened.
type session struct {
	db      *sql.DB
	conn    *sql.Conn
	stmts   map[string]*sql.Stmt
	inserts map[*core.Insertion]*insertTexts
	args    []any // the arguments of the present insert
}

// openSession opens the connection, which makes the log beside the file. Each of its
// settings has a reason. When a commit returns, it is on the disk (synchronous). What is
// deleted is overwritten (secure_delete): the data of an erased customer must not be found
// in the file. The log is copied into the file every 16 MiB, four times less often than by
// default, because all writers wait for that. What a savepoint needs to undo a write is in
// memory (temp_store): in a file it takes an eighth of the CPU time of events that are
// published one by one.
func openSession(ctx context.Context, path string) (*session, error) {
	db, err := sql.Open("sqlite", dsn(path, "journal_mode(WAL)", "synchronous(FULL)", "secure_delete(ON)",
		"temp_store(MEMORY)", "cache_size(-16384)", "wal_autocheckpoint(2048)", "journal_size_limit(67108864)"))
	if err != nil {
		return nil, err
	}
	conn, err := db.Conn(ctx)
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return &session{db: db, conn: conn, stmts: map[string]*sql.Stmt{}, inserts: map[*core.Insertion]*insertTexts{}}, nil
}

// close closes the statements, too. database/sql does not close those of a single
// connection, and SQLite keeps a connection open, and with it the write-ahead log, as
// long as it has a statement.
func (s *session) close() error {
	var errs []error
	for _, stmt := range s.stmts {
		// All are closed, also after an error: what stays open keeps the log.
		errs = append(errs, stmt.Close())
	}
	return errors.Join(append(errs, s.conn.Close(), s.db.Close())...)
}

// control runs a statement that begins or ends a transaction or a savepoint.
func (s *session) control(text string) error {
	_, err := s.exec(text)
	return failure(err)
}

// exec runs a statement that returns no rows, and returns how many rows it has changed.
func (s *session) exec(text string, args ...any) (int64, error) {
	stmt, err := s.prepared(text)
	if err != nil {
		return 0, stated(err, text)
	}
	res, err := stmt.Exec(args...)
	if err != nil {
		return 0, stated(err, text)
	}
	return res.RowsAffected()
}

// query calls each for every row that a statement returns. The statement may change rows,
// too (RETURNING).
func (s *session) query(each func(core.Row) error, text string, args ...any) error {
	stmt, err := s.prepared(text)
	if err != nil {
		return stated(err, text)
	}
	rows, err := stmt.Query(args...)
	if err != nil {
		return stated(err, text)
	}
	return stated(core.EachRow(rows, each), text)
}

// prepared returns a prepared statement, and remembers it for the next time. That is
// bounded, because all texts are in this program. Its context is not that of any caller
// (see session).
func (s *session) prepared(text string) (*sql.Stmt, error) {
	if stmt := s.stmts[text]; stmt != nil {
		return stmt, nil
	}
	stmt, err := s.conn.PrepareContext(context.Background(), text)
	if err == nil {
		s.stmts[text] = stmt
	}
	return stmt, err
}

// apply makes the changes of a batch within the transaction, if all its checks hold.
// After an error the transaction has a part of the changes, and the caller must undo
// them.
func (s *session) apply(b *core.Batch) error {
	if err := s.holds(b.Checks); err != nil {
		return err
	}
	for i := range b.Changes {
		if err := s.change(&b.Changes[i]); err != nil {
			return err
		}
	}
	return nil
}

// holds returns [core.ErrOvertaken] unless each check returns a row.
func (s *session) holds(checks []core.Check) error {
	for _, c := range checks {
		holds := false
		if err := s.query(func(core.Row) error { holds = true; return nil }, c.Text, c.Args...); err != nil {
			return err
		}
		if !holds {
			return core.ErrOvertaken
		}
	}
	return nil
}

// change makes one change. If it has changed another number of rows than it must, the batch
// was overtaken.
func (s *session) change(c *core.Change) error {
	if c.Insertion != nil {
		return s.insert(c.Insertion, c.Values)
	}
	var rows int64
	var err error
	if c.Into == nil {
		rows, err = s.exec(c.Text, c.Args...)
	} else {
		err = s.query(func(r core.Row) error { rows++; return c.Into(r) }, c.Text, c.Args...)
	}
	if err == nil && c.Rows != core.AnyRows && rows != c.Rows {
		err = core.ErrOvertaken
	}
	return err
}
