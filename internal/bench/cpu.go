package bench

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/orderhook/orderhook/internal/clock"
)

// cpuTime is the CPU time that this process has taken, as Linux tells it, in
// steps of 10 ms. It is 0 where there is no /proc, and then all figures of CPU time are.
func cpuTime() time.Duration {
	// Fields 14 and 15 of the line are the time in user and in system mode, in ticks of
	// 10 ms. They are counted from behind the name.
	stat, _ := os.ReadFile("/proc/self/stat")
	_, fields, _ := strings.Cut(string(stat), ") ") // the name may hold blanks
	var user, system int64
	var skip string
	_, _ = fmt.Sscan(fields, &skip, &skip, &skip, &skip, &skip, &skip, &skip, &skip, &skip, &skip, &skip, &user, &system)
	return time.Duration(user+system) * 10 * time.Millisecond
}

// stopwatch measures time and the CPU time taken in it. The CPU time is that of the whole
// process: publishers, server and endpoints.
type stopwatch struct {
	begun time.Time
	cpu   time.Duration
}

// startWatch begins to measure.
func startWatch() stopwatch { return stopwatch{time.Now(), cpuTime()} }

// elapsed and used return the time since the watch was started, and the CPU time that was
// taken in it.
func (s stopwatch) elapsed() time.Duration { return time.Since(s.begun) }
func (s stopwatch) used() time.Duration    { return cpuTime() - s.cpu }

// quiet returns once this process has had next to nothing to do for a while:
// what the server does behind its deliveries is done. Next to nothing is a fiftieth of
// one processor. After the longest time it returns as well, without an error: a busy
// machine is noise, and no failure.
func quiet(ctx context.Context, while, most time.Duration) error {
	for end := time.Now().Add(most); time.Now().Before(end); {
		watch := startWatch()
		if err := clock.Pause(ctx, clock.Real{}, while); err != nil {
			return err
		}
		if watch.used() <= while/50 {
			return nil
		}
	}
	return ctx.Err()
}

// until returns once something holds, which it asks for again and again; an
// error if it does not for so long. what says what should hold, for the error.
func until(ctx context.Context, what string, most, every time.Duration, holds func() (bool, error)) error {
	for end := time.Now().Add(most); time.Now().Before(end); {
		if ok, err := holds(); ok || err != nil {
			return err
		}
		if err := clock.Pause(ctx, clock.Real{}, every); err != nil {
			return err
		}
	}
	return fmt.Errorf("%s: not so after %s", what, most)
}
