package delivery

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/orderhook/orderhook/internal/event"
	"github.com/orderhook/orderhook/internal/store"
)

// What a filter could not evaluate is in the health at once, and after a restart,
// also of an endpoint that has had no attempt since.
func TestFilterErrorsAreStored(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, answering(204, 0))
		e := r.endpoint("e", func(e *event.Endpoint) { e.Filter = `data.total > 5`; e.RateLimit = 0.001 })
		r.publish("evt_1", "o1")
		time.Sleep(time.Minute) // what came of its attempt is written
		r.publish("evt_2", "o1")
		for range 2 {
			h, err := r.d.Health(t.Context(), acme, e.No)
			must(t, err)
			if h.FilterErrors != 2 || h.LastFilterError.EventID != "evt_2" || h.LastFilterError.Why != "line 1, column 12: cannot compare nil with int" || h.LastFilterError.At.IsZero() {
				t.Errorf("%+v", h)
			}
			r.restart()
		}
	})
}

// What could not be written comes before what was attempted meanwhile, wherever
// the writing fell.
func TestHealthThatCouldNotBeWrittenIsNotLost(t *testing.T) {
	outcomes := []string{"down", "", "down", "late", "", "", "down", "gone"}
	began := time.Date(2026, 11, 28, 9, 0, 0, 0, time.UTC)
	attempt := func(h *health, i int) {
		h.attempted(began.Add(time.Duration(i)*time.Minute), outcomes[i], 1+i%2, i%3 == 0)
	}
	var want health
	for i := range outcomes {
		attempt(&want, i)
	}
	for taken := range outcomes {
		for given := taken; given < len(outcomes); given++ {
			var h health
			var change store.HealthChange
			for i := range outcomes {
				attempt(&h, i)
				if i == taken {
					change, _ = h.take(began, always)
				}
				if i == given {
					h.giveBack(change)
				}
			}
			if !h.dirty || h.change != want.change {
				t.Errorf("taken after %d, given back after %d: %+v, not %+v", taken, given, h.change, want.change)
			}
		}
	}
}

// TestSinceWhenAnEndpointFails: since the first failure that nothing but failures followed.
func TestSinceWhenAnEndpointFails(t *testing.T) {
	at := func(s int) time.Time { return time.Unix(int64(s), 0) }
	var h health
	h.attempted(at(1), "500", 1, true)
	h.attempted(at(2), "500", 2, true)
	if c := h.change; c.Failures != 2 || !c.FailingSince.Equal(at(1)) || !c.LastFailure.Equal(at(2)) {
		t.Errorf("after two failures: %+v", c)
	}
	h.attempted(at(3), "", 3, false)
	if c := h.change; c.Failures != 0 || !c.FailingSince.IsZero() {
		t.Errorf("after a success: %+v", c)
	}
	h.attempted(at(4), "500", 1, false)
	if c := h.change; c.Failures != 1 || !c.FailingSince.Equal(at(4)) {
		t.Errorf("after another failure: %+v", c)
	}
}
