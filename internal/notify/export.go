package notify

import (
	"github.com/orderhook/orderhook/internal/oms"
	"github.com/orderhook/orderhook/internal/store"
)

// lookedForRun is among how many of an order's runs, the newest first, that of
// an export is looked for: it is one of the first as a rule, and
// the tenant's other attempts wait meanwhile to be recorded.
const lookedForRun = 20

// concludeExport notes what became of an export in its order: the log item in
// the history, and an error on the order, or its end (CONTRACT.md, "Export
// Order"). An order that is gone has none.
func (d *Dispatcher) concludeExport(tx store.Tx, tenant string, r *result) error {
	order, err := tx.Order(d.ctx, tenant, r.event.OrderID)
	if oms.KindOf(err) == oms.NotFound {
		return nil
	}
	if err != nil {
		return err
	}
	h := oms.ExportHistory(r.event, r.settled.Attempt, order.Version, r.settled.At)
	step, err := d.exportStep(tx, tenant, &h, order.ID)
	if err != nil {
		return err
	}
	if doc := withExportErrors(order.Doc, &h, step); doc != nil {
		h.Changes = oms.Diff(order.Doc, doc)
		order.Advance(doc, r.settled.At)
		h.Version = order.Version
		if err := tx.UpdateOrder(d.ctx, tenant, order); err != nil {
			return err
		}
	}
	return tx.AddHistory(d.ctx, tenant, order.ID, h)
}

// withExportErrors returns an order with the error of an export, or without those
// of earlier ones; nil where nothing changes.
func withExportErrors(order *oms.Object, h *oms.HistoryEntry, step *oms.StepResult) *oms.Object {
	if !h.IsError && len(order.List("errors")) == 0 {
		return nil
	}
	doc := order.Clone()
	if h.IsError {
		oms.AddExportError(doc, h, step)
		return doc
	}
	if !oms.ClearExportErrors(doc, h, step) {
		return nil
	}
	return doc
}

// exportStep finds the step that an export is of, nil if its run is not among
// the order's newest, and names its run in the entry.
func (d *Dispatcher) exportStep(tx store.Tx, tenant string, h *oms.HistoryEntry, order string) (*oms.StepResult, error) {
	runs, err := tx.Runs(d.ctx, tenant, store.RunFilter{OrderID: order}, store.Page{Limit: lookedForRun})
	if err != nil {
		return nil, err
	}
	for _, run := range runs.Items {
		if h.InRun(run) {
			return run.StepOf(h.CallID), nil
		}
	}
	return nil, nil
}
