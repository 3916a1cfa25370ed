package bench

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// sample is how long the rounds of a measurement took. It is in the order of the rounds.
type sample []time.Duration

// at returns a percentile, 0 of no rounds. It sorts a copy; 100 is the longest.
func (s sample) at(percent int) time.Duration {
	if len(s) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(s))
	return sorted[min(len(sorted)-1, len(sorted)*percent/100)]
}

// p is a percentile as a text.
func (s sample) p(percent int) string { return ms(s.at(percent)) }

// ms is a time as a text in milliseconds.
func ms(d time.Duration) string { return fmt.Sprintf("%.2f ms", float64(d.Microseconds())/1000) }

// bar says what is asked for, and whether it is met. The report has it behind the figure.
func bar(met bool, format string, args ...any) string {
	verdict := "missed"
	if met {
		verdict = "ok"
	}
	return fmt.Sprintf("(bar: %s; %s)", fmt.Sprintf(format, args...), verdict)
}

// atMost is bar for a time that is asked for.
func atMost(took, most time.Duration) string {
	return bar(took <= most, "at most %g ms", float64(most.Microseconds())/1000)
}

// less is how much longer each round took than the same one of another sample. Both must
// have as many rounds.
func (s sample) less(other sample) sample {
	out := make(sample, len(s))
	for i := range s {
		out[i] = s[i] - other[i]
	}
	return out
}

// warmUp is how many first rounds are not counted. Connections are opened in them, and
// caches filled.
const warmUp = 20

// inTurn does all of some things in each round, until the budget of each is
// used up, and returns what each took. So whatever slows down the machine for a while
// slows down all of them. There are as many counted rounds as warm ones at least, however
// short the budget.
func inTurn(ctx context.Context, budget time.Duration, do ...func() error) ([]sample, error) {
	out := make([]sample, len(do))
	end := time.Now().Add(budget * time.Duration(len(do)))
	for round := 0; ctx.Err() == nil && (round < 2*warmUp || time.Now().Before(end)); round++ {
		for i, f := range do {
			begin := time.Now()
			if err := f(); err != nil {
				return nil, err
			}
			// Each thing is timed by itself, and the first rounds of all of them are left
			// out.
			if round >= warmUp {
				out[i] = append(out[i], time.Since(begin))
			}
		}
	}
	return out, ctx.Err()
}

// times has some callers do something a number of times in all. It has all the time that
// it takes.
func times(ctx context.Context, callers, count int, do func() error) error {
	// The callers share one number, so the slow ones do less and all end at nearly the
	// same time.
	left := atomic.Int64{}
	left.Store(int64(count))
	_, err := perSecond(ctx, callers, time.Hour, func() error {
		if left.Add(-1) < 0 {
			return errEnough
		}
		return do()
	})
	if err == errEnough {
		return nil
	}
	return err
}

// errEnough ends callers that have no more to do.
var errEnough = errors.New("done as often as asked")

// perSecond has some callers do something over and over until the budget is
// used up, and returns how often it was done a second. The first error ends all callers,
// and is returned.
func perSecond(ctx context.Context, callers int, budget time.Duration, do func() error) (float64, error) {
	return perSecondOf(ctx, callers, budget, func(int) error { return do() })
}

// perSecondOf is perSecond for callers that each do something of their own. A caller
// finishes what it has begun when the time is over, and that counts, with its time.
func perSecondOf(ctx context.Context, callers int, budget time.Duration, do func(caller int) error) (float64, error) {
	var (
		wg     sync.WaitGroup
		done   atomic.Int64
		failed atomic.Pointer[error]
		begin  = time.Now()
	)
	for caller := range callers {
		wg.Go(func() {
			for ctx.Err() == nil && failed.Load() == nil && time.Since(begin) < budget {
				if err := do(caller); err != nil {
					failed.CompareAndSwap(nil, &err)
					return
				}
				done.Add(1)
			}
		})
	}
	// What a caller had begun is done by then. The time is taken only now, so it is
	// counted with it.
	wg.Wait()
	if err := failed.Load(); err != nil {
		return 0, *err
	}
	return float64(done.Load()) / time.Since(begin).Seconds(), ctx.Err()
}

// paced does something so many times at an even pace, each time in a goroutine
// of its own, so that a slow one holds up none behind it. A caller that waited for
// answers would send less to a slow server, and hide how slow it is.
func paced(ctx context.Context, every time.Duration, count int, do func(i int) error) error {
	var (
		wg     sync.WaitGroup
		failed atomic.Pointer[error]
		begin  = time.Now()
	)
	for i := 0; i < count && ctx.Err() == nil && failed.Load() == nil; i++ {
		// The time of each is reckoned from the beginning, so a delay of one does not add
		// up.
		time.Sleep(time.Until(begin.Add(time.Duration(i) * every)))
		wg.Go(func() {
			if err := do(i); err != nil {
				failed.CompareAndSwap(nil, &err)
			}
		})
	}
	wg.Wait()
	if err := failed.Load(); err != nil {
		return *err
	}
	return ctx.Err()
}

// best returns which number of callers gets the most done. The first of several that do
// as much wins.
func best(callers []int, perSecond func(callers int) (float64, error)) (int, error) {
	most, at := 0.0, callers[0]
	for _, n := range callers {
		got, err := perSecond(n)
		if err != nil {
			return 0, err
		}
		if got > most {
			most, at = got, n
		}
	}
	return at, nil
}
