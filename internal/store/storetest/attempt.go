package storetest

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/go-cmp/cmp"

	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/attempt"
	"github.com/orderhook/orderhook/internal/event"
	"github.com/orderhook/orderhook/internal/ids"
	"github.com/orderhook/orderhook/internal/store"
)

// newAttempt returns an attempt at a call of an order's run, with every field set except
// those of an attempt at an event. The body of the answer is no JSON and no UTF-8,
// because any server may answer so.
func newAttempt(id, orderID string, started int) *attempt.Attempt {
	a := withEveryField(attempt.Attempt{ID: id, Kind: attempt.KindStep, CallID: "call-" + orderID, StartedAt: at(started),
		DurationMs: 12.345, Host: "example.com", Status: 500, Outcome: attempt.OutcomeFailed, ConnectorID: "erp",
		Related: event.Related{OrderID: orderID, ShipmentID: "s1", ReturnID: "r1"}, RunID: "run-" + orderID,
		Detail: &attempt.AttemptDetail{
			Request: attempt.Message{Headers: map[string][]string{"X-A": {"1", "2"}, "Authorization": {"***"}},
				Body: []byte(`{"Value":` + orderID + `}`)},
			Response: &attempt.Message{Headers: map[string][]string{"Retry-After": {"1"}}, Body: []byte("\x00\xff not JSON")}}})
	a.Delivery, a.EndpointID, a.EventID, a.DeliveryID = event.DeliveryKey{}, "", "", ""
	return &a
}

// testAttempts proves that an attempt comes back with everything that was recorded: all
// fields, none, and all but the answer. Lists begin with the one that started last and
// leave out the bodies and headers. An attempt that is recorded twice is a conflict.
func testAttempts(t *testing.T, s *suite) {
	full := newAttempt("att-1", "o1", 1)
	none := &attempt.Attempt{ID: "att-2", Kind: attempt.KindStep, CallID: "c2", StartedAt: at(2), Outcome: attempt.OutcomeFailed}
	noAnswer := newAttempt("att-3", "o3", 3)
	noAnswer.Detail.Response, noAnswer.Status = nil, 0
	all := []*attempt.Attempt{noAnswer, none, full}
	oldest := func(tenant string) time.Time { return ok[time.Time](t)(s.OldestAttempt(ctx, tenant)) }
	if at := oldest(acme); !at.IsZero() {
		t.Errorf("where there is none, the oldest was made %v", at)
	}
	for _, a := range slices.Backward(all) {
		s.write(func(tx store.Tx) error { return tx.AddAttempt(ctx, acme, a) })
		same(t, ok[*attempt.Attempt](t)(s.Attempt(ctx, acme, a.ID)), a)
	}
	list := ok[store.List[*attempt.Attempt]](t)(s.Attempts(ctx, acme, store.AttemptFilter{}, store.Page{}))
	for _, a := range all {
		a.Detail = nil
	}
	same(t, list.Items, all)
	if at := oldest(acme); !at.Equal(full.StartedAt.Truncate(time.Microsecond)) || !oldest("nobody").IsZero() {
		t.Errorf("the oldest was made %v, of another tenant %v; want %v", at, oldest("nobody"), full.StartedAt)
	}

	_, err := s.Attempt(ctx, acme, "att-9")
	is(t, err, apierr.NotFound)
	is(t, s.Write(ctx, func(tx store.Tx) error { return tx.AddAttempt(ctx, acme, full) }), apierr.Conflict)
}

// testAttemptBodies proves that the bodies of attempts do not get mixed up where attempts
// are of one call. An engine may store the request of a call once for all its attempts.
func testAttemptBodies(t *testing.T, s *suite) {
	first, second, elsewhere := newAttempt("att-1", "o1", 1), newAttempt("att-2", "o1", 2), newAttempt("att-3", "o2", 3)
	for _, a := range []*attempt.Attempt{first, second, elsewhere} {
		s.write(func(tx store.Tx) error { return tx.AddAttempt(ctx, acme, a) })
	}
	// They are read when all are stored: the second must not have overwritten the first.
	for _, a := range []*attempt.Attempt{first, second, elsewhere} {
		same(t, ok[*attempt.Attempt](t)(s.Attempt(ctx, acme, a.ID)), a)
	}
}

// testAttemptFilters proves that every filter, alone and together with every other one,
// picks what it says. The attempts were recorded in another order than they started in.
// An engine may choose another index for each pair, and each of those choices has to give
// the same answer.
func testAttemptFilters(t *testing.T, s *suite) {
	to, events := s.put(endpoint("ep")), variedEvents()
	s.put(endpoint("ep2"))
	s.add(events...)
	all := variedAttempts(to, events)
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

// tryAttemptFilters reads with no filter, with each one, and with each pair of them, and
// compares with what the filters' picks say. Pages of several sizes prove that a cursor
// continues where the page ended.
func tryAttemptFilters(t *testing.T, s *suite, all []*attempt.Attempt) {
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

// variedEvents returns events with the same few values as variedAttempts, so that an
// attempt at an event is picked by filters of its event. The random numbers are the same
// in each run.
func variedEvents() (all []*event.Event) {
	random := rand.New(rand.NewPCG(3, 4))
	of := func(values ...string) string { return values[random.IntN(len(values))] }
	for n := range 8 {
		e := newEvent(fmt.Sprint("e", n), of("o1", "o2", ""))
		e.Type, e.Data = of("OrderCreated", "x"), jsontext.Value(of(`"the Needle"`, `"hay"`))
		e.Related = event.Related{OrderID: e.OrderID, ShipmentID: of("s1", ""), ReturnID: of("r1", ""), CartID: of("c1", ""),
			SubscriptionID: of("sub", ""), StockItemID: of("stock", "")}
		all = append(all, e)
	}
	return all
}

// variedAttempts returns attempts with few values in each field, so that every pair of
// filters picks some of them. Their times are in no order. About a third of them are
// attempts at events: such an attempt has its type, what it is about, and its body from
// its event.
func variedAttempts(to *event.Endpoint, events []*event.Event) []*attempt.Attempt {
	random := rand.New(rand.NewPCG(1, 2))
	of := func(values ...string) string { return values[random.IntN(len(values))] }
	var all []*attempt.Attempt
	for range 60 {
		started := at(random.IntN(20))
		a := newAttempt(ids.Numbered(ids.Attempt, started), of("o1", "o2", ""), 0)
		a.StartedAt = started
		a.Kind, a.CallID, a.ConnectorID, a.RunID = of(attempt.KindStep, attempt.KindEvent), of("call-x", "call-y"), of("erp", "shop"), of("run-x", "")
		a.Host, a.Outcome, a.EventType = of("example.com", "Other.example:8443"), of(attempt.OutcomeFailed, attempt.OutcomeSucceeded), of("OrderCreated", "x")
		a.Related = event.Related{OrderID: a.OrderID, ShipmentID: of("s1", ""), ReturnID: of("r1", ""), CartID: of("c1", ""),
			SubscriptionID: of("sub", ""), StockItemID: of("stock", "")}
		a.Status, a.DurationMs = []int{0, 200, 204, 404, 500}[random.IntN(5)], float64(random.IntN(3))*1000
		a.Detail.Request.Body, a.Detail.Response.Body = []byte(of("the Needle", "hay", "")), []byte(of("a n\\u0045edle", "straw", ""))
		if a.CallID = a.CallID + string(a.Detail.Request.Body); random.IntN(3) == 0 {
			e := events[random.IntN(len(events))]
			a.Delivery, a.CallID, a.Format = event.DeliveryKey{Event: e.Seq, Endpoint: to.No + random.Int64N(2)}, "", event.FormatData
			a.EventType, a.Related, a.Detail.Request.Body = e.Type, e.Related, e.Body(event.FormatData)
		}
		all = append(all, a)
	}
	return all
}

// attemptFilter is a filter, and a function that says in plain Go which attempts it has
// to pick.
type attemptFilter struct {
	set   func(f *store.AttemptFilter)
	picks func(a *attempt.Attempt) bool
}

// both returns the filter that sets both, and picks what both of them pick.
func both(one, two attemptFilter) attemptFilter {
	return attemptFilter{func(f *store.AttemptFilter) { one.set(f); two.set(f) },
		func(a *attempt.Attempt) bool { return one.picks(a) && two.picks(a) }}
}

// overwrites reports whether two filters set the same field. Then they are no pair: the
// second would replace the first.
func overwrites(one, two attemptFilter) bool {
	var first, last store.AttemptFilter
	both(one, two).set(&first)
	both(two, one).set(&last)
	return !cmp.Equal(first, last)
}

// attemptFilters has one filter for each field of [store.AttemptFilter] at least. Some
// set two fields that belong together, and some pick nothing.
var attemptFilters = []attemptFilter{
	{func(f *store.AttemptFilter) { f.Kind = attempt.KindEvent }, func(a *attempt.Attempt) bool { return a.Kind == attempt.KindEvent }},
	{func(f *store.AttemptFilter) { f.CallID = "call-xhay" }, func(a *attempt.Attempt) bool { return a.CallID == "call-xhay" }},
	{func(f *store.AttemptFilter) { f.ConnectorID = "erp" }, func(a *attempt.Attempt) bool { return a.ConnectorID == "erp" }},
	{func(f *store.AttemptFilter) { f.Host = "oTHER.example:8443" }, func(a *attempt.Attempt) bool { return a.Host == "Other.example:8443" }},
	{func(f *store.AttemptFilter) { f.RunID = "run-x" }, func(a *attempt.Attempt) bool { return a.RunID == "run-x" }},
	{func(f *store.AttemptFilter) { f.Outcome = attempt.OutcomeSucceeded }, func(a *attempt.Attempt) bool { return a.Outcome == attempt.OutcomeSucceeded }},
	{func(f *store.AttemptFilter) { f.EventType = "orderCREATED" }, func(a *attempt.Attempt) bool { return a.EventType == "OrderCreated" }},
	{func(f *store.AttemptFilter) { f.OrderID = "o2" }, func(a *attempt.Attempt) bool { return a.OrderID == "o2" }},
	{func(f *store.AttemptFilter) { f.ShipmentID = "s1" }, func(a *attempt.Attempt) bool { return a.ShipmentID == "s1" }},
	{func(f *store.AttemptFilter) { f.ReturnID = "r1" }, func(a *attempt.Attempt) bool { return a.ReturnID == "r1" }},
	{func(f *store.AttemptFilter) { f.CartID = "c1" }, func(a *attempt.Attempt) bool { return a.CartID == "c1" }},
	{func(f *store.AttemptFilter) { f.SubscriptionID = "sub" }, func(a *attempt.Attempt) bool { return a.SubscriptionID == "sub" }},
	{func(f *store.AttemptFilter) { f.StockItemID = "stock" }, func(a *attempt.Attempt) bool { return a.StockItemID == "stock" }},
	{func(f *store.AttemptFilter) { f.Endpoint = 1 }, func(a *attempt.Attempt) bool { return a.Delivery.Endpoint == 1 }},
	{func(f *store.AttemptFilter) { f.Delivery = &event.DeliveryKey{Event: 1, Endpoint: 2} },
		func(a *attempt.Attempt) bool { return a.Delivery == event.DeliveryKey{Event: 1, Endpoint: 2} }},
	{func(f *store.AttemptFilter) { f.StatusFrom, f.StatusTo = 200, 299 }, func(a *attempt.Attempt) bool { return a.Status/100 == 2 }},
	{func(f *store.AttemptFilter) { f.StatusTo = 204 }, func(a *attempt.Attempt) bool { return a.Status == 200 || a.Status == 204 }},
	{func(f *store.AttemptFilter) { f.StatusFrom = 404 }, func(a *attempt.Attempt) bool { return a.Status >= 404 }},
	{func(f *store.AttemptFilter) { f.NoStatus = true }, func(a *attempt.Attempt) bool { return a.Status == 0 }},
	{func(f *store.AttemptFilter) { f.MinDuration = time.Second }, func(a *attempt.Attempt) bool { return a.DurationMs >= 1000 }},
	{func(f *store.AttemptFilter) { f.MinDuration = 2*time.Second + time.Microsecond }, func(*attempt.Attempt) bool { return false }},
	{func(f *store.AttemptFilter) { f.From = at(9) }, func(a *attempt.Attempt) bool { return !a.StartedAt.Before(at(9)) }},
	{func(f *store.AttemptFilter) { f.To = at(14) }, func(a *attempt.Attempt) bool { return a.StartedAt.Before(at(14)) }},
	// The first times that there are, the last ones, and the first beyond what a seq can say.
	{func(f *store.AttemptFilter) { f.From = time.Unix(0, 0) }, func(a *attempt.Attempt) bool { return true }},
	{func(f *store.AttemptFilter) { f.To = time.Unix(0, 0) }, func(a *attempt.Attempt) bool { return false }},
	{func(f *store.AttemptFilter) { f.From = time.Date(2113, 1, 1, 0, 0, 0, 0, time.UTC) }, func(a *attempt.Attempt) bool { return false }},
	{func(f *store.AttemptFilter) { f.To = time.Date(2113, 1, 1, 0, 0, 0, 0, time.UTC) }, func(a *attempt.Attempt) bool { return true }},
	{func(f *store.AttemptFilter) { f.From = time.Date(9998, 12, 31, 0, 0, 0, 0, time.UTC) }, func(a *attempt.Attempt) bool { return false }},
	{func(f *store.AttemptFilter) { f.To = time.Date(9998, 12, 31, 0, 0, 0, 0, time.UTC) }, func(a *attempt.Attempt) bool { return true }},
	{func(f *store.AttemptFilter) { f.Body = "nEEdle" }, func(a *attempt.Attempt) bool {
		return strings.Contains(string(a.Detail.Request.Body), "the Needle") || strings.Contains(string(a.Detail.Response.Body), "u0045")
	}},
}

// wantAttempts reads all that a filter picks, in pages of each of these sizes, and
// compares it with what the filter has to pick. The ids are made from the times of the
// attempts, so sorting them gives the order that the list has to have.
func wantAttempts(t *testing.T, s *suite, all []*attempt.Attempt, f attemptFilter, limits ...int) {
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
	slices.SortFunc(want, func(a, b string) int { return strings.Compare(b, a) })
	for _, limit := range limits {
		if got := attemptIDs(t, s, filter, limit); !slices.Equal(got, want) {
			t.Errorf("%+v, %d a page:\n%q, want\n%q", filter, limit, got, want)
		}
	}
}

// attemptIDs reads a list to its end, and compares its length with the count. A page may
// be short here, even empty, and have a cursor: a search in bodies ends a page when it
// has looked at enough attempts.
func attemptIDs(t *testing.T, s *suite, f store.AttemptFilter, limit int) []string {
	t.Helper()
	all := firstAttempts(t, s, f, limit, math.MaxInt)
	count, err := s.AttemptCount(ctx, acme, f)
	wantCount(t, f, len(all), count, err)
	return all
}

// firstAttempts is attemptIDs, but it stops once it has enough.
func firstAttempts(t *testing.T, s *suite, f store.AttemptFilter, limit, enough int) (all []string) {
	t.Helper()
	for cursor := ""; ; {
		l := ok[store.List[*attempt.Attempt]](t)(s.Attempts(ctx, acme, f, store.Page{Limit: limit, Cursor: cursor}))
		for _, a := range l.Items {
			all = append(all, a.ID)
		}
		if l.NextCursor == "" || len(all) >= enough {
			return all
		}
		// A page that leads to itself would be read for ever, by a caller too.
		if l.NextCursor == cursor {
			t.Fatalf("%+v: a page leads to itself", f)
		}
		cursor = l.NextCursor
	}
}

// testEventAttempts proves that an attempt at an event shows the ids of the event, its
// delivery and its endpoint, and the body that was sent, in each format. An engine need
// not store the body: it can be made from the event. So whatever the caller says of the
// call is replaced.
func testEventAttempts(t *testing.T, s *suite) {
	e, to := newEvent("e1", "o1"), s.put(endpoint("ep"))
	s.add(e)
	for i, format := range []event.Format{event.FormatFull, event.FormatThin, event.FormatData} {
		a := newAttempt(fmt.Sprint("att-", i), "o1", i)
		a.Kind, a.Delivery, a.Format = attempt.KindEvent, keyOf(e, to), format
		// The caller sets a call of its own, which has to be replaced.
		a.CallID, a.Detail.Request.Body = "not kept", e.Body(format)
		s.write(func(tx store.Tx) error { return tx.AddAttempt(ctx, acme, a) })
		a.CallID, a.DeliveryID, a.EventID, a.EndpointID = "dlv_e1.1", "dlv_e1.1", "e1", "ep"
		a.EventType, a.Related = e.Type, e.Related // whatever was said of it
		same(t, ok[*attempt.Attempt](t)(s.Attempt(ctx, acme, a.ID)), a)
	}
	// This one is at an event that does not exist, as after retention has removed it. It
	// must not be found as an attempt at the event that exists.
	elsewhere := newAttempt("att-9", "o1", 9)
	elsewhere.Kind, elsewhere.Delivery = attempt.KindEvent, event.DeliveryKey{Event: e.Seq + 1, Endpoint: to.No}
	s.write(func(tx store.Tx) error { return tx.AddAttempt(ctx, acme, elsewhere) })
	// The id of the delivery is the id of the call, and both find the three attempts.
	for _, f := range []store.AttemptFilter{{CallID: "dlv_e1.1"}, {Delivery: &event.DeliveryKey{Event: e.Seq, Endpoint: to.No}}} {
		same(t, attemptIDs(t, s, f, 2), []string{"att-2", "att-1", "att-0"})
		// The third has the data of the event alone as its body, and the type is not part
		// of that.
		f.Body = "OrderAccepted"
		same(t, attemptIDs(t, s, f, 1), []string{"att-1", "att-0"})
	}
	// What the caller said finds nothing, and neither do a delivery to another endpoint
	// and one of another event.
	same(t, attemptIDs(t, s, store.AttemptFilter{CallID: "not kept"}, 2), nil)
	same(t, attemptIDs(t, s, store.AttemptFilter{CallID: "dlv_e1.2"}, 2), nil)
	same(t, attemptIDs(t, s, store.AttemptFilter{CallID: "dlv_e9.1"}, 2), nil)
}

// testTestAttempt proves that a test call to an endpoint, which is an attempt without an
// event, has the body that it sent. There is no event to make the body from, so an engine
// has to store it.
func testTestAttempt(t *testing.T, s *suite) {
	a := newAttempt("att-1", "", 1)
	a.Delivery.Endpoint, a.Format = s.put(endpoint("ep")).No, event.FormatFull
	a.EndpointID = "ep"
	s.write(func(tx store.Tx) error { return tx.AddAttempt(ctx, acme, a) })
	same(t, ok[*attempt.Attempt](t)(s.Attempt(ctx, acme, "att-1")), a)
}
