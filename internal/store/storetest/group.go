package storetest

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/orderhook/orderhook/internal/event"
	"github.com/orderhook/orderhook/internal/job"
	"github.com/orderhook/orderhook/internal/store"
)

// ordered stores an endpoint of acme that wants the events of a subject in their order.
// The pending deliveries of one subject are a group, of which one at a time is due.
func (s *suite) ordered(id string) *event.Endpoint {
	e := endpoint(id)
	e.Ordering = event.OrderingSubject
	return s.put(e)
}

// due returns the events whose deliveries to an endpoint are due or become due within a
// day, those that are due for longest first. A delivery that waits for another one of its
// group is not among them.
// The limit of 100 is more than any test here has.
func (s *suite) due(to *event.Endpoint) string {
	s.t.Helper()
	list := ok[store.DueList](s.t)(s.DueDeliveries(ctx, acme, store.DueQuery{Endpoint: to.No, Now: s.now.Add(24 * time.Hour), Limit: 100}))
	return strings.Join(idsOf(list.Due, dueID), " ")
}

// testGroups follows the deliveries of one subject as each of them ends in another way:
// it proves that the next one becomes due exactly when the one before it has ended,
// whether that succeeded, failed or was canceled. Deliveries of other subjects, without a
// subject, and to other endpoints do not wait.
func testGroups(t *testing.T, s *suite) {
	l := s.listen()
	to, elsewhere := s.ordered("ep1"), s.ordered("ep2")
	// An event is named by its subject and its number, so a0 is the first event of subject
	// a.
	events := map[string]*event.Event{}
	for i, subject := range []string{"a", "a", "b", "a", "a", "a", "", ""} {
		e := newEvent(fmt.Sprint(subject, i), "o1")
		e.Subject.ID = subject
		events[e.ID] = e
		s.add(e)
	}
	dueIs := func(want string) {
		t.Helper()
		if got := s.due(to); got != want {
			t.Errorf("due: %q, want %q", got, want)
		}
	}
	dueIs("a0 b2 6 7") // what has no subject does not wait
	s.now = s.now.Add(time.Second)
	s.complete(events["a0"], to, event.DeliveryPending) // the others wait until it ends
	dueIs("b2 6 7 a0")
	// To send one again that waits does not let it overtake: what it waits for is tried
	// at once instead.
	s.sendAgain(events["a1"], to)
	if d, waits := s.delivery(events["a0"], to), s.delivery(events["a1"], to); !d.Due.Equal(s.now) || !waits.Due.IsZero() {
		t.Errorf("what it waits for is due at %v, and itself at %v", d.Due, waits.Due)
	}
	s.cancel(events["a3"], to) // from the middle
	dueIs("b2 6 7 a0")
	// The end of a0 makes a1 due, and the listener is told of that, without the event.
	l.due = nil
	s.complete(events["a0"], to, event.DeliverySucceeded)
	dueIs("b2 6 7 a1")
	if len(l.due) != 1 || l.due[0].Event != nil {
		t.Fatalf("due: %+v", l.due)
	}
	same(t, l.due[0].Delivery, *s.delivery(events["a1"], to))
	if !l.due[0].Delivery.Due.Equal(s.now) || l.due[0].Delivery.Group != "order/a" {
		t.Errorf("due: %+v", l.due[0])
	}
	s.complete(events["a1"], to, event.DeliveryFailed) // for good
	dueIs("b2 6 7 a4")
	s.cancel(events["a4"], to)
	dueIs("b2 6 7 a5")
	s.sendAgain(events["a0"], to) // waits for the one that may be under way, which is tried
	s.sendAgain(events["a1"], to)
	s.sendAgain(events["a1"], to)
	dueIs("b2 6 7 a5")
	// The two that were sent again follow, in the order of their events.
	s.complete(events["a5"], to, event.DeliverySucceeded)
	dueIs("b2 6 7 a0")
	s.complete(events["a0"], to, event.DeliverySucceeded)
	dueIs("b2 6 7 a1")
	s.complete(events["a1"], to, event.DeliverySucceeded)
	dueIs("b2 6 7")
	s.sendAgain(events["a4"], to)
	dueIs("b2 6 7 a4")
	// Nothing of this has touched the other endpoint.
	if got := s.due(elsewhere); got != "a0 b2 6 7" {
		t.Errorf("due elsewhere: %q", got)
	}
	if got := strings.Join(l.dueIDs(), " "); got != "a1 a4 a5 a5 a5 a5 a0 a1 a4" {
		t.Errorf("told of %q", got)
	}
}

// reorder stores an endpoint whose ordering has changed, and applies the new ordering to
// all that is pending, at most limit deliveries at a time.
// Each step is a write of its own, so the process may die between two steps, and the job
// goes on where the last commit ended.
func (s *suite) reorder(tenant string, e *event.Endpoint, limit int) {
	s.t.Helper()
	j := s.beginReorder(tenant, e)
	for !s.reorderSome(tenant, e, j, limit) {
	}
}

// beginReorder stores the endpoint, and returns the job that applies the new ordering.
// The job ends with the newest event that there is: later ones have the new ordering from
// the start.
func (s *suite) beginReorder(tenant string, e *event.Endpoint) *job.Job {
	s.t.Helper()
	j := job.NewJob(job.JobReorder, s.now)
	newest := ok[store.List[*event.Event]](s.t)(s.Events(ctx, tenant, store.EventFilter{}, store.Page{Limit: 1}))
	for _, last := range newest.Items {
		j.Last = last.Seq
	}
	// The endpoint names its job, so an older job of the same endpoint knows that it is
	// out of date.
	e.Reordering = j.ID
	s.write(func(tx store.Tx) error { return tx.PutEndpoint(ctx, tenant, e) })
	return j
}

// reorderSome makes one step of the job, and reports whether it was the last. After the
// last one, no change of the ordering is under way.
func (s *suite) reorderSome(tenant string, e *event.Endpoint, j *job.Job, limit int) (done bool) {
	s.t.Helper()
	s.write(func(tx store.Tx) (err error) {
		// The write may run twice, and each run has to begin where the last commit ended.
		at := *j
		if done, err = tx.Reorder(ctx, tenant, e, &at, limit); err != nil {
			return err
		}
		if *j = at; done {
			e.Reordering = ""
			return tx.PutEndpoint(ctx, tenant, e)
		}
		return nil
	})
	return done
}

// testReorderedMeanwhile proves that the ordering of an endpoint can be changed while
// events come, attempts end, and deliveries are sent again or canceled between the steps
// of the change. Nothing new overtakes what is older, and nothing waits for ever.
func testReorderedMeanwhile(t *testing.T, s *suite) {
	to := s.put(endpoint("ep1"))
	events := map[string]*event.Event{}
	add := func(id, subject string) {
		events[id] = newEvent(id, "o1")
		events[id].Subject.ID = subject
		s.add(events[id])
	}
	for i, subject := range []string{"a", "b", "a", "c", "a", "b"} {
		add(fmt.Sprint(subject, i), subject)
	}
	dueIs := func(want string) {
		t.Helper()
		if got := s.due(to); got != want {
			t.Errorf("due: %q, want %q", got, want)
		}
	}
	// This one has ended before the change, and is sent again while the change is under
	// way.
	s.cancel(events["c3"], to)
	to.Ordering = event.OrderingSubject
	// Nothing was moved to a group yet, so all that was due is due.
	j := s.beginReorder(acme, to)
	dueIs("a0 b1 a2 a4 b5")
	// These two come during the change. They get the new ordering at once.
	add("a6", "a")
	add("d7", "d")
	s.reorderSome(acme, to, j, 2) // the first two stages begin: a0 and b1 are in their groups
	dueIs("a0 b1 a2 a4 b5")
	s.complete(events["a0"], to, event.DeliverySucceeded) // a6 must not be next: a2 is to come
	dueIs("b1 a2 a4 b5")
	s.sendAgain(events["c3"], to) // waits for the end of it
	s.sendAgain(events["b5"], to) // so does this, which is pending
	dueIs("b1 a2 a4")
	s.now = s.now.Add(time.Second)
	s.complete(events["a4"], to, event.DeliveryPending) // it was under way, and is due in a minute
	dueIs("b1 a2 a4")
	s.cancel(events["d7"], to)
	add("d8", "d")
	// The rest, one at a time: then in each group only the first is due.
	for !s.reorderSome(acme, to, j, 1) {
	}
	dueIs("b1 a2 c3 d8")
	// The change moves deliveries only. It must not change how many there are.
	if h := ok[event.Health](t)(s.Health(ctx, acme, to.No)); h.Pending != 7 {
		t.Errorf("%d are pending", h.Pending)
	}
	// What comes before a6 is sent, and then a6 is due, though it was stored while the
	// change was under way.
	for _, next := range []string{"a2", "a4"} {
		s.complete(events[next], to, event.DeliverySucceeded)
	}
	dueIs("b1 c3 a6 d8")
	s.complete(events["b1"], to, event.DeliverySucceeded)
	dueIs("c3 b5 a6 d8")

	// It is to be undone while it is under way.
	add("a9", "a")
	to.Ordering = event.OrderingNone
	s.reorder(acme, to, 2)
	to.Ordering = event.OrderingSubject
	// It is turned on once more, and off again before that is done.
	j = s.beginReorder(acme, to)
	add("a10", "a")
	s.reorderSome(acme, to, j, 3)
	to.Ordering = event.OrderingNone
	s.reorder(acme, to, 2)
	dueIs("c3 b5 a6 d8 a9 a10")
	for _, d := range s.deliveries(store.DeliveryFilter{Status: event.DeliveryPending}) {
		if d.Group != "" {
			t.Errorf("%s belongs to %q", d.EventID, d.Group)
		}
	}
}

// testReordered proves that turning the ordering on makes all but the first of each group
// wait, and turning it off makes all that waited due. A retry that has a time keeps it.
// Attempts that were under way at the change end as they would have.
func testReordered(t *testing.T, s *suite) {
	to := s.put(endpoint("ep1"))
	var events []*event.Event
	for i, subject := range []string{"a", "b", "a", "b", "a", ""} {
		e := newEvent(fmt.Sprint("e", i), "o1")
		e.Subject.ID = subject
		events = append(events, e)
		s.add(e)
	}
	s.complete(events[1], to, event.DeliveryPending) // due in a minute
	s.complete(events[4], to, event.DeliveryPending)
	dueIs := func(want string) {
		t.Helper()
		if got := s.due(to); got != want {
			t.Errorf("due: %q, want %q", got, want)
		}
	}
	dueIs("e0 e2 e3 e5 e1 e4")
	to.Ordering = event.OrderingSubject
	s.reorder(acme, to, 1)
	dueIs("e0 e5 e1")
	if d := s.delivery(events[1], to); !d.Due.Equal(s.now.Add(time.Minute)) || d.Group != "order/b" {
		t.Errorf("a retry lost its time: %+v", d)
	}
	s.complete(events[2], to, event.DeliveryPending) // it was under way: now it waits
	dueIs("e0 e5 e1")
	s.complete(events[3], to, event.DeliverySucceeded) // so was this
	dueIs("e0 e5 e1")
	s.complete(events[0], to, event.DeliverySucceeded)
	dueIs("e2 e5 e1")

	// A change of something else does not touch the groups.
	to.URL = "https://other.example" // another change
	s.put(to)
	dueIs("e2 e5 e1")
	s.now = s.now.Add(time.Second)
	to.Ordering = event.OrderingNone
	s.reorder(acme, to, 1)
	dueIs("e2 e5 e4 e1")
	if d := s.delivery(events[4], to); !d.Due.Equal(s.now) || d.Group != "" {
		t.Errorf("it waits on: %+v", d)
	}
	s.complete(events[2], to, event.DeliverySucceeded)
	dueIs("e5 e4 e1")
}

// testGroupsByChance proves that groups stay right whatever happens to the deliveries of
// an endpoint, in whatever order: random steps are made at the store and at a small
// model, and both have to agree after each. If they do not, rapid looks for a shorter
// list of steps that fails.
func testGroupsByChance(t *testing.T, s *suite) {
	l := s.listen()
	// Each case has a tenant of its own, so a case begins with nothing stored.
	n := 0
	rapid.Check(t, func(rt *rapid.T) {
		n++
		m := &groups{T: rt, s: s, l: l, tenant: fmt.Sprint("tenant", n), to: endpoint("ep1"), ordered: true}
		m.to.Ordering = event.OrderingSubject
		m.write(func(tx store.Tx) error { return tx.PutEndpoint(ctx, m.tenant, m.to) })
		rt.Repeat(map[string]func(*rapid.T){
			"add": m.add, "complete": m.complete, "cancel": m.cancel, "sendAgain": m.sendAgain, "reorder": m.reorder, "": m.check,
		})
	})
}

// groups is the model: the deliveries to one endpoint in the order of their events. It is
// simple, so that one can see that it is right.
type groups struct {
	*rapid.T
	s       *suite
	l       *listener
	tenant  string // of this case alone
	to      *event.Endpoint
	ordered bool
	all     []*modelDelivery
}

// modelDelivery is a delivery as the model knows it.
// due is false for what has ended, and for what waits for another one of its group.
type modelDelivery struct {
	event    *event.Event
	group    string // "" while the endpoint is not ordered
	status   event.DeliveryStatus
	due      bool
	attempts int
}

// write makes a write of a step. What the listener was told before is forgotten.
// An error ends the case, and rapid looks for fewer steps that lead to it.
func (m *groups) write(do func(tx store.Tx) error) {
	m.l.due = nil
	if err := m.s.Write(ctx, do); err != nil {
		m.Fatal(err)
	}
}

// told checks that the last write told the listener of these deliveries and of no other.
// The order counts, too.
func (m *groups) told(want ...*modelDelivery) {
	events := idsOf(want, func(d *modelDelivery) string { return d.event.ID })
	if got := m.l.dueIDs(); !slices.Equal(got, events) {
		m.Fatalf("told of %q, want %q", got, events)
	}
}

// any returns some delivery; the step is skipped while there is none.
func (m *groups) any() *modelDelivery {
	if len(m.all) == 0 {
		m.Skip("no delivery yet")
	}
	return rapid.SampledFrom(m.all).Draw(m.T, "delivery")
}

// pending returns the pending deliveries of a group in their order. What is in no group
// waits for nothing, so for "" there are none.
func (m *groups) pending(group string) (out []*modelDelivery) {
	for _, d := range m.all {
		if d.group == group && group != "" && d.status == event.DeliveryPending {
			out = append(out, d)
		}
	}
	return out
}

// groupOf returns the group that a new delivery of the event belongs to.
func (m *groups) groupOf(e *event.Event) string {
	if !m.ordered {
		return ""
	}
	return "order/" + e.Subject.ID
}

// add makes an event: its delivery is due unless another one of its group is pending.
func (m *groups) add(rt *rapid.T) {
	m.T = rt
	e := newEvent(fmt.Sprint("e", len(m.all)), "o1")
	e.Subject.ID = rapid.SampledFrom([]string{"a", "b"}).Draw(rt, "subject")
	d := &modelDelivery{event: e, group: m.groupOf(e), status: event.DeliveryPending}
	d.due = len(m.pending(d.group)) == 0
	m.write(func(tx store.Tx) error { return tx.AddEventFor(ctx, m.tenant, e, m.to) })
	m.all = append(m.all, d)
	m.toldIf(d.due, d)
}

// toldIf checks that the listener was told of d alone if it is due, and of nothing if it
// is not.
func (m *groups) toldIf(due bool, d *modelDelivery) {
	if due {
		m.told(d)
	} else {
		m.told()
	}
}

// ended makes the next delivery of d's group due, unless one is due already.
func (m *groups) ended(d *modelDelivery) {
	d.due = false
	waiting := m.pending(d.group)
	if len(waiting) == 0 || slices.ContainsFunc(waiting, func(d *modelDelivery) bool { return d.due }) {
		m.told()
		return
	}
	waiting[0].due = true
	m.told(waiting[0])
}

// complete ends an attempt at any delivery, even one that has ended or waits: the attempt
// may have been under way since before that. A success counts always, anything else only
// while the delivery is pending.
func (m *groups) complete(rt *rapid.T) {
	m.T = rt
	d := m.any()
	status := rapid.SampledFrom([]event.DeliveryStatus{event.DeliveryPending, event.DeliverySucceeded, event.DeliveryFailed}).Draw(rt, "status")
	d.attempts++
	m.write(func(tx store.Tx) error {
		return completeIn(tx, m.tenant, completion(keyOf(d.event, m.to), status, d.attempts, m.s.now))
	})
	was := d.status
	if was == event.DeliveryPending || status == event.DeliverySucceeded {
		d.status = status
	}
	if d.status == event.DeliveryPending {
		m.told()
	} else {
		m.ended(d)
	}
}

// cancel cancels a pending delivery, and the next of its group becomes due.
func (m *groups) cancel(rt *rapid.T) {
	m.T = rt
	d := m.any()
	if d.status != event.DeliveryPending {
		rt.Skip("it has ended")
	}
	m.write(func(tx store.Tx) error { return tx.CancelDelivery(ctx, m.tenant, keyOf(d.event, m.to), m.s.now) })
	d.status = event.DeliveryCanceled
	m.ended(d)
}

// sendAgain sends any delivery again. One that has ended joins its group again and waits
// if others are pending, also later ones. As a trial, the one that it waits for is tried.
func (m *groups) sendAgain(rt *rapid.T) {
	m.T = rt
	d := m.any()
	if d.status != event.DeliveryPending {
		d.group = m.groupOf(d.event)
		d.due = len(m.pending(d.group)) == 0
		d.status = event.DeliveryPending
	}
	trial := rapid.Bool().Draw(rt, "trial")
	m.write(func(tx store.Tx) error { return tx.SendAgain(ctx, m.tenant, d.event, m.to, m.s.now, trial) })
	pending := m.pending(d.group)
	switch first := slices.IndexFunc(pending, func(d *modelDelivery) bool { return d.due }); {
	case d.due:
		m.told(d)
	case trial: // what it waits for is tried
		m.told(pending[first])
	default:
		m.told()
	}
}

// reorder turns the ordering on or off, in steps of a random size. Then only the first of
// each group is due, or all are. The listener is not told.
func (m *groups) reorder(rt *rapid.T) {
	m.T = rt
	m.ordered = !m.ordered
	m.to.Ordering = event.OrderingNone
	if m.ordered {
		m.to.Ordering = event.OrderingSubject
	}
	m.l.due = nil
	m.s.reorder(m.tenant, m.to, rapid.IntRange(1, 4).Draw(rt, "at a time"))
	for _, d := range m.all {
		if d.status == event.DeliveryPending {
			d.group = m.groupOf(d.event)
			d.due = !m.ordered || m.pending(d.group)[0] == d
		}
	}
	m.told()
}

// check compares the model with what is stored, and both with what always holds: a group
// with pending deliveries has exactly one that is due. With none it would be stuck, and
// with two its order would be lost.
func (m *groups) check(rt *rapid.T) {
	m.T = rt
	var got, want []string
	due := map[string]int{}
	for _, d := range slices.Backward(pages(m.s.t, 50, func(p store.Page) (store.List[*event.Delivery], error) {
		return m.s.Deliveries(ctx, m.tenant, store.DeliveryFilter{Endpoint: m.to.No}, p)
	})) {
		group := d.Group
		if d.Status != event.DeliveryPending {
			group = "" // as it was when it ended
		} else if due[group] += 0; !d.Due.IsZero() {
			due[group]++
		}
		got = append(got, fmt.Sprint(d.EventID, " ", d.Status, " ", group, " ", !d.Due.IsZero()))
	}
	for _, d := range m.all {
		if d.status != event.DeliveryPending {
			d.group = ""
		}
		want = append(want, fmt.Sprint(d.event.ID, " ", d.status, " ", d.group, " ", d.due))
	}
	if !slices.Equal(got, want) {
		rt.Fatalf("stored:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	delete(due, "")
	for _, group := range slices.Sorted(maps.Keys(due)) {
		if due[group] != 1 {
			rt.Fatalf("%d of %s are due", due[group], group)
		}
	}
}
