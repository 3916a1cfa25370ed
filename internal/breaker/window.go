package breaker

import "time"

// windowParts is how finely a window slides: a part at a time is forgotten, so
// that it takes no memory for each failure.
const windowParts = 10

// window counts what happened within a time. The zero value has counted nothing.
type window struct {
	newest int64 // part; they are numbered from 0
	counts [windowParts]int
}

// add counts one more, and returns how many there are in the window that ends now.
// Both times are those since the window was made.
func (w *window) add(at, now, length time.Duration) (sum int) {
	// A part of 0 would be a division by zero below.
	part := max(1, length/windowParts)
	w.slide(int64(now / part))
	number := int64(at / part)
	if age := w.newest - number; age >= 0 && age < windowParts {
		w.counts[number%windowParts]++
	}
	for _, n := range w.counts {
		sum += n
	}
	return sum
}

// slide forgets the parts that are over.
// After a long time without a failure it goes round once at most.
func (w *window) slide(newest int64) {
	for forgotten := 0; w.newest < newest && forgotten < windowParts; forgotten++ {
		w.newest++
		w.counts[w.newest%windowParts] = 0
	}
	w.newest = max(w.newest, newest)
}
