package workflow

import (
	"context"
	"slices"

	"github.com/orderhook/orderhook/internal/oms"
	"github.com/orderhook/orderhook/internal/store"
	"github.com/orderhook/orderhook/internal/workflow/decide"
)

// commit writes a decision.
func commit(ctx context.Context, tx store.Tx, tenant string, d *decide.Decision) error {
	if d.Attempt != nil {
		if err := tx.AddAttempt(ctx, tenant, d.Attempt); err != nil {
			return err
		}
	}
	if d.Created != nil {
		if err := tx.InsertOrder(ctx, tenant, d.Created); err != nil {
			return err
		}
	}
	if d.Changed {
		if err := tx.UpdateOrder(ctx, tenant, d.Order); err != nil {
			return err
		}
	}
	if err := tx.AddEvents(ctx, tenant, d.Events...); err != nil {
		return err
	}
	if len(d.Exports) > 0 {
		if err := sendExports(ctx, tx, tenant, d); err != nil {
			return err
		}
	}
	entries, err := said(ctx, tx, tenant, d)
	if err == nil {
		err = tx.AddHistory(ctx, tenant, d.Order.ID, entries...)
	}
	switch {
	case err != nil:
		return err
	case d.Move == decide.Begins:
		err = tx.InsertRun(ctx, tenant, d.Run)
	case d.Move == decide.Goes:
		err = tx.UpdateRun(ctx, tenant, d.Run)
	case d.Move == decide.Requeues:
		err = tx.RequeueRun(ctx, tenant, d.Run)
	}
	if err == nil && d.Next != nil {
		err = tx.InsertRun(ctx, tenant, d.Next)
	}
	if err == nil && d.Carry != 0 {
		err = tx.CarryRuns(ctx, tenant, d.Order.ID, d.Carry, d.Order.StatusVersion, d.Order.Status())
	}
	return err
}

// said is the decision's history. That totals no longer fit is said once in the
// history of an order (CONTRACT.md, "Patch").
func said(ctx context.Context, tx store.Tx, tenant string, d *decide.Decision) ([]oms.HistoryEntry, error) {
	unfit := func(h oms.HistoryEntry) bool { return h.Operation == oms.OpTotalsUnfit }
	if !slices.ContainsFunc(d.History, unfit) {
		return d.History, nil
	}
	earlier, err := tx.History(ctx, tenant, d.Order.ID, store.Page{Limit: store.MaxLimit})
	if slices.ContainsFunc(earlier.Items, unfit) {
		return slices.DeleteFunc(slices.Clone(d.History), unfit), err
	}
	return d.History, err
}

// sendExports stores the decision's exports, each with a delivery to its
// endpoint, by which the run's step knows it.
func sendExports(ctx context.Context, tx store.Tx, tenant string, d *decide.Decision) error {
	for _, x := range d.Exports {
		endpoint, err := putEndpoint(ctx, tx, tenant, x.Endpoint)
		if err != nil {
			return err
		}
		if err := tx.AddEventFor(ctx, tenant, x.Event, endpoint); err != nil {
			return err
		}
		delivery := oms.Delivery{DeliveryKey: oms.DeliveryKey{Event: x.Event.Seq, Endpoint: endpoint.No}, EventID: x.Event.ID}
		d.Run.Results[x.Step].CallID = delivery.ID()
	}
	return nil
}

// putEndpoint returns the stored endpoint, which it makes if it is not there,
// and brings up to date if the settings have changed.
func putEndpoint(ctx context.Context, tx store.Tx, tenant string, want *oms.Endpoint) (*oms.Endpoint, error) {
	have, err := tx.Endpoint(ctx, tenant, want.ID)
	switch {
	case oms.KindOf(err) == oms.NotFound:
	case err != nil:
		return nil, err
	case sameStep(have.Step, want.Step) && slices.Equal(have.Schedule, want.Schedule):
		return have, nil
	default:
		next := *have
		next.Step, next.Schedule, next.Updated = want.Step, want.Schedule, want.Updated
		want = &next
	}
	return want, tx.PutEndpoint(ctx, tenant, want)
}

func sameStep(a, b *oms.StepRef) bool { return a == b || a != nil && b != nil && *a == *b }
