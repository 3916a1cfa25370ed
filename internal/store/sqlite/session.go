package sqlite

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"

	"github.com/orderhook/orderhook/internal/store/core"
)

// session is the connection that writes, with its prepared statements. Only who has the turn
// of the writer uses it, except while the database is opened.
//
// It is a connection of the driver, without database/sql above it: that has locks,
// contexts and conversions for every statement, which one connection with one user at a time
// does not need (docs/design.md#group-commits).
type session struct {
	conn    driver.Conn
	stmts   map[string]statement
	inserts map[*core.Insertion]*insertTexts
	values  []driver.NamedValue // the arguments of the present statement
}

// statement is what the session needs of a prepared statement of the driver.
type statement interface {
	driver.Stmt
	driver.StmtExecContext
	driver.StmtQueryContext
}

// openSession opens the connection, which makes the log beside the file. Each of its
// settings has a reason. When a commit returns, it is on the disk (synchronous). What is
// deleted is overwritten (secure_delete): the data of an erased customer must not be found
// in the file. The log is copied into the file every 16 MiB, four times less often than by
// default, because all writers wait for that. What a savepoint needs to undo a write is in
// memory (temp_store): in a file it takes an eighth of the CPU time of events that are
// published one by one.
func openSession(path string) (*session, error) {
	name := dsn(path, "journal_mode(WAL)", "synchronous(FULL)", "secure_delete(ON)",
		"temp_store(MEMORY)", "cache_size(-16384)", "wal_autocheckpoint(2048)", "journal_size_limit(67108864)")
	// This opens nothing. It finds the driver, with the functions that it was given.
	db, err := sql.Open("sqlite", name)
	if err != nil {
		return nil, err
	}
	conn, err := db.Driver().Open(name)
	if err = errors.Join(err, db.Close()); err != nil {
		return nil, err
	}
	return &session{conn: conn, stmts: map[string]statement{}, inserts: map[*core.Insertion]*insertTexts{}}, nil
}

// close closes the statements, too: SQLite keeps a connection open, and with it the
// write-ahead log, as long as it has a statement.
func (s *session) close() error {
	var errs []error
	for _, stmt := range s.stmts {
		// All are closed, also after an error: what stays open keeps the log.
		errs = append(errs, stmt.Close())
	}
	return errors.Join(append(errs, s.conn.Close())...)
}

// control runs a statement that begins or ends a transaction or a savepoint.
func (s *session) control(text string) error {
	if _, err := s.exec(text); err != nil {
		return failure(err)
	}
	return nil
}

// exec runs a statement that returns no rows, and returns how many rows it has changed.
func (s *session) exec(text string, args ...any) (int64, error) {
	s.values = s.values[:0]
	if err := s.addArgs(args); err != nil {
		return 0, stated(err, text)
	}
	return s.run(text)
}

// run is exec with the arguments that are set.
func (s *session) run(text string) (int64, error) {
	stmt, err := s.prepared(text)
	if err != nil {
		return 0, stated(err, text)
	}
	res, err := stmt.ExecContext(background, s.values)
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
	s.values = s.values[:0]
	if err := s.addArgs(args); err != nil {
		return stated(err, text)
	}
	from, err := stmt.QueryContext(background, s.values)
	if err == nil {
		err = core.EachRow(&rows{from: from, present: make([]driver.Value, len(from.Columns()))}, each)
	}
	if err != nil {
		return stated(err, text)
	}
	return nil
}

// background is the context of all statements. It is not that of any caller (see session):
// the statements of a group are those of several.
var background = context.Background()

// prepared returns a prepared statement, and remembers it for the next time. That is
// bounded, because all texts are in this program.
func (s *session) prepared(text string) (statement, error) {
	if stmt := s.stmts[text]; stmt != nil {
		return stmt, nil
	}
	stmt, err := s.conn.Prepare(text)
	if err != nil {
		return nil, err
	}
	// All statements of this driver have these methods.
	s.stmts[text] = stmt.(statement)
	return s.stmts[text], nil
}

// addArgs adds arguments to those of the next statement: all values of the lists, one list
// after the other. The driver copies them before a statement begins.
func (s *session) addArgs(lists ...[]any) error {
	for _, list := range lists {
		for _, v := range list {
			value, err := driverValue(v)
			if err != nil {
				return err
			}
			s.values = append(s.values, driver.NamedValue{Ordinal: len(s.values) + 1, Value: value})
		}
	}
	return nil
}

// driverValue returns a value as the driver takes it. Nearly all are of the first types;
// others, as those with a type of their own, are found out by reflection.
func driverValue(v any) (driver.Value, error) {
	switch v := v.(type) {
	case string, []byte, int64, bool, float64, nil:
		return v, nil
	case int:
		return int64(v), nil
	}
	return driver.DefaultParameterConverter.ConvertValue(v)
}

// apply makes the changes of a batch within the transaction, if all its checks hold.
// After an error the transaction has a part of the changes, and the caller must undo
// them.
func (s *session) apply(b *core.Batch) error {
	if err := s.holds(b.Checks); err != nil {
		return err
	}
	return s.changeAll(b.Changes)
}

// changeAll makes changes, in their order, up to the first that fails.
func (s *session) changeAll(changes []core.Change) error {
	for i := range changes {
		if err := s.change(&changes[i]); err != nil {
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
