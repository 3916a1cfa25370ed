package main

import (
	"runtime"
	"runtime/debug"
	"testing"
	"time"
)

func TestTheHeapGrowsByALimit(t *testing.T) {
	for _, row := range []struct {
		live  uint64 // MiB
		large bool   // documents are worked on
		want  int
	}{
		{0, false, 400}, {1, false, 400}, {24, false, 400}, {64, false, 150}, {96, false, 100}, {192, false, 50}, {1024, false, 50},
		{1, true, 400}, {128, true, 400}, {256, true, 200}, {512, true, 100}, {2048, true, 50},
	} {
		if got := percentFor(row.live<<20, row.large); got != row.want {
			t.Errorf("with %d MiB live it grows by %d %%, want %d (large documents: %v)", row.live, got, row.want, row.large)
		}
	}
}

// TestTheHeapIsFollowed holds much, and has the percentage follow it both ways.
func TestTheHeapIsFollowed(t *testing.T) {
	t.Setenv("GOGC", "")
	before := debug.SetGCPercent(gcPercent)
	relaxGC()
	defer debug.SetGCPercent(before)
	current := func() int {
		p := debug.SetGCPercent(gcPercent)
		debug.SetGCPercent(p)
		return p
	}
	follows := func(what string, is func(int) bool) {
		t.Helper()
		for deadline := time.Now().Add(30 * time.Second); !is(current()); runtime.Gosched() { // cleanups run when they run
			if time.Now().After(deadline) {
				t.Fatalf("%s: %d %%", what, current())
			}
			runtime.GC()
		}
	}
	held := make([]byte, 200<<20)
	for i := range held[:1<<20] {
		held[i] = 1
	}
	follows("with much live", func(p int) bool { return p == leastPercent })
	runtime.KeepAlive(held)
	held = nil
	follows("with little", func(p int) bool { return p == gcPercent })
}
