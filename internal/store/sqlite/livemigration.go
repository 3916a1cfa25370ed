package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/pressly/goose/v3"

	"github.com/orderhook/orderhook/internal/attempt"
	"github.com/orderhook/orderhook/internal/ids"
)

// liveMigration is migration 00033: it gives attempts the numbers that they are found by
// since 00032, and removes the rows of deliveries that have succeeded
// (docs/design.md#the-shape-of-a-delivery). It works in transactions of limited size, each of
// which takes away what it has done: so it needs little memory however large the file is,
// and goes on where it was if it is killed.
var liveMigration = goose.NewGoMigration(33, &goose.GoFunc{RunDB: func(ctx context.Context, db *sql.DB) error {
	m := &mover{ctx: ctx, db: db, atOnce: 500}
	return m.move()
}}, nil)

// mover is one run of the migration. It knows nothing of runs before it: what they have
// moved is gone from where it was.
type mover struct {
	ctx    context.Context
	db     *sql.DB
	atOnce int           // rows that one transaction moves
	before func() error  // is called before each transaction, of a test; nil: nothing is
	last   deliveryPlace // of the deliveries that were looked at
}

// move moves all that is to be moved, in three steps that come in this order: the index
// names attempts by the old numbers, and a delivery finds its record among the attempts
// that have moved.
func (m *mover) move() error {
	for _, step := range []func(*sql.Tx) (more bool, err error){m.dropChunks, m.moveAttempts, m.removeDelivered} {
		for more := true; more; {
			err := m.in(func(tx *sql.Tx) (err error) {
				more, err = step(tx)
				return err
			})
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// deliveryPlace is the key of a delivery, by which the rows are gone through.
type deliveryPlace struct {
	tenant          string
	event, endpoint int64
}

// in runs one step in a transaction.
func (m *mover) in(do func(tx *sql.Tx) error) error {
	// Here a test stops the migration, as a process that is killed does.
	if m.before != nil {
		if err := m.before(); err != nil {
			return err
		}
	}
	tx, err := m.db.BeginTx(m.ctx, nil)
	if err != nil {
		return err
	}
	if err := do(tx); err != nil {
		return errors.Join(err, tx.Rollback())
	}
	return tx.Commit()
}

// dropChunks removes the index of bodies, which names attempts by the numbers that they had.
// It is built again from the bodies.
func (m *mover) dropChunks(tx *sql.Tx) (more bool, err error) {
	result, err := tx.ExecContext(m.ctx, `DELETE FROM body_chunks WHERE key IN (SELECT key FROM body_chunks LIMIT ?)`, m.atOnce)
	if err != nil {
		return false, err
	}
	// There may be more chunks; the segments themselves go when none is left.
	if n, err := result.RowsAffected(); n > 0 || err != nil {
		return true, err
	}
	_, err = tx.ExecContext(m.ctx, `DELETE FROM body_segments`)
	return false, err
}

// attemptBefore is an attempt that is to be moved: its old number, and when it started.
type attemptBefore struct{ seq, started int64 }

// moveAttempts moves some attempts, each by inserting it anew and deleting it where it was.
// Those of one microsecond stay in the order of their ids.
func (m *mover) moveAttempts(tx *sql.Tx) (more bool, err error) {
	some, err := rowsIn(m.ctx, tx, func(rows *sql.Rows) (a attemptBefore, err error) {
		err = rows.Scan(&a.seq, &a.started)
		return a, err
	}, `SELECT seq, started FROM attempts_before INDEXED BY attempts_id ORDER BY tenant, id LIMIT ?`, m.atOnce)
	if err != nil {
		return false, err
	}
	insert, err := tx.PrepareContext(m.ctx, moveAttempt)
	if err != nil {
		return false, err
	}
	// The statement is prepared once for all rows of the step.
	defer insert.Close()
	for _, a := range some {
		if err := m.moveAttempt(insert, a); err != nil {
			return false, err
		}
		if _, err := tx.ExecContext(m.ctx, `DELETE FROM attempts_before WHERE seq = ?`, a.seq); err != nil {
			return false, err
		}
	}
	return len(some) > 0, nil
}

// moveAttempt stores an attempt by the first number of its time that is free. For an
// attempt at an event that is still there it leaves out what the event has.
const moveAttempt = `
	INSERT INTO attempts (seq, tenant, id, kind, call_id, event, endpoint, event_type, format, number, max_number, duration_ms, url, host, status, outcome,
		error, connector_id, order_id, shipment_id, return_id, cart_id, subscription_id, stock_item_id, run_id, warnings, detail, response_body)
	SELECT ?1, a.tenant, a.id, a.kind, a.call_id, a.event, a.endpoint, iif(e.seq, '', a.event_type), a.format, a.number, a.max_number, a.duration_ms, a.url, a.host,
		a.status, a.outcome, a.error, a.connector_id, iif(e.seq, '', a.order_id), iif(e.seq, '', a.shipment_id), iif(e.seq, '', a.return_id),
		iif(e.seq, '', a.cart_id), iif(e.seq, '', a.subscription_id), iif(e.seq, '', a.stock_item_id), a.run_id, a.warnings, a.detail, a.response_body
	FROM attempts_before AS a LEFT JOIN events AS e ON e.seq = a.event AND e.tenant = a.tenant AND a.event > 0
	WHERE a.seq = ?2 ON CONFLICT (seq) DO NOTHING`

// moveAttempt tries the numbers of the attempt's time one after the other until one is
// free.
func (m *mover) moveAttempt(insert *sql.Stmt, a attemptBefore) error {
	for seq := ids.FirstNumber(time.UnixMicro(a.started)); ; seq++ {
		result, err := insert.ExecContext(m.ctx, seq, a.seq)
		if err != nil {
			return err
		}
		if n, err := result.RowsAffected(); n == 1 || err != nil {
			return err
		}
	}
}

// deliveredBefore is a delivery that has succeeded, and still has a row.
type deliveredBefore struct {
	deliveryPlace
	attempts, most, updated, status int64
}

// removeDelivered removes the rows of some deliveries that have succeeded. The last attempt
// that succeeded is the record of such a delivery from then on: both happen in one
// transaction, so no delivery is ever without the one and the other.
func (m *mover) removeDelivered(tx *sql.Tx) (more bool, err error) {
	some, err := rowsIn(m.ctx, tx, func(rows *sql.Rows) (d deliveredBefore, err error) {
		err = rows.Scan(&d.tenant, &d.event, &d.endpoint, &d.attempts, &d.most, &d.updated, &d.status)
		return d, err
	}, `SELECT tenant, event, endpoint, attempts, max_attempts, updated, last_status FROM deliveries
		WHERE status = 's' AND (tenant, event, endpoint) > (?, ?, ?) ORDER BY tenant, event, endpoint LIMIT ?`,
		m.last.tenant, m.last.event, m.last.endpoint, m.atOnce)
	for _, d := range some {
		if err == nil {
			err = m.markDelivered(tx, d)
		}
		// Those before were looked at, so the next step begins behind them.
		m.last = d.deliveryPlace
	}
	return len(some) > 0, err
}

// markDelivered marks the record of a delivery, or makes one if no attempt is left, and
// removes the row. A replay does not count: it was sent by hand, and not as an attempt of
// the delivery.
func (m *mover) markDelivered(tx *sql.Tx, d deliveredBefore) error {
	result, err := tx.ExecContext(m.ctx, `
		UPDATE attempts SET delivered = 1 WHERE seq = (
			SELECT max(seq) FROM attempts WHERE tenant = ? AND event = ? AND endpoint = ? AND event > 0 AND outcome = ? AND kind <> ?)`,
		d.tenant, d.event, d.endpoint, attempt.OutcomeSucceeded, attempt.KindReplay)
	if err != nil {
		return err
	}
	if n, err := result.RowsAffected(); err != nil || n == 0 {
		if err = errors.Join(err, m.addRecord(tx, d)); err != nil {
			return err
		}
	}
	_, err = tx.ExecContext(m.ctx, `DELETE FROM deliveries WHERE tenant = ? AND event = ? AND endpoint = ?`, d.tenant, d.event, d.endpoint)
	return err
}

// addRecord stores an attempt for a delivery that succeeded and has none that did, since it
// was removed before its delivery: nothing else would say that the event arrived, and it
// would be sent again as one that is missing.
func (m *mover) addRecord(tx *sql.Tx, d deliveredBefore) error {
	// Its time is when the delivery was changed last, which is when it succeeded.
	for seq := ids.FirstNumber(time.UnixMicro(d.updated)); ; seq++ {
		result, err := tx.ExecContext(m.ctx, `
			INSERT INTO attempts (seq, tenant, kind, event, endpoint, format, number, max_number, duration_ms, url, host, status, outcome, delivered)
			VALUES (?, ?, ?, ?, ?, '', ?, ?, 0, '', '', ?, ?, 1) ON CONFLICT (seq) DO NOTHING`,
			seq, d.tenant, attempt.KindEvent, d.event, d.endpoint, d.attempts, d.most, d.status, attempt.OutcomeSucceeded)
		if err != nil {
			return err
		}
		if n, err := result.RowsAffected(); n == 1 || err != nil {
			return err
		}
	}
}

// rowsIn reads all rows of a query into memory, so that the transaction can write while
// they are gone through.
func rowsIn[T any](ctx context.Context, tx *sql.Tx, scan func(*sql.Rows) (T, error), text string, args ...any) (all []T, err error) {
	rows, err := tx.QueryContext(ctx, text, args...)
	if err != nil {
		return nil, fmt.Errorf("read what is to be moved: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		one, err := scan(rows)
		if err != nil {
			return nil, err
		}
		all = append(all, one)
	}
	return all, rows.Err()
}
