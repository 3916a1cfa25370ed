package simulate

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/jsondoc"
	"github.com/orderhook/orderhook/internal/order"
	"github.com/orderhook/orderhook/internal/run"
)

// differsError says in what an order comes out in another way than it did, though nothing of it
// is missing. Then the simulation is wrong, and not the record.
type differsError string

// Error implements error.
func (e differsError) Error() string { return string(e) }

func errDiffers(format string, args ...any) error { return differsError(fmt.Sprintf(format, args...)) }

// check has everything happen once more by the settings that there were, and returns an error
// that says in what it came to something else than it did.
func (r *record) check(ctx context.Context, s rules) (*world, error) {
	w := newWorld(ctx, r, s)
	w.check = func(o *order.Order) error {
		was, err := r.version(ctx, o.Version)
		if err != nil {
			return err
		}
		if !jsondoc.Equal(was.Doc, o.Doc) || was.StatusVersion != o.StatusVersion {
			return errDiffers("version %d of the order comes out as another one: %s", o.Version, changesText(order.Diff(was.Doc, o.Doc)))
		}
		return nil
	}
	if err := w.play(); err != nil {
		return w, err
	}
	return w, r.compare(w)
}

// compare says in what a world differs from what is on record of it.
func (r *record) compare(w *world) error {
	if w.order.Version != r.order.Version {
		return errDiffers("the order comes to version %d, and not to %d", w.order.Version, r.order.Version)
	}
	for _, rn := range r.runs {
		is := w.find(rn)
		if is == nil {
			return errDiffers("the run %s does not begin", rn.ID)
		}
		if is.stuck != "" {
			return errGone("%s", is.stuck)
		}
		if what := differs(rn.Run, is.run); what != "" {
			return errDiffers("the run %s of %s: %s", rn.ID, rn.EnteredStatus, what)
		}
	}
	if n := len(w.runs) + len(w.ended); n != len(r.runs) {
		return errDiffers("%d runs begin, and not %d", n, len(r.runs))
	}
	return r.compareHistory(w.history)
}

// compareHistory says where a history differs from the one on record.
func (r *record) compareHistory(is []order.HistoryEntry) error {
	for i := range max(len(is), len(r.history)) {
		switch {
		case i >= len(is):
			return errDiffers("the history lacks %q", r.history[i].Message)
		case i >= len(r.history):
			return errDiffers("the history has %q beyond what happened", is[i].Message)
		}
		was, now := r.history[i], is[i]
		was.ID, now.ID = "", ""
		if what := unlike(was, now); what != "" {
			return errDiffers("entry %d of the history: %s", i+1, what)
		}
	}
	return nil
}

// unlike says in which field two values of one type differ, as JSON; "" for none.
func unlike(was, is any) string {
	a, b := object(was), object(is)
	for _, name := range order.MemberNames(a, b) {
		x, _ := a.Get(name)
		y, _ := b.Get(name)
		if !jsondoc.Equal(x, y) {
			return fmt.Sprintf("%s was %s and is %s", name, jsondoc.Canonical(nil, x), jsondoc.Canonical(nil, y))
		}
	}
	return ""
}

func object(v any) *jsondoc.Object {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err) // what is stored as JSON has a JSON form
	}
	doc, err := jsondoc.ParseValue(text, nil)
	if err != nil {
		panic(err) // it was just made
	}
	o, _ := doc.(*jsondoc.Object)
	return o
}

// durationSlack is by how much a duration may differ: the record has times to the microsecond.
const durationSlack = 1

// differs says in what two runs differ; "" for nothing.
func differs(was, is *run.Run) string {
	a, b := *was.Clone(), *is.Clone()
	for i := range min(len(a.Results), len(b.Results)) {
		if d := a.Results[i].DurationMs - b.Results[i].DurationMs; -durationSlack <= d && d <= durationSlack {
			b.Results[i].DurationMs = a.Results[i].DurationMs
		}
	}
	for _, r := range []*run.Run{&a, &b} {
		r.Updated, r.Trace, r.Created = time.Time{}, run.Trace{}, time.Time{}
		if r.Status == run.RunRunning || r.Status == run.RunWaiting {
			r.Status = run.RunWaiting
		}
		// When it was, and would have been, tried next is not told by the record.
		r.Position = run.Position{Step: r.Position.Step, CallID: r.Position.CallID, Attempt: r.Position.Attempt, BaseVersion: r.Position.BaseVersion}
		if r.Position.CallID == "" {
			r.Position.Attempt = 0
		}
	}
	b.SettingsVersion, b.Since = a.SettingsVersion, a.Since
	return unlike(a, b)
}

// changesText names what differs, the first few of many.
func changesText(changes []order.Change) (text string) {
	for i, c := range changes {
		if i == 5 {
			return text + fmt.Sprintf(" and %d more", len(changes)-i)
		}
		if i > 0 {
			text += ", "
		}
		text += fmt.Sprintf("%s is %s and was %s", c.Path, jsondoc.Canonical(nil, c.After), jsondoc.Canonical(nil, c.Before))
	}
	return text
}

// sameContent reports whether two orders say the same, but for what counts versions and tells
// when something happened.
func sameContent(a, b *jsondoc.Object) bool { return jsondoc.Equal(content(a), content(b)) }

// content is an order without what counts its versions, and without the times of its errors.
func content(doc *jsondoc.Object) *jsondoc.Object {
	out := own(doc).Clone()
	for _, e := range out.Objects("errors") {
		e.Delete("occurred")
		e.Delete("runId")
	}
	return out
}

// Checked is what the check of an order's record came to.
type Checked struct {
	Runs   int    // that are on record
	Reason string // why they cannot be reproduced; "": they were
	// Missing says that Reason is about what is not on record. If not, the simulation does
	// something else than the engine did.
	Missing bool
}

// Check says whether all that happened to an order comes out the same once more. The tests of
// several packages ask it, at their end. A simulation checks each order by itself.
func (s *Simulation) Check(ctx context.Context, id string) (Checked, error) {
	in, err := readRules(ctx, s.From, s.Tenant)
	if err != nil {
		return Checked{}, err
	}
	c, _, _, err := s.checked(ctx, in, id)
	return c, err
}

// mostReads is how often the record of an order is read that changes meanwhile.
const mostReads = 3

// checked reads the record of an order and checks it. A server may be at work on the order, and
// what is read one after the other then does not belong together: it is read again.
func (s *Simulation) checked(ctx context.Context, in *asRecorded, id string) (c Checked, r *record, w *world, err error) {
	for range mostReads {
		if c, r, w, err = s.checkedOnce(ctx, in, id); err != nil || c.Reason == "" {
			return c, r, w, err
		}
		if moved, err := r.moved(ctx); err != nil || !moved {
			return c, r, w, err
		}
	}
	c.Reason, c.Missing = "the order was changing while its record was read", true
	return c, r, w, nil
}

// vague says of which run nobody knows by which settings it began: its record has those that it
// got when it was resumed, and several were stored at the very time when it began. "": of none.
func (r *record) vague(in *asRecorded) string {
	for _, rn := range r.runs {
		n := 0
		for _, s := range in.history {
			if rn.beganBy() == byTime && s.Created.Equal(rn.Created) {
				n++
			}
		}
		if n > 1 {
			return fmt.Sprintf("the run %s was resumed, and began when %d versions of the settings were stored: by which of them is not on record", rn.ID, n)
		}
	}
	return ""
}

// checkedOnce reads the record of an order and checks what it has read.
func (s *Simulation) checkedOnce(ctx context.Context, in *asRecorded, id string) (c Checked, r *record, w *world, err error) {
	if r, err = readRecord(ctx, s.From, s.Tenant, id); err == nil {
		c.Runs = len(r.runs)
		w, err = r.check(ctx, in)
	}
	differs, wrong := errors.AsType[differsError](err)
	switch {
	case wrong && r.vague(in) != "":
		c.Reason, c.Missing, err = r.vague(in), true, nil
	case wrong:
		c.Reason, err = differs.Error(), nil
	case apierr.KindOf(err) == apierr.Conflict:
		c.Reason, c.Missing, err = err.Error(), true, nil
	}
	return c, r, w, err
}
