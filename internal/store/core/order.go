package core

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/orderhook/orderhook/internal/oms"
)

const orderColumns = `version, status_version, created, modified, doc`

// checkOrder holds while an order is of a version. A number of versions alone
// would not do: an order that was erased may have been made anew.
const checkOrder = `SELECT 1 FROM orders WHERE tenant = ? AND id = ? AND version = ? AND created = ?`

// Order implements [store.Reader].
func (q queries) Order(ctx context.Context, tenant, id string) (*oms.Order, error) {
	if q.own != nil {
		return q.own.order(ctx, tenant, id)
	}
	return q.committedOrder(ctx, tenant, id)
}

func (q queries) committedOrder(ctx context.Context, tenant, id string) (*oms.Order, error) {
	o, err := oneOrder(ctx, q.q, id, `SELECT `+orderColumns+` FROM orders WHERE tenant = ? AND id = ?`, tenant, id)
	return o, orNotFound(err, "no order %q", id)
}

// order is Order for a write, which rests on what it reads.
func (d *draft) order(ctx context.Context, tenant, id string) (*oms.Order, error) {
	have := d.orders[key{tenant, id}]
	if have != nil && have.order.Doc != nil {
		same := *have.order
		return &same, nil
	}
	if err := d.turn.take(key{tenant, "order/" + id}); err != nil {
		return nil, err
	}
	o, err := d.committedOrder(ctx, tenant, id)
	if err != nil {
		return nil, err
	}
	if have != nil && have.order.Version != o.Version {
		return nil, ErrOvertaken
	}
	d.found(tenant, o)
	return o, nil
}

// found notes an order that the write rests on.
func (d *draft) found(tenant string, o *oms.Order) {
	same := *o
	d.note(tenant, &draftOrder{order: &same})
}

func (d *draft) note(tenant string, o *draftOrder) {
	if d.orders == nil {
		d.orders = map[key]*draftOrder{}
	}
	d.orders[key{tenant, o.order.ID}] = o
}

// OrderVersion implements [store.Reader].
func (q queries) OrderVersion(ctx context.Context, tenant, id string, version int64) (*oms.Order, error) {
	o, err := oneOrder(ctx, q.q, id, `
		SELECT `+orderColumns+` FROM orders WHERE tenant = ?1 AND id = ?2 AND version = ?3 UNION ALL
		SELECT `+orderColumns+` FROM order_versions WHERE tenant = ?1 AND order_id = ?2 AND version = ?3`, tenant, id, version)
	return o, orNotFound(err, "no version %d of order %q", version, id)
}

// OrderUnless implements [store.Reader].
func (q queries) OrderUnless(ctx context.Context, tenant string, held *oms.Order) (*oms.Order, error) {
	id := held.ID
	if q.own != nil {
		if have := q.own.orders[key{tenant, id}]; have != nil && have.own {
			same := *have.order
			return &same, nil
		}
		if err := q.own.turn.take(key{tenant, "order/" + id}); err != nil {
			return nil, err
		}
		if q.own.trustsHeld() {
			q.own.found(tenant, held)
			return nil, nil
		}
	}
	var r orderRow
	err := one(ctx, q.q, r.columns(), `
		SELECT version, status_version, created, modified, CASE WHEN version <> ?3 THEN doc END
		FROM orders WHERE tenant = ?1 AND id = ?2`, tenant, id, held.Version)
	if err != nil {
		return nil, orNotFound(err, "no order %q", id)
	}
	if q.own != nil {
		q.own.found(tenant, r.header(id))
	}
	if r.doc == nil {
		return nil, nil
	}
	return r.order(ctx, id)
}

func oneOrder(ctx context.Context, q Engine, id, text string, args ...any) (*oms.Order, error) {
	var r orderRow
	if err := one(ctx, q, r.columns(), text, args...); err != nil {
		return nil, err
	}
	return r.order(ctx, id)
}

// orderRow is what a query of orderColumns reads.
type orderRow struct {
	version, statusVersion, created, modified int64
	doc                                       []byte
}

func (r *orderRow) columns() []any {
	return []any{&r.version, &r.statusVersion, &r.created, &r.modified, &r.doc}
}

func (r *orderRow) order(ctx context.Context, id string) (*oms.Order, error) {
	json, err := unpacked(ctx, r.doc)
	if err != nil {
		return nil, fmt.Errorf("stored order %q: %w", id, err)
	}
	doc, err := oms.ParseStored(json)
	if err != nil {
		return nil, fmt.Errorf("stored order %q: %s", id, err) // not with %w: it is no mistake of the caller's
	}
	o := r.header(id)
	o.Doc = doc
	return o, nil
}

// header is the order without its document.
func (r *orderRow) header(id string) *oms.Order {
	return &oms.Order{ID: id, Version: r.version, StatusVersion: r.statusVersion, Created: fromMicros(r.created), Modified: fromMicros(r.modified)}
}

// fold is how columns that compare without regard to case are stored. The
// databases' own know the letters of English only.
func fold(s string) string { return oms.FoldName(s) }

// InsertOrder implements [store.Tx].
func (d *draft) InsertOrder(ctx context.Context, tenant string, o *oms.Order) error {
	d.touch(tenant, oms.TopicOrders)
	if d.orders[key{tenant, o.ID}] != nil {
		return oms.Errorf(oms.Conflict, "an order %q exists already", o.ID)
	}
	if d.again {
		var there bool
		err := one(ctx, d.q, []any{&there}, `SELECT EXISTS (SELECT 1 FROM orders WHERE tenant = ? AND id = ?)`, tenant, o.ID)
		if err == nil && there {
			err = oms.Errorf(oms.Conflict, "an order %q exists already", o.ID)
		}
		if err == nil {
			err = one(ctx, d.q, []any{&there}, notBeingErased, tenant, o.ID)
			if errors.Is(err, sql.ErrNoRows) {
				err = oms.Errorf(oms.Conflict, "an earlier order %q is being erased; try again when that is done", o.ID)
			}
		}
		if err != nil {
			return err
		}
	}
	same := *o
	d.note(tenant, &draftOrder{order: &same, own: true})
	d.of(tenant).check(notBeingErased, tenant, o.ID)
	d.of(tenant).changeOne(`
		INSERT INTO orders (tenant, id, version, status_version, created, modified,
			status, order_type, market_id, customer_email, subscription_id, store_id, has_errors, doc)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
		tenant, o.ID, o.Version, o.StatusVersion, micros(o.Created), micros(o.Modified),
		fold(o.Status()), fold(o.Doc.Text("orderType")), fold(o.Doc.Text("marketId")),
		fold(o.Doc.Text("customerEmail")), o.Doc.Text("subscriptionId"),
		fold(o.Doc.Text("storeId")), oms.HasUnsolvedErrors(o.Doc), packed(o.Doc.JSON()))
	d.addExternalIDs(tenant, o)
	return nil
}

// addExternalIDs notes what an order is known by elsewhere, for lists.
func (d *draft) addExternalIDs(tenant string, o *oms.Order) {
	for _, id := range oms.ExternalIDs(o.Doc) {
		d.of(tenant).change(`INSERT INTO order_external_ids (of_tenant, of_order, external_id, of_created) VALUES (?, ?, ?, ?)`,
			tenant, o.ID, id, micros(o.Created))
	}
}

// UpdateOrder implements [store.Tx]. The row as it was becomes an earlier
// version, if it is the one that the new version follows.
func (d *draft) UpdateOrder(ctx context.Context, tenant string, o *oms.Order) error {
	d.touch(tenant, oms.TopicOrders)
	was := d.orders[key{tenant, o.ID}]
	if was == nil {
		if _, err := d.order(ctx, tenant, o.ID); err != nil {
			return err
		}
		was = d.orders[key{tenant, o.ID}]
	}
	if was.order.Version != o.Version-1 {
		return oms.Errorf(oms.Stale, "the order %q is at version %d, so %d cannot be its next", o.ID, was.order.Version, o.Version)
	}
	b := d.of(tenant)
	b.changeOne(`
		INSERT INTO order_versions (tenant, order_id, version, status_version, created, modified, doc)
		SELECT tenant, id, version, status_version, created, modified, doc
		FROM orders WHERE tenant = ? AND id = ? AND version = ? AND created = ?`, tenant, o.ID, o.Version-1, micros(was.order.Created))
	b.changeOne(`
		UPDATE orders SET version = ?, status_version = ?, modified = ?,
			status = ?, order_type = ?, market_id = ?, customer_email = ?, subscription_id = ?, store_id = ?, has_errors = ?, doc = ?
		WHERE tenant = ? AND id = ?`,
		o.Version, o.StatusVersion, micros(o.Modified),
		fold(o.Status()), fold(o.Doc.Text("orderType")), fold(o.Doc.Text("marketId")),
		fold(o.Doc.Text("customerEmail")), o.Doc.Text("subscriptionId"),
		fold(o.Doc.Text("storeId")), oms.HasUnsolvedErrors(o.Doc), packed(o.Doc.JSON()),
		tenant, o.ID)
	b.change(`DELETE FROM order_external_ids WHERE of_tenant = ? AND of_order = ?`, tenant, o.ID)
	d.addExternalIDs(tenant, o)
	same := *o
	d.note(tenant, &draftOrder{order: &same, own: true})
	return nil
}
