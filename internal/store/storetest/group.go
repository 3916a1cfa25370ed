package storetest

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/orderhook/orderhook/internal/oms"
	"github.com/orderhook/orderhook/internal/store"
)

// ordered stores an endpoint of acme's that wants the events of a subject in their order.
func (s *suite) ordered(id string) *oms.Endpoint {
	e := endpoint(id)
	e.Ordering = oms.OrderingSubject
	return s.put(e)
}

// due returns the events whose deliveries to an endpoint are due, the longest first.
func (s *suite) due(to *oms.Endpoint) string {
	s.t.Helper()
	list := ok[store.DueList](s.t)(s.DueDeliveries(ctx, acme, store.DueQuery{Endpoint: to.No, Now: s.now.Add(24 * time.Hour), Limit: 100}))
	return strings.Join(ids(list.Due, dueID), " ")
}

// testGroups follows the deliveries of a subject one by one, as each ends in
// another way; those of other subjects, and of other endpoints, do not wait.
func testGroups(t *testing.T, s *suite) {
	l := s.listen()
	to, elsewhere := s.ordered("ep1"), s.ordered("ep2")
	events := map[string]*oms.Event{}
	for i, subject := range []string{"a", "a", "b", "a", "a", "a", "", ""} {
		e := event(fmt.Sprint(subject, i), "o1")
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
	s.settle(events["a0"], to, oms.DeliveryPending) // the others wait until it ends
	dueIs("b2 6 7 a0")
	s.sendAgain(events["a1"], to)
	if d, waits := s.delivery(events["a0"], to), s.delivery(events["a1"], to); !d.Due.Equal(s.now) || !waits.Due.IsZero() {
		t.Errorf("what it waits for is due at %v, and itself at %v", d.Due, waits.Due)
	}
	s.cancel(events["a3"], to) // from the middle
	dueIs("b2 6 7 a0")
	l.due = nil
	s.settle(events["a0"], to, oms.DeliverySucceeded)
	dueIs("b2 6 7 a1")
	if len(l.due) != 1 || l.due[0].Event != nil {
		t.Fatalf("due: %+v", l.due)
	}
	same(t, l.due[0].Delivery, *s.delivery(events["a1"], to))
	if !l.due[0].Delivery.Due.Equal(s.now) || l.due[0].Delivery.Group != "order/a" {
		t.Errorf("due: %+v", l.due[0])
	}
	s.settle(events["a1"], to, oms.DeliveryFailed) // for good
	dueIs("b2 6 7 a4")
	s.cancel(events["a4"], to)
	dueIs("b2 6 7 a5")
	s.sendAgain(events["a0"], to) // waits for the one that may be under way, which is tried
	s.sendAgain(events["a1"], to)
	s.sendAgain(events["a1"], to)
	dueIs("b2 6 7 a5")
	s.settle(events["a5"], to, oms.DeliverySucceeded)
	dueIs("b2 6 7 a0")
	s.settle(events["a0"], to, oms.DeliverySucceeded)
	dueIs("b2 6 7 a1")
	s.settle(events["a1"], to, oms.DeliverySucceeded)
	dueIs("b2 6 7")
	s.sendAgain(events["a4"], to)
	dueIs("b2 6 7 a4")
	if got := s.due(elsewhere); got != "a0 b2 6 7" {
		t.Errorf("due elsewhere: %q", got)
	}
	if got := strings.Join(l.dueIDs(), " "); got != "a1 a4 a5 a5 a5 a5 a0 a1 a4" {
		t.Errorf("told of %q", got)
	}
}

// reorder stores an endpoint whose ordering has changed, and has what is pending
// follow it, a few deliveries at a time.
func (s *suite) reorder(tenant string, e *oms.Endpoint, limit int) {
	s.t.Helper()
	j := s.beginReorder(tenant, e)
	for !s.reorderSome(tenant, e, j, limit) {
	}
}

// beginReorder stores the endpoint, and returns the job that is to follow.
func (s *suite) beginReorder(tenant string, e *oms.Endpoint) *oms.Job {
	s.t.Helper()
	j := oms.NewJob(oms.JobReorder, s.now)
	newest := ok[store.List[*oms.Event]](s.t)(s.Events(ctx, tenant, store.EventFilter{}, store.Page{Limit: 1}))
	for _, last := range newest.Items {
		j.Last = last.Seq
	}
	e.Reordering = j.ID
	s.write(func(tx store.Tx) error { return tx.PutEndpoint(ctx, tenant, e) })
	return j
}

// reorderSome makes one step, and reports whether it was the last.
func (s *suite) reorderSome(tenant string, e *oms.Endpoint, j *oms.Job, limit int) (done bool) {
	s.t.Helper()
	s.write(func(tx store.Tx) (err error) {
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

// testReorderedMeanwhile has other things happen between the steps of it: what
// comes waits for what was there, and nothing is left behind.
func testReorderedMeanwhile(t *testing.T, s *suite) {
	to := s.put(endpoint("ep1"))
	events := map[string]*oms.Event{}
	add := func(id, subject string) {
		events[id] = event(id, "o1")
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
	s.cancel(events["c3"], to)
	to.Ordering = oms.OrderingSubject
	j := s.beginReorder(acme, to)
	dueIs("a0 b1 a2 a4 b5")
	add("a6", "a")
	add("d7", "d")
	s.reorderSome(acme, to, j, 2) // the first two stages begin: a0 and b1 are in their groups
	dueIs("a0 b1 a2 a4 b5")
	s.settle(events["a0"], to, oms.DeliverySucceeded) // a6 must not be next: a2 is to come
	dueIs("b1 a2 a4 b5")
	s.sendAgain(events["c3"], to) // waits for the end of it
	s.sendAgain(events["b5"], to) // so does this, which is pending
	dueIs("b1 a2 a4")
	s.now = s.now.Add(time.Second)
	s.settle(events["a4"], to, oms.DeliveryPending) // it was under way, and is due in a minute
	dueIs("b1 a2 a4")
	s.cancel(events["d7"], to)
	add("d8", "d")
	for !s.reorderSome(acme, to, j, 1) {
	}
	dueIs("b1 a2 c3 d8")
	if h := ok[oms.Health](t)(s.Health(ctx, acme, to.No)); h.Pending != 7 {
		t.Errorf("%d are pending", h.Pending)
	}
	for _, next := range []string{"a2", "a4"} {
		s.settle(events[next], to, oms.DeliverySucceeded)
	}
	dueIs("b1 c3 a6 d8")
	s.settle(events["b1"], to, oms.DeliverySucceeded)
	dueIs("c3 b5 a6 d8")

	// It is to be undone while it is under way.
	add("a9", "a")
	to.Ordering = oms.OrderingNone
	s.reorder(acme, to, 2)
	to.Ordering = oms.OrderingSubject
	j = s.beginReorder(acme, to)
	add("a10", "a")
	s.reorderSome(acme, to, j, 3)
	to.Ordering = oms.OrderingNone
	s.reorder(acme, to, 2)
	dueIs("c3 b5 a6 d8 a9 a10")
	for _, d := range s.deliveries(store.DeliveryFilter{Status: oms.DeliveryPending}) {
		if d.Group != "" {
			t.Errorf("%s belongs to %q", d.EventID, d.Group)
		}
	}
}

// testReordered turns the ordering of an endpoint on and off while deliveries
// are pending, and while attempts at some are under way.
func testReordered(t *testing.T, s *suite) {
	to := s.put(endpoint("ep1"))
	var events []*oms.Event
	for i, subject := range []string{"a", "b", "a", "b", "a", ""} {
		e := event(fmt.Sprint("e", i), "o1")
		e.Subject.ID = subject
		events = append(events, e)
		s.add(e)
	}
	s.settle(events[1], to, oms.DeliveryPending) // due in a minute
	s.settle(events[4], to, oms.DeliveryPending)
	dueIs := func(want string) {
		t.Helper()
		if got := s.due(to); got != want {
			t.Errorf("due: %q, want %q", got, want)
		}
	}
	dueIs("e0 e2 e3 e5 e1 e4")
	to.Ordering = oms.OrderingSubject
	s.reorder(acme, to, 1)
	dueIs("e0 e5 e1")
	if d := s.delivery(events[1], to); !d.Due.Equal(s.now.Add(time.Minute)) || d.Group != "order/b" {
		t.Errorf("a retry lost its time: %+v", d)
	}
	s.settle(events[2], to, oms.DeliveryPending) // it was under way: now it waits
	dueIs("e0 e5 e1")
	s.settle(events[3], to, oms.DeliverySucceeded) // so was this
	dueIs("e0 e5 e1")
	s.settle(events[0], to, oms.DeliverySucceeded)
	dueIs("e2 e5 e1")

	to.URL = "https://other.example" // another change
	s.put(to)
	dueIs("e2 e5 e1")
	s.now = s.now.Add(time.Second)
	to.Ordering = oms.OrderingNone
	s.reorder(acme, to, 1)
	dueIs("e2 e5 e4 e1")
	if d := s.delivery(events[4], to); !d.Due.Equal(s.now) || d.Group != "" {
		t.Errorf("it waits on: %+v", d)
	}
	s.settle(events[2], to, oms.DeliverySucceeded)
	dueIs("e5 e4 e1")
}

// testGroupsByChance has anything happen to the deliveries of an endpoint, and
// a small model say what must come of it.
func testGroupsByChance(t *testing.T, s *suite) {
	l := s.listen()
	n := 0
	rapid.Check(t, func(rt *rapid.T) {
		n++
		m := &groups{T: rt, s: s, l: l, tenant: fmt.Sprint("tenant", n), to: endpoint("ep1"), ordered: true}
		m.to.Ordering = oms.OrderingSubject
		m.write(func(tx store.Tx) error { return tx.PutEndpoint(ctx, m.tenant, m.to) })
		rt.Repeat(map[string]func(*rapid.T){
			"add": m.add, "settle": m.settle, "cancel": m.cancel, "sendAgain": m.sendAgain, "reorder": m.reorder, "": m.check,
		})
	})
}

// groups is the model: an endpoint's deliveries in the order of their events.
type groups struct {
	*rapid.T
	s       *suite
	l       *listener
	tenant  string // of this case alone
	to      *oms.Endpoint
	ordered bool
	all     []*modelDelivery
}

type modelDelivery struct {
	event    *oms.Event
	group    string // "" while the endpoint is not ordered
	status   oms.DeliveryStatus
	due      bool
	attempts int
}

func (m *groups) write(do func(tx store.Tx) error) {
	m.l.due = nil
	if err := m.s.Write(ctx, do); err != nil {
		m.Fatal(err)
	}
}

// told checks of whom the listener was told.
func (m *groups) told(want ...*modelDelivery) {
	events := ids(want, func(d *modelDelivery) string { return d.event.ID })
	if got := m.l.dueIDs(); !slices.Equal(got, events) {
		m.Fatalf("told of %q, want %q", got, events)
	}
}

func (m *groups) any() *modelDelivery {
	if len(m.all) == 0 {
		m.Skip("no delivery yet")
	}
	return rapid.SampledFrom(m.all).Draw(m.T, "delivery")
}

// pending returns the pending deliveries of a group.
func (m *groups) pending(group string) (out []*modelDelivery) {
	for _, d := range m.all {
		if d.group == group && group != "" && d.status == oms.DeliveryPending {
			out = append(out, d)
		}
	}
	return out
}

func (m *groups) groupOf(e *oms.Event) string {
	if !m.ordered {
		return ""
	}
	return "order/" + e.Subject.ID
}

func (m *groups) add(rt *rapid.T) {
	m.T = rt
	e := event(fmt.Sprint("e", len(m.all)), "o1")
	e.Subject.ID = rapid.SampledFrom([]string{"a", "b"}).Draw(rt, "subject")
	d := &modelDelivery{event: e, group: m.groupOf(e), status: oms.DeliveryPending}
	d.due = len(m.pending(d.group)) == 0
	m.write(func(tx store.Tx) error { return tx.AddEventFor(ctx, m.tenant, e, m.to) })
	m.all = append(m.all, d)
	m.toldIf(d.due, d)
}

func (m *groups) toldIf(due bool, d *modelDelivery) {
	if due {
		m.told(d)
	} else {
		m.told()
	}
}

// ended has the next of a group become due.
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

// settle ends an attempt at any delivery: it may have been under way since before
// something else happened to it.
func (m *groups) settle(rt *rapid.T) {
	m.T = rt
	d := m.any()
	status := rapid.SampledFrom([]oms.DeliveryStatus{oms.DeliveryPending, oms.DeliverySucceeded, oms.DeliveryFailed}).Draw(rt, "status")
	d.attempts++
	m.write(func(tx store.Tx) error {
		return tx.Settle(ctx, m.tenant, settlement(keyOf(d.event, m.to), status, d.attempts, m.s.now))
	})
	was := d.status
	if was == oms.DeliveryPending || status == oms.DeliverySucceeded {
		d.status = status
	}
	if d.status == oms.DeliveryPending {
		m.told()
	} else {
		m.ended(d)
	}
}

func (m *groups) cancel(rt *rapid.T) {
	m.T = rt
	d := m.any()
	if d.status != oms.DeliveryPending {
		rt.Skip("it has ended")
	}
	m.write(func(tx store.Tx) error { return tx.CancelDelivery(ctx, m.tenant, keyOf(d.event, m.to), m.s.now) })
	d.status = oms.DeliveryCanceled
	m.ended(d)
}

func (m *groups) sendAgain(rt *rapid.T) {
	m.T = rt
	d := m.any()
	if d.status != oms.DeliveryPending {
		d.group = m.groupOf(d.event)
		d.due = len(m.pending(d.group)) == 0
		d.status = oms.DeliveryPending
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

func (m *groups) reorder(rt *rapid.T) {
	m.T = rt
	m.ordered = !m.ordered
	m.to.Ordering = oms.OrderingNone
	if m.ordered {
		m.to.Ordering = oms.OrderingSubject
	}
	m.l.due = nil
	m.s.reorder(m.tenant, m.to, rapid.IntRange(1, 4).Draw(rt, "at a time"))
	for _, d := range m.all {
		if d.status == oms.DeliveryPending {
			d.group = m.groupOf(d.event)
			d.due = !m.ordered || m.pending(d.group)[0] == d
		}
	}
	m.told()
}

// check compares the model with what is stored, and with what always holds:
// a group that has pending deliveries has exactly one that is due.
func (m *groups) check(rt *rapid.T) {
	m.T = rt
	var got, want []string
	due := map[string]int{}
	for _, d := range slices.Backward(pages(m.s.t, 50, func(p store.Page) (store.List[*oms.Delivery], error) {
		return m.s.Deliveries(ctx, m.tenant, store.DeliveryFilter{Endpoint: m.to.No}, p)
	})) {
		group := d.Group
		if d.Status != oms.DeliveryPending {
			group = "" // as it was when it ended
		} else if due[group] += 0; !d.Due.IsZero() {
			due[group]++
		}
		got = append(got, fmt.Sprint(d.EventID, " ", d.Status, " ", group, " ", !d.Due.IsZero()))
	}
	for _, d := range m.all {
		if d.status != oms.DeliveryPending {
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
