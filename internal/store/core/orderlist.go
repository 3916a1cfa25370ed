package core

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/orderhook/orderhook/internal/store"
)

// Orders implements [store.Reader].
func (q queries) Orders(ctx context.Context, tenant string, f store.OrderFilter, asked store.Page) (store.List[store.Document], error) {
	class := store.Listing
	if looksInto(f) {
		class = store.Search
	}
	return pageOf(ctx, q, tenant, class, asked, documentCursor, func(ctx context.Context, p *page[store.Document], after *store.Cursor) error {
		return q.lookForOrders(ctx, tenant, f, p, after)
	})
}

// OrderCount implements [store.Reader].
func (q queries) OrderCount(ctx context.Context, tenant string, f store.OrderFilter) (store.Count, error) {
	if looksInto(f) {
		return counted(ctx, q, tenant, store.Search, func(ctx context.Context, p *page[store.Document]) error {
			return q.lookForOrders(ctx, tenant, f, p, nil)
		})
	}
	return counted(ctx, q, tenant, store.Listing, func(ctx context.Context, p *page[struct{}]) error {
		for _, part := range orderParts(tenant, f) {
			if err := part.count(ctx, q, p); err != nil || p.ended() {
				return err
			}
		}
		return nil
	})
}

// looksInto reports whether a filter has to look into the documents.
func looksInto(f store.OrderFilter) bool { return f.Text != "" || f.Tag != "" }

// lookForOrders fills a page.
func (q queries) lookForOrders(ctx context.Context, tenant string, f store.OrderFilter, p *page[store.Document], after *store.Cursor) error {
	s := orderSearch{page: p, search: newSearch(f.Text), looks: looksInto(f), left: p.effort.documents}
	for _, part := range orderParts(tenant, f) {
		err := fill(ctx, q, part, p, after, func(of stretch) error {
			text, args := part.sql(orderListColumns, of, s.limit())
			if f.Tag != "" {
				text, args = part.sql(taggedListColumns, of, s.limit())
				args = append([]any{f.Tag}, args...)
			}
			return q.q.QueryOnce(ctx, func(r Row) error { return s.look(ctx, r) }, text, args...)
		})
		if err != nil || p.ended() {
			return err
		}
	}
	return nil
}

func documentCursor(d store.Document) store.Cursor {
	return store.Cursor{At: micros(d.Created), ID: d.ID}
}

// What a list reads of an order, with the size of its document: about ten times
// what is stored, if that is compressed (pack.go). The document is left out where it has not the
// tag that is asked for: the row is looked at all the same, and counts.
const (
	orderListColumns  = `id, created, octet_length(doc), doc`
	taggedListColumns = `id, created, octet_length(doc) * iif(doc < '{', 10, 1),
		CASE WHEN EXISTS (SELECT 1 FROM json_each(iif(doc < '{', unpacked(doc), doc), '$.tags') AS tag WHERE tag.value = ?) THEN doc END`
)

// orderSearch is a page of orders that is being put together.
type orderSearch struct {
	page   *page[store.Document]
	search search
	looks  bool // into documents: most are not picked
	left   int  // how many bytes of documents may be looked at
}

// leastLooked is how many bytes it counts for to look at an order, however small it is.
const leastLooked = 512

// limit is how many rows to ask for; 0, if nobody knows.
func (s *orderSearch) limit() int {
	if s.looks {
		return 0
	}
	return s.page.wanted()
}

// look adds an order if it has what is looked for. The page ends with it once as
// many bytes were looked at as may be for one.
func (s *orderSearch) look(ctx context.Context, r Row) error {
	var d store.Document
	var created int64
	var size int
	var doc sql.NullString
	if err := r.Scan(&d.ID, &created, &size, &doc); err != nil {
		return err
	}
	d.Created, d.JSON = fromMicros(created), doc.String
	if json, err := unpacked(ctx, []byte(doc.String)); err != nil {
		return fmt.Errorf("stored order %q: %w", d.ID, err)
	} else if len(json) > len(doc.String) {
		d.JSON, size = string(json), len(json)
	}
	found, err := s.search.isInDocument(d.JSON)
	if err != nil {
		return fmt.Errorf("stored order %q: %s", d.ID, err) // not with %w: it is no mistake of the caller's
	}
	if doc.Valid && found {
		if err := s.page.add(d, rowBytes+size); err != nil {
			return err
		}
	}
	if s.left -= max(size, leastLooked); s.looks && s.left <= 0 {
		s.page.end(documentCursor(d))
		return errEnough
	}
	return nil
}

// orderParts returns the parts that a list has, the newest first. The list of
// what was modified since a time has two: nearly all orders that were created
// since, and, of the far more that were created before, the few that were
// changed. An index of the time of creation finds the ones at once and would
// look for the others in all orders there are.
func orderParts(tenant string, f store.OrderFilter) []*newest {
	if f.ModifiedFrom.IsZero() || narrow(f) {
		return []*newest{ordersLike(tenant, f)}
	}
	newer, older := f, f
	if f.From.Before(f.ModifiedFrom) {
		newer.From = f.ModifiedFrom
	}
	if f.To.IsZero() || f.To.After(f.ModifiedFrom) {
		older.To = f.ModifiedFrom
	}
	return []*newest{ordersLike(tenant, newer), changed(ordersLike(tenant, older))}
}

// narrow reports whether a filter has an index of its own for what it names, or
// has to look into each order anyway.
func narrow(f store.OrderFilter) bool {
	return f.Status != "" || f.CustomerEmail != "" || f.SubscriptionID != "" || f.StoreID != "" || f.ExternalID != "" ||
		f.HasErrors != nil && *f.HasErrors || f.Text != "" || f.Tag != ""
}

// ordersLike returns the list of the orders that a filter picks, but for its text
// and its tag, which are looked for in each. It goes along the index of the
// narrowest thing that the filter names.
func ordersLike(tenant string, f store.OrderFilter) *newest {
	n := newestOf(tenant, "orders")
	index := ""
	by := func(name string) *list { // where a condition goes: the first that is there has its index
		if index == "" {
			index = name
			return n.along
		}
		return n.rest
	}
	if f.ExternalID != "" {
		n = &newest{from: `order_external_ids INDEXED BY order_external_ids_id CROSS JOIN orders ON tenant = of_tenant AND id = of_order`,
			time: "of_created", id: "of_order", along: n.along, rest: n.rest, few: true}
		by("order_external_ids_id").where("of_tenant = ? AND external_id = ?", tenant, f.ExternalID)
	}
	if f.SubscriptionID != "" {
		by("orders_subscription").indexed("subscription_id", f.SubscriptionID)
	}
	if f.CustomerEmail != "" {
		by("orders_email").indexed("customer_email", fold(f.CustomerEmail))
	}
	if f.HasErrors != nil && *f.HasErrors {
		by("orders_errors").where("has_errors = 1")
	}
	if f.StoreID != "" {
		by("orders_store").indexed("store_id", fold(f.StoreID))
	}
	if f.Status != "" {
		by("orders_status").equal("status", fold(f.Status))
	}
	if by("orders_created"); !n.few {
		n.from += ` INDEXED BY ` + index
	}
	if f.HasErrors != nil && !*f.HasErrors {
		n.rest.where("has_errors = 0")
	}
	n.rest.equal("market_id", fold(f.MarketID))
	n.rest.equal("order_type", fold(f.OrderType))
	n.rest.between("modified", f.ModifiedFrom, time.Time{})
	n.along.between("created", f.From, f.To)
	return n
}

// changed is the same list, read along the index of when orders were changed.
func changed(n *newest) *newest {
	n.from, n.few, n.sorted = "orders", true, "orders INDEXED BY orders_modified"
	return n
}
