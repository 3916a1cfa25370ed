package core_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/orderhook/orderhook/internal/oms"
	"github.com/orderhook/orderhook/internal/store"
	"github.com/orderhook/orderhook/internal/store/core"
)

// TestShipmentsOfOrders: orders number their shipments from 1, so shipment 1 of
// one order waits for no other order's, be it that its events were stored in
// groups or went into them when the endpoint's ordering began.
func TestShipmentsOfOrders(t *testing.T) {
	shipment := func(event, order, id string) *oms.Event {
		return &oms.Event{ID: event, Type: "shipment_updated", Subject: oms.Subject{Kind: oms.SubjectShipment, ID: id},
			Related: oms.Related{OrderID: order, ShipmentID: id}, Timestamp: benchTime, Data: []byte(`{}`)}
	}
	for name, stored := range map[string]oms.Ordering{"stored in groups": oms.OrderingSubject, "gone into groups": oms.OrderingNone} {
		t.Run(name, func(t *testing.T) {
			db := openTemp(t)
			to := putEndpoints(t, db, 1, func(e *oms.Endpoint) { e.Ordering = stored })[0]
			order := &oms.Event{ID: "order", Type: "OrderAccepted", Subject: oms.Subject{Kind: oms.SubjectOrder, ID: "1"},
				Related: oms.Related{OrderID: "1"}, Timestamp: benchTime, Data: []byte(`{}`)}
			events := []*oms.Event{
				shipment("a1", "A", "1"), shipment("b1", "B", "1"), shipment("a1+", "A", "1"), shipment("a2", "A", "2"),
				order, shipment("b1+", "B", "1"), shipment("none", "", "1"), shipment("none+", "", "1"), shipment("a1++", "A", "1"),
			}
			publish(t, db, events...)
			to.Ordering = oms.OrderingSubject
			reorder(t, db, to, &oms.Job{ID: "job", Last: 99}, 100)
			now := time.Now()
			ends := func(want string) {
				t.Helper()
				list, err := db.DueDeliveries(ctx, acme, store.DueQuery{Endpoint: to.No, Now: now.Add(time.Hour), Limit: 100})
				must(t, err)
				var ids []string
				var all []store.Settlement
				for _, d := range list.Due {
					ids = append(ids, d.Delivery.EventID)
					all = append(all, store.Settlement{Key: d.Delivery.DeliveryKey, Status: oms.DeliverySucceeded, Attempts: 1, At: now})
				}
				if got := strings.Join(ids, " "); got != want {
					t.Errorf("due: %q, want %q", got, want)
				}
				must(t, db.Write(ctx, func(tx store.Tx) error { return tx.Settle(ctx, acme, all...) }))
			}
			ends("a1 b1 a2 order none")
			ends("a1+ b1+ none+")
			for _, e := range []*oms.Event{events[0], events[1]} { // sent again: a1 behind a1++, which is due by now
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
func reorder(t testing.TB, db *core.Store, to *oms.Endpoint, j *oms.Job, limit int) (writes, decided int) {
	t.Helper()
	to.Reordering = j.ID
	must(t, db.Write(ctx, func(tx store.Tx) error { return tx.PutEndpoint(ctx, acme, to) }))
	for done := false; !done; writes++ {
		var at oms.Job
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
	event := func(n int) *oms.Event {
		e := namedEvent(fmt.Sprint("e", n))
		e.Subject.ID = fmt.Sprint("subject ", n%7)
		return e
	}
	n := 0
	for ; n < 300; n++ {
		publish(t, db, event(n))
	}
	for _, ordering := range []oms.Ordering{oms.OrderingSubject, oms.OrderingNone} {
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
						err = db.Publish(ctx, acme, event(i))
					}
				}
				stopped <- err
			}()
		}
		n += most
		writes, decided := reorder(t, db, to, &oms.Job{ID: "job", Last: int64(from)}, 200)
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
func wantGroups(t *testing.T, db *core.Store, ordering oms.Ordering) {
	t.Helper()
	seen := map[string]bool{}
	must(t, db.Ask(func(r core.Row) error {
		var group, subject string
		var due bool
		err := r.Scan(&group, &due, &subject)
		switch {
		case ordering == oms.OrderingNone && (group != "" || !due):
			t.Errorf("without order: %q, due %v", group, due)
		case ordering == oms.OrderingSubject && (group != "order/"+subject || due == seen[subject]):
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
	to := putEndpoints(t, db, 1, func(e *oms.Endpoint) { e.Ordering = oms.OrderingSubject })[0]
	at := time.Now()
	key := func(e *oms.Event) oms.DeliveryKey { return oms.DeliveryKey{Event: e.Seq, Endpoint: to.No} }
	settled := func(status oms.DeliveryStatus, events ...*oms.Event) func(store.Tx) error {
		return func(tx store.Tx) error {
			var all []store.Settlement
			for _, e := range events {
				s := store.Settlement{Key: key(e), Status: status, Attempts: 1, At: at}
				if status == oms.DeliveryPending {
					s.Due = at.Add(time.Hour)
				}
				all = append(all, s)
			}
			return tx.Settle(ctx, acme, all...)
		}
	}
	canceled := func(events ...*oms.Event) func(store.Tx) error {
		return func(tx store.Tx) (err error) {
			for _, e := range events {
				if err == nil {
					err = tx.CancelDelivery(ctx, acme, key(e), at)
				}
			}
			return err
		}
	}
	again := func(events ...*oms.Event) func(store.Tx) error {
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
		before, do func(e []*oms.Event) func(store.Tx) error
		due, told  string
	}{
		"two were under way, and succeed":  {nil, func(e []*oms.Event) func(store.Tx) error { return settled(oms.DeliverySucceeded, e[0], e[1]) }, "2", "2"},
		"they succeed the other way round": {nil, func(e []*oms.Event) func(store.Tx) error { return settled(oms.DeliverySucceeded, e[1], e[0]) }, "2", "2"},
		"one succeeds, one is to be repeated": {nil, func(e []*oms.Event) func(store.Tx) error {
			return in(settled(oms.DeliverySucceeded, e[0]), settled(oms.DeliveryPending, e[1]))
		}, "1", "1"},
		"both are to be repeated": {nil, func(e []*oms.Event) func(store.Tx) error { return settled(oms.DeliveryPending, e[0], e[1]) }, "0", ""},
		"both fail":               {nil, func(e []*oms.Event) func(store.Tx) error { return settled(oms.DeliveryFailed, e[0], e[1]) }, "2", "2"},
		"all are canceled":        {nil, func(e []*oms.Event) func(store.Tx) error { return canceled(e...) }, "", ""},
		"the first are canceled":  {nil, func(e []*oms.Event) func(store.Tx) error { return canceled(e[0], e[1], e[2]) }, "3", "3"},
		"all ended are sent again": {func(e []*oms.Event) func(store.Tx) error { return canceled(e...) },
			func(e []*oms.Event) func(store.Tx) error { return again(e[2], e[0], e[1]) }, "0", "0"},
		"those that wait and the one that is due": {func(e []*oms.Event) func(store.Tx) error { return settled(oms.DeliveryPending, e[0]) },
			func(e []*oms.Event) func(store.Tx) error { return again(e[1], e[0], e[2]) }, "0", "00"},
		"canceled and sent again": {nil, func(e []*oms.Event) func(store.Tx) error { return in(canceled(e[0]), again(e[0])) }, "0", "0"},
		"sent again and canceled": {func(e []*oms.Event) func(store.Tx) error { return canceled(e[0]) },
			func(e []*oms.Event) func(store.Tx) error { return in(again(e[0]), canceled(e[0])) }, "1", "1"},
		"the order is erased": {func(e []*oms.Event) func(store.Tx) error { return in(canceled(e[0]), again(e[0])) },
			func(e []*oms.Event) func(store.Tx) error { return canceled(e[1], e[2], e[3], e[0]) }, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			var events []*oms.Event
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
			list, err := db.DueDeliveries(ctx, acme, store.DueQuery{Endpoint: to.No, Now: at.Add(2 * time.Hour), Limit: 100})
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
	for name, meanwhile := range map[string]func(db *core.Store, to *oms.Endpoint, first *oms.Event){
		"the one before it ends": func(db *core.Store, to *oms.Endpoint, first *oms.Event) {
			must(t, db.Write(ctx, func(tx store.Tx) error {
				return tx.CancelDelivery(ctx, acme, oms.DeliveryKey{Event: first.Seq, Endpoint: to.No}, at)
			}))
		},
		"its endpoint wants no order any more": func(db *core.Store, to *oms.Endpoint, _ *oms.Event) {
			plain := *to
			plain.Ordering = oms.OrderingNone
			reorder(t, db, &plain, &oms.Job{ID: "job"}, 100)
		},
	} {
		t.Run(name, func(t *testing.T) {
			db := openTemp(t)
			to := putEndpoints(t, db, 1, func(e *oms.Endpoint) { e.Ordering = oms.OrderingSubject })[0]
			first, second := namedEvent("a"), namedEvent("b")
			first.Subject.ID, second.Subject.ID = "one", "one"
			publish(t, db, first, second)
			decided := 0
			must(t, db.Write(ctx, func(tx store.Tx) error {
				err := tx.Settle(ctx, acme, store.Settlement{Key: oms.DeliveryKey{Event: second.Seq, Endpoint: to.No},
					Status: oms.DeliveryPending, Attempts: 1, At: at, Due: at.Add(time.Minute)})
				if decided++; decided == 1 {
					meanwhile(db, to, first)
				}
				return err
			}))
			d, err := db.Delivery(ctx, acme, oms.DeliveryKey{Event: second.Seq, Endpoint: to.No})
			must(t, err)
			if decided != 2 || d.State() != oms.StateDue || d.Attempts != 1 {
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
	to.Ordering, to.Reordering = oms.OrderingSubject, "job"
	for _, pending := range []bool{false, true} {
		var done bool
		must(t, db.Write(ctx, func(tx store.Tx) (err error) {
			if err = tx.PutEndpoint(ctx, acme, to); err == nil {
				done, err = tx.Reorder(ctx, acme, to, &oms.Job{Last: 99}, 100)
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
	to := putEndpoints(t, db, 1, func(e *oms.Endpoint) { e.Ordering = oms.OrderingSubject })[0]
	first, second := namedEvent("evt_1"), namedEvent("evt_2")
	second.Subject = first.Subject
	publish(t, db, first, second)
	l.due = nil
	broken := db.Unread(func(string) error { return errors.New("disk I/O error") })
	must(t, broken.Write(ctx, func(tx store.Tx) error {
		return tx.CancelDelivery(ctx, acme, oms.DeliveryKey{Event: first.Seq, Endpoint: to.No}, benchTime)
	}))
	if len(l.due) != 0 || len(l.behind) != 1 || l.behind[0] != to.No {
		t.Errorf("told of %d that are due, and that %v are behind", len(l.due), l.behind)
	}
	d, err := db.Delivery(ctx, acme, oms.DeliveryKey{Event: second.Seq, Endpoint: to.No})
	if must(t, err); d.Due.IsZero() {
		t.Error("the next is not due")
	}
}
