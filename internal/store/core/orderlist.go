package core

import (
	"context"
	"fmt"
	"time"

	"github.com/orderhook/orderhook/internal/store"
)

// Orders implements [store.Reader]. A filter that looks into the documents makes the page a
// search, which has connections of its own: it takes much longer than a page that indexes
// answer.
func (q queries) Orders(ctx context.Context, tenant string, f store.OrderFilter, asked store.Page) (store.List[store.Document], error) {
	class := store.Listing
	if looksInto(f) {
		class = store.Search
	}
	return pageOf(ctx, q, tenant, class, asked, documentCursor, func(ctx context.Context, p *page[store.Document], after *store.Cursor) error {
		return q.lookForOrders(ctx, tenant, f, p, after)
	})
}

// OrderCount implements [store.Reader]. What no document has to be read for is counted in
// the indexes alone.
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

// lookForOrders fills a page with the orders that the filter picks, part by part. Only the
// orders themselves tell whether they have the text or the tag, so each that the rest of
// the filter picks is read and looked at.
func (q queries) lookForOrders(ctx context.Context, tenant string, f store.OrderFilter, p *page[store.Document], after *store.Cursor) error {
	s := orderSearch{page: p, search: newSearch(f.Text), tag: newSearch(f.Tag), looks: looksInto(f), left: p.effort.documents}
	for _, part := range orderParts(tenant, f) {
		err := fill(ctx, q, part, p, after, func(of stretch) error {
			text, args := part.sql(orderListColumns, of, s.limit())
			return q.q.QueryOnce(ctx, func(r Row) error { return s.look(ctx, r) }, text, args...)
		})
		if err != nil || p.ended() {
			return err
		}
	}
	return nil
}

// documentCursor is where a list of orders or carts continues behind one.
func documentCursor(d store.Document) store.Cursor {
	return store.Cursor{At: micros(d.Created), ID: d.ID}
}

// orderListColumns is what a list reads of an order.
const orderListColumns = `id, created, doc`

// orderSearch is a page of orders that is being put together. Where the filter needs no
// look into the documents, each row is one of the page.
type orderSearch struct {
	page   *page[store.Document]
	search search
	tag    search // what one of the order's tags is to be, compared exactly
	looks  bool   // into documents: most are not picked
	left   int    // how many bytes of documents may be looked at
}

// leastLooked is how many bytes it counts for to look at an order, however small it is.
const leastLooked = 512

// limit is how many rows to ask for. It is 0, for all, if most of the rows may not be
// picked: then look ends the reading.
func (s *orderSearch) limit() int {
	if s.looks {
		return 0
	}
	return s.page.wanted()
}

// look adds an order to the page if it has what is looked for. In a search the page ends
// with it once as many bytes of documents were looked at as may be for one page, or the
// page has had its time (see [effort]).
func (s *orderSearch) look(ctx context.Context, r Row) error {
	var d store.Document
	var created int64
	if err := r.Scan(&d.ID, &created, &d.JSON); err != nil {
		return err
	}
	d.Created = fromMicros(created)
	json, err := unpacked(ctx, []byte(d.JSON))
	if err != nil {
		return fmt.Errorf("stored order %q: %w", d.ID, err)
	}
	// It was compressed; otherwise the text that was read is the same.
	if len(json) > len(d.JSON) {
		d.JSON = string(json)
	}
	// A page, and the work for it, are measured by what was unpacked.
	size := len(d.JSON)
	found, err := s.tag.isATag(d.JSON)
	if err == nil && found {
		found, err = s.search.isInDocument(d.JSON)
	}
	if err != nil {
		return fmt.Errorf("stored order %q: %s", d.ID, err) // not with %w: it is no error of the caller's
	}
	if found {
		if err := s.page.add(d, rowBytes+size); err != nil {
			return err
		}
	}
	if s.left -= max(size, leastLooked); s.looks && (s.left <= 0 || s.page.late(s.left, s.page.effort.documents)) {
		s.page.end(documentCursor(d))
		return errEnough
	}
	return nil
}

// orderParts returns the parts of a list, the newest first. Most lists have one. The list
// of what was modified since a time has two: nearly all orders that were created since,
// and, of the far more that were created before, the few that were changed. The index by
// creation would find the first at once, and would look for the others among all orders
// that there are.
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

// ordersLike returns the list of the orders that a filter picks, without its text and its
// tag, which are looked for in each document. The list goes along the index of the
// narrowest thing that the filter names. The ifs below are in that order: the first one
// that applies takes the index, and the conditions of the others are compared for each row.
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
	// Their table is read first, and it has the time of creation too, for the order of the
	// list.
	if f.ExternalID != "" {
		n = &newest{from: `order_external_ids INDEXED BY order_external_ids_id CROSS JOIN orders ON tenant = of_tenant AND id = of_order`,
			time: "of_created", id: "of_order", along: n.along, rest: n.rest, few: true}
		by("order_external_ids_id").where("of_tenant = ? AND {same external_id ?}", tenant, f.ExternalID)
	}
	if f.SubscriptionID != "" {
		by("orders_subscription").indexed("subscription_id", f.SubscriptionID)
	}
	if f.CustomerEmail != "" {
		by("orders_email").indexedFolded("customer_email", f.CustomerEmail)
	}
	if f.HasErrors != nil && *f.HasErrors {
		by("orders_errors").where("has_errors = 1")
	}
	if f.StoreID != "" {
		by("orders_store").indexedFolded("store_id", f.StoreID)
	}
	if f.Status != "" {
		by("orders_status").where("{same status ?}", fold(f.Status))
	}
	// If nothing has taken an index yet, the list goes along the one by creation.
	if by("orders_created"); !n.few {
		n.from += ` INDEXED BY ` + index
	}
	if f.HasErrors != nil && !*f.HasErrors {
		n.rest.where("has_errors = 0")
	}
	n.rest.folded("market_id", f.MarketID)
	n.rest.folded("order_type", f.OrderType)
	n.rest.between("modified", f.ModifiedFrom, time.Time{})
	n.along.between("created", f.From, f.To)
	return n
}

// changed is the same list, read along the index of when orders were changed. That index
// has another order than the list, so the page's rows are sorted by their keys first.
func changed(n *newest) *newest {
	n.from, n.few, n.sorted = "orders", true, "orders INDEXED BY orders_modified"
	return n
}
