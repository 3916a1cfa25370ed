package delivery

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/orderhook/orderhook/internal/event"
	"github.com/orderhook/orderhook/internal/ids"
	"github.com/orderhook/orderhook/internal/outbound"
)

const day = 24 * time.Hour

// TestFailingForFiveDays: nothing but failures, of as many deliveries as an
// endpoint has attempts for one, spread over five days, turns the endpoint off.
func TestFailingForFiveDays(t *testing.T) {
	hourly := func(days int) (at []time.Duration) {
		for hour := range days * 24 {
			at = append(at, time.Duration(hour)*time.Hour)
		}
		return at
	}
	for _, c := range []struct {
		name    string
		publish []time.Duration // when an event happens
		succeed time.Duration   // for two hours, after this time; 0: never
		repeats int             // of a delivery; 0: those of the default schedule
		off     bool
	}{
		{"four days", hourly(4), 0, 0, false},
		{"six days", hourly(6), 0, 0, true},
		{"six days with a success", hourly(6), 60 * time.Hour, 0, false},
		{"once a day", []time.Duration{0, day, 2 * day, 3 * day, 4 * day, 5 * day}, 0, 0, true},
		{"once a day, one day fewer", []time.Duration{0, day, 2 * day, 3 * day, 4 * day}, 0, 0, false},
		{"one failure for good, and one more five days later", []time.Duration{0, 5*day + time.Hour}, 0, 0, false},
		{"the same with one repeat", []time.Duration{0, 4 * day, 5 * day}, 0, 1, false},
		{"too few, however long", []time.Duration{0, 2 * day, 4 * day, 6 * day, 8 * day}, 0, 0, false},
		{"enough with a short schedule", []time.Duration{0, 2 * day, 4 * day, 6 * day}, 0, 2, true},
		{"the last one succeeds when it is repeated", []time.Duration{0, 59 * time.Hour, 118 * time.Hour, 121 * time.Hour}, 121*time.Hour + 2*time.Second, 3, false},
		{"the last one fails, too", []time.Duration{0, 59 * time.Hour, 118 * time.Hour, 121 * time.Hour}, 0, 3, true},
		{"an hour of failures, silence, and one more", append(hourly(1)[:7], 5*day), 0, 0, false},
		{"silence, then five days", append([]time.Duration{0}, func() (at []time.Duration) {
			for _, one := range hourly(4) {
				at = append(at, one+10*day)
			}
			return at
		}()...), 0, 0, false},
	} {
		for _, restarts := range []bool{false, true} {
			if restarts && len(c.publish) > 10 {
				continue // a start takes its time
			}
			t.Run(c.name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					began := time.Now()
					r := newRig(t, func(call) outbound.Exchange {
						if now := time.Since(began); c.succeed > 0 && now >= c.succeed && now < c.succeed+2*time.Hour {
							return outbound.Exchange{Status: 200}
						}
						return outbound.Exchange{Err: errors.New("connection refused")}
					})
					to := r.endpoint("shop", func(e *event.Endpoint) {
						if c.repeats > 0 {
							e.Schedule = e.Schedule[:c.repeats]
						}
					})
					for i, at := range c.publish {
						time.Sleep(time.Until(began.Add(at)))
						if restarts && i%2 == 1 {
							r.restart()
						}
						r.publish(ids.New(ids.Event), "o1")
					}
					time.Sleep(2 * time.Hour)
					stored, err := r.store.Endpoint(t.Context(), acme, to.ID)
					must(t, err)
					if stored.Enabled == c.off || stored.DisabledAt.IsZero() == c.off {
						t.Errorf("with restarts: %v: enabled %v: %q", restarts, stored.Enabled, stored.Disabled)
					}
				})
			})
		}
	}
}

// TestABacklogCountsAsManyDeliveries: while the circuit is open each attempt is
// the first of another delivery, and none of them ever fails for good.
func TestABacklogCountsAsManyDeliveries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, answering(503, 0))
		to := r.endpoint("shop", func(e *event.Endpoint) { e.Concurrency = 1 })
		for i := range 3 {
			r.publishMany(string(rune('a'+i)), 100)
		}
		time.Sleep(4 * day)
		stored, err := r.store.Endpoint(t.Context(), acme, to.ID)
		must(t, err)
		if !stored.Enabled {
			t.Errorf("after four days: %q", stored.Disabled)
		}
		time.Sleep(2 * day)
		if stored, err = r.store.Endpoint(t.Context(), acme, to.ID); err != nil || stored.Enabled {
			t.Errorf("after six days enabled is %v, %v", stored.Enabled, err)
		}
	})
}

// TestHopelessFromTheVeryMoment that both bounds are met, and not before.
func TestHopelessFromTheVeryMoment(t *testing.T) {
	d, e := &Dispatcher{disableAfter: 5 * day}, &event.Endpoint{Schedule: make([]time.Duration, 5)}
	since := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		deliveries int
		after      time.Duration
		want       bool
	}{{6, 5 * day, true}, {6, 5*day - 1, false}, {5, 9 * day, false}} {
		h := event.Health{Consecutive: 1, Streak: event.Streak{Since: since, Deliveries: c.deliveries}}
		if got := d.hopeless(e, h, since.Add(c.after)); got != c.want {
			t.Errorf("%d deliveries and %v: %v", c.deliveries, c.after, got)
		}
	}
}
