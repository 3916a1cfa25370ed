package bench

import (
	"context"
	"errors"
	"os"
	"runtime"
	"runtime/pprof"
)

// profile begins to profile this process, which is server, publishers and
// endpoints at once, and returns what ends it and writes the files. A file that cannot be
// made is an error before anything is measured.
func profile(cpu, alloc string) (end func() error, err error) {
	// Without a profile there is nothing to end.
	endCPU := func() error { return nil }
	if cpu != "" {
		f, err := os.Create(cpu)
		if err != nil {
			return nil, err
		}
		if err := pprof.StartCPUProfile(f); err != nil {
			return nil, errors.Join(err, f.Close())
		}
		endCPU = func() error { pprof.StopCPUProfile(); return f.Close() }
	}
	return func() error {
		err := endCPU()
		if alloc != "" {
			err = errors.Join(err, writeAllocations(alloc))
		}
		return err
	}, nil
}

// writeAllocations writes what was allocated since the process began.
func writeAllocations(path string) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	runtime.GC() // the profile is as of the last one
	return errors.Join(pprof.Lookup("allocs").WriteTo(f, 0), f.Close())
}

// part labels what f does, and what the goroutines do that it starts, as a part
// of the load: pprof -tagfocus=server looks at the server alone.
func part(ctx context.Context, name string, f func()) {
	pprof.Do(ctx, pprof.Labels("part", name), func(context.Context) { f() })
}
