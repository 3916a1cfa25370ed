package receiver

import (
	"context"
	"database/sql/driver"
	"errors"
)

// faulty is a database whose transactions meet with bad luck: the program is killed on either
// side of a commit, and statements fail.
type faulty struct {
	driver.Connector
	luck *luck
}

func (f faulty) Connect(ctx context.Context) (driver.Conn, error) {
	c, err := f.Connector.Connect(ctx)
	return &faultyConn{c, f.luck}, err
}

type faultyConn struct {
	driver.Conn
	luck *luck
}

func (c *faultyConn) BeginTx(ctx context.Context, opts driver.TxOptions) (driver.Tx, error) {
	tx, err := c.Conn.(driver.ConnBeginTx).BeginTx(ctx, opts)
	return &faultyTx{tx, c}, err
}

func (c *faultyConn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	if c.luck.IntN(200) == 0 {
		return nil, errFault
	}
	return c.Conn.(driver.ExecerContext).ExecContext(ctx, query, args)
}

func (c *faultyConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	return c.Conn.(driver.QueryerContext).QueryContext(ctx, query, args)
}

type faultyTx struct {
	driver.Tx
	conn *faultyConn
}

// Commit kills the program before or after. A database that loses its client ends the
// transaction, as Rollback does here, and the connection.
func (t *faultyTx) Commit() error {
	l := t.conn.luck
	at, end := "", t.Tx.Commit
	switch l.IntN(20) {
	case 0:
		at, end = "before the commit", t.Tx.Rollback
	case 1:
		at = "after the commit"
	}
	err := end()
	if at != "" {
		err = errors.Join(err, t.conn.Close())
	}
	if err == nil && at != "" {
		l.kill(at, 1)
	}
	return err
}

// opener opens connections by a driver that has no connectors.
type opener struct {
	by  driver.Driver
	dsn string
}

func (o opener) Connect(context.Context) (driver.Conn, error) { return o.by.Open(o.dsn) }
func (o opener) Driver() driver.Driver                        { return o.by }
