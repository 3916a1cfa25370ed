package core_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/attempt"
	"github.com/orderhook/orderhook/internal/event"
	"github.com/orderhook/orderhook/internal/ids"
	"github.com/orderhook/orderhook/internal/run"
	"github.com/orderhook/orderhook/internal/store"
	"github.com/orderhook/orderhook/internal/store/core"
)

// TestBoundedEventPages has lists of events and of deliveries end a page when it
// was worked at enough, and the pages together miss nothing.
func TestBoundedEventPages(t *testing.T) {
	db := openTemp(t)
	db.SetEffort(150, 130)
	putEndpoints(t, db, 3, nil)
	var rare []string
	for n := range 400 {
		e := namedEvent(fmt.Sprint("e", n))
		if n%100 == 7 {
			e.Type, e.CartID, e.Timestamp = "rare", "c1", benchTime.AddDate(0, 0, -1)
			rare = append(rare, e.ID)
		}
		must(t, db.Publish(ctx, acme, e))
	}
	slices.Reverse(rare)
	for _, f := range []store.EventFilter{{Type: "rare"}, {Related: event.Related{CartID: "c1"}}, {To: benchTime}, {Type: "none"}} {
		want := rare
		if f.Type == "none" {
			want = nil
		}
		found, short := readAll(t, func(p store.Page) (store.List[*event.Event], error) { return db.Events(ctx, acme, f, p) })
		if got := idsOf(found, func(e *event.Event) string { return e.ID }); !slices.Equal(got, want) || short < 400/150 {
			t.Errorf("events like %+v: %v in %d short pages, want %v", f, got, short, want)
		}
	}
	deliveries := func(f store.DeliveryFilter) ([]string, int) {
		found, short := readAll(t, func(p store.Page) (store.List[*event.Delivery], error) { return db.Deliveries(ctx, acme, f, p) })
		return idsOf(found, (*event.Delivery).ID), short
	}
	all, short := deliveries(store.DeliveryFilter{})
	if len(all) != 1200 || short > 0 {
		t.Errorf("all: %d in %d short pages", len(all), short)
	}
	for _, f := range []store.DeliveryFilter{{Status: event.DeliverySucceeded}, {Status: event.DeliveryPending}, {Endpoint: 2}, {Endpoint: 2, EventType: "rare"}, {EventType: "rare"}} {
		var want []string
		for _, id := range all {
			e, endpoint, err := event.ParseDeliveryID(id)
			must(t, err)
			isRare := slices.Contains(rare, e)
			if f.Status != event.DeliverySucceeded && (f.Endpoint == 0 || endpoint == f.Endpoint) && (f.EventType == "" || isRare) {
				want = append(want, id)
			}
		}
		got, short := deliveries(f)
		if !slices.Equal(got, want) {
			t.Errorf("deliveries like %+v: %v, want %v", f, got, want)
		}
		if len(want) < 20 && short == 0 && f.Status == "" { // of those that succeeded there are none to be looked at
			t.Errorf("deliveries like %+v: %d short pages", f, short)
		}
	}
}

func idsOf[T any](list []T, id func(T) string) (all []string) {
	for _, v := range list {
		all = append(all, id(v))
	}
	return all
}

// readAll reads a list to its end, and counts the pages that are not full and
// have another behind them.
func readAll[T any](t *testing.T, list func(store.Page) (store.List[T], error)) (all []T, short int) {
	t.Helper()
	for cursor, first := "", true; first || cursor != ""; first = false {
		l, err := list(store.Page{Limit: 5, Cursor: cursor})
		must(t, err)
		if cursor = l.NextCursor; len(l.Items) < 5 && cursor != "" {
			short++
		}
		all = append(all, l.Items...)
	}
	return all, short
}

// addAttempts records so many attempts, every hundredth of another status.
func addAttempts(t *testing.T, db *core.Store, count int) {
	t.Helper()
	must(t, db.Write(ctx, func(tx store.Tx) error {
		for n := range count {
			a := &attempt.Attempt{ID: ids.Numbered(ids.Attempt, time.Unix(int64(n), 0)), Kind: attempt.KindStep, CallID: fmt.Sprint("c", n), Number: n,
				StartedAt: time.Unix(int64(n), 0), Status: 200, Detail: &attempt.AttemptDetail{Request: attempt.Message{Body: fmt.Appendf(nil, "body %d", n)}}}
			if n%100 == 7 {
				a.Status, a.Detail.Request.Body = 500, []byte("needle")
			}
			if err := tx.AddAttempt(ctx, acme, a); err != nil {
				return err
			}
		}
		return nil
	}))
}

// TestBoundedPages has a page end when it was worked at enough, and the pages
// together miss nothing.
func TestBoundedPages(t *testing.T) {
	db := openTemp(t)
	db.SetEffort(150, 130)
	addAttempts(t, db, 1200)
	for indexed := range 2 {
		for _, f := range []store.AttemptFilter{{StatusFilter: store.StatusFilter{NoStatus: true}}, {StatusFilter: store.StatusFilter{StatusFrom: 500}}, {Body: "needle"}, {Body: "needle", StatusFilter: store.StatusFilter{StatusTo: 200}}} {
			want := 0
			if f.StatusFrom > 0 || f.Body != "" && f.StatusTo == 0 {
				want = 12
			}
			found, short := readShort(t, db, f)
			if !slices.IsSortedFunc(found, func(a, b int) int { return b - a }) || len(slices.Compact(found)) != want {
				t.Errorf("%+v found %v, want %d", f, found, want)
			}
			if short < 1200/150-1 && (f.Body == "" || indexed == 0) {
				t.Errorf("%+v: %d short pages", f, short)
			}
		}
		indexAll(t, db)
	}
}

// readShort reads a list of attempts, and counts its short pages.
func readShort(t *testing.T, db *core.Store, f store.AttemptFilter) (found []int, short int) {
	t.Helper()
	all, short := readAll(t, func(p store.Page) (store.List[*attempt.Attempt], error) { return db.Attempts(ctx, acme, f, p) })
	for _, a := range all {
		found = append(found, a.Number)
	}
	return found, short
}

func indexAll(t *testing.T, db *core.Store) {
	t.Helper()
	for done := false; !done; {
		var err error
		done, err = db.IndexBodies(ctx, acme, noYield)
		must(t, err)
	}
}

// TestBoundedOrderPages has lists of orders end a page when it was worked at
// enough, be it rows that were looked at or bytes of documents, and the pages
// together miss nothing.
func TestBoundedOrderPages(t *testing.T) {
	db := openTemp(t)
	db.SetEffort(150, 0)
	const documents = 10_000 // bytes, some fifty orders
	db.SetSearch(documents, time.Minute)
	var rare []string
	must(t, db.Write(ctx, func(tx store.Tx) error {
		for n := range 400 {
			o := testOrder(fmt.Sprintf("o%03d", n))
			o.Created, o.Modified = time.Unix(int64(n/3), 0), time.Unix(int64(n/3), 0)
			market, tag := "common", "common"
			if n%100 == 7 || n == 249 { // the page ends with 250, of the same instant
				market, tag, rare = "rare", "rare", append(rare, o.ID)
			}
			o.Doc.Set("marketId", market)
			o.Doc.Set("tags", []any{tag})
			o.Doc.Set("filler", strings.Repeat("x", 150))
			if err := tx.InsertOrder(ctx, acme, o); err != nil {
				return err
			}
		}
		return nil
	}))
	slices.Reverse(rare)
	for _, test := range []struct {
		f     store.OrderFilter
		want  []string
		short int // pages, at least
	}{
		{store.OrderFilter{}, nil, 0},
		{store.OrderFilter{MarketID: "rare"}, rare, 400 / 150},
		{store.OrderFilter{MarketID: "rare", Status: "New"}, rare, 400 / 150},
		{store.OrderFilter{MarketID: "rare", ModifiedFrom: time.Unix(0, 0)}, rare, 400 / 150},
		{store.OrderFilter{MarketID: "none", OrderType: "x"}, []string{}, 400 / 150},
		{store.OrderFilter{Tag: "rare"}, rare, 400 * 200 / documents / 2},
		{store.OrderFilter{Text: "RARE"}, rare, 400 * 200 / documents / 2},
		{store.OrderFilter{Text: "no such text"}, []string{}, 400 * 200 / documents / 2},
		{store.OrderFilter{Text: "rare", Tag: "rare", MarketID: "rare", Status: "New", ModifiedFrom: time.Unix(1, 0)}, rare, 400 / 150},
	} {
		found, short := readAll(t, func(p store.Page) (store.List[store.Document], error) { return db.Orders(ctx, acme, test.f, p) })
		got := idsOf(found, func(d store.Document) string { return d.ID })
		if test.want == nil && len(got) != 400 || test.want != nil && !slices.Equal(got, test.want) {
			t.Errorf("%+v: %v, want %v", test.f, got, test.want)
		}
		if short < test.short || test.short == 0 && short > 0 {
			t.Errorf("%+v: %d short pages, want %d", test.f, short, test.short)
		}
	}
}

// TestASearchLooksAtOneDocumentAtLeast: one that is larger than what may be
// looked at for a page ends it, and the next page goes on behind it.
func TestASearchLooksAtOneDocumentAtLeast(t *testing.T) {
	db := openTemp(t)
	db.SetSearch(1, time.Minute)
	for n := range 4 {
		must(t, db.Write(ctx, insert(fmt.Sprint("o", n))))
	}
	found, short := readAll(t, func(p store.Page) (store.List[store.Document], error) {
		return db.Orders(ctx, acme, store.OrderFilter{Text: "new"}, p)
	})
	if len(found) != 4 || short != 4 {
		t.Errorf("%d in %d short pages", len(found), short)
	}
}

// TestAPageThatHasHadItsTime has each kind of list have no time at all: an eighth of the
// work is done for each page all the same, and the pages together miss nothing.
func TestAPageThatHasHadItsTime(t *testing.T) {
	db := openTemp(t)
	db.SetEffort(8000, 800)
	db.SetSearch(8000, time.Minute)
	db.SetCountEffort(8000)
	db.SetTime(-time.Nanosecond)
	addAttempts(t, db, 3600)
	var events []*event.Event
	for n := range 3600 {
		events = append(events, namedEvent(fmt.Sprint("e", n)))
	}
	must(t, db.Publish(ctx, acme, events...))
	for n := range 40 {
		must(t, db.Write(ctx, insert(fmt.Sprint("o", n))))
	}
	for name, pages := range map[string]struct {
		read  func(store.Page) (int, string, error)
		want  int
		short int
	}{
		"attempts": {pagesOf(func(p store.Page) (store.List[*attempt.Attempt], error) {
			return db.Attempts(ctx, acme, store.AttemptFilter{StatusFilter: store.StatusFilter{StatusFrom: 500}}, p)
		}), 36, 3},
		"bodies": {pagesOf(func(p store.Page) (store.List[*attempt.Attempt], error) {
			return db.Attempts(ctx, acme, store.AttemptFilter{Body: "needle"}, p)
		}), 36, 6},
		"events": {pagesOf(func(p store.Page) (store.List[*event.Event], error) {
			return db.Events(ctx, acme, store.EventFilter{Type: "none"}, p)
		}), 0, 3},
		"orders": {pagesOf(func(p store.Page) (store.List[store.Document], error) {
			return db.Orders(ctx, acme, store.OrderFilter{Text: "new"}, p)
		}), 40, 10},
	} {
		found, short, cursor := 0, -1, ""
		for more := true; more; more = cursor != "" {
			n, next, err := pages.read(store.Page{Limit: 100, Cursor: cursor})
			must(t, err)
			found, short, cursor = found+n, short+1, next
		}
		if found != pages.want || short < pages.short {
			t.Errorf("%s: %d in %d pages and the last, want %d in %d", name, found, short, pages.want, pages.short)
		}
	}
	n, err := db.EventCount(ctx, acme, store.EventFilter{To: benchTime.AddDate(1, 0, 0)})
	if must(t, err); !n.Capped || n.N != 1000 {
		t.Errorf("counted %+v", n)
	}
	db.SetTime(time.Hour)
	list, err := db.Events(ctx, acme, store.EventFilter{Type: "none"}, store.Page{})
	if must(t, err); list.NextCursor != "" {
		t.Error("a page with time enough ended early")
	}
}

// pagesOf reads the pages of a list.
func pagesOf[T any](list func(store.Page) (store.List[T], error)) func(store.Page) (int, string, error) {
	return func(p store.Page) (int, string, error) {
		l, err := list(p)
		return len(l.Items), l.NextCursor, err
	}
}

func TestBoundedRunPages(t *testing.T) {
	db := openTemp(t)
	db.SetEffort(150, 0)
	must(t, db.Write(ctx, func(tx store.Tx) error {
		for n := range 400 {
			r := &run.Run{ID: fmt.Sprintf("run%03d", n), OrderID: fmt.Sprint("o", n%2), Status: run.RunSucceeded, Created: time.Unix(int64(n/3), 0)}
			if n%100 == 7 {
				r.Status = run.RunWaiting
			}
			if err := tx.InsertRun(ctx, acme, r); err != nil {
				return err
			}
		}
		return nil
	}))
	no := false
	for _, test := range []struct {
		f           store.RunFilter
		want, short int
	}{
		{store.RunFilter{}, 400, 0},
		{store.RunFilter{Status: run.RunSucceeded, Canceled: &no, Step: "none"}, 0, 400 / 150},
		{store.RunFilter{Step: "none"}, 0, 400 / 150},
		{store.RunFilter{OrderID: "o1", Status: run.RunWaiting}, 4, 0}, // an order has few
		{store.RunFilter{Status: run.RunAborted}, 0, 0},                // an index has just these
		{store.RunFilter{Status: run.RunWaiting}, 4, 0},                // and these
	} {
		found, short := readAll(t, func(p store.Page) (store.List[*run.Run], error) { return db.Runs(ctx, acme, test.f, p) })
		ids := idsOf(found, func(r *run.Run) string { return r.ID })
		if slices.Sort(ids); len(slices.Compact(ids)) != test.want || short < test.short || test.short == 0 && short > 0 {
			t.Errorf("%+v: %d runs in %d short pages, want %d and %d", test.f, len(ids), short, test.want, test.short)
		}
	}
}

// A caller's search that finds the others busy is refused once it has waited, and
// says which limit it is; a list is not refused with it.
func TestASearchDoesNotWaitForLong(t *testing.T) {
	db := openTemp(t)
	db.SetSearch(1<<20, time.Millisecond)
	asker := store.Read.Mark(ctx)
	search := func() error {
		_, err := db.Orders(asker, acme, store.OrderFilter{Text: "x"}, store.Page{})
		return err
	}
	leave := db.Enter(t, store.Search, core.SearchesAtOnce)
	wantKind(t, search(), apierr.TooMany)
	_, err := db.Attempts(asker, acme, store.AttemptFilter{Body: "abc"}, store.Page{})
	wantKind(t, err, apierr.TooMany)
	_, err = db.Orders(asker, acme, store.OrderFilter{Tag: "x"}, store.Page{})
	wantKind(t, err, apierr.TooMany)
	_, err = db.Orders(asker, acme, store.OrderFilter{}, store.Page{})
	must(t, err)
	_, err = db.Orders(ctx, acme, store.OrderFilter{Text: "x"}, store.Page{}) // of orderhook itself
	must(t, err)
	leave()
	must(t, search())
}

// TestAttemptsOfAThing has the attempts of an order that its events lead to, and its steps,
// be one list: also where there are more than are sorted for a page, and all are walked.
func TestAttemptsOfAThing(t *testing.T) {
	db := openTemp(t)
	to := putEndpoints(t, db, 1, nil)[0]
	var want []string
	at := benchTime
	add := func(a *attempt.Attempt, of string) {
		at = at.Add(time.Millisecond)
		if a.ID, a.StartedAt, a.OrderID = ids.Numbered(ids.Attempt, at), at, of; of == "o1" {
			want = append(want, a.ID)
		}
		must(t, db.Write(ctx, func(tx store.Tx) error { return tx.AddAttempt(ctx, acme, a) }))
	}
	for n := range 40 {
		e := namedEvent(fmt.Sprint("e", n))
		if e.OrderID = "o1"; n%4 == 0 {
			e.OrderID = "o2"
		}
		publish(t, db, e)
		for range 3 {
			add(&attempt.Attempt{Kind: attempt.KindEvent, Status: n, Delivery: event.DeliveryKey{Event: e.Seq, Endpoint: to.No}}, e.OrderID)
		}
		if n%5 == 0 {
			add(&attempt.Attempt{Kind: attempt.KindStep, Status: n, CallID: fmt.Sprint("c", n)}, "o1")
		}
	}
	slices.Reverse(want)
	for _, effort := range []int{16_000, 50} { // all of them sorted; too many for that
		db.SetEffort(effort, effort)
		for _, f := range []store.AttemptFilter{{}, {StatusFilter: store.StatusFilter{StatusTo: 1000}}} {
			f.OrderID = "o1"
			found, _ := readAll(t, func(p store.Page) (store.List[*attempt.Attempt], error) { return db.Attempts(ctx, acme, f, p) })
			got := idsOf(found, func(a *attempt.Attempt) string { return a.ID })
			want := want
			if f.StatusTo > 0 {
				want = want[:len(want)-1] // the first step has no status
			}
			if !slices.Equal(got, want) {
				t.Errorf("effort %d, %+v: %d attempts, want %d:\n%q\n%q", effort, f.StatusFilter, len(got), len(want), got, want)
			}
		}
	}
}

// TestCursorsOfBefore: a page behind one that an earlier orderhook has answered begins where
// that ended: its cursor has the id of an attempt.
func TestCursorsOfBefore(t *testing.T) {
	db := openTemp(t)
	addAttempts(t, db, 10)
	before := ids.NewAt(ids.Attempt, time.Unix(5, 1000)) // between two of them
	l, err := db.Attempts(ctx, acme, store.AttemptFilter{}, store.Page{Cursor: store.Cursor{ID: before}.String()})
	must(t, err)
	if len(l.Items) != 6 || l.Items[0].Number != 5 {
		t.Errorf("%d attempts, from %d on", len(l.Items), l.Items[0].Number)
	}
}
