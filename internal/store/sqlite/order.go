package sqlite

import (
	"context"
	"fmt"

	"github.com/orderhook/orderhook/internal/oms"
)

const orderColumns = `version, status_version, created, modified, doc`

// Order implements [store.Reader].
func (q queries) Order(ctx context.Context, tenant, id string) (*oms.Order, error) {
	o, err := oneOrder(ctx, q.q, id, `SELECT `+orderColumns+` FROM orders WHERE tenant = ? AND id = ?`, tenant, id)
	return o, orNotFound(err, "no order %q", id)
}

// OrderVersion implements [store.Reader].
func (q queries) OrderVersion(ctx context.Context, tenant, id string, version int64) (*oms.Order, error) {
	o, err := oneOrder(ctx, q.q, id, `
		SELECT `+orderColumns+` FROM orders WHERE tenant = ?1 AND id = ?2 AND version = ?3 UNION ALL
		SELECT `+orderColumns+` FROM order_versions WHERE tenant = ?1 AND order_id = ?2 AND version = ?3`, tenant, id, version)
	return o, orNotFound(err, "no version %d of order %q", version, id)
}

// OrderUnless implements [store.Reader].
func (q queries) OrderUnless(ctx context.Context, tenant, id string, version int64) (*oms.Order, error) {
	var r orderRow
	err := one(ctx, q.q, r.columns(), `
		SELECT version, status_version, created, modified, CASE WHEN version <> ?3 THEN doc END
		FROM orders WHERE tenant = ?1 AND id = ?2`, tenant, id, version)
	if err != nil {
		return nil, orNotFound(err, "no order %q", id)
	}
	if r.doc == nil {
		return nil, nil
	}
	return r.order(id)
}

func oneOrder(ctx context.Context, q querier, id, text string, args ...any) (*oms.Order, error) {
	var r orderRow
	if err := one(ctx, q, r.columns(), text, args...); err != nil {
		return nil, err
	}
	return r.order(id)
}

// orderRow is what a query of orderColumns reads.
type orderRow struct {
	version, statusVersion, created, modified int64
	doc                                       []byte
}

func (r *orderRow) columns() []any {
	return []any{&r.version, &r.statusVersion, &r.created, &r.modified, &r.doc}
}

func (r *orderRow) order(id string) (*oms.Order, error) {
	doc, err := oms.ParseStored(r.doc)
	if err != nil {
		return nil, fmt.Errorf("stored order %q: %s", id, err) // not with %w: it is no mistake of the caller's
	}
	return &oms.Order{ID: id, Version: r.version, StatusVersion: r.statusVersion,
		Created: fromMicros(r.created), Modified: fromMicros(r.modified), Doc: doc}, nil
}

// fold is how columns that compare without regard to case are stored. SQLite's
// own NOCASE knows the letters of English only.
func fold(s string) string { return oms.FoldName(s) }

// InsertOrder implements [store.Tx].
func (t *tx) InsertOrder(_ context.Context, tenant string, o *oms.Order) error {
	n, err := t.w.exec(`
		INSERT INTO orders (tenant, id, version, status_version, created, modified,
			status, order_type, market_id, customer_email, subscription_id, store_id, has_errors, doc)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
		tenant, o.ID, o.Version, o.StatusVersion, micros(o.Created), micros(o.Modified),
		fold(o.Status()), fold(o.Doc.Text("orderType")), fold(o.Doc.Text("marketId")),
		fold(o.Doc.Text("customerEmail")), o.Doc.Text("subscriptionId"),
		fold(o.Doc.Text("storeId")), oms.HasUnsolvedErrors(o.Doc), string(o.Doc.JSON()))
	if err == nil && n == 0 {
		return oms.Errorf(oms.Conflict, "an order %q exists already", o.ID)
	}
	if err != nil {
		return err
	}
	return t.addExternalIDs(tenant, o)
}

// addExternalIDs notes what an order is known by elsewhere, for lists.
func (t *tx) addExternalIDs(tenant string, o *oms.Order) error {
	for _, id := range oms.ExternalIDs(o.Doc) {
		_, err := t.w.exec(`INSERT INTO order_external_ids (of_tenant, of_order, external_id, of_created) VALUES (?, ?, ?, ?)`,
			tenant, o.ID, id, micros(o.Created))
		if err != nil {
			return err
		}
	}
	return nil
}

// UpdateOrder implements [store.Tx]. The row as it was becomes an earlier
// version, if it is the one that the new version follows.
func (t *tx) UpdateOrder(ctx context.Context, tenant string, o *oms.Order) error {
	n, err := t.w.exec(`
		INSERT INTO order_versions (tenant, order_id, version, status_version, created, modified, doc)
		SELECT tenant, id, version, status_version, created, modified, doc
		FROM orders WHERE tenant = ? AND id = ? AND version = ?`, tenant, o.ID, o.Version-1)
	if err != nil {
		return err
	}
	if n == 0 {
		return t.notReplaceable(ctx, tenant, o)
	}
	_, err = t.w.exec(`
		UPDATE orders SET version = ?, status_version = ?, modified = ?,
			status = ?, order_type = ?, market_id = ?, customer_email = ?, subscription_id = ?, store_id = ?, has_errors = ?, doc = ?
		WHERE tenant = ? AND id = ?`,
		o.Version, o.StatusVersion, micros(o.Modified),
		fold(o.Status()), fold(o.Doc.Text("orderType")), fold(o.Doc.Text("marketId")),
		fold(o.Doc.Text("customerEmail")), o.Doc.Text("subscriptionId"),
		fold(o.Doc.Text("storeId")), oms.HasUnsolvedErrors(o.Doc), string(o.Doc.JSON()),
		tenant, o.ID)
	if err == nil {
		_, err = t.w.exec(`DELETE FROM order_external_ids WHERE of_tenant = ? AND of_order = ?`, tenant, o.ID)
	}
	if err != nil {
		return err
	}
	return t.addExternalIDs(tenant, o)
}

func (t *tx) notReplaceable(ctx context.Context, tenant string, o *oms.Order) error {
	var current int64
	err := one(ctx, t.q, []any{&current}, `SELECT version FROM orders WHERE tenant = ? AND id = ?`, tenant, o.ID)
	if err != nil {
		return orNotFound(err, "no order %q", o.ID)
	}
	return oms.Errorf(oms.Stale, "the order %q is at version %d, so %d cannot be its next", o.ID, current, o.Version)
}
