package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"sync"
	"sync/atomic"

	"github.com/orderhook/orderhook/internal/store"
	"github.com/orderhook/orderhook/internal/store/core"
	_ "modernc.org/sqlite" // the driver "sqlite"
)

// readers is the connections that only read: a pool for each class of questions. Each
// question sees all that was committed before it.
//
// So a slow search of one caller cannot keep a delivery waiting
// (docs/design.md#lists-and-pages).
type readers struct {
	// closed is set before the pools are closed, so that errors of questions under way can
	// be told from others.
	closed atomic.Bool
	pools  [store.Classes]*pool
}

// openReaders opens all pools. SQLite makes the connections when they are needed first.
func openReaders(path string) (*readers, error) {
	r := &readers{}
	for class, n := range core.Connections {
		var err error
		if r.pools[class], err = openPool(path, n, &r.closed); err != nil {
			return nil, errors.Join(err, r.close())
		}
	}
	r.pools[store.Work].short = make(chan struct{}, core.Connections[store.Work])
	return r, nil
}

// close closes the pools. Questions that are under way end with [core.ErrClosed].
func (r *readers) close() error {
	r.closed.Store(true)
	var errs []error
	for _, p := range r.pools {
		if p != nil {
			errs = append(errs, p.db.Close())
		}
	}
	return errors.Join(errs...)
}

// pool is a few connections that only read, with their prepared statements. All goroutines
// share it. A statement is prepared once for the pool, and database/sql prepares it on each
// connection that needs it.
type pool struct {
	db     *sql.DB
	closed *atomic.Bool // of the readers
	// short has a place for each connection, if what is asked with a prepared statement never
	// takes long. Such a question is not given up once it has begun: to watch its context, the
	// driver and database/sql would each start a goroutine, which takes longer than the
	// question.
	short chan struct{}

	mu    sync.RWMutex
	stmts map[string]*sql.Stmt
}

// openPool opens a pool whose connections cannot write (query_only): what writes goes
// through the writer, and a statement that is asked here by an error of the program fails.
func openPool(path string, connections int, closed *atomic.Bool) (*pool, error) {
	db, err := sql.Open("sqlite", dsn(path, "query_only(1)"))
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(connections)
	db.SetMaxIdleConns(connections)
	return &pool{db: db, closed: closed, stmts: map[string]*sql.Stmt{}}, nil
}

// busyTimeout is how long, in milliseconds, a connection waits for the lock of another
// process. Other processes make short writes only.
const busyTimeout = 5000

// dsn returns the name of the database for the driver, with settings for each connection.
// It never makes a file (mode=rw). Text in double quotes is not a string here, so that a
// misspelt column is an error and not a value.
func dsn(path string, pragmas ...string) string {
	q := url.Values{"mode": {"rw"}, "_dqs": {"0"}}
	q.Add("_pragma", fmt.Sprintf("busy_timeout(%d)", busyTimeout))
	for _, p := range pragmas {
		q.Add("_pragma", p)
	}
	return "file:" + (&url.URL{Path: path}).EscapedPath() + "?" + q.Encode()
}

// query asks with a prepared statement.
func (p *pool) query(ctx context.Context, each func(core.Row) error, text string, args ...any) error {
	leave, err := p.enter(ctx)
	if err != nil {
		return err
	}
	defer leave()
	if p.short != nil {
		ctx = context.WithoutCancel(ctx)
	}
	stmt, err := p.prepared(ctx, text)
	if err != nil {
		return p.failure(err, text)
	}
	rows, err := stmt.QueryContext(ctx, args...)
	if err == nil {
		err = core.EachRow(rows, each)
	}
	if err != nil {
		return p.failure(err, text)
	}
	return nil
}

// queryOnce asks without one: a text that was put together for one question is not worth
// it, and the statements would never be forgotten. Such a question may take longer, so it is
// given up with its context.
func (p *pool) queryOnce(ctx context.Context, each func(core.Row) error, text string, args ...any) error {
	leave, err := p.enter(ctx)
	if err != nil {
		return err
	}
	defer leave()
	rows, err := p.db.QueryContext(ctx, text, args...)
	if err == nil {
		err = core.EachRow(rows, each)
	}
	if err != nil {
		return p.failure(err, text)
	}
	return nil
}

// enter waits for one of the places, if the pool has any: who has one finds a connection that
// is free. It returns what gives the place back.
func (p *pool) enter(ctx context.Context) (leave func(), err error) {
	if p.short == nil {
		return func() {}, nil
	}
	select {
	case p.short <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	leave = func() { <-p.short }
	if err := ctx.Err(); err != nil {
		leave()
		return nil, err
	}
	return leave, nil
}

// prepared returns the prepared statement of a text. Of two goroutines that need a new one
// at the same time, the second one finds that of the first.
func (p *pool) prepared(ctx context.Context, text string) (*sql.Stmt, error) {
	p.mu.RLock()
	stmt := p.stmts[text]
	p.mu.RUnlock()
	if stmt != nil {
		return stmt, nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if stmt = p.stmts[text]; stmt != nil {
		return stmt, nil
	}
	stmt, err := p.db.PrepareContext(ctx, text)
	if err == nil {
		p.stmts[text] = stmt
	}
	return stmt, err
}

// failure does what [failure] does for an error of a question. An error that happens while
// the database is being closed is reported as that.
func (p *pool) failure(err error, text string) error {
	if err != sql.ErrNoRows && p.closed.Load() {
		return core.ErrClosed
	}
	return failure(stated(err, text))
}
