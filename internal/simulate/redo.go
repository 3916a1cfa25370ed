package simulate

import (
	"time"

	"github.com/orderhook/orderhook/internal/jsondoc"
	"github.com/orderhook/orderhook/internal/order"
	"github.com/orderhook/orderhook/internal/settings"
	"github.com/orderhook/orderhook/internal/workflow/decide"
)

// redo does once more what a caller, a job or the end of an export did. What cannot be done
// to the order as it is here is left out, and said.
func (w *world) redo(x *done) error {
	today, err := w.rules.today(w.ctx, x.now, w.settingsOf(x))
	if err != nil {
		return err
	}
	if len(x.entries) > 0 && x.run == nil && x.first().RunID != "" {
		return errGone("the run %s was removed", x.first().RunID)
	}
	if len(x.entries) > 0 && x.has(order.OpRunEnded) != nil || len(x.entries) > 0 && x.has(order.OpRunResumed) != nil {
		return w.control(x, today)
	}
	if len(x.entries) > 0 && x.first().Created != nil {
		return w.exported(x)
	}
	f := w.facts(x.now, today)
	f.Queued = len(w.runs) > 0
	if len(x.entries) > 0 {
		f.Author = order.Author{By: x.first().By, KeyName: x.first().KeyName, RequestID: x.first().RequestID}
	}
	if x.run != nil {
		f.NewID = newIDs(x.run.ID, x.run.Triggered)
	}
	d, err := w.repeat(f, x)
	if err != nil || d == nil {
		return err
	}
	return w.apply(d, nil, x.run, today)
}

// settingsOf is the version of the settings by which something was done, where a run says that: one
// that began by them then, or that was resumed for the last time.
func (w *world) settingsOf(x *done) int64 {
	switch {
	case x.run == nil || x.has(order.OpRunEnded) != nil:
		return byTime
	case x.has(order.OpRunResumed) != nil:
		if r := w.find(x.run); r != nil && r.resumed+1 == x.run.resumes {
			return x.run.Since
		}
		return byTime
	}
	return x.run.beganBy()
}

// repeat decides once more on what a caller did.
func (w *world) repeat(f decide.Facts, x *done) (*decide.Decision, error) {
	var (
		d   *decide.Decision
		err error
	)
	switch {
	case len(x.entries) == 0:
		d, err = decide.Enter(f, x.change(""))
	case x.has(order.OpCreated) != nil:
		first, err := w.record.version(w.ctx, 1)
		if err != nil {
			return nil, err
		}
		doc := first.Doc.Clone()
		doc.Delete("version")
		doc.Delete("modified")
		return decide.Create(f, decide.Document{Object: doc, Warnings: x.first().Warnings}, x.run != nil)
	case x.has(order.OpPatched) != nil:
		return w.patch(f, x)
	case x.has(order.OpReturned) != nil:
		after, err := w.record.version(w.ctx, x.first().Version)
		if err != nil {
			return nil, err
		}
		request := order.ReturnOf(order.ReturnForm(after.Doc, x.run.ReturnID))
		request.Warnings = x.first().Warnings
		d, err = decide.Return(f, request)
		return w.unlessRefused(d, err, "the return %s", x.run.ReturnID)
	case x.has(order.OpReturnCancelled) != nil:
		d, err = decide.CancelReturn(f, x.first().ReturnID)
	default:
		d, err = decide.Enter(f, x.change(x.first().Status))
	}
	return w.unlessRefused(d, err, "what a caller did at %s", x.now.Format(time.RFC3339))
}

// change is the status that a caller had the order enter.
func (x *done) change(status string) decide.StatusChange {
	if x.run != nil {
		return decide.StatusChange{Status: x.run.EnteredStatus, ShipmentID: x.run.ShipmentID, ReturnID: x.run.ReturnID}
	}
	return decide.StatusChange{Status: status, ShipmentID: x.first().ShipmentID, SkipRun: true}
}

// unlessRefused drops what the order does not take as it is here. Where all is as it was, it
// took it.
func (w *world) unlessRefused(d *decide.Decision, err error, what string, args ...any) (*decide.Decision, error) {
	if err == nil {
		return d, nil
	}
	w.exact = false
	w.note(what+" was left out: "+"%s", append(args, err)...)
	return nil, nil
}

// patch makes a patch once more, of which the record has the versions before and after it.
// Where the order is another one here, what the patch changed is changed of it.
func (w *world) patch(f decide.Facts, x *done) (*decide.Decision, error) {
	number := x.first().Version
	after, err := w.record.version(w.ctx, number)
	if err != nil {
		return nil, err
	}
	before, err := w.record.version(w.ctx, number-1)
	if err != nil {
		return nil, err
	}
	doc := after.Doc.Clone()
	// A status that followed from those of the shipments follows anew.
	if x.has(order.OpStatusChanged) != nil && !changes(x.first().Changes, "status") {
		doc.Set("status", before.Status())
	}
	if !alike(before.Doc, w.order.Doc) {
		patched, err := order.APIPatch.ApplySince(w.order.Doc, order.Sent{Doc: before.Doc}, own(doc))
		if err != nil {
			return w.unlessRefused(nil, err, "the patch of %s", x.now.Format(time.RFC3339))
		}
		doc = patched.Doc
	}
	return decide.Redo(f, doc, x.entries), nil
}

func changes(list []order.Change, path string) bool {
	for _, c := range list {
		if c.Path == path {
			return true
		}
	}
	return false
}

// own is a document without what orderhook counts by itself.
func own(doc *jsondoc.Object) *jsondoc.Object {
	return doc.Without("version").Without("modified")
}

// alike reports whether two orders are the same but for the number and the time of the version.
func alike(a, b *jsondoc.Object) bool { return jsondoc.Equal(own(a), own(b)) }

// control cancels or resumes a run once more.
func (w *world) control(x *done, today *settings.Settings) error {
	r := w.find(x.run)
	if r == nil {
		w.exact = false
		w.note("a run was canceled or resumed then, and there is none here")
		return nil
	}
	f, err := w.runFacts(r, x.now)
	if err != nil {
		return err
	}
	f.Today, f.Author = today, order.Author{By: x.first().By, KeyName: x.first().KeyName, RequestID: x.first().RequestID}
	do := decide.Cancel
	if x.has(order.OpRunResumed) != nil {
		do = decide.Resume
	}
	d, err := do(f)
	if err != nil {
		w.exact, r.exact = false, false
		w.note("the run of %s was canceled or resumed then, which cannot be done here: %s", r.run.EnteredStatus, err)
		return nil
	}
	renewed := d.Run.SettingsVersion != r.run.SettingsVersion
	if err := w.apply(d, r, nil, today); err != nil || x.has(order.OpRunResumed) == nil {
		return err
	}
	r.resumed++
	if renewed {
		r.settings = today
	}
	if said := w.renewedBy(r); said != byTime || renewed {
		if r.was, err = w.rules.then(w.ctx, x.now, said); err != nil {
			return err
		}
		r.exact = r.exact && w.goesBy(r, r.run)
	}
	return nil
}

// renewedBy is the version of the settings that a run got when it was resumed, if the record says so.
func (w *world) renewedBy(r *simRun) int64 {
	if r.resumed == r.recorded.resumes {
		return r.recorded.SettingsVersion
	}
	return byTime
}

// exported does once more what the end of an export left on the order: an error, or that
// earlier ones are gone. An export that was not made here leaves nothing.
func (w *world) exported(x *done) error {
	e := *x.first()
	if !w.exports(e.CallID) {
		w.exact = false
		return nil
	}
	doc := w.order.Doc
	if len(e.Changes) > 0 {
		after, err := w.record.version(w.ctx, e.Version)
		if err != nil {
			return err
		}
		before, err := w.record.version(w.ctx, e.Version-1)
		if err != nil {
			return err
		}
		doc = after.Doc.Clone()
		if !alike(before.Doc, w.order.Doc) {
			patched, err := order.APIPatch.ApplySince(w.order.Doc, order.Sent{Doc: before.Doc}, own(doc))
			if err != nil {
				w.note("what an export left on the order was left out: %s", err)
				return nil
			}
			doc = patched.Doc
		}
	}
	if len(e.Changes) > 0 {
		next := *w.order
		next.Advance(doc, x.now)
		w.order, w.statuses[next.Version] = &next, next.Status()
		if err := w.made(&next); err != nil {
			return err
		}
	}
	e.Version = w.order.Version
	w.history = append(w.history, e)
	return nil
}

// exports reports whether one of the runs here made an export of the record. One of which no
// run knows was sent again by hand, long after.
func (w *world) exports(delivery string) bool {
	known := false
	for _, rn := range w.record.runs {
		known = known || rn.StepOf(delivery) != nil
	}
	if !known {
		return true
	}
	for _, list := range [][]*simRun{w.runs, w.ended} {
		for _, r := range list {
			if r.run.StepOf(delivery) != nil {
				return true
			}
		}
	}
	return false
}
