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

// sample is how long the rounds of a measurement took.
type sample []time.Duration

// at returns a percentile, 0 of no rounds.
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

// bar says what is asked for, and whether it is met.
func bar(met bool, format string, args ...any) string {
	verdict := "missed"
	if met {
		verdict = "ok"
	}
	return fmt.Sprintf("(bar: %s; %s)", fmt.Sprintf(format, args...), verdict)
}

// less is how much longer each round took than the same one of another sample.
func (s sample) less(other sample) sample {
	out := make(sample, len(s))
	for i := range s {
		out[i] = s[i] - other[i]
	}
	return out
}

// warmUp is how many first rounds are not counted.
const warmUp = 20

// inTurn does all of some things in each round, until the budget of each is
// used up, and returns what each took.
func inTurn(ctx context.Context, budget time.Duration, do ...func() error) ([]sample, error) {
	out := make([]sample, len(do))
	end := time.Now().Add(budget * time.Duration(len(do)))
	for round := 0; ctx.Err() == nil && (round < 2*warmUp || time.Now().Before(end)); round++ {
		for i, f := range do {
			begin := time.Now()
			if err := f(); err != nil {
				return nil, err
			}
			if round >= warmUp {
				out[i] = append(out[i], time.Since(begin))
			}
		}
	}
	return out, ctx.Err()
}

// times has some callers do something a number of times in all.
func times(ctx context.Context, callers, count int, do func() error) error {
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

var errEnough = errors.New("done as often as asked")

// perSecond has some callers do something over and over until the budget is
// used up, and returns how often it was done a second.
func perSecond(ctx context.Context, callers int, budget time.Duration, do func() error) (float64, error) {
	return perSecondOf(ctx, callers, budget, func(int) error { return do() })
}

// perSecondOf is perSecond for callers that each do something of their own.
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
	wg.Wait()
	if err := failed.Load(); err != nil {
		return 0, *err
	}
	return float64(done.Load()) / time.Since(begin).Seconds(), ctx.Err()
}

// paced does something so many times at an even pace, each time in a goroutine
// of its own, so that a slow one holds up none behind it.
func paced(ctx context.Context, every time.Duration, count int, do func(i int) error) error {
	var (
		wg     sync.WaitGroup
		failed atomic.Pointer[error]
		begin  = time.Now()
	)
	for i := 0; i < count && ctx.Err() == nil && failed.Load() == nil; i++ {
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

// best returns which number of callers gets the most done.
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
