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
