package breaker

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

// rig is a breaker and the time that it is given.
type rig struct {
	*testing.T
	Breaker
	now time.Time
}

const (
	wait = 5 * time.Second
	most = 12 * time.Second
)

var (
	inARow   = Policy{Failures: 3, Wait: wait, MostWait: most}
	inWindow = Policy{Failures: 3, Window: 10 * time.Second, Wait: wait}
)

func newRig(t *testing.T, p Policy) *rig {
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	return &rig{t, New(p, now), now}
}

// fail makes a call that fails at once, and reports whether the breaker opened.
func (r *rig) fail() bool { return r.End(r.now, r.Begin(r.now), false) }

// opened opens the breaker.
func (r *rig) opened() *rig {
	r.Helper()
	for n := 1; n <= r.policy.Failures; n++ {
		if opened := r.fail(); opened != (n == r.policy.Failures) {
			r.Fatalf("opened with failure %d: %v", n, opened)
		}
	}
	return r
}

func (r *rig) is(want State, until time.Time) {
	r.Helper()
	if s := r.State(r.now); s != want || !r.until.Equal(until) {
		r.Errorf("it is %s until %v, want it %s until %v", s, r.until, want, until)
	}
}

// admits holds what Admits says against what it should.
func (r *rig) admits(want bool, again time.Time) {
	r.Helper()
	if ok, at := r.Admits(r.now); ok != want || !at.Equal(again) {
		r.Errorf("it admits: %v, again %v; want %v, again %v", ok, at, want, again)
	}
}

func both(t *testing.T, test func(r *rig)) {
	t.Helper()
	for name, p := range map[string]Policy{"in a row": inARow, "in a window": inWindow} {
		t.Run(name, func(t *testing.T) { test(newRig(t, p)) })
	}
}

func TestABreakerOpensTriesAndCloses(t *testing.T) {
	both(t, func(r *rig) {
		r.admits(true, time.Time{})
		r.opened()
		until := r.now.Add(wait)
		r.is(Open, until)
		r.admits(false, until)
		r.now = until.Add(-1)
		r.is(Open, until)
		r.now = until
		r.is(HalfOpen, until)
		r.admits(true, time.Time{})
		trial := r.Begin(r.now)
		r.admits(false, time.Time{})
		if r.End(r.now, trial, true) || !trial.Trial {
			t.Errorf("the trial %+v opened it", trial)
		}
		r.is(Closed, time.Time{})
		r.opened() // it takes as many failures as at first
	})
}

// The wait doubles up to the most, and begins anew once the breaker has closed.
func TestATrialThatFailsOpensTheBreakerAgain(t *testing.T) {
	for name, row := range map[string]struct {
		policy Policy
		waits  []time.Duration
	}{
		"for longer and longer": {inARow, []time.Duration{wait, 2 * wait, most, most}},
		"for as long":           {inWindow, []time.Duration{wait, wait, wait}},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, row.policy).opened()
			for _, wait := range row.waits {
				r.is(Open, r.now.Add(wait))
				r.now = r.until
				if !r.fail() {
					t.Errorf("after %v the trial did not open it again", wait)
				}
			}
			r.now = r.until
			r.End(r.now, r.Begin(r.now), true)
			r.opened().is(Open, r.now.Add(row.waits[0]))
		})
	}
}

func TestASuccessEndsARow(t *testing.T) {
	r := newRig(t, inARow)
	for range 4 {
		r.fail()
		r.fail()
		r.End(r.now, r.Begin(r.now), true)
	}
	r.is(Closed, time.Time{})
	r.opened()
}

func TestASuccessDoesNotEndAWindow(t *testing.T) {
	r := newRig(t, inWindow)
	r.fail()
	r.fail()
	r.End(r.now, r.Begin(r.now), true)
	if !r.fail() {
		t.Error("three failures in the window did not open it")
	}
}

func TestTheWindowSlides(t *testing.T) {
	for name, row := range map[string]struct {
		after []time.Duration // of each failure, from the one before
		opens bool
	}{
		"at once":                  {[]time.Duration{0, 0, 0}, true},
		"within the window":        {[]time.Duration{4 * time.Second, 4 * time.Second, 4 * time.Second}, true},
		"the first is over":        {[]time.Duration{0, 5 * time.Second, 5 * time.Second}, false},
		"far apart":                {[]time.Duration{0, time.Hour, 0}, false},
		"the first of many is out": {[]time.Duration{0, 9 * time.Second, 2 * time.Second, 2 * time.Second}, true},
	} {
		t.Run(name, func(t *testing.T) {
			r, opened := newRig(t, inWindow), false
			for _, after := range row.after {
				r.now = r.now.Add(after)
				opened = r.fail()
			}
			if opened != row.opens {
				t.Errorf("opened: %v", opened)
			}
		})
	}
}

// A failure counts when its call began, be it answered much later.
func TestAFailureCountsWhenItsCallBegan(t *testing.T) {
	r := newRig(t, inWindow)
	var calls []Call
	for range 3 {
		calls = append(calls, r.Begin(r.now))
	}
	r.now = r.now.Add(time.Minute)
	for _, c := range calls {
		if r.End(r.now, c, false) {
			t.Error("failures of calls that began before the window opened it")
		}
	}
}

// Calls that began before the breaker opened and fail later leave it as it is,
// whether it is open, half open or trying.
func TestAStragglerDoesNotProlongAnOpenBreaker(t *testing.T) {
	both(t, func(r *rig) {
		straggler := r.Begin(r.now)
		r.opened()
		until := r.now.Add(wait)
		fails := func() {
			if r.End(r.now, straggler, false) {
				t.Error("a straggler opened it")
			}
		}
		r.now = until.Add(-1)
		fails()
		r.is(Open, until)
		r.now = until
		fails()
		r.is(HalfOpen, until)
		trial := r.Begin(r.now)
		fails()
		r.admits(false, time.Time{})
		r.End(r.now, trial, false)
		again := r.now.Add(map[bool]time.Duration{true: 2 * wait, false: wait}[r.policy.Window == 0])
		r.is(Open, again) // and not later for each straggler
		for range 2 * r.policy.Failures {
			fails()
		}
		r.is(Open, again)
	})
}

// What a straggler's success says depends on what opened the breaker: a row is
// over with it, the failures of a window are not.
func TestAStragglerThatSucceeds(t *testing.T) {
	both(t, func(r *rig) {
		straggler := r.Begin(r.now)
		r.opened()
		r.End(r.now, straggler, true)
		if want := map[bool]State{true: Closed, false: Open}[r.policy.Window == 0]; r.State(r.now) != want {
			t.Errorf("it is %s, want it %s", r.State(r.now), want)
		}
	})
}

// Once the trial has succeeded, failures of before are those of an endpoint that
// was down.
func TestFailuresOfBeforeTheTrialDoNotCount(t *testing.T) {
	r := newRig(t, inWindow)
	straggler := r.Begin(r.now)
	r.opened()
	r.now = r.until
	r.End(r.now, r.Begin(r.now), true)
	for range 2 * r.policy.Failures {
		if r.End(r.now, straggler, false) {
			t.Error("a straggler opened it")
		}
	}
	r.opened()
}

// Another call may try then.
func TestATrialThatWasNotMadeIsGivenBack(t *testing.T) {
	both(t, func(r *rig) {
		straggler := r.Begin(r.now)
		r.opened()
		r.now = r.until
		trial := r.Begin(r.now)
		r.Cancel(straggler)
		r.admits(false, time.Time{})
		r.Cancel(trial)
		r.admits(true, time.Time{})
		r.is(HalfOpen, r.until)
	})
}

func TestTheWaitCanBeEnded(t *testing.T) {
	both(t, func(r *rig) {
		if r.TryNow() {
			t.Error("a closed breaker had a wait to end")
		}
		r.opened()
		if !r.TryNow() {
			t.Error("an open breaker had none")
		}
		r.is(HalfOpen, r.now.Add(wait))
		r.admits(true, time.Time{})
		trial := r.Begin(r.now)
		r.admits(false, time.Time{})
		r.Cancel(trial)
		r.admits(true, time.Time{}) // whoever asked for it still gets one
		r.End(r.now, r.Begin(r.now), false)
		r.admits(false, r.until) // and no second one
		r.TryNow()
		r.End(r.now, r.Begin(r.now), true)
		r.is(Closed, time.Time{})
	})
}

// A straggler that ends the row while another call tries does not leave a trial
// behind that opens the breaker, or a breaker without a wait.
func TestATrialWhoseRowIsOver(t *testing.T) {
	r := newRig(t, inARow)
	straggler := r.Begin(r.now)
	r.opened()
	r.now = r.until
	trial := r.Begin(r.now)
	r.End(r.now, straggler, true)
	r.End(r.now, trial, false)
	r.is(Closed, time.Time{})
	r.fail()
	r.fail() // with the trial's the third
	r.is(Open, r.now.Add(wait))
}

// The end of a call opens a breaker or closes it, or leaves it as it was. Half open it becomes by
// time alone: so whoever tells others how it is, at the end of a call, need not tell of that.
func TestNoEndMakesABreakerHalfOpen(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		r := newRig(t, rapid.SampledFrom([]Policy{inARow, inWindow}).Draw(rt, "policy"))
		var calls []Call
		for range rapid.IntRange(1, 40).Draw(rt, "steps") {
			r.now = r.now.Add(time.Duration(rapid.IntRange(0, 4).Draw(rt, "seconds")) * time.Second)
			if ok, _ := r.Admits(r.now); ok {
				calls = append(calls, r.Begin(r.now))
			}
			if rapid.IntRange(0, 9).Draw(rt, "by hand") == 0 {
				r.TryNow()
			}
			if len(calls) == 0 || rapid.Bool().Draw(rt, "still under way") {
				continue
			}
			was := r.State(r.now)
			opened := r.End(r.now, calls[0], rapid.Bool().Draw(rt, "succeeded"))
			if calls = calls[1:]; (opened || r.State(r.now) != was) && r.State(r.now) == HalfOpen {
				rt.Fatalf("it was %s and is half open, opened %v", was, opened)
			}
		}
	})
}
