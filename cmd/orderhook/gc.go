package main

import (
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"time"

	"github.com/orderhook/orderhook/internal/admission"
)

// The garbage collector runs less often than by default: the heap may grow to five times
// what is in use, and not only to twice, which makes a quarter of the collections. But it
// grows by at most headroom, so that a server that uses much memory does not take a
// multiple of that. It grows by leastPercent at least, because a collection costs as much
// as there is in use.
//
// While large documents are worked on, the headroom is larger. They leave much garbage,
// and each collection takes processors from everybody while it marks what is in use. With
// the larger headroom there are a third as many.
const (
	gcPercent     = 400
	leastPercent  = 50
	headroom      = 96 << 20 // bytes
	largeHeadroom = 512 << 20
	largeFor      = time.Second // how long the larger headroom stays after the last large document
)

// relaxGC applies these limits, unless GOGC is set. It is called for the server, and for
// the benchmark that measures the server. GOGC is the operator's own decision, so it is
// left alone.
func relaxGC() {
	if os.Getenv("GOGC") != "" {
		return
	}
	debug.SetGCPercent(gcPercent)
	afterGC(gcPercent)
}

// afterGC calculates the percentage again after each collection. The cleanup of an object
// that nothing refers to is the only way to run something after each collection: the
// runtime has no event for it. It costs one small object for each collection.
func afterGC(percent int) {
	runtime.AddCleanup(new([16]byte), func(now int) { // nothing refers to this value, so the next collection removes it, and this function runs
		next := percentFor(liveHeap(), admission.WorkedSince(largeFor))
		if next*10 < now*9 || next*9 > now*10 { // a small difference is not worth it: each change stops all goroutines for a moment
			debug.SetGCPercent(next)
			now = next
		}
		afterGC(now)
	}, percent)
}

// percentFor is by how many percent the heap may grow of which so many bytes are live,
// and whether there are large documents among them. The result lies between leastPercent
// and gcPercent.
func percentFor(live uint64, large bool) int {
	grow := uint64(headroom)
	if large {
		grow = largeHeadroom
	}
	return max(leastPercent, min(gcPercent, int(grow*100/max(live, 1))))
}

// liveHeap returns how many bytes were in use after the last collection. It reads a
// figure that the runtime has anyway, and stops nothing.
func liveHeap() uint64 {
	sample := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}
