package delivery

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/orderhook/orderhook/internal/event"
	"github.com/orderhook/orderhook/internal/store"
)

// TestTheScheduleOfWhatWasSentAgain: a redelivery of what had ended has the whole
// schedule, from its start, and one of what waits is but the next attempt. A
// schedule that was changed meanwhile holds for what is pending, its last delays
// for the last attempts.
func TestTheScheduleOfWhatWasSentAgain(t *testing.T) {
	const s, m, h = time.Second, time.Minute, time.Hour
	for name, c := range map[string]struct {
		at       time.Duration   // when it happens, after the first attempt
		schedule []time.Duration // from then on; nil: still 1 s, 1 min, 1 h
		again    bool            // it is sent again then
		want     []time.Duration // between all attempts
	}{
		"nothing happens":                   {0, nil, false, []time.Duration{s, m, h}},
		"sent again":                        {10 * h, nil, true, []time.Duration{s, m, h, 9 * h, s, m, h}},
		"sent again, by a shorter schedule": {10 * h, []time.Duration{4 * s, 8 * s}, true, []time.Duration{s, m, h, 9 * h, 4 * s, 8 * s}},
		"sent again, by a longer one":       {10 * h, []time.Duration{4 * s, 8 * s, 16 * s, 32 * s}, true, []time.Duration{s, m, h, 9 * h, 4 * s, 8 * s, 16 * s, 32 * s}},
		"sent again while it waits":         {31 * s, nil, true, []time.Duration{s, 30 * s, h}},
		"more delays, with two left":        {s / 2, []time.Duration{2 * s, 4 * s, 8 * s, 16 * s, 32 * s}, false, []time.Duration{s, 16 * s, 32 * s}},
		"more delays, with one left":        {31 * s, []time.Duration{2 * s, 4 * s, 8 * s, 16 * s, 32 * s}, false, []time.Duration{s, m, 32 * s}},
		"other delays":                      {s / 2, []time.Duration{2 * s, 4 * s, 8 * s}, false, []time.Duration{s, 4 * s, 8 * s}},
		"fewer delays":                      {s / 2, []time.Duration{4 * s}, false, []time.Duration{s, 4 * s, 4 * s}},
		"none, as of a connector":           {s / 2, []time.Duration{}, false, []time.Duration{s}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, answering(500, 0))
				to := r.endpoint("shop", func(e *event.Endpoint) { e.Schedule = []time.Duration{s, m, h} })
				e := r.publish("evt_1", "o1")
				time.Sleep(c.at)
				now := *to
				if c.schedule != nil {
					now.Schedule = c.schedule
				}
				r.write(func(tx store.Tx) error {
					err := tx.PutEndpoint(t.Context(), acme, &now)
					if err == nil && c.again {
						err = tx.SendAgain(t.Context(), acme, e, &now, time.Now(), false)
					}
					return err
				})
				time.Sleep(24 * h)
				made := r.calls.made()
				got := waits(made)
				if len(got) != len(c.want) {
					t.Fatalf("waits of %v, want %v", got, c.want)
				}
				for i, want := range c.want {
					if !about(got[i], want) || made[i+1].Attempt != i+2 {
						t.Errorf("attempt %d came after %v, not about %v", made[i+1].Attempt, got[i], want)
					}
				}
				if d := r.delivery(e, to); d.Status != event.DeliveryFailed || d.Attempts != len(made) {
					t.Errorf("it is %s after %d attempts", d.Status, d.Attempts)
				}
			})
		})
	}
}
