package event_test

import (
	"testing"
	"time"

	"github.com/orderhook/orderhook/internal/event"
)

func TestStreak(t *testing.T) {
	at := func(hour int) time.Time { return time.Date(2026, 11, 21, hour, 0, 0, 0, time.UTC) }
	first := event.Streak{Since: at(1), Deliveries: 2, Beginning: true} // its last failure was at 3
	for _, c := range []struct {
		name        string
		later, want event.Streak
		failed      int
		none        bool // there is no first one
	}{
		{"nothing more", event.Streak{}, first, 1, false},
		{"soon", event.Streak{Since: at(5), Deliveries: 1}, event.Streak{Since: at(1), Deliveries: 3}, 3, false},
		{"just in time", event.Streak{Since: at(7), Deliveries: 1, Beginning: true}, event.Streak{Since: at(1), Deliveries: 3, Beginning: true}, 2, false},
		{"after a longer silence", event.Streak{Since: at(8), Deliveries: 1, Beginning: true}, event.Streak{Since: at(8), Deliveries: 1, Beginning: true}, 0, false},
		{"a repeat", event.Streak{Since: at(4)}, event.Streak{Since: at(1), Deliveries: 2}, 2, false},
		{"the first of all", event.Streak{Since: at(5), Deliveries: 1}, event.Streak{Since: at(5), Deliveries: 1}, 1, true},
	} {
		was, last := first, at(3)
		if c.none {
			was, last = event.Streak{}, time.Time{}
		}
		got := was.Then(last, c.later, 4*time.Hour)
		if got != c.want || got.Failed() != c.failed {
			t.Errorf("%s: %+v, of which %d failed; want %+v and %d", c.name, got, got.Failed(), c.want, c.failed)
		}
	}
}
