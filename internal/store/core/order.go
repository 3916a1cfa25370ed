package core

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"

	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/changes"
	"github.com/orderhook/orderhook/internal/order"
	"github.com/orderhook/orderhook/internal/schema"
	"github.com/orderhook/orderhook/internal/spelling"
)

// orderColumns are what an [orderRow] reads. The document has all of an order; the columns
// beside it are what statements compare, and what lists are filtered by.
const orderColumns = `version, status_version, created, modified, doc`

// checkOrder returns a row while an order is of a version. The number of the version alone
// would not do: an order that was erased may have been made anew, and its versions begin at
// 1 again.
const checkOrder = `SELECT 1 FROM orders WHERE tenant = ? AND id = ? AND version = ? AND created = ?`

// Order implements [store.Reader].
func (q queries) Order(ctx context.Context, tenant, id string) (*order.Order, error) {
	if q.own != nil {
		return q.own.order(ctx, tenant, id)
	}
	return q.committedOrder(ctx, tenant, id)
}

// committedOrder reads an order as it was committed last.
func (q queries) committedOrder(ctx context.Context, tenant, id string) (*order.Order, error) {
	o, err := oneOrder(ctx, q.q, id, `SELECT `+orderColumns+` FROM orders WHERE tenant = ? AND id = ?`, tenant, id)
	return o, orNotFound(err, "order %q", id)
}

// order is Order for a write, which depends on what it reads. It takes the order's turn
// first, so that it waits for a write of the same order before it reads, and not behind. It
// returns a copy: what the caller changes in it does not change what the write compares
// with.
func (d *draft) order(ctx context.Context, tenant, id string) (*order.Order, error) {
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
	// The write knew the order without its document, of a version that another write has
	// replaced.
	if have != nil && have.order.Version != o.Version {
		return nil, ErrOvertaken
	}
	d.found(tenant, o)
	return o, nil
}

// found notes an order that the write depends on. finish adds the check, unless the write
// changes the order.
func (d *draft) found(tenant string, o *order.Order) {
	same := *o
	d.note(tenant, &draftOrder{order: &same})
}

// note remembers an order, in place of what was remembered of it before.
func (d *draft) note(tenant string, o *draftOrder) {
	if d.orders == nil {
		d.orders = map[key]*draftOrder{}
	}
	d.orders[key{tenant, o.order.ID}] = o
}

// OrderVersion implements [store.Reader]. The current version is in another table than the
// earlier ones.
func (q queries) OrderVersion(ctx context.Context, tenant, id string, version int64) (*order.Order, error) {
	o, err := oneOrder(ctx, q.q, id, `
		SELECT `+orderColumns+` FROM orders WHERE tenant = ?1 AND id = ?2 AND version = ?3 UNION ALL
		SELECT `+orderColumns+` FROM order_versions WHERE tenant = ?1 AND order_id = ?2 AND version = ?3`, tenant, id, version)
	return o, orNotFound(err, "version %d of order %q", version, id)
}

// OrderUnless implements [store.Reader]. The steps of a run use it: nearly always nobody
// else has changed the order since the step before, and its document need not be parsed
// again.
func (q queries) OrderUnless(ctx context.Context, tenant string, held *order.Order) (*order.Order, error) {
	id := held.ID
	if q.own != nil {
		// The write itself has changed the order, so what the caller holds is old.
		if have := q.own.orders[key{tenant, id}]; have != nil && have.own {
			same := *have.order
			return &same, nil
		}
		if err := q.own.turn.take(key{tenant, "order/" + id}); err != nil {
			return nil, err
		}
		// The check at the commit finds out if the caller holds an old version.
		if q.own.trustsHeld() {
			q.own.found(tenant, held)
			return nil, nil
		}
	}
	// The document is read only if the version is another one.
	var r orderRow
	err := one(ctx, q.q, r.columns(), `
		SELECT version, status_version, created, modified, CASE WHEN version <> ?3 THEN doc END
		FROM orders WHERE tenant = ?1 AND id = ?2`, tenant, id, held.Version)
	if err != nil {
		return nil, orNotFound(err, "order %q", id)
	}
	if q.own != nil {
		// From here on the write depends on the version that was just read.
		q.own.found(tenant, r.header(id))
	}
	if r.doc == nil {
		return nil, nil
	}
	return r.order(ctx, id)
}

// oneOrder returns the order of a query, which finds at most one; sql.ErrNoRows if it finds
// none.
func oneOrder(ctx context.Context, q Engine, id, text string, args ...any) (*order.Order, error) {
	var r orderRow
	if err := one(ctx, q, r.columns(), text, args...); err != nil {
		return nil, err
	}
	return r.order(ctx, id)
}

// orderRow is what a query of orderColumns reads. doc is nil if the query left it out.
type orderRow struct {
	version, statusVersion, created, modified int64
	doc                                       []byte
}

// columns returns where the values of orderColumns go.
func (r *orderRow) columns() []any {
	return []any{&r.version, &r.statusVersion, &r.created, &r.modified, &r.doc}
}

// order unpacks and parses the document. That takes a slot for large documents if it is
// one.
func (r *orderRow) order(ctx context.Context, id string) (*order.Order, error) {
	json, err := unpacked(ctx, r.doc)
	if err != nil {
		return nil, fmt.Errorf("stored order %q: %w", id, err)
	}
	doc, err := schema.ParseStored(json)
	if err != nil {
		return nil, fmt.Errorf("stored order %q: %s", id, err) // not with %w: it is no error of the caller's
	}
	o := r.header(id)
	o.Doc = doc
	return o, nil
}

// header is the order without its document.
func (r *orderRow) header(id string) *order.Order {
	return &order.Order{ID: id, Version: r.version, StatusVersion: r.statusVersion, Created: fromMicros(r.created), Modified: fromMicros(r.modified)}
}

// fold is how the values of columns are stored that are compared without regard to case.
// What databases offer for that is not enough: SQLite's own functions know the letters of
// English only, and PostgreSQL's depend on how it was set up.
func fold(s string) string { return spelling.FoldName(s) }

// InsertOrder implements [store.Tx]. The first time it does not ask whether the id is free.
// If it is not, the statement inserts nothing, the write is overtaken, and the second time
// it finds out what is wrong.
func (d *draft) InsertOrder(ctx context.Context, tenant string, o *order.Order) error {
	d.touch(tenant, changes.TopicOrders)
	// The write has read the order, so it is there; or it has inserted it itself.
	if d.orders[key{tenant, o.ID}] != nil {
		return apierr.Errorf(apierr.Conflict, "an order %q exists already", o.ID)
	}
	if d.again {
		var there bool
		err := one(ctx, d.q, []any{&there}, `SELECT EXISTS (SELECT 1 FROM orders WHERE tenant = ? AND id = ?)`, tenant, o.ID)
		if err == nil && there {
			err = apierr.Errorf(apierr.Conflict, "an order %q exists already", o.ID)
		}
		if err == nil {
			err = one(ctx, d.q, []any{&there}, notBeingErased, tenant, o.ID)
			if errors.Is(err, sql.ErrNoRows) {
				err = apierr.Errorf(apierr.Conflict, "an earlier order %q is being erased; try again when that is done", o.ID)
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
		INSERT INTO orders (status, order_type, market_id, customer_email, subscription_id, store_id, has_errors,
			tenant, id, version, status_version, created, modified, doc)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
		append(orderFilters(o), tenant, o.ID, o.Version, o.StatusVersion, micros(o.Created), micros(o.Modified), packed(o.Doc.JSON()))...)
	d.addExternalIDs(tenant, o, order.ExternalIDs(o.Doc))
	return nil
}

// orderFilters returns the values of the columns that lists of orders are filtered by: status,
// order_type, market_id, customer_email, subscription_id, store_id and has_errors.
func orderFilters(o *order.Order) []any {
	return []any{fold(o.Status()), fold(o.Doc.Text("orderType")), fold(o.Doc.Text("marketId")), fold(o.Doc.Text("customerEmail")),
		o.Doc.Text("subscriptionId"), fold(o.Doc.Text("storeId")), order.HasUnsolvedErrors(o.Doc)}
}

// addExternalIDs notes what an order is known by in other systems, so that a list finds it
// by that. The columns have names of their own, because a list joins this table with
// orders.
func (d *draft) addExternalIDs(tenant string, o *order.Order, ids []string) {
	for _, id := range ids {
		d.of(tenant).change(`INSERT INTO order_external_ids (of_tenant, of_order, external_id, of_created) VALUES (?, ?, ?, ?)`,
			tenant, o.ID, id, micros(o.Created))
	}
}

// UpdateOrder implements [store.Tx]. The row as it was becomes an earlier version, by a
// statement that copies it within the database. That statement also checks that the order
// is still of the version which the new one follows: if it is not, it copies no row, and
// the write is overtaken.
func (d *draft) UpdateOrder(ctx context.Context, tenant string, o *order.Order) error {
	d.touch(tenant, changes.TopicOrders)
	was := d.orders[key{tenant, o.ID}]
	if was == nil {
		if _, err := d.order(ctx, tenant, o.ID); err != nil {
			return err
		}
		was = d.orders[key{tenant, o.ID}]
	}
	if was.order.Version != o.Version-1 {
		return apierr.Errorf(apierr.Stale, "the order %q is at version %d, so %d cannot be its next", o.ID, was.order.Version, o.Version)
	}
	b := d.of(tenant)
	b.changeOne(`
		INSERT INTO order_versions (tenant, order_id, version, status_version, created, modified, doc)
		SELECT tenant, id, version, status_version, created, modified, doc
		FROM orders WHERE tenant = ? AND id = ? AND version = ? AND created = ?`, tenant, o.ID, o.Version-1, micros(was.order.Created))
	columns, ids := orderFilters(o), order.ExternalIDs(o.Doc)
	// The row is the one that was read, so what it has is known, unless the write does not
	// have the document. The steps of a run change hardly anything that orders are found by:
	// then none of these indexes is written, each of which is a page of the commit.
	known := was.order.Doc != nil && was.order.Doc != o.Doc
	if known && slices.Equal(columns, orderFilters(was.order)) {
		b.changeOne(`UPDATE orders SET version = ?, status_version = ?, modified = ?, doc = ? WHERE tenant = ? AND id = ?`,
			o.Version, o.StatusVersion, micros(o.Modified), packed(o.Doc.JSON()), tenant, o.ID)
	} else {
		b.changeOne(`
			UPDATE orders SET status = ?, order_type = ?, market_id = ?, customer_email = ?, subscription_id = ?, store_id = ?, has_errors = ?,
				version = ?, status_version = ?, modified = ?, doc = ?
			WHERE tenant = ? AND id = ?`,
			append(columns, o.Version, o.StatusVersion, micros(o.Modified), packed(o.Doc.JSON()), tenant, o.ID)...)
	}
	if !known || !slices.Equal(ids, order.ExternalIDs(was.order.Doc)) {
		// There are few of them, and to write all of them anew is simpler than to compare.
		b.change(`DELETE FROM order_external_ids WHERE of_tenant = ? AND of_order = ?`, tenant, o.ID)
		d.addExternalIDs(tenant, o, ids)
	}
	same := *o
	d.note(tenant, &draftOrder{order: &same, own: true})
	return nil
}
