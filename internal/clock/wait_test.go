package clock_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/orderhook/orderhook/internal/clock"
	"github.com/orderhook/orderhook/internal/clock/clocktest"
)

// TestAt: a wait follows the clock, which somebody may set, and is never late by
// more than a minute.
func TestAt(t *testing.T) {
	for name, row := range map[string]struct {
		wait, jumpsAfter, by time.Duration
		least, most          time.Duration // that pass until the call
	}{
		"nobody sets it":               {wait: time.Hour, least: time.Hour, most: time.Hour},
		"a time that is past":          {wait: -time.Hour},
		"less than a minute":           {wait: 10 * time.Second, least: 10 * time.Second, most: 10 * time.Second},
		"set forward past the time":    {wait: time.Hour, jumpsAfter: 90 * time.Second, by: 2 * time.Hour, least: 90 * time.Second, most: 150 * time.Second},
		"set forward a little":         {wait: time.Hour, jumpsAfter: 90 * time.Second, by: 10 * time.Minute, least: 50 * time.Minute, most: 50 * time.Minute},
		"set back":                     {wait: time.Hour, jumpsAfter: 90 * time.Second, by: -3 * time.Hour, least: 4 * time.Hour, most: 4 * time.Hour},
		"set back in the last minute":  {wait: time.Hour, jumpsAfter: time.Hour - time.Second, by: -time.Minute, least: time.Hour + time.Minute, most: time.Hour + time.Minute},
		"set forward as it is waiting": {wait: 30 * time.Second, jumpsAfter: time.Second, by: time.Hour, least: time.Second, most: 30 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c, began, called := &clocktest.Jumping{}, time.Now(), make(chan time.Duration, 2)
				clock.At(c, c.Now().Add(row.wait), func() { called <- time.Since(began) })
				time.AfterFunc(row.jumpsAfter, func() { c.Jump(row.by) })
				if after := <-called; after < row.least || after > row.most {
					t.Errorf("called after %v, want %v to %v", after, row.least, row.most)
				}
				time.Sleep(24 * time.Hour)
				if len(called) > 0 {
					t.Error("called a second time")
				}
			})
		})
	}
}

func TestAtIsStopped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		called := 0
		w := clock.At(clock.Real{}, time.Now().Add(time.Hour), func() { called++ })
		time.Sleep(30*time.Minute + time.Second)
		if !w.Stop() || w.Stop() {
			t.Error("it could not be stopped, or twice")
		}
		time.Sleep(24 * time.Hour)
		if called != 0 {
			t.Error("it was called all the same")
		}
		w = clock.At(clock.Real{}, time.Now(), func() { called++ })
		synctest.Wait()
		if w.Stop() || called != 1 {
			t.Errorf("%d calls, and it could be stopped after", called)
		}
	})
}

func TestPause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		if err := clock.Pause(t.Context(), clock.Real{}, time.Minute); err != nil || time.Since(began) != time.Minute {
			t.Errorf("%v after %v", err, time.Since(began))
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := clock.Pause(ctx, clock.Real{}, time.Minute); err != context.DeadlineExceeded {
			t.Errorf("past its context: %v", err)
		}
	})
}
