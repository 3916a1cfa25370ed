package storetest

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/orderhook/orderhook/internal/oms"
	"github.com/orderhook/orderhook/internal/store"
)

// attempt returns the attempt of an order's call with every field set but
// those of an event's.
func attempt(id, orderID string, started int) *oms.Attempt {
	a := withEveryField(oms.Attempt{ID: id, Kind: oms.KindStep, CallID: "call-" + orderID, StartedAt: at(started),
		DurationMs: 12.345, Host: "example.com", Status: 500, Outcome: oms.OutcomeFailed, ConnectorID: "erp",
		Related: oms.Related{OrderID: orderID, ShipmentID: "s1", ReturnID: "r1"}, RunID: "run-" + orderID,
		Detail: &oms.AttemptDetail{
			Request: oms.Message{Headers: map[string][]string{"X-A": {"1", "2"}, "Authorization": {"***"}},
				Body: []byte(`{"Value":` + orderID + `}`)},
			Response: &oms.Message{Headers: map[string][]string{"Retry-After": {"1"}}, Body: []byte("\x00\xff not JSON")}}})
	a.Delivery, a.EndpointID, a.EventID, a.DeliveryID = oms.DeliveryKey{}, "", "", ""
	return &a
}

func testAttempts(t *testing.T, s *suite) {
	full := attempt("att-1", "o1", 1)
	none := &oms.Attempt{ID: "att-2", Kind: oms.KindStep, CallID: "c2", StartedAt: at(2), Outcome: oms.OutcomeFailed}
	noAnswer := attempt("att-3", "o3", 3)
	noAnswer.Detail.Response, noAnswer.Status = nil, 0
	all := []*oms.Attempt{noAnswer, none, full}
	for _, a := range slices.Backward(all) {
		s.write(func(tx store.Tx) error { return tx.AddAttempt(ctx, acme, a) })
		same(t, ok[*oms.Attempt](t)(s.Attempt(ctx, acme, a.ID)), a)
	}
	list := ok[store.List[*oms.Attempt]](t)(s.Attempts(ctx, acme, store.AttemptFilter{}, store.Page{}))
	for _, a := range all {
		a.Detail = nil
	}
	same(t, list.Items, all)

	_, err := s.Attempt(ctx, acme, "att-9")
	is(t, err, oms.NotFound)
	is(t, s.Write(ctx, func(tx store.Tx) error { return tx.AddAttempt(ctx, acme, full) }), oms.Conflict)
}

func testAttemptBodies(t *testing.T, s *suite) {
	first, second, elsewhere := attempt("att-1", "o1", 1), attempt("att-2", "o1", 2), attempt("att-3", "o2", 3)
	for _, a := range []*oms.Attempt{first, second, elsewhere} {
		s.write(func(tx store.Tx) error { return tx.AddAttempt(ctx, acme, a) })
	}
	for _, a := range []*oms.Attempt{first, second, elsewhere} {
		same(t, ok[*oms.Attempt](t)(s.Attempt(ctx, acme, a.ID)), a)
	}
}

// testAttemptFilters tries every filter alone and every pair of them, on
// attempts that were recorded in another order than they started.
func testAttemptFilters(t *testing.T, s *suite) {
	all := variedAttempts()
	s.write(func(tx store.Tx) error {
		for _, a := range all {
			if err := tx.AddAttempt(ctx, acme, a); err != nil {
				return err
			}
		}
		return nil
	})
	tryAttemptFilters(t, s, all)
}

func tryAttemptFilters(t *testing.T, s *suite, all []*oms.Attempt) {
	t.Helper()
	wantAttempts(t, s, all, attemptFilter{}, 1, 7, 50)
	for i, one := range attemptFilters {
		wantAttempts(t, s, all, one, 1, 7, 50)
		for _, two := range attemptFilters[:i] {
			if !overwrites(one, two) {
				wantAttempts(t, s, all, both(one, two), 5)
			}
		}
	}
}

// variedAttempts returns attempts with few values in each field, so that every
// pair of filters picks some, in no order of their time.
func variedAttempts() []*oms.Attempt {
	random := rand.New(rand.NewPCG(1, 2))
	of := func(values ...string) string { return values[random.IntN(len(values))] }
	var all []*oms.Attempt
	for range 60 {
		started := at(random.IntN(20))
		a := attempt(oms.NewIDAt(oms.AttemptID, started), of("o1", "o2", ""), 0)
		a.StartedAt = started
		a.Kind, a.CallID, a.ConnectorID, a.RunID = of(oms.KindStep, oms.KindEvent), of("call-x", "call-y"), of("erp", "shop"), of("run-x", "")
		a.Host, a.Outcome, a.EventType = of("example.com", "Other.example:8443"), of(oms.OutcomeFailed, oms.OutcomeSucceeded), of("OrderCreated", "x")
		a.Related = oms.Related{OrderID: a.OrderID, ShipmentID: of("s1", ""), ReturnID: of("r1", ""), CartID: of("c1", ""),
			SubscriptionID: of("sub", ""), StockItemID: of("stock", "")}
		a.Status, a.DurationMs = []int{0, 200, 204, 404, 500}[random.IntN(5)], float64(random.IntN(3))*1000
		a.Detail.Request.Body, a.Detail.Response.Body = []byte(of("the Needle", "hay", "")), []byte(of("a n\\u0045edle", "straw", ""))
		if a.CallID = a.CallID + string(a.Detail.Request.Body); random.IntN(3) == 0 {
			a.Delivery, a.CallID, a.Detail.Request.Body = oms.DeliveryKey{Event: 1 + random.Int64N(2), Endpoint: 1 + random.Int64N(2)}, "", nil
		}
		all = append(all, a)
	}
	return all
}

// attemptFilter is a filter and what it is to pick.
type attemptFilter struct {
	set   func(f *store.AttemptFilter)
	picks func(a *oms.Attempt) bool
}

func both(one, two attemptFilter) attemptFilter {
	return attemptFilter{func(f *store.AttemptFilter) { one.set(f); two.set(f) },
		func(a *oms.Attempt) bool { return one.picks(a) && two.picks(a) }}
}

// overwrites reports whether two filters set the same field.
func overwrites(one, two attemptFilter) bool {
	var first, last store.AttemptFilter
	both(one, two).set(&first)
	both(two, one).set(&last)
	return !cmp.Equal(first, last)
}

var attemptFilters = []attemptFilter{
	{func(f *store.AttemptFilter) { f.Kind = oms.KindEvent }, func(a *oms.Attempt) bool { return a.Kind == oms.KindEvent }},
	{func(f *store.AttemptFilter) { f.CallID = "call-xhay" }, func(a *oms.Attempt) bool { return a.CallID == "call-xhay" }},
	{func(f *store.AttemptFilter) { f.ConnectorID = "erp" }, func(a *oms.Attempt) bool { return a.ConnectorID == "erp" }},
	{func(f *store.AttemptFilter) { f.Host = "oTHER.example:8443" }, func(a *oms.Attempt) bool { return a.Host == "Other.example:8443" }},
	{func(f *store.AttemptFilter) { f.RunID = "run-x" }, func(a *oms.Attempt) bool { return a.RunID == "run-x" }},
	{func(f *store.AttemptFilter) { f.Outcome = oms.OutcomeSucceeded }, func(a *oms.Attempt) bool { return a.Outcome == oms.OutcomeSucceeded }},
	{func(f *store.AttemptFilter) { f.EventType = "orderCREATED" }, func(a *oms.Attempt) bool { return a.EventType == "OrderCreated" }},
	{func(f *store.AttemptFilter) { f.OrderID = "o2" }, func(a *oms.Attempt) bool { return a.OrderID == "o2" }},
	{func(f *store.AttemptFilter) { f.ShipmentID = "s1" }, func(a *oms.Attempt) bool { return a.ShipmentID == "s1" }},
	{func(f *store.AttemptFilter) { f.ReturnID = "r1" }, func(a *oms.Attempt) bool { return a.ReturnID == "r1" }},
	{func(f *store.AttemptFilter) { f.CartID = "c1" }, func(a *oms.Attempt) bool { return a.CartID == "c1" }},
	{func(f *store.AttemptFilter) { f.SubscriptionID = "sub" }, func(a *oms.Attempt) bool { return a.SubscriptionID == "sub" }},
	{func(f *store.AttemptFilter) { f.StockItemID = "stock" }, func(a *oms.Attempt) bool { return a.StockItemID == "stock" }},
	{func(f *store.AttemptFilter) { f.Endpoint = 1 }, func(a *oms.Attempt) bool { return a.Delivery.Endpoint == 1 }},
	{func(f *store.AttemptFilter) { f.Delivery = &oms.DeliveryKey{Event: 1, Endpoint: 2} },
		func(a *oms.Attempt) bool { return a.Delivery == oms.DeliveryKey{Event: 1, Endpoint: 2} }},
	{func(f *store.AttemptFilter) { f.StatusFrom, f.StatusTo = 200, 299 }, func(a *oms.Attempt) bool { return a.Status/100 == 2 }},
	{func(f *store.AttemptFilter) { f.StatusTo = 204 }, func(a *oms.Attempt) bool { return a.Status == 200 || a.Status == 204 }},
	{func(f *store.AttemptFilter) { f.StatusFrom = 404 }, func(a *oms.Attempt) bool { return a.Status >= 404 }},
	{func(f *store.AttemptFilter) { f.NoStatus = true }, func(a *oms.Attempt) bool { return a.Status == 0 }},
	{func(f *store.AttemptFilter) { f.MinDuration = time.Second }, func(a *oms.Attempt) bool { return a.DurationMs >= 1000 }},
	{func(f *store.AttemptFilter) { f.MinDuration = 2*time.Second + time.Microsecond }, func(*oms.Attempt) bool { return false }},
	{func(f *store.AttemptFilter) { f.From = at(9) }, func(a *oms.Attempt) bool { return !a.StartedAt.Before(at(9)) }},
	{func(f *store.AttemptFilter) { f.To = at(14) }, func(a *oms.Attempt) bool { return a.StartedAt.Before(at(14)) }},
	{func(f *store.AttemptFilter) { f.Body = "nEEdle" }, func(a *oms.Attempt) bool {
		return string(a.Detail.Request.Body) == "the Needle" || strings.Contains(string(a.Detail.Response.Body), "u0045")
	}},
}

// wantAttempts reads all that a filter picks, in pages of these sizes.
func wantAttempts(t *testing.T, s *suite, all []*oms.Attempt, f attemptFilter, limits ...int) {
	t.Helper()
	var filter store.AttemptFilter
	var want []string
	if f.set != nil {
		f.set(&filter)
	}
	for _, a := range all {
		if f.picks == nil || f.picks(a) {
			want = append(want, a.ID)
		}
	}
	if slices.Reverse(want); !asRecorded(filter) {
		slices.SortFunc(want, func(a, b string) int { return strings.Compare(b, a) })
	}
	for _, limit := range limits {
		if got := attemptIDs(t, s, filter, limit); !slices.Equal(got, want) {
			t.Errorf("%+v, %d a page:\n%q, want\n%q", filter, limit, got, want)
		}
	}
}

// asRecorded says which searches are not sorted by the time of the attempts.
func asRecorded(f store.AttemptFilter) bool {
	related := f.Related
	return f.Body != "" && f.Delivery == nil && f.CallID == "" && f.RunID == "" && related == (oms.Related{})
}

// attemptIDs reads a list to its end; a page may have less than it could.
func attemptIDs(t *testing.T, s *suite, f store.AttemptFilter, limit int) []string {
	t.Helper()
	all := firstAttempts(t, s, f, limit, math.MaxInt)
	count, err := s.AttemptCount(ctx, acme, f)
	wantCount(t, f, len(all), count, err)
	return all
}

// firstAttempts is attemptIDs until there are so many.
func firstAttempts(t *testing.T, s *suite, f store.AttemptFilter, limit, enough int) (all []string) {
	t.Helper()
	for cursor := ""; ; {
		l := ok[store.List[*oms.Attempt]](t)(s.Attempts(ctx, acme, f, store.Page{Limit: limit, Cursor: cursor}))
		for _, a := range l.Items {
			all = append(all, a.ID)
		}
		if l.NextCursor == "" || len(all) >= enough {
			return all
		}
		if l.NextCursor == cursor {
			t.Fatalf("%+v: a page leads to itself", f)
		}
		cursor = l.NextCursor
	}
}

// testEventAttempts has the attempts of an event show its ids and its body.
func testEventAttempts(t *testing.T, s *suite) {
	e, to := event("e1", "o1"), s.put(endpoint("ep"))
	s.add(e)
	for i, format := range []oms.Format{oms.FormatFull, oms.FormatThin, oms.FormatData} {
		a := attempt(fmt.Sprint("att-", i), "o1", i)
		a.Kind, a.Delivery, a.Format = oms.KindEvent, keyOf(e, to), format
		a.CallID, a.Detail.Request.Body = "not kept", e.Body(format)
		s.write(func(tx store.Tx) error { return tx.AddAttempt(ctx, acme, a) })
		a.CallID, a.DeliveryID, a.EventID, a.EndpointID = "dlv_e1.1", "dlv_e1.1", "e1", "ep"
		same(t, ok[*oms.Attempt](t)(s.Attempt(ctx, acme, a.ID)), a)
	}
	elsewhere := attempt("att-9", "o1", 9)
	elsewhere.Kind, elsewhere.Delivery = oms.KindEvent, oms.DeliveryKey{Event: e.Seq + 1, Endpoint: to.No}
	s.write(func(tx store.Tx) error { return tx.AddAttempt(ctx, acme, elsewhere) })
	for _, f := range []store.AttemptFilter{{CallID: "dlv_e1.1"}, {Delivery: &oms.DeliveryKey{Event: e.Seq, Endpoint: to.No}}} {
		same(t, attemptIDs(t, s, f, 2), []string{"att-2", "att-1", "att-0"})
		f.Body = "OrderAccepted"
		same(t, attemptIDs(t, s, f, 1), []string{"att-1", "att-0"})
	}
	same(t, attemptIDs(t, s, store.AttemptFilter{CallID: "not kept"}, 2), nil)
	same(t, attemptIDs(t, s, store.AttemptFilter{CallID: "dlv_e1.2"}, 2), nil)
	same(t, attemptIDs(t, s, store.AttemptFilter{CallID: "dlv_e9.1"}, 2), nil)
}

// testTestAttempt has an attempt to an endpoint that is for no event keep the
// body it sent.
func testTestAttempt(t *testing.T, s *suite) {
	a := attempt("att-1", "", 1)
	a.Delivery.Endpoint, a.Format = s.put(endpoint("ep")).No, oms.FormatFull
	a.EndpointID = "ep"
	s.write(func(tx store.Tx) error { return tx.AddAttempt(ctx, acme, a) })
	same(t, ok[*oms.Attempt](t)(s.Attempt(ctx, acme, "att-1")), a)
}
