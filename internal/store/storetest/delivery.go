package storetest

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/orderhook/orderhook/internal/oms"
	"github.com/orderhook/orderhook/internal/store"
)

func keyOf(e *oms.Event, to *oms.Endpoint) oms.DeliveryKey {
	return oms.DeliveryKey{Event: e.Seq, Endpoint: to.No}
}

// delivery reads acme's delivery of an event.
func (s *suite) delivery(e *oms.Event, to *oms.Endpoint) *oms.Delivery {
	s.t.Helper()
	return ok[*oms.Delivery](s.t)(s.Delivery(ctx, acme, keyOf(e, to)))
}

// deliveries reads all of acme's that a filter picks.
func (s *suite) deliveries(f store.DeliveryFilter) []*oms.Delivery {
	s.t.Helper()
	return pages(s.t, 50, func(p store.Page) (store.List[*oms.Delivery], error) { return s.Deliveries(ctx, acme, f, p) })
}

// settlement is what an attempt made of a delivery: the next, if the status is
// pending, is due a minute later.
func settlement(key oms.DeliveryKey, status oms.DeliveryStatus, attempts int, when time.Time) store.Settlement {
	s := store.Settlement{Key: key, Status: status, Attempts: attempts, At: when}
	if status == oms.DeliveryPending {
		s.Due = when.Add(time.Minute)
	}
	return s
}

// settle records an attempt at a delivery of acme's.
func (s *suite) settle(e *oms.Event, to *oms.Endpoint, status oms.DeliveryStatus) {
	s.t.Helper()
	s.write(func(tx store.Tx) error { return tx.Settle(ctx, acme, settlement(keyOf(e, to), status, 1, s.now)) })
}

func (s *suite) cancel(e *oms.Event, to *oms.Endpoint) {
	s.t.Helper()
	s.write(func(tx store.Tx) error { return tx.CancelDelivery(ctx, acme, keyOf(e, to), s.now) })
}

func (s *suite) sendAgain(e *oms.Event, to *oms.Endpoint) {
	s.t.Helper()
	s.write(func(tx store.Tx) error { return tx.SendAgain(ctx, acme, e, to, s.now, true) })
}

func testDeliveries(t *testing.T, s *suite) {
	to := s.put(endpoint("ep1"))
	e := event("e1", "o1")
	s.add(e)
	want := &oms.Delivery{DeliveryKey: keyOf(e, to), EventID: "e1", EndpointID: "ep1", EventType: e.Type, OrderID: "o1",
		Status: oms.DeliveryPending, MaxAttempts: 3, Due: s.now, Created: e.Timestamp, Updated: s.now}
	same(t, s.delivery(e, to), want)

	a := attempt("att-1", "o1", 1)
	for _, status := range []oms.DeliveryStatus{oms.DeliveryPending, oms.DeliverySucceeded} {
		s.now = s.now.Add(time.Second)
		want.Attempts++
		change := settlement(keyOf(e, to), status, want.Attempts, s.now)
		change.Attempt, a.ID = a, fmt.Sprint("att-", want.Attempts)
		if status == oms.DeliverySucceeded {
			a.Status, a.Error = 204, ""
		}
		s.write(func(tx store.Tx) error { return tx.Settle(ctx, acme, change) })
		want.Status, want.Due, want.Updated, want.LastStatus, want.LastError = status, change.Due, s.now, a.Status, a.Error
		same(t, s.delivery(e, to), want)
		ok[*oms.Attempt](t)(s.Attempt(ctx, acme, a.ID))
	}
	_, err := s.Delivery(ctx, acme, oms.DeliveryKey{Event: e.Seq, Endpoint: 2})
	is(t, err, oms.NotFound)
}

// testManyDeliveries has an event go to so many endpoints, of several schedules
// and orderings, that an engine may store them in another way than a few.
func testManyDeliveries(t *testing.T, s *suite) {
	l := s.listen()
	s.write(func(tx store.Tx) error {
		for i := range 300 {
			e := endpoint(fmt.Sprint("ep", i))
			e.Schedule = e.Schedule[:i%3]
			if i%5 == 0 {
				e.Ordering = oms.OrderingSubject
			}
			if err := tx.PutEndpoint(ctx, acme, e); err != nil {
				return err
			}
		}
		return nil
	})
	first, second := event("e1", "o1"), event("e2", "o1")
	s.add(first, second)
	all := s.deliveries(store.DeliveryFilter{})
	slices.Reverse(all)
	var due []oms.Delivery
	for i, d := range all {
		if d.MaxAttempts != 1+i%300%3 || d.Endpoint != int64(i%300+1) {
			t.Fatalf("delivery %d: %+v", i, d)
		}
		if d.Event == second.Seq && i%5 == 0 {
			same(t, d.Due, time.Time{})
			continue
		}
		due = append(due, *d)
	}
	var told []oms.Delivery
	for _, d := range l.due {
		told = append(told, d.Delivery)
	}
	slices.SortFunc(told, func(a, b oms.Delivery) int {
		return cmp.Or(cmp.Compare(a.Event, b.Event), cmp.Compare(a.Endpoint, b.Endpoint))
	})
	same(t, told, due)
}

// testSettledLate has attempts come back after their delivery has ended, or gone.
func testSettledLate(t *testing.T, s *suite) {
	to := s.put(endpoint("ep1"))
	statusIs := func(e *oms.Event, want oms.DeliveryStatus) {
		t.Helper()
		if d := s.delivery(e, to); d.Status != want || d.Attempts != 1 || want != oms.DeliveryPending && !d.Due.IsZero() {
			t.Errorf("%s is %+v, want it %s", e.ID, d, want)
		}
	}
	for _, status := range []oms.DeliveryStatus{oms.DeliveryPending, oms.DeliveryFailed, oms.DeliverySucceeded} {
		e := event("e-"+string(status), "o1")
		s.add(e)
		s.cancel(e, to)
		s.settle(e, to, status)
		want := oms.DeliveryCanceled
		if status == oms.DeliverySucceeded {
			want = status
		}
		statusIs(e, want)
		s.settle(e, to, oms.DeliveryFailed)
		statusIs(e, want)
	}
	gone := settlement(oms.DeliveryKey{Event: 99, Endpoint: to.No}, oms.DeliveryPending, 1, s.now)
	gone.Attempt = attempt("att-gone", "o1", 1)
	s.write(func(tx store.Tx) error { return tx.Settle(ctx, acme, gone) })
	ok[*oms.Attempt](t)(s.Attempt(ctx, acme, "att-gone"))
	_, err := s.Delivery(ctx, acme, gone.Key)
	is(t, err, oms.NotFound)
}

func testDeliveryLists(t *testing.T, s *suite) {
	first, second := s.put(endpoint("ep1")), s.put(endpoint("ep2"))
	statuses := []oms.DeliveryStatus{oms.DeliveryPending, oms.DeliverySucceeded, oms.DeliveryFailed, oms.DeliveryCanceled}
	var all []*oms.Delivery
	for i := range 16 {
		e := event(fmt.Sprint("e", i), fmt.Sprint("o", i%3))
		if i%5 == 0 {
			e.Type = "order_completed"
		}
		s.add(e)
		for j, to := range []*oms.Endpoint{first, second} {
			s.settle(e, to, statuses[(i+j)%3])
			if status := statuses[(i+3*j)%4]; status == oms.DeliveryCanceled && s.delivery(e, to).Status == oms.DeliveryPending {
				s.cancel(e, to)
			}
			all = append(all, s.delivery(e, to))
		}
	}
	slices.Reverse(all)
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

func wantDeliveries(t *testing.T, s *suite, all []*oms.Delivery, f store.DeliveryFilter) {
	t.Helper()
	var want []*oms.Delivery
	for _, d := range all {
		if (f.Endpoint == 0 || f.Endpoint == d.Endpoint) && (f.Event == 0 || f.Event == d.Event) && (f.Status == "" || f.Status == d.Status) &&
			(f.EventType == "" || strings.EqualFold(f.EventType, d.EventType)) && (f.OrderID == "" || f.OrderID == d.OrderID) {
			want = append(want, d)
		}
	}
	count, err := s.DeliveryCount(ctx, acme, f)
	wantCount(t, f, len(want), count, err)
	for _, limit := range []int{1, 5, 50} {
		got := pages(t, limit, func(p store.Page) (store.List[*oms.Delivery], error) { return s.Deliveries(ctx, acme, f, p) })
		same(t, got, want)
	}
}

// testDeliveriesByOutcome lists by the time of the event, and by what the last
// attempt came to.
func testDeliveriesByOutcome(t *testing.T, s *suite) {
	to := s.put(endpoint("ep1"))
	for i, status := range []int{500, 503, 0, 404, 204, 200, -1} {
		e := event(fmt.Sprint("e", i), "o1")
		e.Timestamp = at(i)
		s.add(e)
		if status < 0 {
			continue // no attempt was made
		}
		change := settlement(keyOf(e, to), oms.DeliveryFailed, 1, s.now)
		change.Attempt = attempt(fmt.Sprint("att-", i), "o1", i)
		if change.Attempt.Status = status; status/100 == 2 {
			change.Status, change.Attempt.Error = oms.DeliverySucceeded, ""
		}
		s.write(func(tx store.Tx) error { return tx.Settle(ctx, acme, change) })
	}
	for want, f := range map[string]store.DeliveryFilter{
		"e6 e5 e4 e3 e2 e1 e0": {},
		"e1 e0":                {StatusFilter: store.StatusFilter{StatusFrom: 500, StatusTo: 599}},
		"e3":                   {StatusFilter: store.StatusFilter{StatusFrom: 404, StatusTo: 404}},
		"e2":                   {StatusFilter: store.StatusFilter{NoStatus: true}},
		"e5 e4":                {StatusFilter: store.StatusFilter{StatusFrom: 200, StatusTo: 299}, Status: oms.DeliverySucceeded},
		"e3 e2 e1":             {From: at(1), To: at(4)},
		"e6 e5":                {From: at(5)},
		"e0":                   {To: at(3), Endpoint: to.No, Status: oms.DeliveryFailed, StatusFilter: store.StatusFilter{StatusFrom: 500, StatusTo: 500}},
	} {
		count, err := s.DeliveryCount(ctx, acme, f)
		wantCount(t, f, len(strings.Fields(want)), count, err)
		for _, limit := range []int{1, 50} {
			got := pages(t, limit, func(p store.Page) (store.List[*oms.Delivery], error) { return s.Deliveries(ctx, acme, f, p) })
			if got := strings.Join(ids(got, func(d *oms.Delivery) string { return d.EventID }), " "); got != want {
				t.Errorf("%+v: %s, want %s", f, got, want)
			}
		}
	}
}

func testDueDeliveries(t *testing.T, s *suite) {
	to, elsewhere := s.put(endpoint("ep1")), s.put(endpoint("ep2"))
	var events []*oms.Event
	for i := range 6 {
		events = append(events, event(fmt.Sprint("e", i), "o1"))
		s.add(events[i])
		s.settle(events[i], elsewhere, oms.DeliverySucceeded)
	}
	begin := s.now
	dueIs := func(limit int, want string, wantNext time.Time) {
		t.Helper()
		list := ok[store.DueList](t)(s.DueDeliveries(ctx, acme, store.DueQuery{Endpoint: to.No, Now: s.now, Limit: limit, MostData: 100}))
		if got := strings.Join(ids(list.Due, dueID), " "); got != want || !list.Next.Equal(wantNext) || list.More != (limit == 2) {
			t.Errorf("due: %q, then %v, more is %v; want %q, then %v", got, list.Next, list.More, want, wantNext)
		}
		for _, d := range list.Due {
			same(t, &d.Delivery, ok[*oms.Delivery](t)(s.Delivery(ctx, acme, d.Delivery.DeliveryKey)))
			same(t, d.Event, ok[*oms.Event](t)(s.Event(ctx, acme, d.Delivery.EventID)))
		}
	}
	dueIs(9, "e0 e1 e2 e3 e4 e5", time.Time{})
	dueIs(2, "e0 e1", time.Time{})
	some := ok[store.DueList](t)(s.DueDeliveries(ctx, acme, store.DueQuery{Endpoint: to.No, Now: s.now, Limit: 4, MostData: 10,
		Skip: func(event int64) bool { return event == events[1].Seq || event == events[4].Seq }}))
	if got := strings.Join(ids(some.Due, dueID), " "); got != "e0 e2 e3 e5" || some.More || some.Due[0].Event != nil {
		t.Errorf("but for two: %s, more is %v, the first has %v", got, some.More, some.Due[0].Event)
	}
	s.settle(events[0], to, oms.DeliverySucceeded)
	s.settle(events[3], to, oms.DeliveryFailed)
	s.cancel(events[5], to)
	s.settle(events[1], to, oms.DeliveryPending)
	dueIs(9, "e2 e4", begin.Add(time.Minute))
	s.now = s.now.Add(time.Second)
	s.settle(events[2], to, oms.DeliveryPending)
	dueIs(9, "e4", begin.Add(time.Minute))
	s.now = begin.Add(time.Minute)
	dueIs(9, "e4 e1", begin.Add(61*time.Second))
	s.now = s.now.Add(time.Hour)
	dueIs(9, "e4 e1 e2", time.Time{})
	none := ok[store.DueList](t)(s.DueDeliveries(ctx, acme, store.DueQuery{Endpoint: elsewhere.No, Now: s.now, Limit: 9}))
	same(t, none, store.DueList{})
}

func dueID(d store.Due) string { return d.Delivery.EventID }

func testSendAgain(t *testing.T, s *suite) {
	l := s.listen()
	to := s.put(endpoint("ep1"))
	e := event("e1", "o1")
	s.add(e)
	late := s.put(endpoint("late"))
	l.due = nil
	s.settle(e, to, oms.DeliveryPending) // due in a minute
	s.now = s.now.Add(time.Second)
	s.sendAgain(e, to)
	want := s.delivery(e, to)
	if !want.Due.Equal(s.now) || want.MaxAttempts != 3 || want.Status != oms.DeliveryPending || want.Attempts != 1 {
		t.Errorf("pending, sent again: %+v", want)
	}
	for _, end := range []oms.DeliveryStatus{oms.DeliverySucceeded, oms.DeliveryFailed, oms.DeliveryCanceled} {
		if end == oms.DeliveryCanceled {
			s.cancel(e, to)
		} else {
			s.settle(e, to, end)
		}
		s.now = s.now.Add(time.Hour)
		s.sendAgain(e, to)
		want.Due, want.Updated, want.MaxAttempts = s.now, s.now, 1+1+2
		same(t, s.delivery(e, to), want)
	}
	bare := ok[store.List[*oms.Event]](t)(s.Events(ctx, acme, store.EventFilter{}, store.Page{})).Items[0]
	s.sendAgain(bare, late) // it never went there
	first := s.delivery(e, late)
	if first.Status != oms.DeliveryPending || first.MaxAttempts != 3 || first.Attempts != 0 || !first.Due.Equal(s.now) {
		t.Errorf("sent for the first time: %+v", first)
	}
	if len(l.due) != 5 || l.due[3].Event != e || l.due[4].Event != nil || !l.due[0].Trial || !l.due[3].Trial || !l.due[4].Trial {
		t.Fatalf("due: %+v", l.due)
	}
	same(t, l.due[3].Delivery, *want)
	same(t, l.due[4].Delivery, *first)

	is(t, s.Write(ctx, func(tx store.Tx) error { return tx.SendAgain(ctx, acme, &oms.Event{Seq: 99}, to, s.now, true) }), oms.NotFound)
	s.write(func(tx store.Tx) error { return tx.DeleteEndpoint(ctx, acme, "late") })
	is(t, s.Write(ctx, func(tx store.Tx) error { return tx.SendAgain(ctx, acme, e, late, s.now, true) }), oms.NotFound)
	s.insert(order("o1", 1, `{}`))
	s.erase(acme, "o1")
	is(t, s.Write(ctx, func(tx store.Tx) error { return tx.SendAgain(ctx, acme, e, to, s.now, true) }), oms.Conflict)
}

func testCancelDelivery(t *testing.T, s *suite) {
	to := s.put(endpoint("ep1"))
	e := event("e1", "o1")
	s.add(e)
	want := s.delivery(e, to)
	s.now = s.now.Add(time.Second)
	s.cancel(e, to)
	want.Status, want.Due, want.Updated = oms.DeliveryCanceled, time.Time{}, s.now
	same(t, s.delivery(e, to), want)
	is(t, s.Write(ctx, func(tx store.Tx) error { return tx.CancelDelivery(ctx, acme, keyOf(e, to), s.now) }), oms.Conflict)
	is(t, s.Write(ctx, func(tx store.Tx) error {
		return tx.CancelDelivery(ctx, acme, oms.DeliveryKey{Event: e.Seq, Endpoint: 9}, s.now)
	}), oms.NotFound)
}

// testOrphans has the pending deliveries of deleted endpoints canceled, some at
// a time, those that wait for others too, and nobody else's.
func testOrphans(t *testing.T, s *suite) {
	ordered, gone, stays := endpoint("ordered"), endpoint("gone"), endpoint("stays")
	ordered.Ordering = oms.OrderingSubject
	for _, e := range []*oms.Endpoint{ordered, gone, stays} {
		s.put(e)
	}
	for i := range 4 {
		s.add(event(fmt.Sprint("e", i), "o1"))
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
	orphans(3, 3)
	orphans(4, 4)
	orphans(4, 1)
	orphans(4, 0)
	for _, d := range s.deliveries(store.DeliveryFilter{}) {
		if (d.EndpointID == "stays") != (d.Status == oms.DeliveryPending) || d.Due.IsZero() != (d.Status == oms.DeliveryCanceled) {
			t.Errorf("%+v", d)
		}
	}
	s.write(func(tx store.Tx) error { return tx.DeleteEndpoint(ctx, acme, "stays") })
	orphans(9, 4)
}
