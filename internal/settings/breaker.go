package settings

import (
	"time"

	"github.com/sosodev/duration"
)

// Breaker keeps calls away from a connector's endpoint for a while after it
// failed again and again. A connector without one is always called.
type Breaker struct {
	Failures  int           // as many failed attempts …
	Window    time.Duration // … within this time open the breaker …
	OpenFor   time.Duration // … for this time
	WhileOpen WhileOpen
}

// WhileOpen says what becomes of a step whose connector's breaker is open.
type WhileOpen string

// What can become of it.
const (
	FailWhileOpen WhileOpen = "fail" // as a failed call, at once
	SkipWhileOpen WhileOpen = "skip" // a warning, and the workflow goes on
	WaitWhileOpen WhileOpen = "wait" // the run waits until the breaker lets calls through
)

// maxFailures bounds what a breaker counts.
const maxFailures = 1_000_000

func breaker(n node) *Breaker {
	obj, given := n.object("breaker")
	if !given {
		return nil
	}
	b := &Breaker{
		Failures:  int(obj.whole("failures", 1, maxFailures)),
		Window:    obj.requiredSpan("window"),
		OpenFor:   obj.requiredSpan("openFor"),
		WhileOpen: FailWhileOpen,
	}
	if s := obj.text("whileOpen"); s != "" {
		b.WhileOpen = WhileOpen(fold(s))
	}
	switch b.WhileOpen {
	case FailWhileOpen, SkipWhileOpen, WaitWhileOpen:
	default:
		obj.wrong(obj.path("whileOpen"), "must be fail, skip or wait")
	}
	return b
}

// span reads an optional length of time of orderhook's own settings: a
// TimeSpan as the seeds have it, or ISO 8601. 0 where it is not given.
func (n node) span(name string) time.Duration {
	s, given := value[string](n, name, "a time span, as text")
	if !given {
		return 0
	}
	d, err := ParseTimeSpan(s)
	if iso, isoErr := duration.Parse(s); err != nil && isoErr == nil {
		d, err = iso.ToTimeDuration(), nil
	}
	switch {
	case err != nil:
		n.wrong(n.path(name), "%v, or a duration as PT30S", err)
	case d <= 0:
		n.wrong(n.path(name), "must be more than 0")
	}
	return d
}

func (n node) requiredSpan(name string) time.Duration {
	if !n.obj.Has(name) {
		n.wrong(n.path(name), "is needed")
	}
	return n.span(name)
}
