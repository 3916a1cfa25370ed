package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"sync"
	"sync/atomic"

	"github.com/orderhook/orderhook/internal/store/core"
	_ "modernc.org/sqlite" // the driver "sqlite"
)

// readers is a few connections that only read. Each question sees what was
// committed before it.
type readers struct {
	db     *sql.DB
	closed atomic.Bool

	mu    sync.RWMutex
	stmts map[string]*sql.Stmt
}

// mostReaders bounds the connections that read at the same time; a search
// through all orders holds one for as long as it takes.
const mostReaders = 8

func openReaders(path string) (*readers, error) {
	db, err := sql.Open("sqlite", dsn(path, "query_only(1)"))
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(mostReaders)
	db.SetMaxIdleConns(mostReaders)
	return &readers{db: db, stmts: map[string]*sql.Stmt{}}, nil
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

func (r *readers) close() error {
	r.closed.Store(true)
	return r.db.Close()
}

func (r *readers) Query(ctx context.Context, each func(core.Row) error, text string, args ...any) error {
	stmt, err := r.prepared(ctx, text)
	if err != nil {
		return r.failure(err)
	}
	rows, err := stmt.QueryContext(ctx, args...)
	if err != nil {
		return r.failure(err)
	}
	return r.failure(core.EachRow(rows, each))
}

func (r *readers) QueryOnce(ctx context.Context, each func(core.Row) error, text string, args ...any) error {
	rows, err := r.db.QueryContext(ctx, text, args...)
	if err != nil {
		return r.failure(err)
	}
	return r.failure(core.EachRow(rows, each))
}

func (r *readers) prepared(ctx context.Context, text string) (*sql.Stmt, error) {
	r.mu.RLock()
	stmt := r.stmts[text]
	r.mu.RUnlock()
	if stmt != nil {
		return stmt, nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if stmt = r.stmts[text]; stmt != nil {
		return stmt, nil
	}
	stmt, err := r.db.PrepareContext(ctx, text)
	if err == nil {
		r.stmts[text] = stmt
	}
	return stmt, err
}

// failure is as [failure]; what goes wrong while the database is closed does
// so because of that.
func (r *readers) failure(err error) error {
	if err != nil && err != sql.ErrNoRows && r.closed.Load() {
		return core.ErrClosed
	}
	return failure(err)
}
