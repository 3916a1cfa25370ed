// Package decide says what becomes of an order and of its runs: by a change
// that somebody asks for, by the answer to a step's call, by a time that has
// come. It is pure: facts go in, a [Decision] comes out, and nothing else
// happens. The package workflow reads the facts and writes the decision. A dry
// run is a decision that nobody writes.
//
// The rules are those of CONTRACT.md, "Two-way steps"; a decision may be made
// more than once from newer facts, so it changes nothing that it was given.
package decide

import (
	"time"

	"github.com/orderhook/orderhook/internal/oms"
	"github.com/orderhook/orderhook/internal/settings"
)

// Facts is what a decision is made from.
type Facts struct {
	Now        time.Time
	oms.Author // who asks for the change, for the history

	Order *oms.Order         // as it is stored; nil: it is to be created
	Today *settings.Settings // as they are now

	// Queued says that another run of the order comes before one that begins now.
	Queued bool

	// Of a run that exists:
	Run      *oms.Run
	Settings *settings.Settings // those that the run began with
	// Sent is the order's document as the run's call sent it; the stored one
	// where no call is under way.
	Sent *oms.Object
	// KnownStatus is the order's status as the run knew it last. It is needed
	// only where somebody else has set another since.
	KnownStatus string

	Rehearsal Rehearsal
	// MaxOrderBytes is how large a caller or the answer of a step may make the
	// order, as it is stored; 0 is no limit.
	MaxOrderBytes int64
	NewID         func(prefix string) string // [oms.NewID], but in tests
}

// Rehearsal says what a dry run does with a step that needs a call.
type Rehearsal int

// The kinds of dry run (API.md, "A workflow result").
const (
	Real         Rehearsal = iota // it is none
	WithoutCalls                  // the step would run
	WithCalls                     // the step's call is made once, and not recorded
)

// scope is what a run is for.
type scope struct{ status, shipmentID, returnID string }
