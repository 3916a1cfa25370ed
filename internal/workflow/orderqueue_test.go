package workflow

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/orderhook/orderhook/internal/clock"
	"github.com/orderhook/orderhook/internal/clock/clocktest"
	"github.com/orderhook/orderhook/internal/nodes"
	"github.com/orderhook/orderhook/internal/run"
)

// newTestQueues returns the queues of a node that has all shards.
func newTestQueues(c clock.Clock, turn func(fresh) time.Time) *orderQueues {
	o := newOrderQueues(c, func(_ orderKey, _ *nodes.Share, f fresh) time.Time { return turn(f) }, func(orderKey) {})
	o.take(context.Background(), nodes.All())
	return o
}

// What is due by the clock is due, however somebody has set the clock: a queue
// that waits looks at it once a minute.
func TestAnOrderQueueFollowsAClockThatIsSet(t *testing.T) {
	for name, row := range map[string]struct{ jump, after time.Duration }{
		"forward": {2 * time.Hour, time.Minute},
		"not":     {0, time.Hour},
		"back":    {-time.Hour, 2 * time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c, turns := &clocktest.Jumping{}, make(chan time.Time, 2)
				due := c.Now().Add(time.Hour)
				l := newTestQueues(c, func(fresh) time.Time {
					turns <- time.Now()
					if c.Now().Before(due) {
						return due
					}
					return time.Time{}
				})
				l.wake(orderKey{"acme", "O1"}, fresh{})
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

// While the queue of an order that is about to be stored is held, nobody looks at its
// runs: its first run would be taken up twice, once as it was found and once as it
// was handed over.
func TestAnOrderQueueThatIsHeld(t *testing.T) {
	key, run := orderKey{"acme", "O1"}, snapshot{run: &run.Run{ID: "R1"}}
	for name, row := range map[string]struct {
		woken bool
		given snapshot
		want  []bool // whether each turn has the first run handed over
	}{
		"nothing to do":        {false, snapshot{}, nil},
		"woken, nothing given": {true, snapshot{}, []bool{false}},
		"a run":                {false, run, []bool{true}},
		"a run, and woken":     {true, run, []bool{true, false}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var turns []bool
				l := newTestQueues(clock.Real{}, func(f fresh) time.Time {
					turns = append(turns, f.first && f.run == run.run)
					return time.Time{}
				})
				queue := l.hold(key)
				if l.hold(key) != nil {
					t.Error("a queue is held twice")
				}
				if row.woken {
					l.wake(key, fresh{})
				}
				synctest.Wait()
				if len(turns) > 0 {
					t.Error("somebody looked at the runs of a queue that is held")
				}
				queue.free(row.given)
				synctest.Wait()
				if !slices.Equal(turns, row.want) {
					t.Errorf("turns %v, want %v", turns, row.want)
				}
				if len(l.queues) != 0 {
					t.Error("the queue is still there")
				}
				if err := l.stop(context.Background()); err != nil {
					t.Error(err)
				}
				if l.hold(key) != nil {
					t.Error("a queue is held after the end")
				}
			})
		})
	}
}

// TestAHeldQueueWhoseShardIsGivenAway: a run that was stored meanwhile may have come too late
// for whoever has the shard now, who is told of it; here it does not begin. Where the shard
// has come back, it does.
func TestAHeldQueueWhoseShardIsGivenAway(t *testing.T) {
	key, first := orderKey{"acme", "O1"}, snapshot{run: &run.Run{ID: "R1"}}
	for name, back := range map[string]bool{"elsewhere": false, "back": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var turns, told int
				o := newOrderQueues(clock.Real{}, func(_ orderKey, of *nodes.Share, f fresh) time.Time {
					if turns++; f.run != nil || of.Ctx.Err() != nil {
						t.Error("it begins with what it had in memory, or by the share of before")
					}
					return time.Time{}
				}, func(of orderKey) {
					if told++; of != key {
						t.Errorf("somebody was told of %v", of)
					}
				})
				o.take(context.Background(), nodes.All())
				held := o.hold(key)
				over, cancel := context.WithCancel(t.Context())
				cancel()
				o.give(over, nodes.All())
				if back {
					o.take(context.Background(), nodes.All())
				}
				held.free(first)
				synctest.Wait()
				if wantTurns, wantTold := map[bool]int{true: 1}[back], map[bool]int{false: 1}[back]; turns != wantTurns || told != wantTold {
					t.Errorf("%d turns, told %d times", turns, told)
				}
				if err := o.stop(t.Context()); err != nil {
					t.Error(err)
				}
			})
		})
	}
}
