package filter

import "fmt"

// An evaluation is measured in steps: one for each part of the expression that is
// looked at, and more for long texts, lists and numbers. A step takes some tens
// of nanoseconds.
const (
	// mostSteps bounds one evaluation.
	mostSteps = 100_000
	// lightSteps is what any evaluation may take, whatever others took. Most take
	// less than a tenth of it.
	lightSteps = 300
)

// Effort is what the heavy evaluations of one write, or of one publication, may
// cost together. It is not safe for concurrent use. Whoever decides the write makes it, and
// hands it from filter to filter. One that is used up still lets light filters be
// evaluated.
type Effort struct {
	// left is how many steps heavy evaluations may still take, beyond those that are light.
	left int
}

// NewEffort is the effort for one write or publication, which is decided outside of the
// writer: half a second or so. However many events and filters there are, the heavy
// evaluations stay within it.
func NewEffort() *Effort { return &Effort{left: 10_000_000} }

// allowance is how many steps the next evaluation may take. So a light filter is evaluated
// even when others have used up all that there was.
func (e *Effort) allowance() int { return min(mostSteps, lightSteps+e.left) }

// Spent reports whether so little is left that a heavy evaluation may find no end. A job
// ends its step then, and the next step has a new effort.
func (e *Effort) Spent() bool { return e.left < mostSteps }

// spent notes what an evaluation took. Light evaluations cost nothing.
func (e *Effort) spent(steps int) { e.left -= max(0, steps-lightSteps) }

// fault is why an event cannot be evaluated. It is thrown, and caught by Admits. Anything
// else that is thrown is an error of this program.
type fault string

// faultf makes a fault. Its text is for whoever wrote the filter, and says nothing of this code.
func faultf(format string, args ...any) fault { return fault(fmt.Sprintf(format, args...)) }

// tooLong is thrown when the steps are used up. The endpoint gets the event then
// (docs/contract.md#filters).
const tooLong = fault("it takes too long: the data is too large for it, or others of the same write took the time")

// textStep is how many bytes of text are looked at in one step. A text is looked at much
// faster than the parts of an expression.
const textStep = 32
