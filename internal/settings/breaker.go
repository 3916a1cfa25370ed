package settings

import (
	"time"

	"github.com/orderhook/orderhook/internal/spelling"
)

// Breaker keeps calls away from a connector's endpoint for a while after it
// failed again and again. A connector without one is always called. A connector that asks
// for one has to say all of it but WhileOpen.
type Breaker struct {
	Failures  int           // as many failed attempts …
	Window    time.Duration // … within this time open the breaker …
	OpenFor   time.Duration // … for this time
	WhileOpen WhileOpen
}

// WhileOpen says what becomes of a step whose connector's breaker is open. The engine asks
// for it at each call that an open breaker keeps back.
type WhileOpen string

// What can become of it.
const (
	FailWhileOpen WhileOpen = "fail" // as a failed call, at once
	SkipWhileOpen WhileOpen = "skip" // a warning, and the workflow goes on
	WaitWhileOpen WhileOpen = "wait" // the run waits until the breaker lets calls through
)

// maxFailures bounds what a breaker counts. It is far beyond what makes sense.
const maxFailures = 1_000_000

// breaker reads the breaker of a connector; nil if it has none. Its numbers have no
// defaults: what is right depends on the endpoint.
func breaker(n node) *Breaker {
	obj, given := n.object("breaker")
	if !given {
		return nil
	}
	obj.warnUnread(breakerKind)
	b := &Breaker{
		Failures:  int(obj.whole("failures", maxFailures)),
		Window:    obj.requiredSpan("window"),
		OpenFor:   obj.requiredSpan("openFor"),
		WhileOpen: FailWhileOpen,
	}
	if s := obj.text("whileOpen"); s != "" {
		b.WhileOpen = WhileOpen(spelling.FoldName(s))
	}
	switch b.WhileOpen {
	case FailWhileOpen, SkipWhileOpen, WaitWhileOpen:
	default:
		obj.wrong(obj.path("whileOpen"), "must be fail, skip or wait")
	}
	return b
}

// requiredSpan is span for a length that must be given.
func (n node) requiredSpan(name string) time.Duration {
	if !n.obj.Has(name) {
		n.wrong(n.path(name), "is needed")
	}
	return n.span(name)
}
