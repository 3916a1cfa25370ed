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

// readers is the connections that only read: a pool for each class of questions.
// Each question sees what was committed before it.
type readers struct {
	closed atomic.Bool
	pools  [store.Classes]*pool
}

// connections is how many there are for each class. A question that finds none
// free waits for those of its own class alone.
var connections = [store.Classes]int{
	store.Work:       8,
	store.Read:       4,
	store.Listing:    core.ListsAtOnce,
	store.Search:     core.SearchesAtOnce,
	store.Background: 2,
	store.Check:      1,
}

func openReaders(path string) (*readers, error) {
	r := &readers{}
	for class, n := range connections {
		var err error
		if r.pools[class], err = openPool(path, n, &r.closed); err != nil {
			return nil, errors.Join(err, r.close())
		}
	}
	return r, nil
}

func (r *readers) of(ctx context.Context) *pool { return r.pools[store.ClassOf(ctx)] }

// Query implements [core.Engine].
func (r *readers) Query(ctx context.Context, each func(core.Row) error, text string, args ...any) error {
	return r.of(ctx).query(ctx, each, text, args...)
}

// QueryOnce implements [core.Engine].
func (r *readers) QueryOnce(ctx context.Context, each func(core.Row) error, text string, args ...any) error {
	return r.of(ctx).queryOnce(ctx, each, text, args...)
}

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

// pool is a few connections that only read, with the statements that they keep.
type pool struct {
	db     *sql.DB
	closed *atomic.Bool // of the readers

	mu    sync.RWMutex
	stmts map[string]*sql.Stmt
}

func openPool(path string, connections int, closed *atomic.Bool) (*pool, error) {
	db, err := sql.Open("sqlite", dsn(path, "query_only(1)"))
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(connections)
	db.SetMaxIdleConns(connections)
	return &pool{db: db, closed: closed, stmts: map[string]*sql.Stmt{}}, nil
}

// busyTimeout is how long, in milliseconds, a connection waits for the lock
// of another process, which has brief writes only.
const busyTimeout = 5000

// dsn names the database to the driver. Double-quoted text is no string here:
// a misspelt column is then an error and not a value.
func dsn(path string, pragmas ...string) string {
	q := url.Values{"mode": {"rw"}, "_dqs": {"0"}}
	q.Add("_pragma", fmt.Sprintf("busy_timeout(%d)", busyTimeout))
	for _, p := range pragmas {
		q.Add("_pragma", p)
	}
	return "file:" + (&url.URL{Path: path}).EscapedPath() + "?" + q.Encode()
}

func (p *pool) query(ctx context.Context, each func(core.Row) error, text string, args ...any) error {
	stmt, err := p.prepared(ctx, text)
	if err != nil {
		return p.failure(err)
	}
	rows, err := stmt.QueryContext(ctx, args...)
	if err != nil {
		return p.failure(err)
	}
	return p.failure(core.EachRow(rows, each))
}

func (p *pool) queryOnce(ctx context.Context, each func(core.Row) error, text string, args ...any) error {
	rows, err := p.db.QueryContext(ctx, text, args...)
	if err != nil {
		return p.failure(err)
	}
	return p.failure(core.EachRow(rows, each))
}

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

// failure is as [failure]; what goes wrong while the database is closed does
// so because of that.
func (p *pool) failure(err error) error {
	if err != nil && err != sql.ErrNoRows && p.closed.Load() {
		return core.ErrClosed
	}
	return failure(err)
}
