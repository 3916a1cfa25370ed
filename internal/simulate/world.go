package simulate

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/orderhook/orderhook/internal/event"
	"github.com/orderhook/orderhook/internal/ids"
	"github.com/orderhook/orderhook/internal/jsondoc"
	"github.com/orderhook/orderhook/internal/order"
	"github.com/orderhook/orderhook/internal/run"
	"github.com/orderhook/orderhook/internal/settings"
	"github.com/orderhook/orderhook/internal/spelling"
	"github.com/orderhook/orderhook/internal/workflow/decide"
)

// world is an order to which everything happens once more. It lives for one order, on one
// goroutine.
type world struct {
	ctx      context.Context
	record   *record
	rules    rules
	order    *order.Order
	statuses map[int64]string // by version
	runs     []*simRun        // in the order of the queue
	ended    []*simRun        // that have left it
	history  []order.HistoryEntry
	notes    []string // what is not as sure as the rest, and why
	latest   place    // of what was done last
	// exact says that all that was done so far is as the record has it, so that its places
	// hold. What happens behind that goes by the times alone.
	exact bool
	// check is told of each version that is made; nil: nobody is.
	check func(*order.Order) error
}

// rules say which settings are in force.
type rules interface {
	// today returns the settings that were in force at a time; said is their version where the
	// record says it, or byTime.
	today(ctx context.Context, at time.Time, said int64) (*settings.Settings, error)
	// then returns those that were in force when it really happened.
	then(ctx context.Context, at time.Time, said int64) (*settings.Settings, error)
}

// byTime is for settings of which the record does not say which they were.
const byTime = -1

// simRun is a run of a world.
type simRun struct {
	recorded *recordedRun // which it is; nil: none such happened
	run      *run.Run
	settings *settings.Settings
	was      *settings.Settings // those that the recorded run had then
	same     []int              // by step: which step of the recorded run it is; -1: none
	exact    bool
	group    int                    // the next of the recorded groups
	used     map[*recordedCall]bool // calls that were made
	call     *recordedCall          // that is under way; nil: none such is on record
	callAt   time.Time              // when it began
	sent     *jsondoc.Object        // the order that it sent
	last     place
	stuck    string // why it cannot go on; "": it can
	resumed  int    // how often
}

// facts are those of a decision at a time.
func (w *world) facts(now time.Time, today *settings.Settings) decide.Facts {
	return decide.Facts{Now: now, Order: w.order, Today: today, NewID: newIDs()}
}

// newIDs makes ids for what is never stored; those that are given come first, one of each kind.
func newIDs(given ...string) func(string) string {
	n := 0
	return func(prefix string) string {
		for i, id := range given {
			if prefix == ids.Run && id != "" {
				given[i] = ""
				return id
			}
		}
		n++
		return fmt.Sprintf("%ssimulated%d", prefix, n)
	}
}

// runFacts are those of a decision about a run.
func (w *world) runFacts(r *simRun, now time.Time) (decide.Facts, error) {
	today, err := w.rules.today(w.ctx, now, byTime)
	if err != nil {
		return decide.Facts{}, err
	}
	f := w.facts(now, today)
	f.Run, f.Settings, f.Sent = r.run, r.settings, w.order.Doc
	if r.run.Position.BaseVersion != 0 && r.sent != nil {
		f.Sent = r.sent
	}
	if known := r.run.StatusVersion; known != w.order.StatusVersion {
		f.KnownStatus = w.statuses[known]
	}
	if r.recorded != nil {
		f.NewID = newIDs(r.recorded.Triggered)
	}
	return f, nil
}

// apply makes what was decided so. r is the run that it is about; nil where there is none, or
// where that begins.
func (w *world) apply(d *decide.Decision, r *simRun, recorded *recordedRun, today *settings.Settings) error {
	if d.Created != nil {
		w.statuses[d.Created.Version] = d.Created.Status()
		if err := w.made(d.Created); err != nil {
			return err
		}
	}
	if d.Changed {
		w.statuses[d.Order.Version] = d.Order.Status()
		if err := w.made(d.Order); err != nil {
			return err
		}
	}
	if d.Created != nil || d.Changed {
		w.order = d.Order
	}
	for _, h := range d.History {
		if !decide.SaidOnce(h) || !slices.ContainsFunc(w.history, decide.SaidOnce) {
			w.history = append(w.history, h)
		}
	}
	if d.Run != nil && d.Move != decide.Stays {
		if r == nil {
			r = &simRun{recorded: recorded, settings: today, used: map[*recordedCall]bool{}}
			if err := w.pair(r, d.Run); err != nil {
				return err
			}
		}
		w.noteMove(r, d)
	}
	if d.Next != nil {
		next := &simRun{run: d.Next, settings: r.settings, was: r.was, used: map[*recordedCall]bool{}, last: w.latest}
		// The status was entered then, too, by this run.
		if r.recorded != nil && r.recorded.Triggered == d.Next.ID {
			if found := w.record.run(d.Next.ID); found != nil && spelling.SameName(found.EnteredStatus, d.Next.EnteredStatus) && found.ReturnID == d.Next.ReturnID {
				next.recorded = found
			}
		}
		if err := w.pair(next, d.Next); err != nil {
			return err
		}
		w.runs = append(w.runs, next)
	}
	// Those that wait behind a run that set the status itself get to know that.
	if d.Rebase != 0 {
		for _, other := range w.runs {
			waits := other.run.Status == run.RunWaiting && other.run != d.Next && other.run.StatusVersion == d.Rebase
			if waits && (other.run.ScopeID() != "" || spelling.SameName(other.run.EnteredStatus, d.Order.Status())) {
				next := other.run.Clone()
				next.StatusVersion = d.Order.StatusVersion
				other.run = next
			}
		}
	}
	return nil
}

// made tells of a version that was made.
func (w *world) made(o *order.Order) error {
	if w.check == nil {
		return nil
	}
	return w.check(o)
}

// noteMove gives a run the position that was decided on.
func (w *world) noteMove(r *simRun, d *decide.Decision) {
	was := r.run
	r.run = d.Run
	for _, x := range d.Exports { // each is known by its delivery
		r.run.Results[x.Step].CallID = ""
		if i := r.same[x.Step]; i >= 0 && r.recorded.Results[i].Step == event.TypeExportOrder {
			r.run.Results[x.Step].CallID = r.recorded.Results[i].CallID
		}
	}
	if p := &r.run.Position; p.CallID != "" && (was == nil || was.Position.CallID != p.CallID) {
		r.call, r.sent, r.callAt = nil, d.Order.Doc, d.Run.Updated
		if c := r.nextCall(r.same[p.Step]); c != nil {
			r.call, r.used[c] = c, true
			p.CallID, r.run.Results[p.Step].CallID = c.id, c.id
		}
	}
	if was == nil || d.Move == decide.Requeues {
		r.last = w.latest
	}
	switch d.Move {
	case decide.Begins:
		w.runs = append(w.runs, r)
	case decide.Requeues:
		w.runs = append(slices.DeleteFunc(w.runs, func(o *simRun) bool { return o == r }), r)
		w.ended = slices.DeleteFunc(w.ended, func(o *simRun) bool { return o == r })
		r.call, r.stuck = nil, ""
	}
	if r.run.Status.Ended() {
		w.runs = slices.DeleteFunc(w.runs, func(o *simRun) bool { return o == r })
		if !slices.Contains(w.ended, r) {
			w.ended = append(w.ended, r)
		}
	}
}

// nextCall returns the first call of a step of the recorded run that was not made here yet.
func (r *simRun) nextCall(step int) *recordedCall {
	if r.recorded == nil || step < 0 {
		return nil
	}
	for _, c := range r.recorded.calls {
		if c.step == step && !r.used[c] {
			return c
		}
	}
	return nil
}

// upcoming is the next call that the recorded run made.
func (r *simRun) upcoming() *recordedCall {
	for _, c := range r.recorded.calls {
		if !r.used[c] {
			return c
		}
	}
	return nil
}

// nextGroup is what the recorded run did next that left something in the history; nil: nothing.
func (r *simRun) nextGroup() *group {
	if r.group >= len(r.recorded.groups) {
		return nil
	}
	return r.recorded.groups[r.group]
}

// find returns the run that a recorded one has become; nil: none such happened here.
func (w *world) find(recorded *recordedRun) *simRun {
	for _, r := range slices.Concat(w.runs, w.ended) {
		if recorded != nil && r.recorded == recorded {
			return r
		}
	}
	return nil
}

// note says once what is not as sure as the rest.
func (w *world) note(format string, args ...any) {
	if text := fmt.Sprintf(format, args...); !slices.Contains(w.notes, text) {
		w.notes = append(w.notes, text)
	}
}

// play has everything happen that is on record, and all that follows from it.
func (w *world) play() error {
	left := w.record.done
	for {
		var m *move
		if len(w.runs) > 0 {
			var err error
			if m, err = w.next(w.runs[0]); err != nil {
				return err
			}
		}
		switch {
		case m == nil && len(left) == 0:
			return nil
		case m == nil, len(left) > 0 && left[0].place.before(m.place):
			d := left[0]
			left = left[1:]
			w.latest = d.place
			if err := w.redo(d); err != nil {
				return err
			}
		default:
			w.latest = m.place
			if err := w.make(w.runs[0], m); err != nil {
				return err
			}
		}
	}
}

// make decides what a run comes to by itself, and makes it so.
func (w *world) make(r *simRun, m *move) error {
	f, err := w.runFacts(r, m.now)
	if err != nil {
		return err
	}
	d, err := m.decide(f)
	if err != nil {
		return err
	}
	r.last = m.place
	if m.group {
		r.group++
	}
	return w.apply(d, r, nil, f.Today)
}
