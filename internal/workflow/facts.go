package workflow

import (
	"context"
	"fmt"

	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/ids"
	"github.com/orderhook/orderhook/internal/store"
	"github.com/orderhook/orderhook/internal/workflow/decide"
)

// subject is what a caller's change is about.
type subject struct {
	order  string // "" for an order that is to be created
	run    string // the run that is to be moved; its order is the order then
	begins bool   // a run may begin
}

// facts reads what a decision about a caller's change is made from. The order
// must be of the version that the caller asks for. A write reads through its tx, a dry run
// straight from the store.
func (e *Engine) facts(ctx context.Context, from store.Reader, c Caller, of subject) (f decide.Facts, err error) {
	// A change of a run has its facts read as a move of the run has, beside who asks for
	// it.
	if of.run != "" {
		run, err := from.Run(ctx, c.Tenant, of.run)
		if err != nil {
			return f, err
		}
		f, err = e.runFacts(ctx, from, c.Tenant, snapshot{run: run})
		f.Author = c.Author
		return f, err
	}
	f = decide.Facts{Now: e.clock.Now().UTC(), Author: c.Author, MaxOrderBytes: e.maxBytes, NewID: ids.New, Trace: e.newTrace(ctx)}
	if f.Today, err = from.Settings(ctx, c.Tenant); err != nil || of.order == "" {
		return f, err
	}
	if f.Order, err = from.Order(ctx, c.Tenant, of.order); err != nil {
		return f, err
	}
	if c.IfMatch != 0 && c.IfMatch != f.Order.Version {
		return f, apierr.Errorf(apierr.Stale, "the order is of version %d by now", f.Order.Version)
	}
	// Only who begins a run has to know whether another one comes before it.
	if of.begins {
		earlier, err := from.NextRun(ctx, c.Tenant, of.order)
		f.Queued = earlier != nil
		return f, err
	}
	return f, nil
}

// runFacts reads what a run needs to move, as far as the snapshot does not have it: nobody but
// its queue moves a run that has not ended, and a version of an order never changes.
func (e *Engine) runFacts(ctx context.Context, from store.Reader, tenant string, s snapshot) (f decide.Facts, err error) {
	f = decide.Facts{Now: e.clock.Now().UTC(), Order: s.order, Run: s.run, MaxOrderBytes: e.maxBytes, NewID: ids.New}
	// If nobody was faster, the run and the order are those of the snapshot, and neither is
	// read and parsed again.
	newer, err := from.RunUnless(ctx, tenant, s.run.ID, s.run.Revision)
	if err != nil {
		return f, fmt.Errorf("read the run: %w", err)
	}
	if newer != nil {
		f.Run = newer
	}
	f.Trace = e.newTrace(within(ctx, f.Run))
	if s.order == nil {
		f.Order, err = from.Order(ctx, tenant, s.run.OrderID)
	} else if newer, unless := from.OrderUnless(ctx, tenant, s.order); newer != nil || unless != nil {
		f.Order, err = newer, unless
	}
	if err != nil {
		return f, fmt.Errorf("read the order: %w", err)
	}
	if f.Settings, err = from.SettingsVersion(ctx, tenant, f.Run.SettingsVersion); err != nil {
		return f, gone("read the settings of the run", err)
	}
	if f.Today, err = from.Settings(ctx, tenant); err != nil {
		return f, fmt.Errorf("read the settings of today: %w", err)
	}
	// A run that has ended has no call. What it once needed may have been removed by now.
	if f.Sent = f.Order.Doc; f.Run.Status.Ended() {
		return f, nil
	}
	// The call has sent an earlier version. The patch of its answer is compared with that
	// one.
	if base := f.Run.Position.BaseVersion; base != 0 && base != f.Order.Version {
		was, err := from.OrderVersion(ctx, tenant, f.Order.ID, base)
		if err != nil {
			return f, gone("read the order as the call sent it", err)
		}
		f.Sent = was.Doc
	}
	// Somebody else has set the status. The status before is needed for the entry about the
	// conflict.
	if known := f.Run.StatusVersion; known != f.Order.StatusVersion {
		was, err := from.OrderVersion(ctx, tenant, f.Order.ID, known)
		if err != nil {
			return f, gone("read the order as the run knew its status", err)
		}
		f.KnownStatus = was.Status()
	}
	return f, nil
}

// gone is the error of something that is stored as long as its run goes on, and
// could not be read: where it is not there, the database is damaged. That the
// order or the run is not there says something else: it was erased.
func gone(doing string, err error) error {
	if apierr.KindOf(err) == apierr.NotFound {
		return fmt.Errorf("%s: a run that has not ended needs it: %s", doing, err.Error()) // not %w: it is no order that was erased
	}
	return fmt.Errorf("%s: %w", doing, err)
}
