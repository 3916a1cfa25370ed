package sqlite

import (
	"context"
	"database/sql"
	"errors"

	"github.com/orderhook/orderhook/internal/store/core"
)

// session is the connection that writes, with its prepared statements. Only
// the writer's goroutine uses it.
//
// No statement gets the context of its caller: to interrupt one would have
// SQLite roll back the whole transaction, the writes of others included.
type session struct {
	db      *sql.DB
	conn    *sql.Conn
	stmts   map[string]*sql.Stmt
	inserts map[*core.Insertion]*insertTexts
	args    []any // of the insert under way
}

// openSession opens the connection. A commit has reached the disk when it
// returns (synchronous), and what is deleted is overwritten (secure_delete):
// an erased customer must not be found in the file. The log is taken into the
// file every 16 MiB: four times less often than by default, which is four
// times less of what holds up all who write. What a savepoint needs to undo a
// write is kept in memory (temp_store): in a file it takes an eighth of the CPU
// time of events that are published one by one.
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

// close closes the statements too: database/sql leaves those of a single
// connection open, and SQLite keeps a connection, and with it the write-ahead
// log, for as long as it has a statement.
func (s *session) close() error {
	var errs []error
	for _, stmt := range s.stmts {
		errs = append(errs, stmt.Close())
	}
	return errors.Join(append(errs, s.conn.Close(), s.db.Close())...)
}

// control runs a statement that begins, ends or divides a transaction.
func (s *session) control(text string) error {
	_, err := s.exec(text)
	return failure(err)
}

func (s *session) exec(text string, args ...any) (int64, error) {
	stmt, err := s.prepared(text)
	if err != nil {
		return 0, err
	}
	res, err := stmt.Exec(args...)
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}

// query calls each for every row that a statement returns.
func (s *session) query(each func(core.Row) error, text string, args ...any) error {
	stmt, err := s.prepared(text)
	if err != nil {
		return err
	}
	rows, err := stmt.Query(args...)
	if err != nil {
		return err
	}
	return core.EachRow(rows, each)
}

// prepared keeps every statement it is given: their texts are all in this program.
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

// apply makes the changes of a batch in the transaction, if all that it was
// decided on holds. After an error the transaction holds a part of it, which has
// to be undone.
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

// holds is [core.ErrOvertaken] unless each check is answered with a row.
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
