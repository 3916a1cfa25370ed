package storetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/orderhook/orderhook/internal/access"
	"github.com/orderhook/orderhook/internal/attempt"
	"github.com/orderhook/orderhook/internal/cart"
	"github.com/orderhook/orderhook/internal/event"
	"github.com/orderhook/orderhook/internal/job"
	"github.com/orderhook/orderhook/internal/order"
	"github.com/orderhook/orderhook/internal/run"
	"github.com/orderhook/orderhook/internal/settings"
	"github.com/orderhook/orderhook/internal/store"
)

// mostListed is how many things each list has. The text of the i-th is i hundred bytes
// longer than that of the first, so that items differ in size.
const mostListed = 7

// testPageBytes proves that every list ends its pages at the number of bytes that is
// asked for: with the item that reaches it, not before and not after. Over all pages
// nothing is lost and nothing comes twice. Every bound is tried at which a page can end,
// and the ones next to it. Without the bound, a page of large documents would need any
// amount of memory.
func testPageBytes(t *testing.T, s *suite) {
	// This endpoint gets all events, so each event has one delivery.
	endpoint := s.put(endpoint("ep-all"))
	s.insert(newOrder("o0", 0, `{}`))
	for i := range mostListed {
		// å has two bytes, so the sizes are those of bytes and not of letters.
		id, text := fmt.Sprint(i), strings.Repeat("å", 50*i)
		s.write(func(tx store.Tx) error {
			r, a, j, e, v := newRun("run-"+id, "o0", i/2), newAttempt("att-"+id, "o0", i), newJob(i), newEvent("evt-"+id, "o0"), someSettings(id)
			r.SettingsVersion, r.Since = int64(i), 0
			a.URL, j.Reason = text, text
			e.Subject.ID = text
			o := newOrder("order-"+id, i/2, `{"tags":["all"],"text":"needle `+text+`"}`)
			// The times of the changes are in the order of the ids, as the list by changes
			// has them.
			o.Modified = at(10 + i)
			c := ok[*cart.Cart](t)(cart.NewCart("cart-"+id, object(`{"text":"`+text+`"}`), at(i/2)))
			// The first endpoint is the one that gets the events, and is stored again.
			// The others are new and want none, so that each event has one delivery.
			wanting := endpoint
			if i > 0 {
				same := *endpoint
				same.ID, same.No, same.Description, same.EventTypes = "ep-"+id, 0, text, []string{"Never"}
				wanting = &same
			}
			return errors.Join(
				tx.InsertOrder(ctx, acme, o),
				tx.PutCart(ctx, acme, c),
				tx.AddHistory(ctx, acme, "o0", order.HistoryEntry{ID: "his-" + id, Timestamp: at(i), Message: text}),
				tx.InsertRun(ctx, acme, r),
				tx.AddAttempt(ctx, acme, a),
				tx.PutJob(ctx, acme, j),
				tx.PutEndpoint(ctx, acme, wanting),
				tx.AddEvents(ctx, acme, e),
				tx.InsertKey(ctx, access.Key{ID: "key-" + id, Tenant: acme, Role: access.Reader, Name: text, Created: at(i / 2), Hash: access.HashKey(id)}),
				tx.PutSettings(ctx, acme, v, int64(i), "key "+text, at(i)))
		})
	}
	everyBound(t, "orders", func(c context.Context, p store.Page) (store.List[store.Document], error) {
		return s.Orders(c, acme, store.OrderFilter{}, p)
	}, documentID)
	// A filter may make an engine read in steps, and each step has to know how many bytes
	// the page has already.
	everyBound(t, "orders with a text", func(c context.Context, p store.Page) (store.List[store.Document], error) {
		return s.Orders(c, acme, store.OrderFilter{Text: "Needle"}, p)
	}, documentID)
	everyBound(t, "orders with a tag", func(c context.Context, p store.Page) (store.List[store.Document], error) {
		return s.Orders(c, acme, store.OrderFilter{Tag: "all", Status: "New"}, p)
	}, documentID)
	// This list may come from another index, in another order.
	everyBound(t, "orders that were modified", func(c context.Context, p store.Page) (store.List[store.Document], error) {
		return s.Orders(c, acme, store.OrderFilter{ModifiedFrom: at(2)}, p)
	}, documentID)
	everyBound(t, "carts", func(c context.Context, p store.Page) (store.List[store.Document], error) {
		return s.Carts(c, acme, p)
	}, documentID)
	everyBound(t, "history", func(c context.Context, p store.Page) (store.List[order.HistoryEntry], error) {
		return s.History(c, acme, "o0", p)
	}, func(e order.HistoryEntry) string { return e.ID })
	everyBound(t, "runs", func(c context.Context, p store.Page) (store.List[*run.Run], error) {
		return s.Runs(c, acme, store.RunFilter{}, p)
	}, runID)
	everyBound(t, "attempts", func(c context.Context, p store.Page) (store.List[*attempt.Attempt], error) {
		return s.Attempts(c, acme, store.AttemptFilter{}, p)
	}, func(a *attempt.Attempt) string { return a.ID })
	// This search goes through an index of its own.
	everyBound(t, "attempts with a body", func(c context.Context, p store.Page) (store.List[*attempt.Attempt], error) {
		return s.Attempts(c, acme, store.AttemptFilter{Body: "Value"}, p)
	}, func(a *attempt.Attempt) string { return a.ID })
	everyBound(t, "jobs", func(c context.Context, p store.Page) (store.List[*job.Job], error) {
		return s.Jobs(c, acme, p)
	}, jobID)
	everyBound(t, "endpoints", func(c context.Context, p store.Page) (store.List[*event.Endpoint], error) {
		return s.Endpoints(c, acme, store.EndpointFilter{}, p)
	}, endpointID)
	everyBound(t, "events", func(c context.Context, p store.Page) (store.List[*event.Event], error) {
		return s.Events(c, acme, store.EventFilter{}, p)
	}, eventID)
	everyBound(t, "deliveries", func(c context.Context, p store.Page) (store.List[*event.Delivery], error) {
		return s.Deliveries(c, acme, store.DeliveryFilter{}, p)
	}, func(d *event.Delivery) string { return d.EventID })
	everyBound(t, "keys", func(c context.Context, p store.Page) (store.List[access.Key], error) {
		return s.Keys(c, acme, p)
	}, func(k access.Key) string { return k.ID })
	everyBound(t, "settings", func(c context.Context, p store.Page) (store.List[store.SettingsInfo], error) {
		return s.SettingsHistory(c, acme, p)
	}, func(i store.SettingsInfo) string { return fmt.Sprint(i.Version) })
	// The settings that were stored last are the current ones.
	same(t, nameOf(t, ok[*settings.Settings](t)(s.Settings(ctx, acme))), "6")
}

// everyBound reads one list with every bound that makes a difference, as orderhook itself
// does and as a caller does, because an engine may read in another way for callers. First
// it finds the size of each item, by reading one at a time.
func everyBound[T any](t *testing.T, what string, list func(context.Context, store.Page) (store.List[T], error), id func(T) string) {
	t.Helper()
	whole := ok[store.List[T]](t)(list(ctx, store.Page{}))
	// Without a bound the list has to be whole. The sizes have to be large enough for the
	// test to mean something.
	if len(whole.Items) < mostListed || whole.NextCursor != "" || whole.Bytes < 100*mostListed/2 {
		t.Fatalf("%s: %d items of %d bytes, then %q", what, len(whole.Items), whole.Bytes, whole.NextCursor)
	}
	var sizes, bounds []int // of each item; where a page can end
	for cursor := ""; len(sizes) < len(whole.Items); {
		one := ok[store.List[T]](t)(list(ctx, store.Page{Limit: 1, Cursor: cursor}))
		sizes, cursor = append(sizes, one.Bytes), one.NextCursor
	}
	// A page can end behind each item. One byte less or more is another page.
	for i, sum := 0, 0; i < len(sizes); i++ {
		sum += sizes[i]
		bounds = append(bounds, sum-1, sum, sum+1)
	}
	for _, bound := range bounds {
		for _, asker := range []context.Context{ctx, store.Read.Mark(ctx)} {
			walkBound(t, fmt.Sprintf("%s, %d bytes a page", what, bound), bound, sizes, idsOf(whole.Items, id), func(p store.Page) (store.List[T], error) { return list(asker, p) }, id)
		}
	}
}

// walkBound reads a list with one bound to its end. A page must reach the bound, unless
// it is the last one, and must not reach it without its last item.
func walkBound[T any](t *testing.T, what string, bound int, sizes []int, want []string, list func(store.Page) (store.List[T], error), id func(T) string) {
	t.Helper()
	var got []string
	for cursor := ""; ; {
		l := ok[store.List[T]](t)(list(store.Page{Bytes: bound, Cursor: cursor}))
		// The bytes of the page without its last item, by the sizes found before.
		before := 0
		for _, size := range sizes[len(got):min(len(sizes), max(len(got)+len(l.Items)-1, len(got)))] {
			before += size
		}
		if got = append(got, idsOf(l.Items, id)...); before >= bound || l.NextCursor != "" && l.Bytes < bound {
			t.Fatalf("%s: a page has %d bytes, %d without its last item", what, l.Bytes, before)
		}
		// More items than there are would be a list that begins again.
		if cursor = l.NextCursor; cursor == "" || len(got) > len(want) {
			break
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("%s: %q, want %q", what, got, want)
	}
}
