package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"sync"
	"sync/atomic"

	"github.com/orderhook/orderhook/internal/oms"
	_ "modernc.org/sqlite" // the driver "sqlite"
)

// querier is what questions are asked through: the pool of readers, or the
// transaction under way. Both answer with errors as [failure] makes them.
type querier interface {
	// query calls each for every row of a statement, which is kept prepared.
	// each may return errEnough to leave the rest.
	query(ctx context.Context, each func(row) error, text string, args ...any) error
	// queryOnce is query for a text put together for this one time.
	queryOnce(ctx context.Context, each func(row) error, text string, args ...any) error
	// settled reports whether the settings of a tenant are read as they are
	// committed, not as a transaction may yet leave them.
	settled(tenant string) bool
	// endpoints returns a tenant's endpoints as the transaction under way has
	// left them, nil if it has not changed them.
	endpoints(tenant string) *endpointSet
}

// row is the row of a query that is being read.
type row interface{ Scan(into ...any) error }

// errEnough ends the reading of rows without being an error.
var errEnough = errors.New("no more rows are needed")

// one reads the first row of a query, sql.ErrNoRows if there is none.
func one(ctx context.Context, q querier, into []any, text string, args ...any) error {
	found := false
	err := q.query(ctx, func(r row) error {
		found = true
		if err := r.Scan(into...); err != nil {
			return err
		}
		return errEnough
	}, text, args...)
	if err == nil && !found {
		return sql.ErrNoRows
	}
	return err
}

func eachRow(rows *sql.Rows, each func(row) error) error {
	defer rows.Close()
	for rows.Next() {
		if err := each(rows); err != nil {
			if err == errEnough {
				return nil
			}
			return err
		}
	}
	return rows.Err()
}

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

func (r *readers) query(ctx context.Context, each func(row) error, text string, args ...any) error {
	stmt, err := r.prepared(ctx, text)
	if err != nil {
		return r.failure(err)
	}
	rows, err := stmt.QueryContext(ctx, args...)
	if err != nil {
		return r.failure(err)
	}
	return r.failure(eachRow(rows, each))
}

func (r *readers) queryOnce(ctx context.Context, each func(row) error, text string, args ...any) error {
	rows, err := r.db.QueryContext(ctx, text, args...)
	if err != nil {
		return r.failure(err)
	}
	return r.failure(eachRow(rows, each))
}

func (r *readers) settled(string) bool { return true }

func (r *readers) endpoints(string) *endpointSet { return nil }

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
		return errClosed
	}
	return failure(err)
}

// errClosed answers whatever comes after Close.
var errClosed = oms.Errorf(oms.Unavailable, "orderhook is shutting down")
