package core

import (
	"context"
	"database/sql"
	"errors"
	"strconv"

	"github.com/orderhook/orderhook/internal/access"
	"github.com/orderhook/orderhook/internal/attempt"
	"github.com/orderhook/orderhook/internal/changes"
	"github.com/orderhook/orderhook/internal/event"
	"github.com/orderhook/orderhook/internal/job"
	"github.com/orderhook/orderhook/internal/store"
)

// EraseOrder implements [store.Tx]. The order is removed at once, and so are its unfinished
// runs, so that nothing continues with it. There may be any amount of other data, so that
// is removed in steps by a job (EraseSome). Until the job has ended, the row in erasures
// keeps the id from being used again: otherwise the job would remove what belongs to the
// new order.
func (d *draft) EraseOrder(ctx context.Context, tenant, id string) error {
	d.touch(tenant, changes.TopicOrders)
	if _, err := d.order(ctx, tenant, id); err != nil {
		return err
	}
	d.audit(tenant, access.AuditOrder, id)
	b := d.of(tenant)
	b.lock(tenant, "order/"+id)
	b.changeOne(`DELETE FROM orders WHERE tenant = ? AND id = ?`, tenant, id)
	b.change(`DELETE FROM order_external_ids WHERE of_tenant = ? AND of_order = ?`, tenant, id)
	b.change(`DELETE FROM runs WHERE tenant = ? AND order_id = ? AND ended = 0`, tenant, id)
	b.changeOne(`INSERT INTO erasures (tenant, order_id) VALUES (?, ?)`, tenant, id)
	return nil
}

// notBeingErased returns a row unless an order of this id is being erased.
const notBeingErased = `SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM erasures WHERE tenant = ? AND order_id = ?)`

// EraseSome implements [store.Tx]. After it, an attempt's row and outcome remain, and an
// event's row without its data. Bodies, headers and their index entries are removed
// (docs/contract.md#calls-of-the-api).
//
// The steps come in this order, and each is repeated until it finds nothing more. What is
// still to be sent comes first: an attempt at it that is under way is recorded without its
// details then, because its event has none. The last step removes the row in erasures.
func (d *draft) EraseSome(ctx context.Context, tenant string, j *job.Job, limit int) (done bool, err error) {
	d.touch(tenant, changes.TopicRuns|changes.TopicAttempts|changes.TopicEvents|changes.TopicDeliveries)
	for _, step := range []func(context.Context, string, *job.Job, int) (int, error){
		d.cancelSomeOf, d.eraseEventsOf, d.eraseAttemptsOf, d.eraseVersionsOf, d.eraseHistoryOf, d.eraseRunsOf,
	} {
		n, err := step(ctx, tenant, j, limit)
		if err != nil || n > 0 { // there may be more of it
			return false, err
		}
	}
	b := d.of(tenant)
	b.change(`DELETE FROM erasures WHERE tenant = ? AND order_id = ?`, tenant, j.OrderID)
	b.effects.erased = true
	return true, nil
}

// EmptyJournal implements [store.Maintenance].
func (s *Store) EmptyJournal(ctx context.Context) (done bool, err error) {
	// What is erased while the journal is being emptied sets it again, for the next call.
	if !s.erased.Swap(false) {
		return true, nil
	}
	done, err = s.engine.EmptyJournal(ctx)
	if err != nil || !done {
		s.erased.Store(true)
	}
	return done, err
}

// cancelSomeOf cancels pending deliveries of an order's events. The last delivery of a
// group goes first, so that none becomes due only to be canceled next.
func (d *draft) cancelSomeOf(ctx context.Context, tenant string, j *job.Job, limit int) (int, error) {
	pending, err := collect(ctx, d.q.Query, func(r Row) (key event.DeliveryKey, err error) {
		err = r.Scan(&key.Event, &key.Endpoint)
		return key, err
	}, `SELECT d.event, d.endpoint FROM events AS e CROSS JOIN deliveries AS d ON d.tenant = e.tenant AND d.event = e.seq
		WHERE e.tenant = ? AND e.order_id = ? AND e.order_id <> '' AND d.status = 'p' ORDER BY e.seq DESC LIMIT ?`, tenant, j.OrderID, limit)
	for _, key := range pending {
		if err == nil {
			err = d.CancelDelivery(ctx, tenant, key, d.clock())
		}
	}
	return len(pending), err
}

// eraseEventsOf removes the data of an order's events. The rows stay until retention
// removes them.
func (d *draft) eraseEventsOf(ctx context.Context, tenant string, j *job.Job, limit int) (int, error) {
	events, err := collect(ctx, d.q.Query, scanNumber,
		`SELECT seq FROM events WHERE tenant = ? AND order_id = ? AND order_id <> '' AND data IS NOT NULL LIMIT ?`, tenant, j.OrderID, limit)
	for _, seq := range events {
		d.lockEvent(tenant, seq)
		d.of(tenant).change(`UPDATE events SET data = NULL WHERE seq = ? AND tenant = ?`, seq, tenant)
	}
	return len(events), err
}

// eraseAttemptsOf goes through the attempts of an order, those at its events among them,
// from the lowest seq up. The cursor of the job is the last one that is done. If the bodies
// of an attempt are in a segment of the index, the attempt waits until the segment is bare:
// no search must find an erased text by it.
func (d *draft) eraseAttemptsOf(ctx context.Context, tenant string, j *job.Job, limit int) (int, error) {
	type attempt struct {
		seq    int64
		call   string
		detail []byte
	}
	// A job that an earlier orderhook began has an id here: it begins again then.
	behind, _ := strconv.ParseInt(j.Cursor, 10, 64)
	behind++
	found, args := walkOf(tenant, store.AttemptFilter{Related: event.Related{OrderID: j.OrderID}}).found(span{floor: &behind}, "a.seq", limit)
	some, err := collect(ctx, d.q.Query, func(r Row) (a attempt, err error) {
		err = r.Scan(&a.seq, &a.call, &a.detail)
		return a, err
	}, `SELECT a.seq, a.call_id, a.detail FROM `+found+`
		WHERE a.tenant = ? ORDER BY a.seq LIMIT ?`, append(args, tenant, limit)...)
	if err != nil {
		return 0, err
	}
	// The cursor moves only behind attempts that are done; one that waits is the first of
	// the next step.
	for n, a := range some {
		emptied, err := d.eraseSegmentOf(ctx, tenant, a.seq)
		if err != nil || !emptied {
			return n + 1, err
		}
		b := d.of(tenant)
		if a.call != "" {
			b.change(`DELETE FROM bodies WHERE tenant = ? AND call_id = ?`, tenant, a.call)
		}
		bare, err := bareDetail(a.detail)
		if err != nil {
			return 0, err
		}
		b.change(`UPDATE attempts SET response_body = NULL, warnings = '', detail = ? WHERE seq = ? AND tenant = ?`, bare, a.seq, tenant)
		j.Cursor = strconv.FormatInt(a.seq, 10)
	}
	return len(some), nil
}

// bareDetail returns the stored detail of an attempt without headers, nil if it has none.
// One that cannot be read is an error: the job must not pass over it.
func bareDetail(stored []byte) (any, error) {
	if stored == nil {
		return nil, nil
	}
	detail := &attempt.AttemptDetail{}
	if err := decode(stored, detail, "attempt"); err != nil {
		return nil, err
	}
	return string(appendDetail(nil, detail.Bare())), nil
}

// eraseSegmentOf removes some of what the index has of the segment that holds an attempt.
// It reports whether nothing is left, so that the attempt can go, too. The maintenance then
// builds the segment again from what is left. A build that is under way is ended: it may
// have read the body already.
func (d *draft) eraseSegmentOf(ctx context.Context, tenant string, seq int64) (emptied bool, err error) {
	var id int64
	var state string
	err = one(ctx, d.q, []any{&id, &state}, `
		SELECT id, state FROM body_segments WHERE tenant = ? AND first <= ? AND last >= ? AND state <> 'bare' ORDER BY first DESC LIMIT 1`, tenant, seq, seq)
	if errors.Is(err, sql.ErrNoRows) {
		return true, nil
	}
	if err != nil {
		return false, err
	}
	d.of(tenant).lock(tenant, "bodies")
	// This is a build that is under way: it finds its row gone, and ends (goesOn).
	if state == segmentVoid {
		d.dropSegment(tenant, id)
		return false, nil
	}
	chunks, err := d.chunksOf(ctx, id)
	if err != nil {
		return false, err
	}
	d.dropSome(tenant, chunks)
	// These were the last chunks.
	if len(chunks) < chunksGoneAtOnce {
		d.bareSegment(tenant, id)
	}
	return false, nil
}

// eraseVersionsOf removes earlier versions of an order, a few in each step.
func (d *draft) eraseVersionsOf(ctx context.Context, tenant string, j *job.Job, _ int) (int, error) {
	versions, err := collect(ctx, d.q.Query, scanNumber, `SELECT version FROM order_versions WHERE tenant = ? AND order_id = ? LIMIT ?`,
		tenant, j.OrderID, versionsGoneAtOnce)
	for _, version := range versions {
		d.of(tenant).change(`DELETE FROM order_versions WHERE tenant = ? AND order_id = ? AND version = ?`, tenant, j.OrderID, version)
	}
	return len(versions), err
}

// versionsGoneAtOnce is how many versions one write removes. It is small, because each
// may have 10 MiB.
const versionsGoneAtOnce = 4

// eraseHistoryOf removes entries of an order's history.
func (d *draft) eraseHistoryOf(ctx context.Context, tenant string, j *job.Job, limit int) (int, error) {
	entries, err := collect(ctx, d.q.Query, scanNumber, `SELECT seq FROM order_history WHERE tenant = ? AND order_id = ? LIMIT ?`, tenant, j.OrderID, limit)
	for _, seq := range entries {
		d.of(tenant).change(`DELETE FROM order_history WHERE tenant = ? AND order_id = ? AND seq = ?`, tenant, j.OrderID, seq)
	}
	return len(entries), err
}

// eraseRunsOf removes the runs of an order that had ended when it was erased; EraseOrder
// has removed the others.
func (d *draft) eraseRunsOf(ctx context.Context, tenant string, j *job.Job, limit int) (int, error) {
	runs, err := collect(ctx, d.q.Query, scanNumber, `SELECT seq FROM runs INDEXED BY runs_order WHERE tenant = ? AND order_id = ? LIMIT ?`, tenant, j.OrderID, limit)
	for _, seq := range runs {
		d.of(tenant).change(`DELETE FROM runs WHERE tenant = ? AND order_id = ? AND seq = ?`, tenant, j.OrderID, seq)
	}
	return len(runs), err
}
