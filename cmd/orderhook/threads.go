package main

import (
	"os"
	"runtime"
)

// mostMoreThreads is by how many threads that run Go code there are more than
// processors, at most.
const mostMoreThreads = 4

// moreThreads has more threads run Go code than there are processors, unless
// GOMAXPROCS is set. A large document, or the collector, then keeps no request
// waiting for 10 ms, which is how long Go lets a goroutine run: it is the system that
// shares out the processors, by priority.
func moreThreads() {
	if os.Getenv("GOMAXPROCS") == "" {
		now := runtime.GOMAXPROCS(0)
		runtime.GOMAXPROCS(now + min(now, mostMoreThreads))
	}
}
