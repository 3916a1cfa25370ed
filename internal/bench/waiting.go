package bench

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime/debug"
	"strings"
	"sync/atomic"
	"time"
)

// waitingRuns is how many runs wait for a retry at once, waitingMemory what
// they may take.
const (
	waitingRuns   = 10_000
	waitingMemory = 200 << 20
)

// waiting measures the memory that runs take which wait in a retry delay. It
// is that of this whole process, client and endpoint included. A goroutine for each of
// them would show here.
func (b *bench) waiting(ctx context.Context) (string, error) {
	// An endpoint that says it is busy: a step that gets this answer is tried again
	// later.
	busy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) }))
	defer busy.Close()
	settings := fmt.Sprintf(`{"orderTypes":[{"name":"Online","orderStatuses":[{"name":"Busy","workflowSteps":[%s]}]}]}`, step(busy.URL))
	if err := b.call(ctx, http.MethodPut, b.url+"/api/settings", settings, http.StatusOK); err != nil {
		return "", err
	}
	// What earlier work has left would otherwise count as memory of before.
	debug.FreeOSMemory()
	before := resident()
	var n atomic.Int64
	count := b.of(waitingRuns)
	// wait=false has each call answered at once. It would otherwise wait for the run,
	// which is what waits here.
	if err := times(ctx, 64, count, func() error {
		return b.post(ctx, b.url+"/api/orders?wait=false", orderOf(fmt.Sprintf("w-%d", n.Add(1)), "Busy"), http.StatusAccepted)
	}); err != nil {
		return "", err
	}
	most := peak(3*time.Second, b.budget)
	return fmt.Sprintf(`
## Memory with %d runs waiting in a retry delay

| before | with the runs waiting |
|---|---|
| %d MiB | **%d MiB** %s |
`, count, before>>20, most>>20, bar(most < waitingMemory, "under 200 MiB")), nil
}

// peak is the most memory that the process has within a time. The shorter of the two
// times counts.
func peak(times ...time.Duration) (most int64) {
	for end := time.Now().Add(min(times[0], times[1])); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		most = max(most, resident())
	}
	return most
}

// resident is this process's resident memory in bytes.
func resident() int64 { return residentOf("self") }

// residentOf is that of a process, as Linux tells it. It is 0 where there is no /proc.
func residentOf(pid string) int64 {
	status, _ := os.ReadFile("/proc/" + pid + "/status")
	for line := range strings.Lines(string(status)) {
		var kib int64
		if _, err := fmt.Sscanf(line, "VmRSS: %d kB", &kib); err == nil {
			return kib << 10
		}
	}
	return 0
}
