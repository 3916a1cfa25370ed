package core

import (
	"context"
	"time"

	"github.com/orderhook/orderhook/internal/oms"
	"github.com/orderhook/orderhook/internal/store"
)

// Orders implements [store.Reader].
func (q queries) Orders(ctx context.Context, tenant string, f store.OrderFilter, p store.Page) (store.List[*oms.Order], error) {
	after, err := p.After()
	if err != nil {
		return store.List[*oms.Order]{}, err
	}
	search, limit := newSearch(f.Text), p.Size()+1
	var rows []*oms.Order
	for _, stretch := range stretches(f) {
		if err != nil || len(rows) == limit {
			break
		}
		text, args := stretch.query(tenant, after, limit-len(rows))
		err = q.q.QueryOnce(ctx, func(r Row) error {
			o, err := scanOrder(r, search)
			if err != nil || o == nil {
				return err
			}
			if rows = append(rows, o); len(rows) == limit {
				return errEnough
			}
			return nil
		}, text, args...)
	}
	return store.Cut(p, rows, func(o *oms.Order) store.Cursor { return store.Cursor{At: micros(o.Created), ID: o.ID} }), err
}

// stretch is a part of a list of orders: those of a time of creation.
type stretch struct {
	store.OrderFilter
	byChange bool // there are few, and they are found by when they were changed
}

// stretches returns the parts that a list has, the newest first. The list of
// what was modified since a time has two: nearly all orders that were created
// since, and, of the far more that were created before, the few that were
// changed. An index of the time of creation finds the ones at once and would
// look for the others in all orders there are.
func stretches(f store.OrderFilter) []stretch {
	if f.ModifiedFrom.IsZero() || narrow(f) {
		return []stretch{{OrderFilter: f}}
	}
	newer, older := f, f
	if f.From.Before(f.ModifiedFrom) {
		newer.From = f.ModifiedFrom
	}
	if f.To.IsZero() || f.To.After(f.ModifiedFrom) {
		older.To = f.ModifiedFrom
	}
	return []stretch{{OrderFilter: newer}, {older, true}}
}

// narrow reports whether a filter has an index of its own for what it names, or
// has to look into each order anyway.
func narrow(f store.OrderFilter) bool {
	return f.Status != "" || f.CustomerEmail != "" || f.SubscriptionID != "" || f.StoreID != "" || f.ExternalID != "" ||
		f.HasErrors != nil && *f.HasErrors || f.Text != ""
}

const selectOrders = `SELECT id, ` + orderColumns + ` FROM orders`

// query returns the query of the orders of the stretch, but for the filter's
// text, which [search] looks for in each: so it has no limit of its own then.
func (s stretch) query(tenant string, after *store.Cursor, limit int) (string, []any) {
	l := s.conditions(tenant)
	if s.Text != "" {
		limit = 0
	}
	if s.byChange {
		text, args := l.newestFirst(`SELECT rowid FROM orders INDEXED BY orders_modified`, "created", after, limit)
		return selectOrders + ` WHERE rowid IN (` + text + `) ORDER BY created DESC, id DESC`, args
	}
	if s.ExternalID != "" {
		l.where("of_tenant = ? AND external_id = ?", tenant, s.ExternalID)
		return l.newestFirstBy(`SELECT id, `+orderColumns+` FROM order_external_ids INDEXED BY order_external_ids_id
			CROSS JOIN orders ON tenant = of_tenant AND id = of_order`, "of_created", "of_order", after, limit)
	}
	return l.newestFirst(selectOrders, "created", after, limit)
}

func (s stretch) conditions(tenant string) *list {
	l := listOf(tenant)
	l.equal("status", fold(s.Status))
	l.equal("market_id", fold(s.MarketID))
	l.equal("order_type", fold(s.OrderType))
	l.indexed("customer_email", fold(s.CustomerEmail))
	l.indexed("subscription_id", s.SubscriptionID)
	l.indexed("store_id", fold(s.StoreID))
	if s.HasErrors != nil {
		l.where(map[bool]string{true: "has_errors = 1", false: "has_errors = 0"}[*s.HasErrors])
	}
	l.between("created", s.From, s.To)
	l.between("modified", s.ModifiedFrom, time.Time{})
	if s.Tag != "" {
		l.where("EXISTS (SELECT 1 FROM json_each(doc, '$.tags') AS tag WHERE tag.value = ?)", s.Tag)
	}
	return l
}

// scanOrder reads one order, nil if it does not hold what is searched for.
func scanOrder(r Row, s search) (*oms.Order, error) {
	var id string
	var or orderRow
	if err := r.Scan(append([]any{&id}, or.columns()...)...); err != nil {
		return nil, err
	}
	if !s.mayBeIn(or.doc) {
		return nil, nil
	}
	o, err := or.order(id)
	if err != nil || !s.isIn(o.Doc) {
		return nil, err
	}
	return o, nil
}
