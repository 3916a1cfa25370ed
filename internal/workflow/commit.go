package workflow

import (
	"context"
	"fmt"
	"slices"

	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/event"
	"github.com/orderhook/orderhook/internal/order"
	"github.com/orderhook/orderhook/internal/store"
	"github.com/orderhook/orderhook/internal/workflow/decide"
)

// commit writes a decision. It does nothing but through tx, so a write that is overtaken
// leaves nothing. Some of its order matters: an order is there before what refers to it,
// and the exports give the steps of the run their CallIDs before the run is stored.
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
	if len(d.Moved) > 0 {
		if err := tx.OvertakeRuns(ctx, tenant, d.Order.ID, d.Moved); err != nil {
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
	// The triggered run stands behind all that wait, so it is stored after the run that
	// triggered it.
	if err == nil && d.Next != nil {
		err = tx.InsertRun(ctx, tenant, d.Next)
	}
	// Next need not be rebased: it knows the new status from the decision.
	if err == nil && d.Rebase != 0 {
		err = tx.RebaseRuns(ctx, tenant, d.Order.ID, d.Rebase, d.Order.StatusVersion, d.Order.Status())
	}
	return err
}

// said is the decision's history, without what the order's history says already and says
// only once.
func said(ctx context.Context, tx store.Tx, tenant string, d *decide.Decision) ([]order.HistoryEntry, error) {
	if !slices.ContainsFunc(d.History, decide.SaidOnce) {
		return d.History, nil
	}
	// All pages are read, the newest first: one run may write more entries than a page has.
	for page := (store.Page{Limit: store.MaxLimit}); ; {
		earlier, err := tx.History(ctx, tenant, d.Order.ID, page)
		if err != nil {
			return nil, fmt.Errorf("look whether the history says already that totals do not fit: %w", err)
		}
		if slices.ContainsFunc(earlier.Items, decide.SaidOnce) {
			return slices.DeleteFunc(slices.Clone(d.History), decide.SaidOnce), nil
		}
		if page.Cursor = earlier.NextCursor; page.Cursor == "" {
			return d.History, nil
		}
	}
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
		delivery := event.Delivery{DeliveryKey: event.DeliveryKey{Event: x.Event.Seq, Endpoint: endpoint.No}, EventID: x.Event.ID}
		d.Run.Results[x.Step].CallID = delivery.ID()
	}
	return nil
}

// putEndpoint returns the stored endpoint, which it makes if it is not there,
// and brings up to date if the settings have changed. Nothing is written where both say the
// same: any change of a tenant's endpoints has other writes overtaken.
func putEndpoint(ctx context.Context, tx store.Tx, tenant string, want *event.Endpoint) (*event.Endpoint, error) {
	have, err := tx.Endpoint(ctx, tenant, want.ID)
	switch {
	case apierr.KindOf(err) == apierr.NotFound:
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

// sameStep compares two references to steps, either of which may be nil.
func sameStep(a, b *event.StepRef) bool { return a == b || a != nil && b != nil && *a == *b }
