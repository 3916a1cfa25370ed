package postgres

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgconn/ctxwatch"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/orderhook/orderhook/internal/store"
	"github.com/orderhook/orderhook/internal/store/core"
)

// config is how connections are made.
type config struct {
	pool        *pgxpool.Config
	outcomeTime time.Duration // as the constant
}

// ErrURL is in the error of a URL that cannot be read.
var ErrURL = errors.New("the URL of the database cannot be read")

// planning has the server go about questions as they were written for: along indexes, row
// by row (docs/design.md#postgresql). What it knows of a table may be from when that was
// empty; then it would read all of it, or sort it, for ever after. A transaction that
// nobody goes on with, since its process hangs, ends by itself: its locks would hold up all
// nodes.
var planning = map[string]string{
	"enable_seqscan": "off", "enable_hashjoin": "off", "enable_mergejoin": "off", "enable_bitmapscan": "off", "enable_sort": "off",
	"enable_material": "off",
	"jit":             "off", "idle_in_transaction_session_timeout": "10000", "client_encoding": "UTF8",
}

// pooled reports whether the connections go through a pooler that may give each
// transaction to another connection of the server, as PgBouncer does. The URL says so with
// default_query_exec_mode=cache_describe. What belongs to a connection does not work then:
// prepared statements, and locks that outlive a transaction.
func (c *config) pooled() bool {
	return c.pool.ConnConfig.DefaultQueryExecMode != pgx.QueryExecModeCacheStatement
}

const connectTimeout = 10 * time.Second

// parse reads a URL, and sets what it leaves open. Its error does not repeat the URL, which
// may hold a password.
func parse(url string) (*config, error) {
	pool, err := pgxpool.ParseConfig(url)
	if err != nil {
		why := "it is not of the form postgres://user:password@host:5432/database"
		if inner := errors.Unwrap(err); inner != nil {
			why = inner.Error()
		}
		return nil, errors.Join(ErrURL, errors.New(why))
	}
	c := pool.ConnConfig
	for name, value := range planning {
		c.RuntimeParams[name] = value
	}
	if c.RuntimeParams["application_name"] == "" {
		c.RuntimeParams["application_name"] = "orderhook"
	}
	if c.ConnectTimeout == 0 {
		c.ConnectTimeout = connectTimeout
	}
	// A question that nobody waits for any more is ended on the server, too.
	c.BuildContextWatcherHandler = func(conn *pgconn.PgConn) ctxwatch.Handler {
		return &pgconn.CancelRequestContextWatcherHandler{Conn: conn, DeadlineDelay: time.Second}
	}
	return &config{pool, outcomeTime}, nil
}

// onlyWritable refuses connections to a server that takes no writes, unless the URL says what
// servers it wants (target_session_attrs). In the middle of a failover an address may lead to a
// replica for a moment. A connection that was kept would read what is old, and write nothing,
// for as long as it lasts.
func (c *config) onlyWritable() {
	if c.pool.ConnConfig.ValidateConnect != nil {
		return
	}
	c.pool.ConnConfig.ValidateConnect = func(ctx context.Context, conn *pgconn.PgConn) error {
		shown, err := conn.Exec(ctx, `SHOW transaction_read_only`).ReadAll()
		if err == nil && string(shown[0].Rows[0][0]) == "on" {
			err = errReadOnly
		}
		return err
	}
}

// connect makes a connection of its own, outside of the pools. The caller closes it.
func (c *config) connect(ctx context.Context) (*pgx.Conn, error) {
	return pgx.ConnectConfig(ctx, c.pool.ConnConfig.Copy())
}

// connectIdle is connect for a connection that is listened to while nothing is asked. To
// stop listening is no reason to have the server end anything, so no request to cancel is
// sent to it.
func (c *config) connectIdle(ctx context.Context) (*pgx.Conn, error) {
	own := c.pool.ConnConfig.Copy()
	own.BuildContextWatcherHandler = func(conn *pgconn.PgConn) ctxwatch.Handler {
		return &pgconn.DeadlineContextWatcherHandler{Conn: conn.Conn()}
	}
	return pgx.ConnectConfig(ctx, own)
}

// readers is the connections that only read: a pool for each class of questions, so that no
// class waits for the slow questions of another.
type readers struct {
	closed atomic.Bool
	pools  [store.Classes]*pgxpool.Pool
}

// openReaders makes the pools. They open their connections when they are needed.
func openReaders(ctx context.Context, c *config) (*readers, error) {
	r := &readers{}
	for class, n := range core.Connections {
		config := c.pool.Copy()
		config.MaxConns, config.MinConns, config.MinIdleConns = int32(n), 0, 0
		pool, err := pgxpool.NewWithConfig(ctx, config)
		if err != nil {
			r.close()
			return nil, err
		}
		r.pools[class] = pool
	}
	return r, nil
}

// close closes the pools, and waits for the questions that are under way.
func (r *readers) close() {
	r.closed.Store(true)
	for _, p := range r.pools {
		if p != nil {
			p.Close()
		}
	}
}

// Query implements [core.Engine].
func (r *readers) Query(ctx context.Context, each func(core.Row) error, text string, args ...any) error {
	return r.ask(ctx, each, text, values(args)) // by a prepared statement, unless the URL says otherwise
}

// QueryOnce implements [core.Engine]. The server plans it with the arguments.
func (r *readers) QueryOnce(ctx context.Context, each func(core.Row) error, text string, args ...any) error {
	if store.ClassOf(ctx) == store.Search {
		return r.closedOr(r.inParts(ctx, each, text, values(args)))
	}
	return r.ask(ctx, each, text, append([]any{pgx.QueryExecModeCacheDescribe}, values(args)...))
}

// mostAsked is how often a question is asked whose connection is found to be lost: all
// that are kept may be, after a restart of the server.
const mostAsked = 10

// ask asks a question. A connection that is found to be lost before any row came costs
// nothing but another try: it was lost while nobody used it, as at a restart of the server.
// A question that has had a row is not asked again, since each was called for it.
func (r *readers) ask(ctx context.Context, each func(core.Row) error, text string, args []any) (err error) {
	pool := r.pools[store.ClassOf(ctx)]
	for range mostAsked {
		a := &answer{}
		if a.Rows, err = pool.Query(ctx, text, args...); err == nil {
			err = core.EachRow(a, each)
		}
		if a.read || !isLost(err) {
			break
		}
	}
	return r.closedOr(err)
}

// closedOr is as [failure], but for what goes wrong while the database is closed: that does
// so because of it.
func (r *readers) closedOr(err error) error {
	if err != nil && r.closed.Load() {
		return core.ErrClosed
	}
	return failure(err)
}

// partOf is how many rows of documents are asked for at a time.
const partOf = 256

// inParts asks for documents in parts, by a cursor of the server. Whoever looks into them
// may have enough long before the last one, and what the server has sent has to be read to
// its end in any case.
func (r *readers) inParts(ctx context.Context, each func(core.Row) error, text string, args []any) error {
	return pgx.BeginTxFunc(ctx, r.pools[store.Search], pgx.TxOptions{AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, "DECLARE part NO SCROLL CURSOR FOR "+text, append([]any{pgx.QueryExecModeCacheDescribe}, args...)...); err != nil {
			return err
		}
		for rows, enough := partOf, false; rows == partOf && !enough; {
			rows = 0
			a := &answer{}
			var err error
			if a.Rows, err = tx.Query(ctx, fmt.Sprintf("FETCH %d FROM part", partOf), pgx.QueryExecModeExec); err != nil {
				return err
			}
			err = core.EachRow(a, func(row core.Row) error {
				rows++
				err := each(row)
				enough = err != nil
				return err
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
}
