package core

import (
	"context"

	"github.com/orderhook/orderhook/internal/access"
	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/changes"
	"github.com/orderhook/orderhook/internal/run"
)

// runColumns are what scanRun reads. The columns beside the document are those that
// statements change or compare by themselves.
const runColumns = `doc, revision, status_version`

// scanRun reads runColumns.
func scanRun(r Row) (*run.Run, error) {
	var doc []byte
	run := &run.Run{}
	if err := r.Scan(&doc, &run.Revision, &run.StatusVersion); err != nil {
		return nil, err
	}
	return run, decode(doc, run, "run")
}

// Run implements [store.Reader]. A write that reads a run depends on it only if it also
// changes it: UpdateRun compares the revision.
func (q queries) Run(ctx context.Context, tenant, id string) (*run.Run, error) {
	r, err := oneRun(ctx, q.q, `SELECT `+runColumns+` FROM runs WHERE tenant = ? AND id = ?`, tenant, id)
	if err == nil && r == nil {
		err = apierr.Errorf(apierr.NotFound, "no run %q", id)
	}
	return r, err
}

// NextRun implements [store.Reader]. A write depends on the answer: if another write ends
// that run, or inserts one before it, the write is overtaken.
func (q queries) NextRun(ctx context.Context, tenant, orderID string) (*run.Run, error) {
	r, err := oneRun(ctx, q.q, `
		SELECT `+runColumns+` FROM runs WHERE tenant = ? AND order_id = ? AND ended = 0 ORDER BY seq LIMIT 1`, tenant, orderID)
	// "" stands for no run: that none is left must hold as well.
	if err == nil && q.own != nil {
		id := ""
		if r != nil {
			id = r.ID
		}
		// Whoever changes a run of the order has this lock for itself (lockRun).
		q.own.of(tenant).lockShared(tenant, "order/"+orderID)
		q.own.checkOnce(key{tenant, "next run/" + orderID}, `
			SELECT 1 WHERE coalesce((SELECT id FROM runs WHERE tenant = ? AND order_id = ? AND ended = 0 ORDER BY seq LIMIT 1), '') = ?`, tenant, orderID, id)
	}
	return r, err
}

// RunUnless implements [store.Reader]. The document is read only if it is another one than
// the caller has.
func (q queries) RunUnless(ctx context.Context, tenant, id string, revision int64) (*run.Run, error) {
	if q.own != nil && q.own.trustsHeld() { // UpdateRun finds out
		return nil, nil
	}
	r := &run.Run{}
	var doc []byte
	err := one(ctx, q.q, []any{&r.Revision, &r.StatusVersion, &doc}, `
		SELECT revision, status_version, CASE WHEN revision <> ?3 THEN doc END FROM runs WHERE tenant = ?1 AND id = ?2`, tenant, id, revision)
	if err != nil {
		return nil, orNotFound(err, "run %q", id)
	}
	// The caller has the newest revision.
	if doc == nil {
		return nil, nil
	}
	return r, decode(doc, r, "run")
}

// oneRun returns the run of a query, nil if there is none.
func oneRun(ctx context.Context, q Engine, text string, args ...any) (*run.Run, error) {
	found, err := collect(ctx, q.Query, scanRun, text, args...)
	if err != nil || len(found) == 0 {
		return nil, err
	}
	return found[0], nil
}

// InsertRun implements [store.Tx]. seq is the place of the run among those of its order.
// Two runs of one order that are inserted at the same time would get the same seq: the
// index on it lets one of them in. No run begins with settings that were replaced while the
// write was decided: their secrets may be destroyed, because no run that needs them was
// there yet.
func (d *draft) InsertRun(ctx context.Context, tenant string, r *run.Run) error {
	d.touch(tenant, changes.TopicRuns)
	if d.again {
		switch _, err := d.Run(ctx, tenant, r.ID); {
		case err == nil:
			return apierr.Errorf(apierr.Conflict, "a run %q exists already", r.ID)
		case apierr.KindOf(err) != apierr.NotFound:
			return err
		}
	}
	doc, err := encode(r)
	if err != nil {
		return err
	}
	// The step's key and its display name are columns, so that a list by a step need not
	// parse any run.
	at := r.AtStep()
	d.lockRun(tenant, r)
	d.of(tenant).changeOne(`
		INSERT INTO runs (tenant, id, order_id, seq, status, ended, created, step, step_name, status_version, scoped, entered_status, doc, since)
		SELECT ?1, ?2, ?3, coalesce(max(seq), 0) + 1, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13 FROM runs WHERE tenant = ?1 AND order_id = ?3
		HAVING NOT EXISTS (SELECT 1 FROM settings WHERE tenant = ?1 AND version > ?13)
		ON CONFLICT DO NOTHING`, tenant, r.ID, r.OrderID, string(r.Status), r.Status.Ended(), micros(r.Created), fold(at.Step), fold(at.DisplayName),
		r.StatusVersion, r.ScopeID() != "", fold(r.EnteredStatus), doc, r.SecretsSince())
	return nil
}

// UpdateRun implements [store.Tx]. It stores the run if nobody else has stored it since it
// was read, and raises its revision.
func (d *draft) UpdateRun(ctx context.Context, tenant string, r *run.Run) error {
	d.touch(tenant, changes.TopicRuns)
	if d.again {
		if _, err := d.RunUnless(ctx, tenant, r.ID, r.Revision); err != nil {
			return err
		}
	}
	doc, err := encode(r)
	if err != nil {
		return err
	}
	at := r.AtStep()
	d.lockRun(tenant, r)
	const set, where = `step = ?4, step_name = ?5, status_version = ?6, doc = ?7, overtaken = 0, revision = revision + 1`, ` WHERE tenant = ?1 AND id = ?2 AND revision = ?3`
	values := []any{tenant, r.ID, r.Revision, fold(at.Step), fold(at.DisplayName), r.StatusVersion, doc}
	status := []any{string(r.Status), r.Status.Ended(), r.SecretsSince()}
	if r.Status.Ended() {
		d.of(tenant).changeOne(`UPDATE runs SET status = ?8, ended = ?9, since = ?10, `+set+where, append(values, status...)...)
	} else {
		// A run that goes on nearly always has these already. To set them all the same would
		// write three indexes anew, each of which is a page of the commit.
		d.of(tenant).change(`UPDATE runs SET status = ?4, ended = ?5, since = ?6`+where+` AND (status <> ?4 OR ended <> ?5 OR since <> ?6)`,
			append(values[:3:3], status...)...)
		d.of(tenant).changeOne(`UPDATE runs SET `+set+where, values...)
	}
	// A write may store a run twice: the second time it finds the revision that the first
	// has given.
	r.Revision++
	// For a resume the log has an entry by RequeueRun.
	if r.Status == run.RunCanceled {
		d.auditRun(tenant, r)
	}
	return nil
}

// lockRun keeps others from changing the runs of an order at the same time. It also keeps
// the settings from being changed, which may destroy secrets that the run needs.
func (d *draft) lockRun(tenant string, r *run.Run) {
	d.of(tenant).lock(tenant, "order/"+r.OrderID)
	d.of(tenant).lockShared(tenant, "settings")
}

// auditRun notes that a run is canceled or resumed.
func (d *draft) auditRun(tenant string, r *run.Run) {
	if note := d.audit(tenant, access.AuditRun, r.ID); note != nil {
		note.OrderID = r.OrderID
	}
}

// RequeueRun implements [store.Tx]. The run gets the highest seq of its order, because it
// is the last that was asked for.
func (d *draft) RequeueRun(ctx context.Context, tenant string, r *run.Run) error {
	if err := d.UpdateRun(ctx, tenant, r); err != nil {
		return err
	}
	d.of(tenant).changeOne(`
		UPDATE runs SET seq = 1 + (SELECT max(seq) FROM runs WHERE tenant = ?1 AND order_id = ?3) WHERE tenant = ?1 AND id = ?2`,
		tenant, r.ID, r.OrderID)
	d.auditRun(tenant, r)
	return nil
}

// RebaseRuns implements [store.Tx]. It raises the revision, too: whoever has such a run in
// memory must read it again.
func (d *draft) RebaseRuns(_ context.Context, tenant, orderID string, from, to int64, status string) error {
	d.of(tenant).lock(tenant, "order/"+orderID)
	d.of(tenant).change(`
		UPDATE runs INDEXED BY runs_unfinished SET status_version = ?1, revision = revision + 1
		WHERE tenant = ?2 AND order_id = ?3 AND ended = 0 AND status = 'waiting' AND status_version = ?4 AND (scoped = 1 OR entered_status = ?5)`,
		to, tenant, orderID, from, fold(status))
	return nil
}

// OvertakeRuns implements [store.Tx]. Which shipment or return a run is for stands in its
// document alone. That needs no index, because an order has few runs.
func (d *draft) OvertakeRuns(_ context.Context, tenant, orderID string, scopes []string) error {
	ids, err := encode(scopes)
	if err != nil {
		return err
	}
	d.touch(tenant, changes.TopicRuns)
	d.of(tenant).change(`
		UPDATE runs INDEXED BY runs_order SET overtaken = 1
		WHERE tenant = ? AND order_id = ? AND ended = 1 AND scoped = 1 AND overtaken = 0
		AND coalesce({field doc shipmentId}, {field doc returnId}) {texts ?}`, tenant, orderID, ids)
	return nil
}

// unfinishedAtOnce is how many orders UnfinishedOrders reads before it hands them on. A
// read that stays open keeps SQLite from reusing the write-ahead log, and what is done with
// the orders may take long.
const unfinishedAtOnce = 1000

// UnfinishedOrders implements [store.Store]. A node calls it for the shards that it takes,
// so that runs go on after a crash.
func (s *Store) UnfinishedOrders(ctx context.Context, each func(tenant, orderID string) error) error {
	var last unfinishedOrder
	for {
		batch, err := unfinishedAfter(ctx, s.q, last)
		if err != nil || len(batch) == 0 {
			return err
		}
		for _, last = range batch {
			if err := each(last.tenant, last.orderID); err != nil {
				return err
			}
		}
	}
}

// unfinishedOrder is an order that has a run which has not ended.
type unfinishedOrder struct{ tenant, orderID string }

// unfinishedAfter returns the next such orders after one. An index holds only the runs that
// have not ended.
func unfinishedAfter(ctx context.Context, q Engine, last unfinishedOrder) (batch []unfinishedOrder, err error) {
	err = q.Query(ctx, func(r Row) error {
		var o unfinishedOrder
		err := r.Scan(&o.tenant, &o.orderID)
		batch = append(batch, o)
		return err
	}, `SELECT DISTINCT tenant, order_id FROM runs INDEXED BY runs_unfinished
		WHERE ended = 0 AND (tenant, order_id) > (?, ?) ORDER BY tenant, order_id LIMIT ?`,
		last.tenant, last.orderID, unfinishedAtOnce)
	return batch, err
}
