package main

import (
	"runtime"
	"testing"
)

func TestThereAreMoreThreadsThanProcessors(t *testing.T) {
	before := runtime.GOMAXPROCS(0)
	defer runtime.GOMAXPROCS(before)
	for _, row := range []struct {
		set       string
		now, want int
	}{{"", 1, 2}, {"", 2, 4}, {"", 4, 8}, {"", 16, 20}, {"2", 2, 2}} {
		t.Setenv("GOMAXPROCS", row.set)
		runtime.GOMAXPROCS(row.now)
		moreThreads()
		if got := runtime.GOMAXPROCS(0); got != row.want {
			t.Errorf("of %d, with GOMAXPROCS=%s: %d, want %d", row.now, row.set, got, row.want)
		}
	}
}
