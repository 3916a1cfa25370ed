package main

import (
	"runtime"
	"runtime/debug"
	"testing"
	"time"
)

func TestTheHeapGrowsByALimit(t *testing.T) {
	for live, want := range map[uint64]int{0: 400, 1 << 20: 400, 24 << 20: 400, 64 << 20: 150, 96 << 20: 100, 128 << 20: 400, 256 << 20: 200, 512 << 20: 100, 2 << 30: 50} {
		if got := percentFor(live); got != want {
			t.Errorf("with %d MiB live it grows by %d %%, want %d", live>>20, got, want)
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
	held := make([]byte, 1200<<20)
	for i := range held[:1<<20] {
		held[i] = 1
	}
	follows("with much live", func(p int) bool { return p == leastPercent })
	runtime.KeepAlive(held)
	held = nil
	follows("with little", func(p int) bool { return p == gcPercent })
}
