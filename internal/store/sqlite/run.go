package sqlite

import (
	"context"
	"database/sql"
	"errors"

	"github.com/orderhook/orderhook/internal/oms"
)

// Run implements [store.Reader].
func (q queries) Run(ctx context.Context, tenant, id string) (*oms.Run, error) {
	r, err := oneRun(ctx, q.q, `SELECT doc, status_version FROM runs WHERE tenant = ? AND id = ?`, tenant, id)
	return r, orNotFound(err, "no run %q", id)
}

// NextRun implements [store.Reader].
func (q queries) NextRun(ctx context.Context, tenant, orderID string) (*oms.Run, error) {
	r, err := oneRun(ctx, q.q, `
		SELECT doc, status_version FROM runs WHERE tenant = ? AND order_id = ? AND ended = 0 ORDER BY seq LIMIT 1`, tenant, orderID)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	return r, err
}

// RunEnded implements [store.Reader].
func (q queries) RunEnded(ctx context.Context, tenant, id string) (ended bool, err error) {
	err = one(ctx, q.q, []any{&ended}, `SELECT ended FROM runs WHERE tenant = ? AND id = ?`, tenant, id)
	return ended, orNotFound(err, "no run %q", id)
}

func oneRun(ctx context.Context, q querier, text string, args ...any) (*oms.Run, error) {
	var (
		doc     []byte
		version int64
	)
	if err := one(ctx, q, []any{&doc, &version}, text, args...); err != nil {
		return nil, err
	}
	return readRun(doc, version)
}

// readRun is a run as its row holds it.
func readRun(doc []byte, statusVersion int64) (*oms.Run, error) {
	r := &oms.Run{}
	err := decode(doc, r, "run")
	r.StatusVersion = statusVersion // that of the document is as old as its last write
	return r, err
}

// atStep is how runs are found by the step that they are at.
func atStep(r *oms.Run) (step, name string) {
	at := r.AtStep()
	return fold(at.Step), fold(at.DisplayName)
}

// InsertRun implements [store.Tx].
func (t *tx) InsertRun(_ context.Context, tenant string, r *oms.Run) error {
	doc, err := encode(r)
	if err != nil {
		return err
	}
	step, name := atStep(r)
	n, err := t.w.exec(`
		INSERT INTO runs (tenant, id, order_id, seq, status, ended, created, step, step_name, status_version, scoped, entered_status, doc)
		SELECT ?1, ?2, ?3, coalesce(max(seq), 0) + 1, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12 FROM runs WHERE tenant = ?1 AND order_id = ?3
		ON CONFLICT DO NOTHING`, tenant, r.ID, r.OrderID, string(r.Status), r.Status.Ended(), micros(r.Created), step, name,
		r.StatusVersion, r.ScopeID() != "", fold(r.EnteredStatus), doc)
	if err == nil && n == 0 {
		return oms.Errorf(oms.Conflict, "a run %q exists already", r.ID)
	}
	return err
}

// UpdateRun implements [store.Tx].
func (t *tx) UpdateRun(_ context.Context, tenant string, r *oms.Run) error {
	doc, err := encode(r)
	if err != nil {
		return err
	}
	step, name := atStep(r)
	n, err := t.w.exec(`UPDATE runs SET status = ?, ended = ?, step = ?, step_name = ?, status_version = ?, doc = ? WHERE tenant = ? AND id = ?`,
		string(r.Status), r.Status.Ended(), step, name, r.StatusVersion, doc, tenant, r.ID)
	if err == nil && n == 0 {
		return oms.Errorf(oms.NotFound, "no run %q", r.ID)
	}
	return err
}

// RequeueRun implements [store.Tx].
func (t *tx) RequeueRun(ctx context.Context, tenant string, r *oms.Run) error {
	if err := t.UpdateRun(ctx, tenant, r); err != nil {
		return err
	}
	_, err := t.w.exec(`
		UPDATE runs SET seq = 1 + (SELECT max(seq) FROM runs WHERE tenant = ?1 AND order_id = ?3) WHERE tenant = ?1 AND id = ?2`,
		tenant, r.ID, r.OrderID)
	return err
}

// CarryRuns implements [store.Tx].
func (t *tx) CarryRuns(_ context.Context, tenant, orderID string, from, to int64, status string) error {
	_, err := t.w.exec(`
		UPDATE runs INDEXED BY runs_unfinished SET status_version = ?1
		WHERE tenant = ?2 AND order_id = ?3 AND ended = 0 AND status = 'waiting' AND status_version = ?4 AND (scoped = 1 OR entered_status = ?5)`,
		to, tenant, orderID, from, fold(status))
	return err
}

// unfinishedAtOnce is how many orders UnfinishedOrders reads before it hands
// them on: what is done with them must not hold up the reading of the log.
const unfinishedAtOnce = 1000

// UnfinishedOrders implements [store.Store].
func (db *DB) UnfinishedOrders(ctx context.Context, each func(tenant, orderID string) error) error {
	var last unfinishedOrder
	for {
		batch, err := unfinishedAfter(ctx, db.readers, last)
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

func unfinishedAfter(ctx context.Context, q querier, last unfinishedOrder) (batch []unfinishedOrder, err error) {
	err = q.query(ctx, func(r row) error {
		var o unfinishedOrder
		err := r.Scan(&o.tenant, &o.orderID)
		batch = append(batch, o)
		return err
	}, `SELECT DISTINCT tenant, order_id FROM runs INDEXED BY runs_unfinished
		WHERE ended = 0 AND (tenant, order_id) > (?, ?) ORDER BY tenant, order_id LIMIT ?`,
		last.tenant, last.orderID, unfinishedAtOnce)
	return batch, err
}
