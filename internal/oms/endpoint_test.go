package oms_test

import (
	"testing"
	"time"

	"github.com/orderhook/orderhook/internal/oms"
)

func TestStreak(t *testing.T) {
	at := func(hour int) time.Time { return time.Date(2026, 11, 21, hour, 0, 0, 0, time.UTC) }
	first := oms.Streak{Since: at(1), Deliveries: 2, Beginning: true} // its last failure was at 3
	for _, c := range []struct {
		name        string
		later, want oms.Streak
		failed      int
		none        bool // there is no first one
	}{
		{"nothing more", oms.Streak{}, first, 1, false},
		{"soon", oms.Streak{Since: at(5), Deliveries: 1}, oms.Streak{Since: at(1), Deliveries: 3}, 3, false},
		{"just in time", oms.Streak{Since: at(7), Deliveries: 1, Beginning: true}, oms.Streak{Since: at(1), Deliveries: 3, Beginning: true}, 2, false},
		{"after a longer silence", oms.Streak{Since: at(8), Deliveries: 1, Beginning: true}, oms.Streak{Since: at(8), Deliveries: 1, Beginning: true}, 0, false},
		{"a repeat", oms.Streak{Since: at(4)}, oms.Streak{Since: at(1), Deliveries: 2}, 2, false},
		{"the first of all", oms.Streak{Since: at(5), Deliveries: 1}, oms.Streak{Since: at(5), Deliveries: 1}, 1, true},
	} {
		was, last := first, at(3)
		if c.none {
			was, last = oms.Streak{}, time.Time{}
		}
		got := was.Then(last, c.later, 4*time.Hour)
		if got != c.want || got.Failed() != c.failed {
			t.Errorf("%s: %+v, of which %d failed; want %+v and %d", c.name, got, got.Failed(), c.want, c.failed)
		}
	}
}
