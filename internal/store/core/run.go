package core

import (
	"context"

	"github.com/orderhook/orderhook/internal/oms"
)

const runColumns = `doc, revision, status_version`

// scanRun reads runColumns.
func scanRun(r Row) (*oms.Run, error) {
	var doc []byte
	run := &oms.Run{}
	if err := r.Scan(&doc, &run.Revision, &run.StatusVersion); err != nil {
		return nil, err
	}
	return run, decode(doc, run, "run")
}

// Run implements [store.Reader].
func (q queries) Run(ctx context.Context, tenant, id string) (*oms.Run, error) {
	r, err := oneRun(ctx, q.q, `SELECT `+runColumns+` FROM runs WHERE tenant = ? AND id = ?`, tenant, id)
	if err == nil && r == nil {
		err = oms.Errorf(oms.NotFound, "no run %q", id)
	}
	return r, err
}

// NextRun implements [store.Reader].
func (q queries) NextRun(ctx context.Context, tenant, orderID string) (*oms.Run, error) {
	r, err := oneRun(ctx, q.q, `
		SELECT `+runColumns+` FROM runs WHERE tenant = ? AND order_id = ? AND ended = 0 ORDER BY seq LIMIT 1`, tenant, orderID)
	if err == nil && q.own != nil {
		id := ""
		if r != nil {
			id = r.ID
		}
		q.own.checkOnce(key{tenant, "next run/" + orderID}, `
			SELECT 1 WHERE coalesce((SELECT id FROM runs WHERE tenant = ? AND order_id = ? AND ended = 0 ORDER BY seq LIMIT 1), '') = ?`, tenant, orderID, id)
	}
	return r, err
}

// RunUnless implements [store.Reader].
func (q queries) RunUnless(ctx context.Context, tenant, id string, revision int64) (*oms.Run, error) {
	if q.own != nil && q.own.trustsHeld() { // UpdateRun finds out
		return nil, nil
	}
	r := &oms.Run{}
	var doc []byte
	err := one(ctx, q.q, []any{&r.Revision, &r.StatusVersion, &doc}, `
		SELECT revision, status_version, CASE WHEN revision <> ?3 THEN doc END FROM runs WHERE tenant = ?1 AND id = ?2`, tenant, id, revision)
	if err != nil {
		return nil, orNotFound(err, "no run %q", id)
	}
	if doc == nil {
		return nil, nil
	}
	return r, decode(doc, r, "run")
}

// oneRun returns the run of a query, nil if there is none.
func oneRun(ctx context.Context, q Engine, text string, args ...any) (*oms.Run, error) {
	found, err := collect(ctx, q.Query, scanRun, text, args...)
	if err != nil || len(found) == 0 {
		return nil, err
	}
	return found[0], nil
}

// atStep is how runs are found by the step that they are at.
func atStep(r *oms.Run) (step, name string) {
	at := r.AtStep()
	return fold(at.Step), fold(at.DisplayName)
}

// InsertRun implements [store.Tx]. Two runs of one order that are inserted at the
// same time would get the same seq: the index on it lets one of them in. None begins
// with settings that were replaced meanwhile: their secrets may be destroyed.
func (d *draft) InsertRun(ctx context.Context, tenant string, r *oms.Run) error {
	d.touch(tenant, oms.TopicRuns)
	if d.again {
		switch _, err := d.Run(ctx, tenant, r.ID); {
		case err == nil:
			return oms.Errorf(oms.Conflict, "a run %q exists already", r.ID)
		case oms.KindOf(err) != oms.NotFound:
			return err
		}
	}
	doc, err := encode(r)
	if err != nil {
		return err
	}
	step, name := atStep(r)
	d.of(tenant).changeOne(`
		INSERT INTO runs (tenant, id, order_id, seq, status, ended, created, step, step_name, status_version, scoped, entered_status, doc, since)
		SELECT ?1, ?2, ?3, coalesce(max(seq), 0) + 1, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13 FROM runs WHERE tenant = ?1 AND order_id = ?3
		HAVING NOT EXISTS (SELECT 1 FROM settings WHERE tenant = ?1 AND version > ?13)
		ON CONFLICT DO NOTHING`, tenant, r.ID, r.OrderID, string(r.Status), r.Status.Ended(), micros(r.Created), step, name,
		r.StatusVersion, r.ScopeID() != "", fold(r.EnteredStatus), doc, r.SecretsSince())
	return nil
}

// UpdateRun implements [store.Tx].
func (d *draft) UpdateRun(ctx context.Context, tenant string, r *oms.Run) error {
	d.touch(tenant, oms.TopicRuns)
	if d.again {
		if _, err := d.RunUnless(ctx, tenant, r.ID, r.Revision); err != nil {
			return err
		}
	}
	doc, err := encode(r)
	if err != nil {
		return err
	}
	step, name := atStep(r)
	d.of(tenant).changeOne(`
		UPDATE runs SET status = ?, ended = ?, step = ?, step_name = ?, status_version = ?, doc = ?, since = ?, revision = revision + 1
		WHERE tenant = ? AND id = ? AND revision = ?`,
		string(r.Status), r.Status.Ended(), step, name, r.StatusVersion, doc, r.SecretsSince(), tenant, r.ID, r.Revision)
	r.Revision++
	if r.Status == oms.RunCanceled {
		d.auditRun(tenant, r)
	}
	return nil
}

// auditRun notes that a run is canceled or resumed.
func (d *draft) auditRun(tenant string, r *oms.Run) {
	if note := d.audit(tenant, oms.AuditRun, r.ID); note != nil {
		note.OrderID = r.OrderID
	}
}

// RequeueRun implements [store.Tx].
func (d *draft) RequeueRun(ctx context.Context, tenant string, r *oms.Run) error {
	if err := d.UpdateRun(ctx, tenant, r); err != nil {
		return err
	}
	d.of(tenant).changeOne(`
		UPDATE runs SET seq = 1 + (SELECT max(seq) FROM runs WHERE tenant = ?1 AND order_id = ?3) WHERE tenant = ?1 AND id = ?2`,
		tenant, r.ID, r.OrderID)
	d.auditRun(tenant, r)
	return nil
}

// CarryRuns implements [store.Tx].
func (d *draft) CarryRuns(_ context.Context, tenant, orderID string, from, to int64, status string) error {
	d.of(tenant).change(`
		UPDATE runs INDEXED BY runs_unfinished SET status_version = ?1, revision = revision + 1
		WHERE tenant = ?2 AND order_id = ?3 AND ended = 0 AND status = 'waiting' AND status_version = ?4 AND (scoped = 1 OR entered_status = ?5)`,
		to, tenant, orderID, from, fold(status))
	return nil
}

// unfinishedAtOnce is how many orders UnfinishedOrders reads before it hands
// them on: what is done with them must not hold up the reading of the log.
const unfinishedAtOnce = 1000

// UnfinishedOrders implements [store.Store].
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

type unfinishedOrder struct{ tenant, orderID string }

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
