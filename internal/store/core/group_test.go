package core_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/orderhook/orderhook/internal/attempt"
	"github.com/orderhook/orderhook/internal/event"
	"github.com/orderhook/orderhook/internal/ids"
	"github.com/orderhook/orderhook/internal/job"
	"github.com/orderhook/orderhook/internal/store"
	"github.com/orderhook/orderhook/internal/store/core"
)

// TestShipmentsOfOrders: orders number their shipments from 1, so shipment 1 of
// one order waits for no other order's, be it that its events were stored in
// groups or went into them when the endpoint's ordering began.
func TestShipmentsOfOrders(t *testing.T) {
	shipment := func(e, order, id string) *event.Event {
		return &event.Event{ID: e, Type: "shipment_updated", Subject: event.Subject{Kind: event.SubjectShipment, ID: id},
			Related: event.Related{OrderID: order, ShipmentID: id}, Timestamp: benchTime, Data: []byte(`{}`)}
	}
	for name, stored := range map[string]event.Ordering{"stored in groups": event.OrderingSubject, "gone into groups": event.OrderingNone} {
		t.Run(name, func(t *testing.T) {
			db := openTemp(t)
			to := putEndpoints(t, db, 1, func(e *event.Endpoint) { e.Ordering = stored })[0]
			order := &event.Event{ID: "order", Type: "OrderAccepted", Subject: event.Subject{Kind: event.SubjectOrder, ID: "1"},
				Related: event.Related{OrderID: "1"}, Timestamp: benchTime, Data: []byte(`{}`)}
			events := []*event.Event{
				shipment("a1", "A", "1"), shipment("b1", "B", "1"), shipment("a1+", "A", "1"), shipment("a2", "A", "2"),
				order, shipment("b1+", "B", "1"), shipment("none", "", "1"), shipment("none+", "", "1"), shipment("a1++", "A", "1"),
			}
			publish(t, db, events...)
			to.Ordering = event.OrderingSubject
			reorder(t, db, to, &job.Job{ID: "job", Last: 99}, 100)
			now := time.Now()
			ends := func(want string) {
				t.Helper()
				list, err := db.DueDeliveries(ctx, acme, store.DueQuery{Endpoint: to.No, Now: now.Add(time.Hour), Limit: 100})
				must(t, err)
				var due []string
				var all []store.Completion
				for _, d := range list.Due {
					due = append(due, d.Delivery.EventID)
					all = append(all, withAttempt(store.Completion{Key: d.Delivery.DeliveryKey, Status: event.DeliverySucceeded, Attempts: 1, At: now}))
				}
				if got := strings.Join(due, " "); got != want {
					t.Errorf("due: %q, want %q", got, want)
				}
				must(t, db.Write(ctx, func(tx store.Tx) error { return completeIn(tx, acme, all...) }))
			}
			ends("a1 b1 a2 order none")
			ends("a1+ b1+ none+")
			for _, e := range []*event.Event{events[0], events[1]} { // sent again: a1 behind a1++, which is due by now
				must(t, db.Write(ctx, func(tx store.Tx) error { return tx.SendAgain(ctx, acme, e, to, now, false) }))
			}
			ends("b1 a1++")
			ends("a1")
		})
	}
}

// reorder stores an endpoint whose ordering has changed, and has what is pending
// follow it. It returns in how many writes that was done, and how often those were
// decided.
func reorder(t testing.TB, db *core.Store, to *event.Endpoint, j *job.Job, limit int) (writes, decided int) {
	t.Helper()
	to.Reordering = j.ID
	must(t, db.Write(ctx, func(tx store.Tx) error { return tx.PutEndpoint(ctx, acme, to) }))
	for done := false; !done; writes++ {
		var at job.Job
		must(t, db.Write(ctx, func(tx store.Tx) (err error) {
			decided++
			at = *j
			if done, err = tx.Reorder(ctx, acme, to, &at, limit); err != nil || !done {
				return err
			}
			changed := *to
			changed.Reordering = ""
			return tx.PutEndpoint(ctx, acme, &changed)
		}))
		*j = at
	}
	to.Reordering = ""
	return writes, decided
}

// TestReorderedUnderLoad: events that come all the time do not keep a new ordering
// from being done, and each of them is in its place after it.
func TestReorderedUnderLoad(t *testing.T) {
	db := openTemp(t)
	to := putEndpoints(t, db, 1, nil)[0]
	ev := func(n int) *event.Event {
		e := namedEvent(fmt.Sprint("e", n))
		e.Subject.ID = fmt.Sprint("subject ", n%7)
		return e
	}
	n := 0
	for ; n < 300; n++ {
		publish(t, db, ev(n))
	}
	for _, ordering := range []event.Ordering{event.OrderingSubject, event.OrderingNone} {
		to.Ordering = ordering
		stop, stopped := make(chan struct{}), make(chan error)
		const publishers, most = 32, 8000
		from := n
		for p := range publishers {
			go func() {
				var err error
				for i := from + p; i < from+most && err == nil; i += publishers {
					select {
					case <-stop:
						i = from + most
					default:
						err = db.Publish(ctx, acme, ev(i))
					}
				}
				stopped <- err
			}()
		}
		n += most
		writes, decided := reorder(t, db, to, &job.Job{ID: "job", Last: int64(from)}, 200)
		close(stop)
		for range publishers {
			must(t, <-stopped)
		}
		if countRows(t, db, "events") >= n {
			t.Errorf("%s: it was not done before the events ended", ordering)
		}
		if writes > 50 || decided > 500 {
			t.Errorf("%s: done in %d writes, decided %d times", ordering, writes, decided)
		}
		wantGroups(t, db, ordering)
	}
}

// wantGroups checks that of each subject the first is due, and the others wait; or
// that all are due, and there are no groups.
func wantGroups(t *testing.T, db *core.Store, ordering event.Ordering) {
	t.Helper()
	seen := map[string]bool{}
	must(t, db.Ask(func(r core.Row) error {
		var group, subject string
		var due bool
		err := r.Scan(&group, &due, &subject)
		switch {
		case ordering == event.OrderingNone && (group != "" || !due):
			t.Errorf("without order: %q, due %v", group, due)
		case ordering == event.OrderingSubject && (group != "order/"+subject || due == seen[subject]):
			t.Errorf("%q of %s, due %v", group, subject, due)
		}
		seen[subject] = true
		return err
	}, `SELECT grp, due > 0, subject_id FROM deliveries JOIN events ON seq = event ORDER BY event`))
	if len(seen) != 7 {
		t.Errorf("%d subjects", len(seen))
	}
}

// TestSeveralOfAGroupInOneWrite has a write do something with more than one
// delivery of a subject: what it did is what decides which of them is due.
func TestSeveralOfAGroupInOneWrite(t *testing.T) {
	db := openTemp(t)
	l := &dueList{}
	db.Listen(l)
	to := putEndpoints(t, db, 1, func(e *event.Endpoint) { e.Ordering = event.OrderingSubject })[0]
	at := time.Now()
	look := at.Add(2 * time.Hour)
	key := func(e *event.Event) event.DeliveryKey { return event.DeliveryKey{Event: e.Seq, Endpoint: to.No} }
	completed := func(status event.DeliveryStatus, events ...*event.Event) func(store.Tx) error {
		return func(tx store.Tx) error {
			var all []store.Completion
			for _, e := range events {
				s := withAttempt(store.Completion{Key: key(e), Status: status, Attempts: 1, At: at})
				if status == event.DeliveryPending {
					s.Due = at.Add(time.Hour)
				}
				all = append(all, s)
			}
			return completeIn(tx, acme, all...)
		}
	}
	canceled := func(events ...*event.Event) func(store.Tx) error {
		return func(tx store.Tx) (err error) {
			for _, e := range events {
				if err == nil {
					err = tx.CancelDelivery(ctx, acme, key(e), at)
				}
			}
			return err
		}
	}
	again := func(events ...*event.Event) func(store.Tx) error {
		return func(tx store.Tx) (err error) {
			for _, e := range events {
				if err == nil {
					err = tx.SendAgain(ctx, acme, e, to, at, true)
				}
			}
			return err
		}
	}
	in := func(all ...func(store.Tx) error) func(store.Tx) error {
		return func(tx store.Tx) (err error) {
			for _, do := range all {
				if err == nil {
					err = do(tx)
				}
			}
			return err
		}
	}
	for name, test := range map[string]struct {
		before, do func(e []*event.Event) func(store.Tx) error
		due, told  string
	}{
		"two were under way, and succeed":  {nil, func(e []*event.Event) func(store.Tx) error { return completed(event.DeliverySucceeded, e[0], e[1]) }, "2", "2"},
		"they succeed the other way round": {nil, func(e []*event.Event) func(store.Tx) error { return completed(event.DeliverySucceeded, e[1], e[0]) }, "2", "2"},
		"one succeeds, one is to be repeated": {nil, func(e []*event.Event) func(store.Tx) error {
			return in(completed(event.DeliverySucceeded, e[0]), completed(event.DeliveryPending, e[1]))
		}, "1", "1"},
		"both are to be repeated": {nil, func(e []*event.Event) func(store.Tx) error { return completed(event.DeliveryPending, e[0], e[1]) }, "0", ""},
		"both fail":               {nil, func(e []*event.Event) func(store.Tx) error { return completed(event.DeliveryFailed, e[0], e[1]) }, "2", "2"},
		"all are canceled":        {nil, func(e []*event.Event) func(store.Tx) error { return canceled(e...) }, "", ""},
		"the first are canceled":  {nil, func(e []*event.Event) func(store.Tx) error { return canceled(e[0], e[1], e[2]) }, "3", "3"},
		"all ended are sent again": {func(e []*event.Event) func(store.Tx) error { return canceled(e...) },
			func(e []*event.Event) func(store.Tx) error { return again(e[2], e[0], e[1]) }, "0", "0"},
		"those that wait and the one that is due": {func(e []*event.Event) func(store.Tx) error { return completed(event.DeliveryPending, e[0]) },
			func(e []*event.Event) func(store.Tx) error { return again(e[1], e[0], e[2]) }, "0", "00"},
		"canceled and sent again": {nil, func(e []*event.Event) func(store.Tx) error { return in(canceled(e[0]), again(e[0])) }, "0", "0"},
		"sent again and canceled": {func(e []*event.Event) func(store.Tx) error { return canceled(e[0]) },
			func(e []*event.Event) func(store.Tx) error { return in(again(e[0]), canceled(e[0])) }, "1", "1"},
		"the order is erased": {func(e []*event.Event) func(store.Tx) error { return in(canceled(e[0]), again(e[0])) },
			func(e []*event.Event) func(store.Tx) error { return canceled(e[1], e[2], e[3], e[0]) }, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			var events []*event.Event
			for i := range 4 {
				e := namedEvent(fmt.Sprint(i, " ", name))
				e.Subject.ID = name
				events = append(events, e)
			}
			publish(t, db, events...)
			if test.before != nil {
				must(t, db.Write(ctx, test.before(events)))
			}
			l.due = nil
			must(t, db.Write(ctx, test.do(events)))
			look = look.Add(time.Minute) // a look begins at the bound of the last one only within a minute of it
			list, err := db.DueDeliveries(ctx, acme, store.DueQuery{Endpoint: to.No, Now: look, Limit: 100})
			must(t, err)
			due := ""
			for _, d := range list.Due {
				if strings.HasSuffix(d.Delivery.EventID, " "+name) {
					due += d.Delivery.EventID[:1]
				}
			}
			told := ""
			for _, d := range l.due {
				told += d.Delivery.EventID[:1]
			}
			if due != test.due || told != test.told {
				t.Errorf("due: %q, told of %q; want %q, %q", due, told, test.due, test.told)
			}
		})
	}
}

// TestADeliveryThatBecomesDueMeanwhile: an attempt at one that waits is put off,
// and between the decision and the commit it becomes due. It must not wait then:
// nothing would ever make it due.
func TestADeliveryThatBecomesDueMeanwhile(t *testing.T) {
	at := time.Now()
	for name, meanwhile := range map[string]func(db *core.Store, to *event.Endpoint, first *event.Event){
		"the one before it ends": func(db *core.Store, to *event.Endpoint, first *event.Event) {
			must(t, db.Write(ctx, func(tx store.Tx) error {
				return tx.CancelDelivery(ctx, acme, event.DeliveryKey{Event: first.Seq, Endpoint: to.No}, at)
			}))
		},
		"its endpoint wants no order any more": func(db *core.Store, to *event.Endpoint, _ *event.Event) {
			plain := *to
			plain.Ordering = event.OrderingNone
			reorder(t, db, &plain, &job.Job{ID: "job"}, 100)
		},
	} {
		t.Run(name, func(t *testing.T) {
			db := openTemp(t)
			to := putEndpoints(t, db, 1, func(e *event.Endpoint) { e.Ordering = event.OrderingSubject })[0]
			first, second := namedEvent("a"), namedEvent("b")
			first.Subject.ID, second.Subject.ID = "one", "one"
			publish(t, db, first, second)
			decided := 0
			must(t, db.Write(ctx, func(tx store.Tx) error {
				err := completeIn(tx, acme, store.Completion{Key: event.DeliveryKey{Event: second.Seq, Endpoint: to.No},
					Status: event.DeliveryPending, Attempts: 1, At: at, Due: at.Add(time.Minute)})
				if decided++; decided == 1 {
					meanwhile(db, to, first)
				}
				return err
			}))
			d, err := db.Delivery(ctx, acme, event.DeliveryKey{Event: second.Seq, Endpoint: to.No})
			must(t, err)
			if decided != 2 || d.State() != event.StateDue || d.Attempts != 1 {
				t.Errorf("decided %d times: %+v", decided, d)
			}
		})
	}
}

// TestOrderingWithTheEndpoint: in the write that gives an endpoint its ordering
// nothing has to follow only if nothing is pending.
func TestOrderingWithTheEndpoint(t *testing.T) {
	db := openTemp(t)
	to := putEndpoints(t, db, 1, nil)[0]
	to.Ordering, to.Reordering = event.OrderingSubject, "job"
	for _, pending := range []bool{false, true} {
		var done bool
		must(t, db.Write(ctx, func(tx store.Tx) (err error) {
			if err = tx.PutEndpoint(ctx, acme, to); err == nil {
				done, err = tx.Reorder(ctx, acme, to, &job.Job{Last: 99}, 100)
			}
			return err
		}))
		if done == pending {
			t.Errorf("pending: %v, done: %v", pending, done)
		}
		publish(t, db, namedEvent("a"))
	}
}

// TestWhatIsDueAndCannotBeRead: the next of a subject is due, and its queue is told
// to look for it, when it cannot be read after the commit that made it due.
func TestWhatIsDueAndCannotBeRead(t *testing.T) {
	db := openTemp(t)
	l := &dueList{}
	db.Listen(l)
	to := putEndpoints(t, db, 1, func(e *event.Endpoint) { e.Ordering = event.OrderingSubject })[0]
	first, second := namedEvent("evt_1"), namedEvent("evt_2")
	second.Subject = first.Subject
	publish(t, db, first, second)
	l.due = nil
	broken := db.Unread(func(string) error { return errors.New("disk I/O error") })
	must(t, broken.Write(ctx, func(tx store.Tx) error {
		return tx.CancelDelivery(ctx, acme, event.DeliveryKey{Event: first.Seq, Endpoint: to.No}, benchTime)
	}))
	if len(l.due) != 0 || len(l.behind) != 1 || l.behind[0] != to.No {
		t.Errorf("told of %d that are due, and that %v are behind", len(l.due), l.behind)
	}
	d, err := db.Delivery(ctx, acme, event.DeliveryKey{Event: second.Seq, Endpoint: to.No})
	if must(t, err); d.Due.IsZero() {
		t.Error("the next is not due")
	}
}

// withAttempt adds the attempt of a completion.
func withAttempt(s store.Completion) store.Completion {
	s.Attempt = &attempt.Attempt{ID: ids.Numbered(ids.Attempt, s.At), Kind: attempt.KindEvent, Delivery: s.Key, Number: s.Attempts, StartedAt: s.At, Outcome: attempt.OutcomeSucceeded}
	return s
}
