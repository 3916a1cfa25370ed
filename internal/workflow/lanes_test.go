package workflow

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/orderhook/orderhook/internal/clock"
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
				l := newLanes(c, func(orderKey) time.Time {
					turns <- time.Now()
					if c.Now().Before(due) {
						return due
					}
					return time.Time{}
				})
				l.kick(orderKey{"acme", "O1"})
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
