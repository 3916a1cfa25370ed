// Package decide says what becomes of an order and of its runs: by a change
// that somebody asks for, by the answer to a step's call, by a time that has
// come. It is pure: facts go in, a [Decision] comes out, and nothing else
// happens. The package workflow reads the facts and writes the decision. A dry
// run is a decision that nobody writes.
//
// The rules are those of docs/contract.md#effects; a decision may be made
// more than once from newer facts, so it changes nothing that it was given. It knows no
// store, clock, client or context: time and ids come in with the facts. Begin to read with
// [Create] and [Answer], then with advance in run.go, to which both lead.
package decide

import (
	"time"

	"github.com/orderhook/orderhook/internal/jsondoc"
	"github.com/orderhook/orderhook/internal/order"
	"github.com/orderhook/orderhook/internal/run"
	"github.com/orderhook/orderhook/internal/settings"
)

// Facts is what a decision is made from. Decisions share them with the caller and with
// caches of the store, so no decision changes anything in them.
type Facts struct {
	Now          time.Time
	order.Author // who asks for the change, for the history

	Order *order.Order       // as it is stored; nil: it is to be created
	Today *settings.Settings // as they are now

	// Queued says that another run of the order comes before one that begins now.
	Queued bool

	// For a run that exists:
	Run      *run.Run
	Settings *settings.Settings // those that the run began with
	// Sent is the order's document as the run's call sent it; the stored one
	// where no call is under way.
	Sent *jsondoc.Object
	// KnownStatus is the order's status as the run knew it last. It is needed
	// only where somebody else has set another since.
	KnownStatus string

	// Trace is the place in a trace of a run that begins, is triggered or goes on again.
	Trace run.Trace

	DryRun DryRun
	// MaxOrderBytes is how large a caller or the answer of a step may make the
	// order, as it is stored; 0 is no limit.
	MaxOrderBytes int64
	NewID         func(prefix string) string // [ids.New], but in tests
}

// DryRun says what a dry run does with a step that needs a call.
type DryRun int

// The kinds of dry run (docs/contract.md#runs).
const (
	NoDryRun     DryRun = iota // it is none
	WithoutCalls               // the step would run
	WithCalls                  // the step's call is made once, and not recorded
)

// scope is what a run is for. Without any id it is the order itself.
type scope struct{ status, shipmentID, returnID string }
