package main

import (
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"time"

	"github.com/orderhook/orderhook/internal/admission"
)

// The heap is let grow before it is collected: to five times what is live, not to
// twice, which is a quarter of the collections. But by no more than headroom, so that a
// server that holds much does not take three times as much; and by leastPercent
// at least, since collections cost as much as there is live.
//
// While large documents are worked on there is more of it. What they leave is garbage
// soon, and each collection takes processors from everybody for as long as it takes to
// mark them: there are a third as many with the larger headroom.
const (
	gcPercent     = 400
	leastPercent  = 50
	headroom      = 96 << 20 // bytes
	largeHeadroom = 512 << 20
	largeFor      = time.Second // after somebody worked on a large document
)

// relaxGC has the collector follow these, unless GOGC is set, for the server and for
// what measures it.
func relaxGC() {
	if os.Getenv("GOGC") != "" {
		return
	}
	debug.SetGCPercent(gcPercent)
	afterGC(gcPercent)
}

// afterGC sets the percentage anew after each collection.
func afterGC(percent int) {
	runtime.AddCleanup(new([16]byte), func(now int) { // what nobody holds is gone with the next one
		next := percentFor(liveHeap(), admission.WorkedSince(largeFor))
		if next*10 < now*9 || next*9 > now*10 { // each change stops the world for a moment
			debug.SetGCPercent(next)
			now = next
		}
		afterGC(now)
	}, percent)
}

// percentFor is by how many percent the heap may grow of which so many bytes are live,
// and whether there are large documents among them.
func percentFor(live uint64, large bool) int {
	grow := uint64(headroom)
	if large {
		grow = largeHeadroom
	}
	return max(leastPercent, min(gcPercent, int(grow*100/max(live, 1))))
}

// liveHeap is how many bytes the last collection left.
func liveHeap() uint64 {
	sample := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}
