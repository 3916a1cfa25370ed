package storetest

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/event"
	"github.com/orderhook/orderhook/internal/filter"
	"github.com/orderhook/orderhook/internal/secret"
	"github.com/orderhook/orderhook/internal/store"
)

// endpoint returns an endpoint that wants all events, in no order, with every field set.
// It has no number yet, was not turned off, and no change of its ordering is under way.
func endpoint(id string) *event.Endpoint {
	e := withEveryField(event.Endpoint{ID: id, Origin: event.OriginAPI, EventTypes: []string{"*"}, Enabled: true, Filter: "true",
		Schedule: []time.Duration{time.Second, time.Minute}, Ordering: event.OrderingNone})
	// withEveryField sets these, too, but the store or a job gives them their values.
	e.No, e.Disabled, e.Reordering = 0, "", ""
	return &e
}

// put stores an endpoint of acme. It returns what is to be read back: the same endpoint,
// with references in place of its secrets, which only the store can make.
func (s *suite) put(e *event.Endpoint) *event.Endpoint {
	s.t.Helper()
	s.write(func(tx store.Tx) error { return tx.PutEndpoint(ctx, acme, e) })
	return referring(e, s.endpoint(e.ID))
}

// referring returns e with the references that the stored endpoint has in the places of
// its secrets. Where a place has several secrets, they are taken in their order.
// A place where the stored endpoint has no secret keeps the value of e, and the
// comparison in the test then fails.
func referring(e, stored *event.Endpoint) *event.Endpoint {
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
func (s *suite) endpoint(id string) *event.Endpoint {
	s.t.Helper()
	return ok[*event.Endpoint](s.t)(s.Endpoint(ctx, acme, id))
}

// endpointID tells endpoints apart in lists.
func endpointID(e *event.Endpoint) string { return e.ID }

// matched returns the ids of the endpoints that would get an event, as the reader sees
// them: r is a transaction, or the store, which is what everybody sees.
// An error is returned as text, so the comparison in the test shows it.
func matched(r store.Reader, tenant string, e *event.Event) string {
	subscriptions, err := r.Subscriptions(ctx, tenant)
	if err != nil {
		return err.Error()
	}
	return strings.Join(idsOf(subscriptions.ReceiversOf(e, filter.NewEffort()), func(to event.Receiver) string { return to.ID }), " ")
}

// listener is a [store.Listener] that notes what it is told. It has no lock: a test reads
// it only after its writes have returned.
type listener struct {
	due            []store.Due
	calls          int      // of Due
	changed        []string // "acme ep1", or "acme -1" for the first endpoint, deleted
	ended          []event.DeliveryKey
	filterFailures []store.FilterFailure
	panics         bool
}

// Ended implements [store.Listener].
func (l *listener) Ended(_ string, key event.DeliveryKey) { l.ended = append(l.ended, key) }

// Behind implements [store.Listener].
// No test here needs it, but the interface does.
func (l *listener) Behind(string, int64) {}

// FilterFailed implements [store.Listener].
func (l *listener) FilterFailed(u store.FilterFailure) {
	l.filterFailures = append(l.filterFailures, u)
}

// listen sets a listener, which is told of every commit after this one. An engine has
// told it of a write before the write returns.
func (s *suite) listen() *listener {
	l := &listener{}
	s.Listen(l)
	return l
}

// Due implements [store.Listener]. It panics if the test says so, after it has noted what
// it was told.
func (l *listener) Due(due []store.Due) {
	l.due, l.calls = append(l.due, due...), l.calls+1
	if l.panics {
		panic("a bug")
	}
}

// EndpointChanged implements [store.Listener].
func (l *listener) EndpointChanged(tenant string, e *event.Endpoint, _ int64) {
	l.changed = append(l.changed, tenant+" "+e.ID)
}

// EndpointDeleted implements [store.Listener].
func (l *listener) EndpointDeleted(tenant string, no, _ int64) {
	l.changed = append(l.changed, fmt.Sprintf("%s -%d", tenant, no))
}

// dueIDs returns the events of what was due, in the order it was told.
func (l *listener) dueIDs() []string {
	return idsOf(l.due, func(d store.Due) string { return d.Delivery.EventID })
}

// testEndpoints proves that an endpoint comes back with every field, or with none but its
// id, and is found by its id and by its number. Numbers are given in order, by the store
// alone. An endpoint cannot be made twice, nor changed under a number that is not its
// own.
func testEndpoints(t *testing.T, s *suite) {
	first, second, plain := s.put(endpoint("ep1")), s.put(endpoint("ep2")), s.put(&event.Endpoint{ID: "ep3"})
	for i, e := range []*event.Endpoint{first, second, plain} {
		if e.No != int64(i+1) {
			t.Errorf("%s has number %d", e.ID, e.No)
		}
		same(t, s.endpoint(e.ID), e)
		same(t, ok[*event.Endpoint](t)(s.EndpointByNo(ctx, acme, e.No)), e)
	}
	changed := endpoint("ep1")
	// The second secret is the old one, which is still valid for some time.
	changed.No, changed.URL, changed.Secrets = first.No, "https://other.example", []event.Secret{{Value: secret.New("whsec_new")}, {Value: secret.New("whsec_old"), Until: at(5)}}
	changed = s.put(changed)
	same(t, s.endpoint("ep1"), changed)

	_, err := s.Endpoint(ctx, acme, "ep4")
	is(t, err, apierr.NotFound)
	_, err = s.EndpointByNo(ctx, acme, 4)
	is(t, err, apierr.NotFound)
	is(t, s.Write(ctx, func(tx store.Tx) error { return tx.PutEndpoint(ctx, acme, endpoint("ep1")) }), apierr.Conflict)
	// A number of another endpoint, a number that nobody has, and one that cannot be.
	for _, e := range []*event.Endpoint{{ID: "ep1", No: 2}, {ID: "ep4", No: 4}, {ID: "ep0", No: -1}} {
		is(t, s.Write(ctx, func(tx store.Tx) error { return tx.PutEndpoint(ctx, acme, e) }), apierr.NotFound)
	}
}

// testEndpointLists proves that the list has the newest endpoints first, and not those of
// connectors, which callers did not make. A deleted endpoint is not in it.
func testEndpointLists(t *testing.T, s *suite) {
	var want []string
	for i, origin := range []event.Origin{event.OriginAPI, event.OriginWebHook, event.OriginConnector, event.OriginAPI, event.OriginAPI} {
		e := endpoint(fmt.Sprint("ep", i))
		e.Origin = origin
		s.put(e)
		if origin != event.OriginConnector {
			want = append(want, e.ID)
		}
	}
	slices.Reverse(want)
	list := func(p store.Page) (store.List[*event.Endpoint], error) {
		return s.Endpoints(ctx, acme, store.EndpointFilter{}, p)
	}
	// One page may end exactly at the end of the list, and a page may have space for more.
	for _, limit := range []int{1, 2, 4, 50} {
		same(t, idsOf(pages(t, limit, list), endpointID), want)
	}
	s.write(func(tx store.Tx) error { return tx.DeleteEndpoint(ctx, acme, "ep3") })
	same(t, idsOf(pages(t, 50, list), endpointID), []string{"ep4", "ep1", "ep0"})
}

// testEndpointFilters proves what each filter of endpoints picks. A text is looked for
// only in what every role may see: with a filter nobody must be able to find out a
// password, or a token of a URL, letter by letter.
func testEndpointFilters(t *testing.T, s *suite) {
	// The filter needs pointers: nil means both.
	on, off := true, false
	for _, e := range []event.Endpoint{
		{ID: "ep1", Origin: event.OriginAPI, URL: "https://user:hush@Erp.example.com/hook?token=sesame", Description: "Größe", EventTypes: []string{"order_*"}, Enabled: true},
		{ID: "ep2", Origin: event.OriginAPI, URL: "https://b.example.com/", EventTypes: []string{"OrderCreated"}},
		{ID: "ep3", Origin: event.OriginConnector, URL: "https://c.example.com/", EventTypes: []string{"*"}, Enabled: true},
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
			got := pages(t, limit, func(p store.Page) (store.List[*event.Endpoint], error) { return s.Endpoints(ctx, acme, c.filter, p) })
			if text := strings.Join(idsOf(got, endpointID), " "); text != c.want {
				t.Errorf("%s, %d a page: %q, not %q", c.name, limit, text, c.want)
			}
		}
	}
}

// testEndpointDeleted proves that a deleted endpoint gets no events and is not found by
// its id, that its secrets are gone, and that neither its number nor its id is ever given
// to another one, because old deliveries and attempts refer to them. It is still so after
// the next start.
func testEndpointDeleted(t *testing.T, s *suite) {
	l := s.listen()
	first, second := s.put(endpoint("ep1")), s.put(endpoint("ep2"))
	s.write(func(tx store.Tx) error { return tx.DeleteEndpoint(ctx, acme, "ep2") })
	_, err := s.Endpoint(ctx, acme, "ep2")
	is(t, err, apierr.NotFound)
	// By its number it is found, without anything secret, for the deliveries that refer
	// to it.
	tomb := ok[*event.Endpoint](t)(s.EndpointByNo(ctx, acme, second.No))
	if tomb.ID != "ep2" || tomb.URL != second.URL || tomb.Secrets != nil || tomb.Headers != nil || !tomb.SigningKey.IsZero() || tomb.TLS != nil {
		t.Errorf("left of it: %+v", tomb)
	}
	is(t, s.Write(ctx, func(tx store.Tx) error { return tx.DeleteEndpoint(ctx, acme, "ep2") }), apierr.NotFound)
	is(t, s.Write(ctx, func(tx store.Tx) error { return tx.PutEndpoint(ctx, acme, second) }), apierr.NotFound)
	is(t, s.Write(ctx, func(tx store.Tx) error { return tx.PutEndpoint(ctx, acme, endpoint("ep2")) }), apierr.Conflict)
	// A number that is used again would make old deliveries those of a new endpoint.
	if third := s.put(endpoint("ep3")); third.No != 3 {
		t.Errorf("the number %d is given away again", third.No)
	}
	if got := matched(s, acme, newEvent("e1", "o1")); got != "ep1 ep3" {
		t.Errorf("subscribed: %s", got)
	}
	// What is in memory of subscriptions is read anew, and must come to the same.
	s.close()
	s.open()
	if got := matched(s, acme, newEvent("e1", "o1")); got != "ep1 ep3" {
		t.Errorf("subscribed: %s", got)
	}
	same(t, s.endpoint("ep1"), first)
	same(t, l.changed, []string{"acme ep1", "acme ep2", "acme -2", "acme ep3"})
}

// testEveryEndpoint proves that EveryEndpoint calls for each endpoint of each tenant
// exactly once, those of connectors included and deleted ones not, and that it stops when
// its caller says so. The server begins with it, so an endpoint that it leaves out would
// get nothing until the next change.
func testEveryEndpoint(t *testing.T, s *suite) {
	want := map[string]int{}
	s.write(func(tx store.Tx) error {
		// The write may run twice, so it begins with an empty map each time.
		clear(want)
		for i := range 2100 { // more than an engine may read at once
			tenant, e := []string{acme, other}[i%2], &event.Endpoint{ID: fmt.Sprint("ep", i), Origin: event.OriginConnector}
			if err := tx.PutEndpoint(ctx, tenant, e); err != nil {
				return err
			}
			want[fmt.Sprint(tenant, " ", e.ID, " ", e.No)] = 1
		}
		delete(want, "acme ep0 1")
		return tx.DeleteEndpoint(ctx, acme, "ep0")
	})
	got := map[string]int{}
	must(t, s.EveryEndpoint(ctx, func(tenant string, e *event.Endpoint, version int64) error {
		got[fmt.Sprint(tenant, " ", e.ID, " ", e.No)]++
		return nil
	}))
	same(t, got, want)

	// The caller's own error has to come back as it is.
	stop, calls := errors.New("stop"), 0
	err := s.EveryEndpoint(ctx, func(string, *event.Endpoint, int64) error { calls++; return stop })
	if !errors.Is(err, stop) || calls != 1 {
		t.Errorf("stopped with %v after %d calls", err, calls)
	}
}

// testSubscriptions proves that a transaction sees the subscriptions as it has changed
// them, and everybody else sees them as they are committed. A transaction that is undone
// leaves no trace. The endpoint that a caller has stored is the caller's again: what it
// changes in it changes no subscription.
func testSubscriptions(t *testing.T, s *suite) {
	sees := func(who string, r store.Reader, want string) {
		t.Helper()
		if got := matched(r, acme, newEvent("e1", "o1")); got != want {
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
	if got := matched(s, other, newEvent("e1", "o1")); got != "" {
		t.Errorf("another tenant: %q", got)
	}
}

// testSubscriptionsOfManyWriters proves that an event goes to exactly the endpoints that
// were committed before it, while many writers make events and endpoints at the same time
// and some of them fail. An engine may commit several writes together, and keep
// subscriptions in memory: neither may show.
func testSubscriptionsOfManyWriters(t *testing.T, s *suite) {
	l := s.listen()
	// Even writes add an event. Every second one of the others stores an endpoint and
	// then fails.
	errs := concurrently(64, func(i int) error {
		return s.Write(ctx, func(tx store.Tx) error {
			if i%2 == 0 {
				err := tx.AddEvents(ctx, acme, newEvent(fmt.Sprint("e", i), "o1"))
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
	// A later event can go to more endpoints, and never to fewer.
	last := int64(0)
	for _, e := range slices.Backward(ok[store.List[*event.Event]](t)(s.Events(ctx, acme, store.EventFilter{}, store.Page{})).Items) {
		if reached[e.Seq] < last {
			t.Errorf("%s goes to %d endpoints, one before it to %d", e.ID, reached[e.Seq], last)
		}
		last = reached[e.Seq]
	}
	if len(l.changed) != 16 {
		t.Errorf("told of %q", l.changed)
	}
}

// testListener proves that the listener is told of what became due, once, after the
// commit, with the events as they were given. It is not told of what was undone. A
// listener that panics does not fail the write, which is committed, nor keep later writes
// from telling.
func testListener(t *testing.T, s *suite) {
	l := s.listen()
	s.put(endpoint("ep1"))
	e := newEvent("e1", "o1")
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
		for _, e := range []*event.Event{e, newEvent("e2", "o1")} {
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

	// The write was committed before the listener is told, so its caller must not be told
	// that it failed.
	l.panics = true
	s.add(newEvent("e3", "o1")) // is answered as if nothing were
	l.panics = false
	// The listener is called again after its panic.
	s.add(newEvent("e4", "o1"))
	if got := strings.Join(l.dueIDs(), " "); got != "e1 e2 e3 e4" {
		t.Errorf("due: %s", got)
	}
}

// testHealth proves that the health of an endpoint adds up what its attempts say, as
// [store.HealthChange.On] adds it, and counts its pending and failed deliveries. A change
// of the ordering changes none of it. A new URL ends the failures in a row, because it
// was another receiver that failed.
func testHealth(t *testing.T, s *suite) {
	e := s.put(endpoint("ep1"))
	healthIs := func(want event.Health) {
		t.Helper()
		same(t, ok[event.Health](t)(s.Health(ctx, acme, e.No)), want)
	}
	healthIs(event.Health{})
	want := event.Health{}
	// Failures, successes and errors of the filter, alone and together.
	for _, c := range []store.HealthChange{
		{LastFailure: at(1), LastError: "500", Failures: 2, FailingSince: at(0), Streak: event.Streak{Since: at(0), Deliveries: 2, Beginning: true}, Silence: time.Hour},
		{Succeeded: 3, LastSuccess: at(2)},
		{LastFailure: at(4), LastError: "404", Failures: 1, FailingSince: at(4)},
		{FilterErrors: 2, LastFilterError: event.FilterError{At: at(6), EventID: "e1", Why: "line 1"}},
		{LastFailure: at(5), LastError: "410", Failures: 1, FailingSince: at(5), Streak: event.Streak{Since: at(5), Deliveries: 1}, Silence: time.Hour},
		{LastFailure: at(6), LastError: "411", Failures: 1, FailingSince: at(6), Streak: event.Streak{Since: at(6), Deliveries: 1, Beginning: true}, Silence: time.Hour},
		{FilterErrors: 1, LastFilterError: event.FilterError{At: at(8), EventID: "e2", Why: "line 2"}},
		{Succeeded: 2, LastSuccess: at(7), LastFailure: at(9), LastError: "reset", Failures: 1, FailingSince: at(9), Streak: event.Streak{Since: at(9), Deliveries: 1, Beginning: true}},
	} {
		want = c.On(want)
		s.write(func(tx store.Tx) error {
			got, err := tx.AddHealth(ctx, acme, e.No, c)
			same(t, got, want)
			return err
		})
		healthIs(want)
	}
	// The sums are also compared with numbers, because the loop compares the store only
	// with the same function that it uses.
	if want.Succeeded != 5 || want.Consecutive != 1 || want.FilterErrors != 3 || want.LastFilterError.EventID != "e2" {
		t.Errorf("added up: %+v", want)
	}
	for i, status := range []event.DeliveryStatus{event.DeliveryPending, event.DeliveryPending, event.DeliveryFailed, event.DeliverySucceeded, event.DeliveryPending} {
		e1 := newEvent(fmt.Sprint("e", i), "o1")
		s.add(e1)
		s.complete(e1, e, status)
	}
	want.Pending, want.Failed = 3, 1
	healthIs(want)
	e.Ordering = event.OrderingSubject // two of them wait then
	s.reorder(acme, e, 10)
	healthIs(want)
	e.URL = "https://other.example" // what it failed at elsewhere says nothing of it
	s.put(e)
	want.Consecutive, want.FailingSince, want.Streak = 0, time.Time{}, event.Streak{}
	healthIs(want)
}

// testFilterFailures proves that an event goes to an endpoint whose filter could not be
// evaluated for it, and that the listener is told of each such event once. It is not told
// of an event that is undone, or that was stored before. An error in a filter must not
// lose events without anybody noticing.
func testFilterFailures(t *testing.T, s *suite) {
	l := s.listen()
	e := endpoint("ep1")
	e.Filter = "data.missing > 5"
	s.put(e)
	first := newEvent("e1", "o1")
	must(t, s.Publish(ctx, acme, first, newEvent("e1", "o1")))
	s.add(newEvent("e2", "o1"))
	// The failure of the filter belongs to an event that never was, so nobody is told of
	// it.
	undone := errors.New("undone")
	if err := s.Write(ctx, func(tx store.Tx) error { return errors.Join(tx.AddEvents(ctx, acme, newEvent("e3", "o1")), undone) }); !errors.Is(err, undone) {
		t.Error(err)
	}
	// This filter can be evaluated, and does not let the event through.
	e.Filter = "data.total > 5"
	s.put(e)
	must(t, s.Publish(ctx, acme, newEvent("e4", "o1")))
	var told []string
	for _, u := range l.filterFailures {
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

// testDeletedEndpointNo proves that a deleted endpoint is still found by its id, so that
// lists can be filtered by it: what was sent to it is still there.
func testDeletedEndpointNo(t *testing.T, s *suite) {
	e := s.put(endpoint("ep1"))
	s.write(func(tx store.Tx) error { return tx.DeleteEndpoint(ctx, acme, e.ID) })
	if no := ok[int64](t)(s.EndpointNo(ctx, acme, e.ID)); no != e.No {
		t.Errorf("number %d, not %d", no, e.No)
	}
	_, err := s.EndpointNo(ctx, acme, "none")
	is(t, err, apierr.NotFound)
}

// testDeletedAndReopened proves that the server can be started again after its only
// endpoint was deleted and the work that follows was done. The number is not given again,
// and the next endpoint gets its events.
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
		err := tx.AddEvents(ctx, acme, newEvent("e1", "o1"))
		return err
	})
	if got := matched(s, acme, newEvent("e2", "o1")); got != next.ID {
		t.Errorf("an event goes to %q", got)
	}
}
