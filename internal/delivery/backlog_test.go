package delivery

import (
	"testing"
	"time"

	"github.com/orderhook/orderhook/internal/event"
	"github.com/orderhook/orderhook/internal/store"
)

// dueAt is a delivery that became due so many seconds after noon, as a queue gets it.
func dueAt(number int64, seconds int) store.Due {
	at := time.Date(2026, 11, 28, 12, 0, seconds, 0, time.UTC)
	return store.Due{Tenant: acme, Delivery: event.Delivery{DeliveryKey: event.DeliveryKey{Event: number, Endpoint: 1}, Due: at}}
}

// byHand is a delivery that somebody sent again.
func byHand(d store.Due) store.Due {
	d.Trial = true
	return d
}

// TestWhatBecomesDueWhileItIsHeld: a delivery that becomes due again between the write of its
// attempt and the moment when the queue hears of it would not be found without a note of
// that. One that was canceled is not to be looked for.
func TestWhatBecomesDueWhileItIsHeld(t *testing.T) {
	for name, test := range map[string]struct {
		then  func(b *backlog, m *memory)
		again bool
	}{
		"nothing happens":                       {func(*backlog, *memory) {}, false},
		"it becomes due":                        {func(b *backlog, m *memory) { b.offer(m, dueAt(1, 1)) }, true},
		"it is sent again by hand":              {func(b *backlog, m *memory) { b.offer(m, byHand(dueAt(1, 1))) }, true},
		"another becomes due":                   {func(b *backlog, m *memory) { b.offer(m, dueAt(2, 1)) }, false},
		"it becomes due and is canceled":        {func(b *backlog, m *memory) { b.offer(m, dueAt(1, 1)); b.cancel(1) }, false},
		"it is canceled, and then becomes due":  {func(b *backlog, m *memory) { b.cancel(1); b.offer(m, dueAt(1, 1)) }, true},
		"it becomes due and another is removed": {func(b *backlog, m *memory) { b.offer(m, dueAt(1, 1)); b.cancel(2) }, true},
	} {
		m, b := &memory{}, &backlog{}
		b.offer(m, dueAt(1, 0))
		it := b.take()
		test.then(b, m)
		if again := b.forget(m, it); again != test.again {
			t.Errorf("%s: due again: %v", name, again)
		}
		if b.held[1] || b.again[1] {
			t.Errorf("%s: something of it is left", name)
		}
	}
}

// TestWhatIsReadIsInOrder: what was sent again by hand stands first, since what stands last
// is dropped from a queue that is too long.
func TestWhatIsReadIsInOrder(t *testing.T) {
	m, b := &memory{}, &backlog{}
	b.offer(m, dueAt(7, 0))
	it := b.take()
	b.offer(m, byHand(dueAt(7, 9))) // while its attempt is being written
	b.forget(m, it)
	if !b.takeAll(m, []store.Due{dueAt(5, 3), dueAt(4, 3), dueAt(6, 1), dueAt(7, 9), dueAt(8, 2)}, map[int64]bool{8: true}) {
		t.Error("there was room for all")
	}
	var got []int64
	for _, it := range b.items {
		got = append(got, it.Delivery.Event)
	}
	if want := [...]int64{7, 6, 4, 5}; len(got) != len(want) || [4]int64(got) != want {
		t.Errorf("%v, want %v", got, want)
	}
}

// TestAQueueThatIsTooLong: what does not fit goes back to the table, and the queue knows that
// there is more.
func TestAQueueThatIsTooLong(t *testing.T) {
	q := &queue{d: &Dispatcher{memory: &memory{}}}
	var some []store.Due
	for i := range queueCapacity {
		some = append(some, dueAt(int64(i+1), i+10))
	}
	if !q.takeAll(some) {
		t.Error("a queue may have that many")
	}
	if q.takeAll([]store.Due{dueAt(queueCapacity+1, 0), dueAt(queueCapacity+2, 1)}) {
		t.Error("it says that it has all")
	}
	last := int64(queueCapacity)
	if n := len(q.backlog.items); n != queueCapacity || q.backlog.held[last] || q.backlog.held[last-1] || !q.backlog.held[last-2] || !q.backlog.held[last+1] {
		t.Errorf("%d wait", n)
	}
	if n := q.d.memory.deliveries.Load(); n != queueCapacity {
		t.Errorf("the budget counts %d", n)
	}
}
