package notify

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/orderhook/orderhook/internal/oms"
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
