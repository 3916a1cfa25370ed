package main

import (
	"os"
	"runtime/debug"
)

// gcPercent has the heap grow to three times what is live before it is
// collected, not to twice: half as many collections. More would not leave
// enough of the 256 MiB with 1,000,000 deliveries waiting.
const gcPercent = 200

// relaxGC sets gcPercent, unless GOGC is set, for the server and for what
// measures it.
func relaxGC() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
}
