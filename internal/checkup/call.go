package checkup

import (
	"context"

	"github.com/orderhook/orderhook/internal/api"
	"github.com/orderhook/orderhook/internal/jsondoc"
	"github.com/orderhook/orderhook/internal/outbound"
	"github.com/orderhook/orderhook/internal/rerun"
)

// kind begins calls as the server begins those of a kind.
type kind interface {
	// begin returns a call about a document, which stays as it is. The error says why no
	// server would make it.
	begin(doc *jsondoc.Object) (*call, error)
	// example returns a document for those who give none.
	example() *jsondoc.Object
}

// newKind returns the kind that the options name.
func newKind(ctx context.Context, o *Options, client *outbound.Client, secrets *memorySecrets) (kind, error) {
	switch o.Kind {
	case Validator:
		return newValidatorKind(o, secrets)
	case Event:
		return newEventKind(o, api.EndpointChecks(ctx, client, tenant), secrets)
	}
	return newStepKind(o, secrets)
}

// signing says with what a request is signed.
type signing int

const (
	genuine  signing = iota // with the secret that was given
	forged                  // with another one
	unsigned                // not at all
	signings
)

// variation says how one request of a call differs from the others of the call.
type variation struct {
	attempt int // from 1
	signing signing
	stale   bool // its time is long over
	broken  bool // its body breaks off
}

// call is a call that can be made again and again: its document and its key stay.
type call struct {
	doc     *jsondoc.Object // as it is sent
	request func(variation) (outbound.Request, error)
	// effect says what the server would make of an answer, which is no trouble of this
	// machine's own.
	effect func(outbound.Request, outbound.Exchange) effect
}

// effect is what the server would make of an answer.
type effect struct {
	*rerun.Decision
	text  string          // what becomes of the order, the cart or the event
	after *jsondoc.Object // the cart as it is then; nil: as it was, or there is none
}

// answered reports whether the answer was taken as one.
func (e effect) answered() bool { return e.Outcome == rerun.Answered }

// sent is a request that was made.
type sent struct {
	effect
	call      *call
	variation variation
	about     string // what it was, in a few words
	request   outbound.Request
	exchange  outbound.Exchange
}
