package simulate

import (
	"reflect"
	"strings"
	"time"

	"github.com/orderhook/orderhook/internal/attempt"
	"github.com/orderhook/orderhook/internal/event"
	"github.com/orderhook/orderhook/internal/jsondoc"
	"github.com/orderhook/orderhook/internal/run"
	"github.com/orderhook/orderhook/internal/settings"
)

// pair finds, for each step of a run that begins here, which step of the recorded run it is,
// and whether all of the run goes by what it went by then.
func (w *world) pair(r *simRun, begun *run.Run) error {
	r.same = make([]int, len(begun.Results))
	for i := range r.same {
		r.same[i] = -1
	}
	if r.recorded == nil {
		return nil
	}
	if r.was == nil { // else it was triggered by another run, whose settings it has
		var err error
		if r.was, err = w.rules.then(w.ctx, r.recorded.Created, r.recorded.beganBy()); err != nil {
			return err
		}
	}
	then, now := r.was.StatusOf(r.recorded.Run), r.settings.StatusOf(begun)
	taken := map[int]bool{}
	for _, alike := range likenesses {
		for i := range begun.Results {
			if r.same[i] >= 0 {
				continue
			}
			for j := range r.recorded.Results {
				a, b := &now.Steps[begun.Results[i].ConfigIndex], stepAt(then, r.recorded.Results[j].ConfigIndex)
				if b != nil && !taken[j] && alike(a, b) {
					r.same[i], taken[j] = j, true
					break
				}
			}
		}
	}
	r.exact = w.goesBy(r, begun)
	return nil
}

// goesBy reports whether all of a run goes by what it went by then.
func (w *world) goesBy(r *simRun, begun *run.Run) bool {
	return r.was.Version == r.settings.Version || w.unchanged(r, begun, r.was.StatusOf(r.recorded.Run), r.settings.StatusOf(begun))
}

func stepAt(s *settings.Status, i int) *settings.Step {
	if i >= len(s.Steps) {
		return nil
	}
	return &s.Steps[i]
}

// likenesses say which step of other settings is the same one: the first that finds one
// counts. It is the one of the same name and target, then that of the same display name, then
// that of the same target.
var likenesses = []func(a, b *settings.Step) bool{
	func(a, b *settings.Step) bool { return named(a, b) && aimed(a, b) },
	func(a, b *settings.Step) bool { return named(a, b) && a.DisplayName != "" },
	func(a, b *settings.Step) bool { return strings.EqualFold(a.Name, b.Name) && aimed(a, b) },
}

func named(a, b *settings.Step) bool {
	return strings.EqualFold(a.Name, b.Name) && a.DisplayName == b.DisplayName
}

func aimed(a, b *settings.Step) bool {
	return a.Host == b.Host && strings.EqualFold(a.Connector, b.Connector) && a.ConnectorID == b.ConnectorID
}

// unchanged reports whether the settings say the same of a run as those that it had.
func (w *world) unchanged(r *simRun, begun *run.Run, then, now *settings.Status) bool {
	if len(then.Steps) != len(now.Steps) || then.MaxDuration != now.MaxDuration || then.MainOrderStatus != now.MainOrderStatus ||
		then.ShipmentStatusUpdate != now.ShipmentStatusUpdate || len(r.recorded.Results) != len(begun.Results) {
		return false
	}
	market := w.order.Doc.Text("marketId")
	for i := range then.Steps {
		a, b := &then.Steps[i], &now.Steps[i]
		x, ok := r.was.Target(a, market)
		y, also := r.settings.Target(b, market)
		if ok != also || x.URL != y.URL || !sameConnector(x.Connector, y.Connector) || !jsondoc.Identical(a.Wire, b.Wire) || !reflect.DeepEqual(a.Limits, b.Limits) {
			return false
		}
	}
	return true
}

// sameConnector reports whether calls go the same way by two connectors.
func sameConnector(a, b *settings.Connector) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.Timeout == b.Timeout && a.DisableStandardErrorPolicy == b.DisableStandardErrorPolicy && reflect.DeepEqual(a.Breaker, b.Breaker)
}

// timeout is how long an attempt at the call of a run may take here.
func (w *world) timeout(r *simRun) time.Duration { return timeoutOf(w.target(r).Connector) }

// stepThen is the step of a run's call as it was configured then, nil if the settings of then have
// none in its place.
func stepThen(r *simRun) *settings.Step {
	was := r.recorded.Results[r.same[r.run.Position.Step]]
	return stepAt(r.was.StatusOf(r.recorded.Run), was.ConfigIndex)
}

// timeoutThen is how long it was then.
func (w *world) timeoutThen(r *simRun) time.Duration {
	step := stepThen(r)
	if step == nil {
		return event.DefaultTimeout
	}
	t, _ := r.was.Target(step, w.order.Doc.Text("marketId"))
	return timeoutOf(t.Connector)
}

func timeoutOf(c *settings.Connector) time.Duration {
	if c == nil || c.Timeout == 0 {
		return event.DefaultTimeout
	}
	return c.Timeout
}

// timedOut reports whether an attempt had no answer in all the time that it had.
func (w *world) timedOut(r *simRun, a *attempt.Attempt) bool {
	return a.Status == 0 && time.Duration(a.DurationMs*float64(time.Millisecond)) >= w.timeoutThen(r)-timeoutSlack
}

// sentThen is the order that the call of a run sent then, where it is another one here; nil
// where it is the same.
func (w *world) sentThen(r *simRun) (*jsondoc.Object, error) {
	if r.call.base == 0 {
		return nil, nil
	}
	was, err := w.record.version(w.ctx, r.call.base)
	if err != nil {
		return nil, err
	}
	if sameContent(was.Doc, r.sent) {
		return nil, nil
	}
	w.note("%s is sent another order here; its answer is the one that it gave then", r.run.StepName(r.run.Position.Step))
	return was.Doc, nil
}

// noteOtherCall notes where a call of a run is made at another URL than then, or with another
// configuration of its step. The answer on record is used all the same, since there is no other.
func (w *world) noteOtherCall(r *simRun) {
	p := r.run.Position.Step
	then := stepThen(r)
	now := stepAt(r.settings.StatusOf(r.run), r.run.Results[p].ConfigIndex)
	if then == nil || now == nil {
		return
	}
	const answered = "its answer is the one that it gave then"
	if was, _ := r.was.Target(then, w.order.Doc.Text("marketId")); was.URL != w.target(r).URL {
		w.note("%s is called at another URL here; "+answered, r.run.StepName(p))
	}
	if !jsondoc.Identical(then.Wire, now.Wire) {
		w.note("%s is sent another configuration here; "+answered, r.run.StepName(p))
	}
}
