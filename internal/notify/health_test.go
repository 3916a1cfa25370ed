package notify

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/orderhook/orderhook/internal/oms"
	"github.com/orderhook/orderhook/internal/store"
)

// What a filter could not judge is in the health at once, and after a restart,
// also of an endpoint that has had no attempt since.
func TestFilterErrorsAreKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, answering(204, 0))
		e := r.endpoint("e", func(e *oms.Endpoint) { e.Filter = `data.total > 5`; e.RateLimit = 0.001 })
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
					change, _ = h.take(began, true)
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
