package bench

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"time"
)

// heading names the machine and the day. Figures mean nothing without them.
func (o *Options) heading() string {
	var names []string
	// The engines that are measured are named, because a reader may look at one report
	// alone.
	for _, e := range o.engines() {
		names = append(names, e.name)
	}
	return fmt.Sprintf(`# Benchmarks

Written by `+"`orderhook bench`"+`, on %s: %s, %d cores, %s/%s, %s, orderhook %s, %s.
The servers, that of PostgreSQL included, the endpoint and the client share these cores.

To repeat it: `+"`make bench`"+`, or `+"`orderhook bench --only arrays,secure,singles`"+` for some of it, on a machine that does nothing else. Machines
differ, so the ratios to a bare client of the same run are what can be compared. What is called durable is on the disk when its caller is answered: SQLite commits with
`+"`synchronous=FULL`"+`, PostgreSQL as its server is configured. An event is so before its publication is answered, a delivery's outcome soon after the endpoint
answered, a step before the next one begins. The sink is an HTTP server of Go in the same process, which reads each request, counts it and answers 204; with TLS it
speaks HTTP/1.1.
`, time.Now().UTC().Format(time.DateOnly), processor(), runtime.NumCPU(), runtime.GOOS, runtime.GOARCH, runtime.Version(), o.Version, strings.Join(names, " and "))
}

// processor is the processor's name as Linux tells it. Elsewhere it has no name.
func processor() string {
	info, _ := os.ReadFile("/proc/cpuinfo")
	for line := range strings.Lines(string(info)) {
		if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return "an unnamed processor"
}
