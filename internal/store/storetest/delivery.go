package storetest

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/attempt"
	"github.com/orderhook/orderhook/internal/event"
	"github.com/orderhook/orderhook/internal/ids"
	"github.com/orderhook/orderhook/internal/store"
)

// keyOf returns the key of the delivery of an event to an endpoint.
// Both must have been stored, because the store gives the numbers.
func keyOf(e *event.Event, to *event.Endpoint) event.DeliveryKey {
	return event.DeliveryKey{Event: e.Seq, Endpoint: to.No}
}

// delivery reads acme's delivery of an event.
func (s *suite) delivery(e *event.Event, to *event.Endpoint) *event.Delivery {
	s.t.Helper()
	return ok[*event.Delivery](s.t)(s.Delivery(ctx, acme, keyOf(e, to)))
}

// deliveries reads all deliveries of acme that a filter picks.
func (s *suite) deliveries(f store.DeliveryFilter) []*event.Delivery {
	s.t.Helper()
	return pages(s.t, 50, func(p store.Page) (store.List[*event.Delivery], error) { return s.Deliveries(ctx, acme, f, p) })
}

// completion returns what an attempt means for a delivery. If the delivery stays pending,
// the next attempt is due a minute later. Only a delivery that succeeded gets an attempt
// here, because package store asks for one there alone.
func completion(key event.DeliveryKey, status event.DeliveryStatus, attempts int, when time.Time) store.Completion {
	s := store.Completion{Key: key, Status: status, Attempts: attempts, At: when}
	switch status {
	case event.DeliveryPending:
		s.Due = when.Add(time.Minute)
	case event.DeliverySucceeded:
		s.Attempt = &attempt.Attempt{ID: ids.Numbered(ids.Attempt, when), Kind: attempt.KindEvent, Delivery: key, Number: attempts, MaxNumber: 3, StartedAt: when,
			Status: 200, Outcome: attempt.OutcomeSucceeded}
	}
	return s
}

// completeIn is CompleteDeliveries for a test that does not ask which were recorded before.
func completeIn(tx store.Tx, tenant string, list ...store.Completion) error {
	_, err := tx.CompleteDeliveries(ctx, tenant, list...)
	return err
}

// complete records an attempt at a delivery of acme's.
// The attempt counts as the first one, whatever came before.
func (s *suite) complete(e *event.Event, to *event.Endpoint, status event.DeliveryStatus) {
	s.t.Helper()
	s.write(func(tx store.Tx) error {
		return completeIn(tx, acme, completion(keyOf(e, to), status, 1, s.now))
	})
}

// cancel cancels a delivery of acme's.
func (s *suite) cancel(e *event.Event, to *event.Endpoint) {
	s.t.Helper()
	s.write(func(tx store.Tx) error { return tx.CancelDelivery(ctx, acme, keyOf(e, to), s.now) })
}

// sendAgain sends a delivery of acme's again, as a trial.
// A trial also makes the delivery that it waits for due.
func (s *suite) sendAgain(e *event.Event, to *event.Endpoint) {
	s.t.Helper()
	s.write(func(tx store.Tx) error { return tx.SendAgain(ctx, acme, e, to, s.now, true) })
}

// testDeliveries follows one delivery: it is made with its event, is due at once, fails,
// and succeeds. Each attempt is recorded, and the delivery shows the status and the error
// of the last one.
func testDeliveries(t *testing.T, s *suite) {
	to := s.put(endpoint("ep1"))
	e := newEvent("e1", "o1")
	s.add(e)
	want := &event.Delivery{DeliveryKey: keyOf(e, to), EventID: "e1", EndpointID: "ep1", EventType: e.Type, OrderID: "o1",
		Status: event.DeliveryPending, MaxAttempts: 3, Due: s.now, Created: e.Timestamp, Updated: s.now}
	same(t, s.delivery(e, to), want)

	a := newAttempt("att-1", "o1", 1)
	// The first attempt fails, and the second succeeds.
	for _, status := range []event.DeliveryStatus{event.DeliveryPending, event.DeliverySucceeded} {
		s.now = s.now.Add(time.Second)
		want.Attempts++
		change := completion(keyOf(e, to), status, want.Attempts, s.now)
		// The attempt is the same value each time, with another id and number, so the test
		// does not have to fill in all fields twice.
		change.Attempt, a.ID, a.Delivery = a, fmt.Sprint("att-", want.Attempts), keyOf(e, to)
		a.Number, a.MaxNumber, a.StartedAt = want.Attempts, want.MaxAttempts, s.now.Add(-12345*time.Microsecond)
		if status == event.DeliverySucceeded {
			a.Status, a.Error = 204, ""
		}
		s.write(func(tx store.Tx) error { return completeIn(tx, acme, change) })
		want.Status, want.Due, want.Updated, want.LastStatus, want.LastError = status, change.Due, s.now, a.Status, a.Error
		same(t, s.delivery(e, to), want)
		ok[*attempt.Attempt](t)(s.Attempt(ctx, acme, a.ID))
	}
	// There is no delivery to an endpoint that the event was not meant for.
	_, err := s.Delivery(ctx, acme, event.DeliveryKey{Event: e.Seq, Endpoint: 2})
	is(t, err, apierr.NotFound)
}

// testManyDeliveries proves that an event goes to three hundred endpoints, with the
// schedule and ordering of each, as it goes to one. An engine may store many deliveries
// of one event in another way than a few. The listener is told of exactly those that are
// due.
func testManyDeliveries(t *testing.T, s *suite) {
	l := s.listen()
	s.write(func(tx store.Tx) error {
		for i := range 300 {
			e := endpoint(fmt.Sprint("ep", i))
			// A schedule of n waits means n+1 attempts, so the endpoints allow one, two or
			// three.
			e.Schedule = e.Schedule[:i%3]
			if i%5 == 0 {
				e.Ordering = event.OrderingSubject
			}
			if err := tx.PutEndpoint(ctx, acme, e); err != nil {
				return err
			}
		}
		return nil
	})
	first, second := newEvent("e1", "o1"), newEvent("e2", "o1")
	s.add(first, second)
	// The list has the newest first, and the loop below counts from the oldest on.
	all := s.deliveries(store.DeliveryFilter{})
	slices.Reverse(all)
	var due []event.Delivery
	for i, d := range all {
		if d.MaxAttempts != 1+i%300%3 || d.Endpoint != int64(i%300+1) {
			t.Fatalf("delivery %d: %+v", i, d)
		}
		// Where the order matters, the second event waits for the first, and is due at no
		// time.
		if d.Event == second.Seq && i%5 == 0 {
			same(t, d.Due, time.Time{})
			continue
		}
		due = append(due, *d)
	}
	// In which order the listener is told of one event's deliveries is not promised.
	var told []event.Delivery
	for _, d := range l.due {
		told = append(told, d.Delivery)
	}
	slices.SortFunc(told, func(a, b event.Delivery) int {
		return cmp.Or(cmp.Compare(a.Event, b.Event), cmp.Compare(a.Endpoint, b.Endpoint))
	})
	same(t, told, due)
}

// testDeliveryLists proves that all filters of deliveries pick what they say, in every
// combination of endpoint, status, event type, order and event. The deliveries have every
// status, of both endpoints.
func testDeliveryLists(t *testing.T, s *suite) {
	first, second := s.put(endpoint("ep1")), s.put(endpoint("ep2"))
	statuses := []event.DeliveryStatus{event.DeliveryPending, event.DeliverySucceeded, event.DeliveryFailed, event.DeliveryCanceled}
	var all []*event.Delivery
	for i := range 16 {
		e := newEvent(fmt.Sprint("e", i), fmt.Sprint("o", i%3))
		if i%5 == 0 {
			e.Type = "order_completed"
		}
		s.add(e)
		for j, to := range []*event.Endpoint{first, second} {
			s.complete(e, to, statuses[(i+j)%3])
			if status := statuses[(i+3*j)%4]; status == event.DeliveryCanceled && s.delivery(e, to).Status == event.DeliveryPending {
				s.cancel(e, to)
			}
			all = append(all, s.delivery(e, to))
		}
	}
	slices.Reverse(all)
	// The empty value of each filter picks everything.
	for _, status := range append(statuses, "") {
		for _, to := range []int64{first.No, second.No, 0} {
			for _, eventType := range []string{"order_completed", "Order_Completed", ""} {
				for _, order := range []string{"o1", "o9", ""} {
					for _, e := range []int64{all[0].Event, all[7].Event, 0} {
						wantDeliveries(t, s, all, store.DeliveryFilter{Endpoint: to, Event: e, Status: status, EventType: eventType, OrderID: order})
					}
				}
			}
		}
	}
}

// wantDeliveries compares list and count with what the filter has to pick, in pages of
// several sizes. Event types are compared without regard to case, ids are not.
func wantDeliveries(t *testing.T, s *suite, all []*event.Delivery, f store.DeliveryFilter) {
	t.Helper()
	var want []*event.Delivery
	for _, d := range all {
		if (f.Endpoint == 0 || f.Endpoint == d.Endpoint) && (f.Event == 0 || f.Event == d.Event) && (f.Status == "" || f.Status == d.Status) &&
			(f.EventType == "" || strings.EqualFold(f.EventType, d.EventType)) && (f.OrderID == "" || f.OrderID == d.OrderID) {
			want = append(want, d)
		}
	}
	count, err := s.DeliveryCount(ctx, acme, f)
	wantCount(t, f, len(want), count, err)
	for _, limit := range []int{1, 5, 50} {
		got := pages(t, limit, func(p store.Page) (store.List[*event.Delivery], error) { return s.Deliveries(ctx, acme, f, p) })
		same(t, got, want)
	}
}

// testDeliveriesByOutcome proves the filters by the time of the event and by the status
// of the last attempt. A delivery that was not attempted yet has no status, and that is
// different from an attempt that got no answer.
func testDeliveriesByOutcome(t *testing.T, s *suite) {
	to := s.put(endpoint("ep1"))
	// A status of 0 is an attempt without an answer. -1 stands for no attempt at all.
	for i, status := range []int{500, 503, 0, 404, 204, 200, -1} {
		e := newEvent(fmt.Sprint("e", i), "o1")
		e.Timestamp = at(i)
		s.add(e)
		if status < 0 {
			continue // no attempt was made
		}
		change := completion(keyOf(e, to), event.DeliveryFailed, 1, s.now)
		change.Attempt = newAttempt(fmt.Sprint("att-", i), "o1", i)
		change.Attempt.Delivery = change.Key
		if change.Attempt.Status = status; status/100 == 2 {
			change.Status, change.Attempt.Error = event.DeliverySucceeded, ""
		}
		s.write(func(tx store.Tx) error { return completeIn(tx, acme, change) })
	}
	// The number in each id is its place in the list of statuses above.
	for want, f := range map[string]store.DeliveryFilter{
		"e6 e5 e4 e3 e2 e1 e0": {},
		"e1 e0":                {StatusFilter: store.StatusFilter{StatusFrom: 500, StatusTo: 599}},
		"e3":                   {StatusFilter: store.StatusFilter{StatusFrom: 404, StatusTo: 404}},
		"e2":                   {StatusFilter: store.StatusFilter{NoStatus: true}},
		"e5 e4":                {StatusFilter: store.StatusFilter{StatusFrom: 200, StatusTo: 299}, Status: event.DeliverySucceeded},
		"e3 e2 e1":             {From: at(1), To: at(4)},
		"e6 e5":                {From: at(5)},
		"e0":                   {To: at(3), Endpoint: to.No, Status: event.DeliveryFailed, StatusFilter: store.StatusFilter{StatusFrom: 500, StatusTo: 500}},
	} {
		count, err := s.DeliveryCount(ctx, acme, f)
		wantCount(t, f, len(strings.Fields(want)), count, err)
		for _, limit := range []int{1, 50} {
			got := pages(t, limit, func(p store.Page) (store.List[*event.Delivery], error) { return s.Deliveries(ctx, acme, f, p) })
			if got := strings.Join(idsOf(got, func(d *event.Delivery) string { return d.EventID }), " "); got != want {
				t.Errorf("%+v: %s, want %s", f, got, want)
			}
		}
	}
}

// testSendableDeliveries proves that the filter tells apart what can be sent again at
// once, what can be once its endpoint is on, and what never can, because its endpoint was
// deleted or the data of its event was erased. Callers use it to choose what to send
// again in bulk.
func testSendableDeliveries(t *testing.T, s *suite) {
	gone, stays := s.put(endpoint("gone")), s.put(endpoint("stays"))
	s.insert(newOrder("o1", 1, `{}`), newOrder("o2", 2, `{}`))
	for i, of := range []string{"o1", "o2", "o2"} {
		e := newEvent(fmt.Sprint("e", i), of)
		s.add(e)
		s.complete(e, gone, event.DeliveryFailed)
		s.complete(e, stays, event.DeliveryFailed)
	}
	// Each row of want has the newest event first, and of one event the endpoint with the
	// higher number.
	want := func(sendable store.Sendable, want string) {
		t.Helper()
		f := store.DeliveryFilter{Status: event.DeliveryFailed, Sendable: sendable}
		count, err := s.DeliveryCount(ctx, acme, f)
		wantCount(t, f, len(strings.Fields(want)), count, err)
		for _, limit := range []int{1, 50} {
			got := pages(t, limit, func(p store.Page) (store.List[*event.Delivery], error) { return s.Deliveries(ctx, acme, f, p) })
			if got := strings.Join(idsOf(got, func(d *event.Delivery) string { return d.EventID + "/" + d.EndpointID }), " "); got != want {
				t.Errorf("%+v: %s, want %s", f, got, want)
			}
		}
	}
	want(store.SendableAtAll, "e2/stays e2/gone e1/stays e1/gone e0/stays e0/gone")
	want(store.NotSendable, "")
	// First the endpoint is turned off, then deleted, then an order is erased.
	gone.Enabled = false
	s.write(func(tx store.Tx) error { return tx.PutEndpoint(ctx, acme, gone) })
	want(store.SendableAtAll, "e2/stays e2/gone e1/stays e1/gone e0/stays e0/gone")
	want(store.SendableNow, "e2/stays e1/stays e0/stays")
	want(store.SendableOnceOn, "e2/gone e1/gone e0/gone")
	s.write(func(tx store.Tx) error { return tx.DeleteEndpoint(ctx, acme, gone.ID) })
	want(store.SendableAtAll, "e2/stays e1/stays e0/stays")
	want(store.SendableOnceOn, "")
	want(store.NotSendable, "e2/gone e1/gone e0/gone")
	s.erase(acme, "o1")
	want(store.SendableNow, "e2/stays e1/stays")
	want(store.NotSendable, "e2/gone e1/gone e0/stays e0/gone")
	if all := s.deliveries(store.DeliveryFilter{Status: event.DeliveryFailed}); len(all) != 6 {
		t.Errorf("the whole list has %d", len(all))
	}
}

// testDueDeliveries proves which deliveries of an endpoint are due, in which order, and
// when the next one becomes due. The sender works by these answers: a delivery that is
// left out is not sent, and a wrong time for the next has it sent late.
func testDueDeliveries(t *testing.T, s *suite) {
	to, elsewhere := s.put(endpoint("ep1")), s.put(endpoint("ep2"))
	var events []*event.Event
	for i := range 6 {
		events = append(events, newEvent(fmt.Sprint("e", i), "o1"))
		s.add(events[i])
		s.complete(events[i], elsewhere, event.DeliverySucceeded)
	}
	begin := s.now
	// Each test asks for nine, which is all, or for two, which is fewer than there are.
	// What comes with the due ones has to be what is read by itself.
	dueIs := func(limit int, want string, wantNext time.Time) {
		t.Helper()
		list := ok[store.DueList](t)(s.DueDeliveries(ctx, acme, store.DueQuery{Endpoint: to.No, Now: s.now, Limit: limit, MostData: 100}))
		if got := strings.Join(idsOf(list.Due, dueID), " "); got != want || !list.Next.Equal(wantNext) || list.More != (limit == 2) {
			t.Errorf("due: %q, then %v, more is %v; want %q, then %v", got, list.Next, list.More, want, wantNext)
		}
		for _, d := range list.Due {
			same(t, &d.Delivery, ok[*event.Delivery](t)(s.Delivery(ctx, acme, d.Delivery.DeliveryKey)))
			same(t, d.Event, ok[*event.Event](t)(s.Event(ctx, acme, d.Delivery.EventID)))
		}
	}
	dueIs(9, "e0 e1 e2 e3 e4 e5", time.Time{})
	dueIs(2, "e0 e1", time.Time{})
	// The sender may name deliveries that are left out, because it has them already. It
	// says how much data of an event it takes at once; if an event has more, the delivery
	// comes without it.
	some := ok[store.DueList](t)(s.DueDeliveries(ctx, acme, store.DueQuery{Endpoint: to.No, Now: s.now, Limit: 4, MostData: 10,
		Skip: func(event int64) bool { return event == events[1].Seq || event == events[4].Seq }}))
	if got := strings.Join(idsOf(some.Due, dueID), " "); got != "e0 e2 e3 e5" || some.More || some.Due[0].Event != nil {
		t.Errorf("but for two: %s, more is %v, the first has %v", got, some.More, some.Due[0].Event)
	}
	// What has succeeded, has failed or was canceled is not due, and what is to be tried
	// again is due later.
	s.complete(events[0], to, event.DeliverySucceeded)
	s.complete(events[3], to, event.DeliveryFailed)
	s.cancel(events[5], to)
	s.complete(events[1], to, event.DeliveryPending)
	dueIs(9, "e2 e4", begin.Add(time.Minute))
	s.now = s.now.Add(time.Second)
	s.complete(events[2], to, event.DeliveryPending)
	dueIs(9, "e4", begin.Add(time.Minute))
	s.now = begin.Add(time.Minute)
	dueIs(9, "e4 e1", begin.Add(61*time.Second))
	s.now = s.now.Add(time.Hour)
	dueIs(9, "e4 e1 e2", time.Time{})
	// Everything for the other endpoint has succeeded, so the answer about that is empty.
	none := ok[store.DueList](t)(s.DueDeliveries(ctx, acme, store.DueQuery{Endpoint: elsewhere.No, Now: s.now, Limit: 9}))
	same(t, none, store.DueList{})
}

// dueID returns the id of the event of a due delivery.
func dueID(d store.Due) string { return d.Delivery.EventID }

// testSendAgain proves that a delivery can be sent again whatever became of it: it is
// pending, due at once, has as many further attempts as the schedule, and is the same
// delivery, not a second one. An event that never went to the endpoint can be sent there,
// too. It is refused where the endpoint or the event is gone, or the data was erased.
func testSendAgain(t *testing.T, s *suite) {
	l := s.listen()
	to := s.put(endpoint("ep1"))
	e := newEvent("e1", "o1")
	s.add(e)
	// This endpoint is younger than the event, so the event never went there.
	late := s.put(endpoint("late"))
	l.due = nil
	s.complete(e, to, event.DeliveryPending) // due in a minute
	s.now = s.now.Add(time.Second)
	s.sendAgain(e, to)
	want := s.delivery(e, to)
	if !want.Due.Equal(s.now) || want.MaxAttempts != 3 || want.Status != event.DeliveryPending || want.Attempts != 1 {
		t.Errorf("pending, sent again: %+v", want)
	}
	// Once it has ended, in each of the ways it can.
	for _, end := range []event.DeliveryStatus{event.DeliverySucceeded, event.DeliveryFailed, event.DeliveryCanceled} {
		if end == event.DeliveryCanceled {
			s.cancel(e, to)
		} else {
			s.complete(e, to, end)
		}
		if want.LastStatus = 0; end == event.DeliverySucceeded {
			want.LastStatus = 200
		}
		s.now = s.now.Add(time.Hour)
		s.sendAgain(e, to)
		// One attempt was made, one follows at once, and two follow by the schedule.
		want.Due, want.Updated, want.MaxAttempts = s.now, s.now, 1+1+2
		same(t, s.delivery(e, to), want)
		same(t, s.deliveries(store.DeliveryFilter{Endpoint: to.No}), []*event.Delivery{want}) // once
		same(t, len(s.deliveries(store.DeliveryFilter{Status: event.DeliverySucceeded})), 0)
	}
	// An event of a list has no data with it. The listener is told without the event
	// then, so the sender reads it.
	bare := ok[store.List[*event.Event]](t)(s.Events(ctx, acme, store.EventFilter{}, store.Page{})).Items[0]
	s.sendAgain(bare, late) // it never went there
	first := s.delivery(e, late)
	if first.Status != event.DeliveryPending || first.MaxAttempts != 3 || first.Attempts != 0 || !first.Due.Equal(s.now) {
		t.Errorf("sent for the first time: %+v", first)
	}
	if len(l.due) != 5 || l.due[3].Event != e || l.due[4].Event != nil || !l.due[0].Trial || !l.due[3].Trial || !l.due[4].Trial {
		t.Fatalf("due: %+v", l.due)
	}
	same(t, l.due[3].Delivery, *want)
	same(t, l.due[4].Delivery, *first)

	// There is no such event, then no such endpoint, and then no data.
	is(t, s.Write(ctx, func(tx store.Tx) error { return tx.SendAgain(ctx, acme, &event.Event{Seq: 99}, to, s.now, true) }), apierr.NotFound)
	s.write(func(tx store.Tx) error { return tx.DeleteEndpoint(ctx, acme, "late") })
	is(t, s.Write(ctx, func(tx store.Tx) error { return tx.SendAgain(ctx, acme, e, late, s.now, true) }), apierr.NotFound)
	s.insert(newOrder("o1", 1, `{}`))
	s.erase(acme, "o1")
	is(t, s.Write(ctx, func(tx store.Tx) error { return tx.SendAgain(ctx, acme, e, to, s.now, true) }), apierr.Conflict)
}

// testCancelDelivery proves that a pending delivery can be canceled once, and is due at
// no time then. To cancel it again is a conflict, because it has ended.
func testCancelDelivery(t *testing.T, s *suite) {
	to := s.put(endpoint("ep1"))
	e := newEvent("e1", "o1")
	s.add(e)
	want := s.delivery(e, to)
	s.now = s.now.Add(time.Second)
	s.cancel(e, to)
	want.Status, want.Due, want.Updated = event.DeliveryCanceled, time.Time{}, s.now
	same(t, s.delivery(e, to), want)
	is(t, s.Write(ctx, func(tx store.Tx) error { return tx.CancelDelivery(ctx, acme, keyOf(e, to), s.now) }), apierr.Conflict)
	is(t, s.Write(ctx, func(tx store.Tx) error {
		return tx.CancelDelivery(ctx, acme, event.DeliveryKey{Event: e.Seq, Endpoint: 9}, s.now)
	}), apierr.NotFound)
}

// testOrphans proves that the pending deliveries of deleted endpoints are canceled, a
// limited number at a time, also those that wait for others of their group. Deliveries to
// other endpoints stay.
func testOrphans(t *testing.T, s *suite) {
	ordered, gone, stays := endpoint("ordered"), endpoint("gone"), endpoint("stays")
	ordered.Ordering = event.OrderingSubject
	for _, e := range []*event.Endpoint{ordered, gone, stays} {
		s.put(e)
	}
	for i := range 4 {
		s.add(newEvent(fmt.Sprint("e", i), "o1"))
	}
	orphans := func(limit, want int) {
		t.Helper()
		s.write(func(tx store.Tx) error {
			n, err := tx.CancelOrphans(ctx, limit)
			if n != want {
				t.Errorf("canceled %d of at most %d, want %d", n, limit, want)
			}
			return err
		})
	}
	orphans(9, 0)
	s.write(func(tx store.Tx) error {
		if err := tx.DeleteEndpoint(ctx, acme, "gone"); err != nil {
			return err
		}
		return tx.DeleteEndpoint(ctx, acme, "ordered")
	})
	// Two endpoints with four deliveries each leave eight: three, four and one.
	orphans(3, 3)
	orphans(4, 4)
	orphans(4, 1)
	orphans(4, 0)
	for _, d := range s.deliveries(store.DeliveryFilter{}) {
		if (d.EndpointID == "stays") != (d.Status == event.DeliveryPending) || d.Due.IsZero() != (d.Status == event.DeliveryCanceled) {
			t.Errorf("%+v", d)
		}
	}
	s.write(func(tx store.Tx) error { return tx.DeleteEndpoint(ctx, acme, "stays") })
	orphans(9, 4)
}
