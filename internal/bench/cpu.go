package bench

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"
)

// cpuTime is the CPU time that this process has taken, as Linux tells it, in
// steps of 10 ms.
func cpuTime() time.Duration {
	stat, _ := os.ReadFile("/proc/self/stat")
	_, fields, _ := strings.Cut(string(stat), ") ") // the name may hold blanks
	var user, system int64
	var skip string
	_, _ = fmt.Sscan(fields, &skip, &skip, &skip, &skip, &skip, &skip, &skip, &skip, &skip, &skip, &skip, &user, &system)
	return time.Duration(user+system) * 10 * time.Millisecond
}

// stopwatch measures time and the CPU time taken in it.
type stopwatch struct {
	begun time.Time
	cpu   time.Duration
}

func startWatch() stopwatch { return stopwatch{time.Now(), cpuTime()} }

func (s stopwatch) elapsed() time.Duration { return time.Since(s.begun) }
func (s stopwatch) used() time.Duration    { return cpuTime() - s.cpu }

// quiet returns once this process has had next to nothing to do for a while:
// what the server does behind its deliveries is done.
func quiet(ctx context.Context, while, most time.Duration) error {
	for end := time.Now().Add(most); time.Now().Before(end); {
		watch := startWatch()
		if err := sleep(ctx, while); err != nil {
			return err
		}
		if watch.used() <= while/50 {
			return nil
		}
	}
	return ctx.Err()
}

// sleep waits, unless ctx ends.
func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// until returns once something holds, which it asks for again and again; an
// error if it does not for so long.
func until(ctx context.Context, what string, most, every time.Duration, holds func() (bool, error)) error {
	for end := time.Now().Add(most); time.Now().Before(end); {
		if ok, err := holds(); ok || err != nil {
			return err
		}
		if err := sleep(ctx, every); err != nil {
			return err
		}
	}
	return fmt.Errorf("%s: not so after %s", what, most)
}
