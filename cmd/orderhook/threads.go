package main

import (
	"os"
	"runtime"
)

// mostMoreThreads is how many more threads than processors may run Go code.
const mostMoreThreads = 4

// moreThreads lets more threads run Go code than there are processors, unless GOMAXPROCS
// is set. Otherwise a large document, or the garbage collector, would keep a request
// waiting for 10 ms, which is how long Go lets a goroutine run. With more threads the
// operating system shares the processors, by priority. A machine with one processor gets
// one more, and one with many gets four.
func moreThreads() {
	if os.Getenv("GOMAXPROCS") == "" {
		now := runtime.GOMAXPROCS(0)
		runtime.GOMAXPROCS(now + min(now, mostMoreThreads))
	}
}
