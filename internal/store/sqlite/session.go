package sqlite

import (
	"context"
	"database/sql"
	"errors"
)

// session is the connection that writes, with its prepared statements. Only
// the writer's goroutine uses it.
//
// No statement gets the context of its caller: to interrupt one would have
// SQLite roll back the whole transaction, the writes of others included.
type session struct {
	db    *sql.DB
	conn  *sql.Conn
	stmts map[string]*sql.Stmt
	// unsettled is the tenants whose settings the transaction has written.
	unsettled map[string]bool
	// changes is those of the writes that the transaction holds so far.
	changes changes
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
	return &session{db: db, conn: conn, stmts: map[string]*sql.Stmt{}, unsettled: map[string]bool{}}, nil
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
	res, err := s.run(text, args...)
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}

func (s *session) run(text string, args ...any) (sql.Result, error) {
	stmt, err := s.prepared(text)
	if err != nil {
		return nil, err
	}
	return stmt.Exec(args...)
}

func (s *session) query(each func(row) error, text string, args ...any) error {
	stmt, err := s.prepared(text)
	if err != nil {
		return err
	}
	rows, err := stmt.Query(args...)
	if err != nil {
		return err
	}
	return eachRow(rows, each)
}

func (s *session) queryOnce(each func(row) error, text string, args ...any) error {
	rows, err := s.conn.QueryContext(context.Background(), text, args...)
	if err != nil {
		return err
	}
	return eachRow(rows, each)
}

// prepared keeps every statement it is given: their texts are all in this package.
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

// txQuerier is one write's use of the session. After an error of SQLite it
// takes no more statements: the error may have ended the transaction, and what
// came after it would be committed by itself.
type txQuerier struct {
	session *session
	broken  error
	changes changes // of this write
}

func (q *txQuerier) query(_ context.Context, each func(row) error, text string, args ...any) error {
	if q.broken != nil {
		return q.broken
	}
	return q.failure(q.session.query(each, text, args...))
}

func (q *txQuerier) queryOnce(_ context.Context, each func(row) error, text string, args ...any) error {
	if q.broken != nil {
		return q.broken
	}
	return q.failure(q.session.queryOnce(each, text, args...))
}

func (q *txQuerier) settled(tenant string) bool { return !q.session.unsettled[tenant] }

func (q *txQuerier) endpoints(tenant string) *endpointSet {
	if set := q.changes.sets[tenant]; set != nil {
		return set
	}
	return q.session.changes.sets[tenant]
}

// exec runs a statement, which is kept prepared, and returns how many rows it changed.
func (q *txQuerier) exec(text string, args ...any) (int64, error) {
	if q.broken != nil {
		return 0, q.broken
	}
	n, err := q.session.exec(text, args...)
	return n, q.failure(err)
}

func (q *txQuerier) failure(err error) error {
	if !isSQLite(err) {
		return err
	}
	q.broken = failure(err)
	return q.broken
}
