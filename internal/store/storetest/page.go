package storetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/orderhook/orderhook/internal/oms"
	"github.com/orderhook/orderhook/internal/settings"
	"github.com/orderhook/orderhook/internal/store"
)

// Of each list there are so many things, the i-th of i hundred bytes more.
const mostListed = 7

// testPageBytes has every list read with every bound of bytes that makes a
// difference: a page ends with the item that brings it to the bound, and over all
// pages nothing is lost and nothing comes twice.
func testPageBytes(t *testing.T, s *suite) {
	endpoint := s.put(endpoint("ep-all"))
	s.insert(order("o0", 0, `{}`))
	for i := range mostListed {
		id, text := fmt.Sprint(i), strings.Repeat("å", 50*i)
		s.write(func(tx store.Tx) error {
			r, a, j, e, v := run("run-"+id, "o0", i/2), attempt("att-"+id, "o0", i), job(i), event("evt-"+id, "o0"), someSettings(id)
			r.SettingsVersion, r.Since = int64(i), 0
			a.URL, j.Reason = text, text
			e.Subject.ID = text
			o := order("order-"+id, i/2, `{"tags":["all"],"text":"needle `+text+`"}`)
			o.Modified = at(10 + i)
			c := ok[*oms.Cart](t)(oms.NewCart("cart-"+id, object(`{"text":"`+text+`"}`), at(i/2)))
			wanting := endpoint
			if i > 0 {
				same := *endpoint
				same.ID, same.No, same.Description, same.EventTypes = "ep-"+id, 0, text, []string{"Never"}
				wanting = &same
			}
			return errors.Join(
				tx.InsertOrder(ctx, acme, o),
				tx.PutCart(ctx, acme, c),
				tx.AddHistory(ctx, acme, "o0", oms.HistoryEntry{ID: "his-" + id, Timestamp: at(i), Message: text}),
				tx.InsertRun(ctx, acme, r),
				tx.AddAttempt(ctx, acme, a),
				tx.PutJob(ctx, acme, j),
				tx.PutEndpoint(ctx, acme, wanting),
				tx.AddEvents(ctx, acme, e),
				tx.InsertKey(ctx, oms.Key{ID: "key-" + id, Tenant: acme, Role: oms.Reader, Name: text, Created: at(i / 2), Hash: oms.HashKey(id)}),
				tx.PutSettings(ctx, acme, v, int64(i), "key "+text, at(i)))
		})
	}
	everyBound(t, "orders", func(c context.Context, p store.Page) (store.List[store.Document], error) {
		return s.Orders(c, acme, store.OrderFilter{}, p)
	}, documentID)
	everyBound(t, "orders with a text", func(c context.Context, p store.Page) (store.List[store.Document], error) {
		return s.Orders(c, acme, store.OrderFilter{Text: "Needle"}, p)
	}, documentID)
	everyBound(t, "orders with a tag", func(c context.Context, p store.Page) (store.List[store.Document], error) {
		return s.Orders(c, acme, store.OrderFilter{Tag: "all", Status: "New"}, p)
	}, documentID)
	everyBound(t, "orders that were modified", func(c context.Context, p store.Page) (store.List[store.Document], error) {
		return s.Orders(c, acme, store.OrderFilter{ModifiedFrom: at(2)}, p)
	}, documentID)
	everyBound(t, "carts", func(c context.Context, p store.Page) (store.List[store.Document], error) {
		return s.Carts(c, acme, p)
	}, documentID)
	everyBound(t, "history", func(c context.Context, p store.Page) (store.List[oms.HistoryEntry], error) {
		return s.History(c, acme, "o0", p)
	}, func(e oms.HistoryEntry) string { return e.ID })
	everyBound(t, "runs", func(c context.Context, p store.Page) (store.List[*oms.Run], error) {
		return s.Runs(c, acme, store.RunFilter{}, p)
	}, runID)
	everyBound(t, "attempts", func(c context.Context, p store.Page) (store.List[*oms.Attempt], error) {
		return s.Attempts(c, acme, store.AttemptFilter{}, p)
	}, func(a *oms.Attempt) string { return a.ID })
	everyBound(t, "attempts with a body", func(c context.Context, p store.Page) (store.List[*oms.Attempt], error) {
		return s.Attempts(c, acme, store.AttemptFilter{Body: "Value"}, p)
	}, func(a *oms.Attempt) string { return a.ID })
	everyBound(t, "jobs", func(c context.Context, p store.Page) (store.List[*oms.Job], error) {
		return s.Jobs(c, acme, p)
	}, jobID)
	everyBound(t, "endpoints", func(c context.Context, p store.Page) (store.List[*oms.Endpoint], error) {
		return s.Endpoints(c, acme, store.EndpointFilter{}, p)
	}, endpointID)
	everyBound(t, "events", func(c context.Context, p store.Page) (store.List[*oms.Event], error) {
		return s.Events(c, acme, store.EventFilter{}, p)
	}, eventID)
	everyBound(t, "deliveries", func(c context.Context, p store.Page) (store.List[*oms.Delivery], error) {
		return s.Deliveries(c, acme, store.DeliveryFilter{}, p)
	}, func(d *oms.Delivery) string { return d.EventID })
	everyBound(t, "keys", func(c context.Context, p store.Page) (store.List[oms.Key], error) {
		return s.Keys(c, acme, p)
	}, func(k oms.Key) string { return k.ID })
	everyBound(t, "settings", func(c context.Context, p store.Page) (store.List[store.SettingsInfo], error) {
		return s.SettingsHistory(c, acme, p)
	}, func(i store.SettingsInfo) string { return fmt.Sprint(i.Version) })
	same(t, nameOf(t, ok[*settings.Settings](t)(s.Settings(ctx, acme))), "6")
}

// everyBound asks as orderhook itself does, and as a caller.
func everyBound[T any](t *testing.T, what string, list func(context.Context, store.Page) (store.List[T], error), id func(T) string) {
	t.Helper()
	whole := ok[store.List[T]](t)(list(ctx, store.Page{}))
	if len(whole.Items) < mostListed || whole.NextCursor != "" || whole.Bytes < 100*mostListed/2 {
		t.Fatalf("%s: %d items of %d bytes, then %q", what, len(whole.Items), whole.Bytes, whole.NextCursor)
	}
	var sizes, bounds []int // of each item; where a page can end
	for cursor := ""; len(sizes) < len(whole.Items); {
		one := ok[store.List[T]](t)(list(ctx, store.Page{Limit: 1, Cursor: cursor}))
		sizes, cursor = append(sizes, one.Bytes), one.NextCursor
	}
	for i, sum := 0, 0; i < len(sizes); i++ {
		sum += sizes[i]
		bounds = append(bounds, sum-1, sum, sum+1)
	}
	for _, bound := range bounds {
		for _, asker := range []context.Context{ctx, store.Read.Mark(ctx)} {
			walkBound(t, fmt.Sprintf("%s, %d bytes a page", what, bound), bound, sizes, ids(whole.Items, id), func(p store.Page) (store.List[T], error) { return list(asker, p) }, id)
		}
	}
}

func walkBound[T any](t *testing.T, what string, bound int, sizes []int, want []string, list func(store.Page) (store.List[T], error), id func(T) string) {
	t.Helper()
	var got []string
	for cursor := ""; ; {
		l := ok[store.List[T]](t)(list(store.Page{Bytes: bound, Cursor: cursor}))
		before := 0
		for _, size := range sizes[len(got):min(len(sizes), max(len(got)+len(l.Items)-1, len(got)))] {
			before += size
		}
		if got = append(got, ids(l.Items, id)...); before >= bound || l.NextCursor != "" && l.Bytes < bound {
			t.Fatalf("%s: a page has %d bytes, %d without its last item", what, l.Bytes, before)
		}
		if cursor = l.NextCursor; cursor == "" || len(got) > len(want) {
			break
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("%s: %q, want %q", what, got, want)
	}
}
