package bench

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"time"
)

// heading names the machine and the day.
func heading(version string) string {
	return fmt.Sprintf(`# Benchmarks

Written by `+"`orderhook bench`"+`, on %s: %s, %d cores, %s/%s, %s, orderhook %s, SQLite.
The server, the endpoint and the client share these cores.
`, time.Now().UTC().Format(time.DateOnly), processor(), runtime.NumCPU(), runtime.GOOS, runtime.GOARCH, runtime.Version(), version)
}

// processor is the processor's name as Linux tells it.
func processor() string {
	info, _ := os.ReadFile("/proc/cpuinfo")
	for line := range strings.Lines(string(info)) {
		if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return "an unnamed processor"
}
