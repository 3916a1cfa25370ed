package filter

import "fmt"

// A judgement is measured in steps: one for each part of the expression that is
// looked at, and more for long texts, lists and numbers. A step takes some tens
// of nanoseconds.
const (
	// mostSteps bounds one judgement.
	mostSteps = 100_000
	// lightSteps is what any judgement may take, whatever others took. Most take
	// less than a tenth of it.
	lightSteps = 300
)

// Effort is what the heavy judgements of one write, or of one publication, may
// cost together. It is not safe for concurrent use.
type Effort struct {
	left int // steps beyond the light ones
}

// NewEffort is the effort for one write or publication, which is decided outside of the
// writer: half a second or so.
func NewEffort() *Effort { return &Effort{left: 10_000_000} }

// allowance is how many steps the next judgement may take.
func (e *Effort) allowance() int { return min(mostSteps, lightSteps+e.left) }

// Spent reports whether so little is left that a heavy judgement may find no end.
func (e *Effort) Spent() bool { return e.left < mostSteps }

// spent notes what a judgement took.
func (e *Effort) spent(steps int) { e.left -= max(0, steps-lightSteps) }

// fault is why an event cannot be judged. It is thrown, and caught by Admits.
type fault string

func faultf(format string, args ...any) fault { return fault(fmt.Sprintf(format, args...)) }

const tooLong = fault("it takes too long: the data is too large for it, or others of the same write took the time")

// textStep is how many bytes of text are looked at in one step.
const textStep = 32
