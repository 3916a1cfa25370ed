package delivery

import (
	"context"
	"fmt"

	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/export"
	"github.com/orderhook/orderhook/internal/jsondoc"
	"github.com/orderhook/orderhook/internal/order"
	"github.com/orderhook/orderhook/internal/run"
	"github.com/orderhook/orderhook/internal/store"
)

// lookedForRun is how many of an order's runs, the newest first, are searched for the run
// of an export. It is nearly always one of the first, and the results of the tenant's
// other attempts wait while it is looked for.
const lookedForRun = 20

// concludeExport writes to the order what its export came to: the log item in the
// history, and an error on the order, or the removal of an earlier error
// (docs/contract.md#exports). If the order was erased, there is nothing to write, also where
// another one has its id by now: the data of the event went with the first. It is part of the write that completes the delivery, so the order and the delivery never
// contradict each other.
func (d *Dispatcher) concludeExport(ctx context.Context, tx store.Tx, tenant string, r *result) error {
	e, err := tx.EventBySeq(ctx, tenant, r.event.Seq)
	if err != nil && apierr.KindOf(err) != apierr.NotFound {
		return fmt.Errorf("read the event of an export: %w", err)
	}
	if err == nil && e.Data == nil {
		return nil
	}
	o, err := tx.Order(ctx, tenant, r.event.OrderID)
	if apierr.KindOf(err) == apierr.NotFound {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read the order of an export: %w", err)
	}
	// The entry is about the order as it is now, whatever was exported.
	h := export.History(r.event, r.completion.Attempt, o.Version, r.completion.At)
	step, err := d.exportStep(ctx, tx, tenant, &h, o.ID)
	if err != nil {
		return err
	}
	// A success on an order without errors changes nothing of the order, and that is what
	// nearly all exports come to.
	if doc := withExportErrors(o.Doc, &h, step); doc != nil {
		h.Changes = order.Diff(o.Doc, doc)
		o.Advance(doc, r.completion.At)
		h.Version = o.Version
		if err := tx.UpdateOrder(ctx, tenant, o); err != nil {
			return fmt.Errorf("store what an export left on order %q: %w", o.ID, err)
		}
	}
	if err := tx.AddHistory(ctx, tenant, o.ID, h); err != nil {
		return fmt.Errorf("note an export in the history of order %q: %w", o.ID, err)
	}
	return nil
}

// withExportErrors returns an order with the error of an export added, or with the errors
// of earlier exports removed. It returns nil if nothing changes.
func withExportErrors(order *jsondoc.Object, h *order.HistoryEntry, step *run.StepResult) *jsondoc.Object {
	if !h.IsError && len(order.List("errors")) == 0 {
		return nil
	}
	doc := order.Clone()
	if h.IsError {
		export.AddError(doc, h, step)
		return doc
	}
	if !export.ClearErrors(doc, h, step) {
		return nil
	}
	return doc
}

// exportStep finds the step of an export, and puts the id of its run into the history
// entry. It returns nil if the run is not among the newest of the order. That happens to an
// export of long ago that was sent again by hand.
func (d *Dispatcher) exportStep(ctx context.Context, tx store.Tx, tenant string, h *order.HistoryEntry, order string) (*run.StepResult, error) {
	runs, err := tx.Runs(ctx, tenant, store.RunFilter{OrderID: order}, store.Page{Limit: lookedForRun})
	if err != nil {
		return nil, fmt.Errorf("read the runs of order %q: %w", order, err)
	}
	for _, run := range runs.Items {
		if run.Describe(h) {
			return run.StepOf(h.CallID), nil
		}
	}
	return nil, nil
}
