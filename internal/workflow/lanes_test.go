package workflow

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/orderhook/orderhook/internal/clock"
	"github.com/orderhook/orderhook/internal/oms"
)

// What is due by the clock is due, however somebody has set the clock: a lane
// that waits looks at it once a minute.
func TestALaneFollowsAClockThatIsSet(t *testing.T) {
	for name, row := range map[string]struct{ jump, after time.Duration }{
		"forward": {2 * time.Hour, time.Minute},
		"not":     {0, time.Hour},
		"back":    {-time.Hour, 2 * time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c, turns := &clock.Jumping{}, make(chan time.Time, 2)
				due := c.Now().Add(time.Hour)
				l := newLanes(c, func(orderKey, fresh) time.Time {
					turns <- time.Now()
					if c.Now().Before(due) {
						return due
					}
					return time.Time{}
				})
				l.kick(orderKey{"acme", "O1"}, fresh{})
				<-turns
				synctest.Wait()
				began := time.Now()
				c.Jump(row.jump)
				took := (<-turns).Sub(began)
				if took > row.after || took < row.after-time.Minute {
					t.Errorf("it took %v, want %v", took, row.after)
				}
				if err := l.stop(context.Background()); err != nil {
					t.Error(err)
				}
			})
		})
	}
}

// While the lane of an order that is about to be stored is held, nobody looks at its
// runs: its first run would be taken up twice, once as it was found and once as it
// was handed over.
func TestALaneThatIsHeld(t *testing.T) {
	key, run := orderKey{"acme", "O1"}, held{run: &oms.Run{ID: "R1"}}
	for name, row := range map[string]struct {
		kicked bool
		given  held
		want   []bool // whether each turn has the first run handed over
	}{
		"nothing to do":         {false, held{}, nil},
		"kicked, nothing given": {true, held{}, []bool{false}},
		"a run":                 {false, run, []bool{true}},
		"a run, and kicked":     {true, run, []bool{true, false}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var turns []bool
				l := newLanes(clock.Real{}, func(_ orderKey, f fresh) time.Time {
					turns = append(turns, f.first && f.run == run.run)
					return time.Time{}
				})
				letGo := l.hold(key)
				if l.hold(key) != nil {
					t.Error("a lane is held twice")
				}
				if row.kicked {
					l.kick(key, fresh{})
				}
				synctest.Wait()
				if len(turns) > 0 {
					t.Error("somebody looked at the runs of a lane that is held")
				}
				letGo(row.given)
				synctest.Wait()
				if !slices.Equal(turns, row.want) {
					t.Errorf("turns %v, want %v", turns, row.want)
				}
				if len(l.lanes) != 0 {
					t.Error("the lane is still there")
				}
				if err := l.stop(context.Background()); err != nil {
					t.Error(err)
				}
				if l.hold(key) != nil {
					t.Error("a lane is held after the end")
				}
			})
		})
	}
}
