package storetest

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/orderhook/orderhook/internal/filter"
	"github.com/orderhook/orderhook/internal/oms"
	"github.com/orderhook/orderhook/internal/secret"
	"github.com/orderhook/orderhook/internal/store"
)

// endpoint returns an endpoint that wants everything, in no order, with every
// field set but its No, and none of what may be set while it changes.
func endpoint(id string) *oms.Endpoint {
	e := withEveryField(oms.Endpoint{ID: id, Origin: oms.OriginAPI, EventTypes: []string{"*"}, Enabled: true, Filter: "true",
		Schedule: []time.Duration{time.Second, time.Minute}, Ordering: oms.OrderingNone})
	e.No, e.Disabled, e.Reordering = 0, "", ""
	return &e
}

// put stores an endpoint of acme, and returns it with references to its secrets.
func (s *suite) put(e *oms.Endpoint) *oms.Endpoint {
	s.t.Helper()
	s.write(func(tx store.Tx) error { return tx.PutEndpoint(ctx, acme, e) })
	return referring(e, s.endpoint(e.ID))
}

// referring returns an endpoint with the references of how it was stored.
func referring(e, stored *oms.Endpoint) *oms.Endpoint {
	places := map[string][]secret.Value{}
	stored.WithSecrets(func(place string, _ []string, v secret.Value) secret.Value {
		places[place] = append(places[place], v)
		return v
	})
	return e.WithSecrets(func(place string, _ []string, v secret.Value) secret.Value {
		if len(places[place]) == 0 {
			return v
		}
		v, places[place] = places[place][0], places[place][1:]
		return v
	})
}

// endpoint reads an endpoint of acme.
func (s *suite) endpoint(id string) *oms.Endpoint {
	s.t.Helper()
	return ok[*oms.Endpoint](s.t)(s.Endpoint(ctx, acme, id))
}

func endpointID(e *oms.Endpoint) string { return e.ID }

// matched returns who gets an event, as a transaction or everybody sees it.
func matched(r store.Reader, tenant string, e *oms.Event) string {
	subscriptions, err := r.Subscriptions(ctx, tenant)
	if err != nil {
		return err.Error()
	}
	return strings.Join(ids(subscriptions.Match(e, filter.NewEffort()), func(to oms.Receiver) string { return to.ID }), " ")
}

// listener writes down what it is told.
type listener struct {
	due      []store.Due
	calls    int      // of Due
	changed  []string // "acme ep1", or "acme -1" for the first endpoint, deleted
	ended    []oms.DeliveryKey
	unjudged []store.Unjudged
	panics   bool
}

// Ended implements [store.Listener].
func (l *listener) Ended(_ string, key oms.DeliveryKey) { l.ended = append(l.ended, key) }

// Behind implements [store.Listener].
func (l *listener) Behind(string, int64) {}

// Unjudged implements [store.Listener].
func (l *listener) Unjudged(u store.Unjudged) { l.unjudged = append(l.unjudged, u) }

// listen has a listener told from now on. It is read after a write has returned.
func (s *suite) listen() *listener {
	l := &listener{}
	s.Listen(l)
	return l
}

func (l *listener) Due(due []store.Due) {
	l.due, l.calls = append(l.due, due...), l.calls+1
	if l.panics {
		panic("a bug")
	}
}

func (l *listener) EndpointChanged(tenant string, e *oms.Endpoint) {
	l.changed = append(l.changed, tenant+" "+e.ID)
}

func (l *listener) EndpointDeleted(tenant string, no int64) {
	l.changed = append(l.changed, fmt.Sprintf("%s -%d", tenant, no))
}

// dueIDs returns the events of what was due, in the order it was told.
func (l *listener) dueIDs() []string {
	return ids(l.due, func(d store.Due) string { return d.Delivery.EventID })
}

func testEndpoints(t *testing.T, s *suite) {
	first, second, plain := s.put(endpoint("ep1")), s.put(endpoint("ep2")), s.put(&oms.Endpoint{ID: "ep3"})
	for i, e := range []*oms.Endpoint{first, second, plain} {
		if e.No != int64(i+1) {
			t.Errorf("%s has number %d", e.ID, e.No)
		}
		same(t, s.endpoint(e.ID), e)
		same(t, ok[*oms.Endpoint](t)(s.EndpointByNo(ctx, acme, e.No)), e)
	}
	changed := endpoint("ep1")
	changed.No, changed.URL, changed.Secrets = first.No, "https://other.example", []oms.Secret{{Value: secret.New("whsec_new")}, {Value: secret.New("whsec_old"), Until: at(5)}}
	changed = s.put(changed)
	same(t, s.endpoint("ep1"), changed)

	_, err := s.Endpoint(ctx, acme, "ep4")
	is(t, err, oms.NotFound)
	_, err = s.EndpointByNo(ctx, acme, 4)
	is(t, err, oms.NotFound)
	is(t, s.Write(ctx, func(tx store.Tx) error { return tx.PutEndpoint(ctx, acme, endpoint("ep1")) }), oms.Conflict)
	for _, e := range []*oms.Endpoint{{ID: "ep1", No: 2}, {ID: "ep4", No: 4}, {ID: "ep0", No: -1}} {
		is(t, s.Write(ctx, func(tx store.Tx) error { return tx.PutEndpoint(ctx, acme, e) }), oms.NotFound)
	}
}

func testEndpointLists(t *testing.T, s *suite) {
	var want []string
	for i, origin := range []oms.Origin{oms.OriginAPI, oms.OriginWebHook, oms.OriginConnector, oms.OriginAPI, oms.OriginAPI} {
		e := endpoint(fmt.Sprint("ep", i))
		e.Origin = origin
		s.put(e)
		if origin != oms.OriginConnector {
			want = append(want, e.ID)
		}
	}
	slices.Reverse(want)
	list := func(p store.Page) (store.List[*oms.Endpoint], error) {
		return s.Endpoints(ctx, acme, store.EndpointFilter{}, p)
	}
	for _, limit := range []int{1, 2, 4, 50} {
		same(t, ids(pages(t, limit, list), endpointID), want)
	}
	s.write(func(tx store.Tx) error { return tx.DeleteEndpoint(ctx, acme, "ep3") })
	same(t, ids(pages(t, 50, list), endpointID), []string{"ep4", "ep1", "ep0"})
}

// testEndpointFilters: what a filter looks at is what every role may see.
func testEndpointFilters(t *testing.T, s *suite) {
	on, off := true, false
	for _, e := range []oms.Endpoint{
		{ID: "ep1", Origin: oms.OriginAPI, URL: "https://user:hush@Erp.example.com/hook?token=sesame", Description: "Größe", EventTypes: []string{"order_*"}, Enabled: true},
		{ID: "ep2", Origin: oms.OriginAPI, URL: "https://b.example.com/", EventTypes: []string{"OrderCreated"}},
		{ID: "ep3", Origin: oms.OriginConnector, URL: "https://c.example.com/", EventTypes: []string{"*"}, Enabled: true},
	} {
		s.put(&e)
	}
	for _, c := range []struct {
		name   string
		filter store.EndpointFilter
		want   string
	}{
		{"all", store.EndpointFilter{}, "ep2 ep1"},
		{"a host in another case", store.EndpointFilter{Text: "eRP.example"}, "ep1"},
		{"a description in another case", store.EndpointFilter{Text: "GRÖ"}, "ep1"},
		{"an id", store.EndpointFilter{Text: "EP2"}, "ep2"},
		{"both URLs", store.EndpointFilter{Text: "example.com"}, "ep2 ep1"},
		{"a value of the query", store.EndpointFilter{Text: "sesame"}, ""},
		{"the password", store.EndpointFilter{Text: "hush"}, ""},
		{"the name of a query's value", store.EndpointFilter{Text: "token="}, "ep1"},
		{"a wildcard", store.EndpointFilter{EventType: "Order_Completed"}, "ep1"},
		{"a name", store.EndpointFilter{EventType: "ordercreated"}, "ep2"},
		{"on", store.EndpointFilter{Enabled: &on}, "ep1"},
		{"off", store.EndpointFilter{Enabled: &off}, "ep2"},
		{"on, and a name", store.EndpointFilter{Enabled: &on, EventType: "OrderCreated"}, ""},
	} {
		for _, limit := range []int{1, 50} {
			got := pages(t, limit, func(p store.Page) (store.List[*oms.Endpoint], error) { return s.Endpoints(ctx, acme, c.filter, p) })
			if text := strings.Join(ids(got, endpointID), " "); text != c.want {
				t.Errorf("%s, %d a page: %q, not %q", c.name, limit, text, c.want)
			}
		}
	}
}

func testEndpointDeleted(t *testing.T, s *suite) {
	l := s.listen()
	first, second := s.put(endpoint("ep1")), s.put(endpoint("ep2"))
	s.write(func(tx store.Tx) error { return tx.DeleteEndpoint(ctx, acme, "ep2") })
	_, err := s.Endpoint(ctx, acme, "ep2")
	is(t, err, oms.NotFound)
	tomb := ok[*oms.Endpoint](t)(s.EndpointByNo(ctx, acme, second.No))
	if tomb.ID != "ep2" || tomb.URL != second.URL || tomb.Secrets != nil || tomb.Headers != nil || !tomb.SigningKey.IsZero() || tomb.TLS != nil {
		t.Errorf("left of it: %+v", tomb)
	}
	is(t, s.Write(ctx, func(tx store.Tx) error { return tx.DeleteEndpoint(ctx, acme, "ep2") }), oms.NotFound)
	is(t, s.Write(ctx, func(tx store.Tx) error { return tx.PutEndpoint(ctx, acme, second) }), oms.NotFound)
	is(t, s.Write(ctx, func(tx store.Tx) error { return tx.PutEndpoint(ctx, acme, endpoint("ep2")) }), oms.Conflict)
	if third := s.put(endpoint("ep3")); third.No != 3 {
		t.Errorf("the number %d is given away again", third.No)
	}
	if got := matched(s, acme, event("e1", "o1")); got != "ep1 ep3" {
		t.Errorf("subscribed: %s", got)
	}
	s.close()
	s.open()
	if got := matched(s, acme, event("e1", "o1")); got != "ep1 ep3" {
		t.Errorf("subscribed: %s", got)
	}
	same(t, s.endpoint("ep1"), first)
	same(t, l.changed, []string{"acme ep1", "acme ep2", "acme -2", "acme ep3"})
}

func testEveryEndpoint(t *testing.T, s *suite) {
	want := map[string]int{}
	s.write(func(tx store.Tx) error {
		clear(want)
		for i := range 2100 { // more than an engine may read at once
			tenant, e := []string{acme, other}[i%2], &oms.Endpoint{ID: fmt.Sprint("ep", i), Origin: oms.OriginConnector}
			if err := tx.PutEndpoint(ctx, tenant, e); err != nil {
				return err
			}
			want[fmt.Sprint(tenant, " ", e.ID, " ", e.No)] = 1
		}
		delete(want, "acme ep0 1")
		return tx.DeleteEndpoint(ctx, acme, "ep0")
	})
	got := map[string]int{}
	must(t, s.EveryEndpoint(ctx, func(tenant string, e *oms.Endpoint) error {
		got[fmt.Sprint(tenant, " ", e.ID, " ", e.No)]++
		return nil
	}))
	same(t, got, want)

	stop, calls := errors.New("stop"), 0
	err := s.EveryEndpoint(ctx, func(string, *oms.Endpoint) error { calls++; return stop })
	if !errors.Is(err, stop) || calls != 1 {
		t.Errorf("stopped with %v after %d calls", err, calls)
	}
}

// testSubscriptions follows them through transactions: each sees its own
// changes and those before it in its group, and others see what is committed.
func testSubscriptions(t *testing.T, s *suite) {
	sees := func(who string, r store.Reader, want string) {
		t.Helper()
		if got := matched(r, acme, event("e1", "o1")); got != want {
			t.Errorf("%s: %q, want %q", who, got, want)
		}
	}
	sees("everybody", s, "")
	s.put(endpoint("ep1"))
	sees("everybody", s, "ep1")
	err := s.Write(ctx, func(tx store.Tx) error {
		changed := endpoint("ep1")
		changed.No, changed.EventTypes = 1, []string{"none"}
		if err := errors.Join(tx.PutEndpoint(ctx, acme, endpoint("ep2")), tx.PutEndpoint(ctx, acme, changed)); err != nil {
			return err
		}
		sees("the transaction", tx, "ep2")
		sees("everybody", s, "ep1")
		return errUndo
	})
	if !errors.Is(err, errUndo) {
		t.Fatal(err)
	}
	sees("everybody", s, "ep1")
	mine := endpoint("ep2")
	s.put(mine)
	mine.EventTypes[0] = "none" // it is the caller's again
	sees("everybody", s, "ep1 ep2")
	s.write(func(tx store.Tx) error {
		err := tx.DeleteEndpoint(ctx, acme, "ep1")
		sees("the transaction", tx, "ep2")
		sees("everybody", s, "ep1 ep2")
		return err
	})
	sees("everybody", s, "ep2")
	if got := matched(s, other, event("e1", "o1")); got != "" {
		t.Errorf("another tenant: %q", got)
	}
}

// testSubscriptionsOfManyWriters has endpoints and events written side by side:
// each event goes to exactly the endpoints that were committed before it.
func testSubscriptionsOfManyWriters(t *testing.T, s *suite) {
	l := s.listen()
	errs := concurrently(64, func(i int) error {
		return s.Write(ctx, func(tx store.Tx) error {
			if i%2 == 0 {
				err := tx.AddEvents(ctx, acme, event(fmt.Sprint("e", i), "o1"))
				return err
			}
			if err := tx.PutEndpoint(ctx, acme, endpoint(fmt.Sprint("ep", i))); err != nil || i%4 == 1 {
				return err
			}
			return errUndo
		})
	})
	for i, err := range errs {
		if (err != nil) != (i%4 == 3) {
			t.Errorf("write %d: %v", i, err)
		}
	}
	reached := map[int64]int64{} // by event, how many endpoints it went to; these are numbered in the order of their commits
	for _, d := range l.due {
		if reached[d.Delivery.Event]++; d.Delivery.Endpoint != reached[d.Delivery.Event] {
			t.Errorf("%s goes to endpoint %d after %d others", d.Delivery.EventID, d.Delivery.Endpoint, reached[d.Delivery.Event]-1)
		}
	}
	last := int64(0)
	for _, e := range slices.Backward(ok[store.List[*oms.Event]](t)(s.Events(ctx, acme, store.EventFilter{}, store.Page{})).Items) {
		if reached[e.Seq] < last {
			t.Errorf("%s goes to %d endpoints, one before it to %d", e.ID, reached[e.Seq], last)
		}
		last = reached[e.Seq]
	}
	if len(l.changed) != 16 {
		t.Errorf("told of %q", l.changed)
	}
}

// testListener says when it is told, and of what.
func testListener(t *testing.T, s *suite) {
	l := s.listen()
	s.put(endpoint("ep1"))
	e := event("e1", "o1")
	err := s.Write(ctx, func(tx store.Tx) error {
		err := tx.AddEvents(ctx, acme, e)
		return errors.Join(err, tx.PutEndpoint(ctx, acme, endpoint("ep2")), errUndo)
	})
	if !errors.Is(err, errUndo) {
		t.Fatal(err)
	}
	if len(l.due) > 0 || len(l.changed) != 1 {
		t.Errorf("told of what was undone: %v, %v", l.due, l.changed)
	}
	s.write(func(tx store.Tx) error {
		for _, e := range []*oms.Event{e, event("e2", "o1")} {
			if err := tx.AddEvents(ctx, acme, e); err != nil {
				return err
			}
		}
		if len(l.due) > 0 {
			t.Error("told before the commit")
		}
		return nil
	})
	if l.calls != 1 || len(l.due) != 2 || l.due[0].Event != e || l.due[0].Tenant != acme {
		t.Errorf("told in %d calls: %+v", l.calls, l.due)
	}
	same(t, l.due[0].Delivery, *s.delivery(e, s.endpoint("ep1")))

	l.panics = true
	s.add(event("e3", "o1")) // is answered as if nothing were
	l.panics = false
	s.add(event("e4", "o1"))
	if got := strings.Join(l.dueIDs(), " "); got != "e1 e2 e3 e4" {
		t.Errorf("due: %s", got)
	}
}

func testHealth(t *testing.T, s *suite) {
	e := s.put(endpoint("ep1"))
	healthIs := func(want oms.Health) {
		t.Helper()
		same(t, ok[oms.Health](t)(s.Health(ctx, acme, e.No)), want)
	}
	healthIs(oms.Health{})
	want := oms.Health{}
	for _, c := range []store.HealthChange{
		{LastFailure: at(1), LastError: "500", Failures: 2, FailingSince: at(0), Streak: oms.Streak{Since: at(0), Deliveries: 2, Beginning: true}, Silence: time.Hour},
		{Succeeded: 3, LastSuccess: at(2)},
		{LastFailure: at(4), LastError: "404", Failures: 1, FailingSince: at(4)},
		{FilterErrors: 2, LastFilterError: oms.FilterError{At: at(6), EventID: "e1", Why: "line 1"}},
		{LastFailure: at(5), LastError: "410", Failures: 1, FailingSince: at(5), Streak: oms.Streak{Since: at(5), Deliveries: 1}, Silence: time.Hour},
		{LastFailure: at(6), LastError: "411", Failures: 1, FailingSince: at(6), Streak: oms.Streak{Since: at(6), Deliveries: 1, Beginning: true}, Silence: time.Hour},
		{FilterErrors: 1, LastFilterError: oms.FilterError{At: at(8), EventID: "e2", Why: "line 2"}},
		{Succeeded: 2, LastSuccess: at(7), LastFailure: at(9), LastError: "reset", Failures: 1, FailingSince: at(9), Streak: oms.Streak{Since: at(9), Deliveries: 1, Beginning: true}},
	} {
		want = c.On(want)
		s.write(func(tx store.Tx) error {
			got, err := tx.AddHealth(ctx, acme, e.No, c)
			same(t, got, want)
			return err
		})
		healthIs(want)
	}
	if want.Succeeded != 5 || want.Consecutive != 1 || want.FilterErrors != 3 || want.LastFilterError.EventID != "e2" {
		t.Errorf("added up: %+v", want)
	}
	for i, status := range []oms.DeliveryStatus{oms.DeliveryPending, oms.DeliveryPending, oms.DeliveryFailed, oms.DeliverySucceeded, oms.DeliveryPending} {
		e1 := event(fmt.Sprint("e", i), "o1")
		s.add(e1)
		s.settle(e1, e, status)
	}
	want.Pending, want.Failed = 3, 1
	healthIs(want)
	e.Ordering = oms.OrderingSubject // two of them wait then
	s.reorder(acme, e, 10)
	healthIs(want)
	e.URL = "https://other.example" // what it failed at elsewhere says nothing of it
	s.put(e)
	want.Consecutive, want.FailingSince, want.Streak = 0, time.Time{}, oms.Streak{}
	healthIs(want)
}

// testUnjudged: an event that a filter cannot judge is delivered, and the listener
// told; not of one that is undone, or was there before.
func testUnjudged(t *testing.T, s *suite) {
	l := s.listen()
	e := endpoint("ep1")
	e.Filter = "data.missing > 5"
	s.put(e)
	first := event("e1", "o1")
	must(t, s.Publish(ctx, acme, first, event("e1", "o1")))
	s.add(event("e2", "o1"))
	undone := errors.New("undone")
	if err := s.Write(ctx, func(tx store.Tx) error { return errors.Join(tx.AddEvents(ctx, acme, event("e3", "o1")), undone) }); !errors.Is(err, undone) {
		t.Error(err)
	}
	e.Filter = "data.total > 5"
	s.put(e)
	must(t, s.Publish(ctx, acme, event("e4", "o1")))
	var told []string
	for _, u := range l.unjudged {
		told = append(told, u.EventID)
		if u.Tenant != acme || u.Endpoint != e.No || u.At.IsZero() || !strings.Contains(u.Why, "cannot compare nil with int") {
			t.Errorf("%+v", u)
		}
	}
	if got := strings.Join(told, " "); got != "e1 e2" {
		t.Errorf("told of %s", got)
	}
	if got := strings.Join(l.dueIDs(), " "); got != "e1 e2" {
		t.Errorf("due: %s", got)
	}
}

// testDeletedEndpointNo: a deleted endpoint is still found by its id, for what
// it was sent.
func testDeletedEndpointNo(t *testing.T, s *suite) {
	e := s.put(endpoint("ep1"))
	s.write(func(tx store.Tx) error { return tx.DeleteEndpoint(ctx, acme, e.ID) })
	if no := ok[int64](t)(s.EndpointNo(ctx, acme, e.ID)); no != e.No {
		t.Errorf("number %d, not %d", no, e.No)
	}
	_, err := s.EndpointNo(ctx, acme, "none")
	is(t, err, oms.NotFound)
}

// testDeletedAndReopened: an endpoint that was deleted, and whose deliveries
// have ended, is in nobody's way after the next start.
func testDeletedAndReopened(t *testing.T, s *suite) {
	gone := s.put(endpoint("ep1"))
	s.write(func(tx store.Tx) error { return tx.DeleteEndpoint(ctx, acme, gone.ID) })
	for n := 1; n > 0; {
		s.write(func(tx store.Tx) (err error) {
			n, err = tx.CancelOrphans(ctx, 10)
			return err
		})
	}
	s.close()
	s.open()
	next := s.put(endpoint("ep2"))
	if next.No != 2 {
		t.Errorf("the next endpoint has number %d", next.No)
	}
	s.write(func(tx store.Tx) error {
		err := tx.AddEvents(ctx, acme, event("e1", "o1"))
		return err
	})
	if got := matched(s, acme, event("e2", "o1")); got != next.ID {
		t.Errorf("an event goes to %q", got)
	}
}
