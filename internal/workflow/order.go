package workflow

import (
	"context"
	"slices"

	"github.com/orderhook/orderhook/internal/oms"
	"github.com/orderhook/orderhook/internal/store"
)

// Caller is who asks for a change.
type Caller struct {
	Tenant string
	By     string // for the history
	// Once makes a POST with an Idempotency-Key happen once; nil without one.
	Once *store.Idempotency
	// IfMatch is the version that the order must have; 0 takes any.
	IfMatch int64
}

// Started is a change that was made, and the run that it began.
type Started struct {
	OrderID string
	RunID   string // "" when no workflow was to run
	Version int64  // of the order, after the change
	// Warnings are those of [transition.patch], for a change that is a patch; none
	// where the request was carried out before.
	Warnings []oms.Warning
}

// StatusChange asks for a status (API.md, `POST /api/orders/{id}/status`).
type StatusChange struct {
	Status     string
	ShipmentID string // it is this shipment's orderStatus that changes
	ReturnID   string // the return workflow runs, for this return
	SkipRun    bool
}

func (c StatusChange) scope() scope {
	return scope{status: c.Status, shipmentID: c.ShipmentID, returnID: c.ReturnID}
}

// Document is an order, a shipment or a patch as it was read, with what of it
// nothing reads: the history says so.
type Document struct {
	*oms.Object
	Warnings []oms.Warning
}

// CreateOrder stores a new order and begins the workflow of its status.
func (e *Engine) CreateOrder(ctx context.Context, c Caller, doc Document, run bool) (Started, error) {
	return e.start(ctx, c, func(t *transition) error {
		order, err := oms.NewOrder(doc.Object, t.now)
		if err != nil {
			return err
		}
		if err := t.tx.InsertOrder(ctx, c.Tenant, order); err != nil {
			return err
		}
		t.order, t.doc, t.created = order, order.Doc, true
		t.log(oms.HistoryEntry{Category: oms.CategoryOrder, Operation: oms.OpCreated, Version: order.Version, Status: order.Status(), Message: "the order was created", Warnings: doc.Warnings})
		return t.enter(scope{status: order.Status()}, run)
	})
}

// EnterStatus sets a status and begins its workflow. Entering the status that
// an order is in already runs the workflow again.
func (e *Engine) EnterStatus(ctx context.Context, c Caller, id string, change StatusChange) (Started, error) {
	return e.start(ctx, c, func(t *transition) error {
		if err := t.read(id, c.IfMatch); err != nil {
			return err
		}
		if err := t.change(change); err != nil {
			return err
		}
		if change.SkipRun && change.ShipmentID != "" {
			if err := t.enterMainStatus(); err != nil {
				return err
			}
		}
		return t.enter(change.scope(), !change.SkipRun)
	})
}

// change sets the status that was asked for on what it was asked for.
func (t *transition) change(c StatusChange) error {
	if c.ReturnID != "" && c.ShipmentID != "" {
		return oms.Wrong("body.returnId", "cannot go with a shipmentId")
	}
	if c.ReturnID != "" && oms.ReturnForm(t.doc, c.ReturnID) == nil {
		return oms.Wrong("body.returnId", "the order has no return %q", c.ReturnID)
	}
	if c.ShipmentID == "" {
		t.setStatus(c.Status)
		return nil
	}
	if oms.Shipment(t.doc, c.ShipmentID) == nil {
		return oms.Wrong("body.shipmentId", "the order has no shipment %q", c.ShipmentID)
	}
	return t.enterShipment(c)
}

// PatchOrder applies a patch of the API. It runs no workflow; a patch that
// changes nothing makes no version. The warnings are those of [transition.patch].
func (e *Engine) PatchOrder(ctx context.Context, c Caller, id string, patch Document) (*oms.Order, []oms.Warning, error) {
	return e.patchWith(ctx, c, id, func(*oms.Object) (Document, error) { return patch, nil })
}

// patchWith applies the patch that make returns for the order as it is.
func (e *Engine) patchWith(ctx context.Context, c Caller, id string, make func(order *oms.Object) (Document, error)) (*oms.Order, []oms.Warning, error) {
	var order *oms.Order
	var warnings []oms.Warning
	through := &pass{brake: e.brake, maxBytes: e.maxBytes}
	err := e.store.Write(ctx, func(tx store.Tx) error {
		t := e.transition(ctx, tx, c)
		t.pass = through
		if err := t.read(id, c.IfMatch); err != nil {
			return err
		}
		order = t.order
		patch, err := make(t.doc)
		if err != nil {
			return err
		}
		warnings, err = t.patch(patch)
		return err
	})
	through.done(err)
	if err == nil {
		e.lanes.kick(orderKey{c.Tenant, id}) // a run that waits may have become pointless
	}
	return order, warnings, err
}

// patch applies a patch to the order. It returns what of the patch nobody reads,
// and what was not applied; the history says it, too, if the order changes.
func (t *transition) patch(patch Document) ([]oms.Warning, error) {
	patched, err := oms.APIPatch.Apply(t.order.Doc, patch.Object)
	if err != nil {
		return nil, err
	}
	warnings := slices.Concat(patch.Warnings, patched.Warnings)
	if len(patched.Changes) == 0 {
		return warnings, nil
	}
	was := t.order.Status()
	t.doc = patched.Doc
	changes := patched.Changes
	if oms.KeepReturned(t.doc, t.order.Doc) {
		changes = oms.Diff(t.order.Doc, t.doc)
	}
	t.log(oms.HistoryEntry{Category: oms.CategoryOrder, Operation: oms.OpPatched, Changes: changes, Message: "the order was patched",
		Warnings: warnings})
	if err := t.noteUnfit(patched.Unfit); err != nil {
		return nil, err
	}
	if !oms.SameName(was, t.doc.Text("status")) {
		t.logStatus(was)
	} else if oms.ShipmentsMoved(t.order.Doc, t.doc) {
		if err := t.enterMainStatus(); err != nil {
			return nil, err
		}
	}
	return warnings, t.save()
}

func (e *Engine) transition(ctx context.Context, tx store.Tx, c Caller) *transition {
	return &transition{ctx: ctx, from: tx, tx: tx, tenant: c.Tenant, now: e.clock.Now().UTC(), by: c.By}
}

// read reads the order to change, which must be of the version asked for.
func (t *transition) read(id string, ifMatch int64) error {
	order, err := t.from.Order(t.ctx, t.tenant, id)
	if err != nil {
		return err
	}
	if ifMatch != 0 && ifMatch != order.Version {
		return oms.Errorf(oms.Stale, "the order is of version %d by now", order.Version)
	}
	t.order, t.doc = order, order.Doc
	return nil
}

// enter saves the order and, where a workflow is to run, its run: at its first
// step, or waiting behind the order's other runs.
func (t *transition) enter(sc scope, run bool) error {
	t.returnID = sc.returnID
	if !run {
		return t.save()
	}
	s, err := t.from.Settings(t.ctx, t.tenant)
	if err != nil {
		return err
	}
	earlier, err := t.from.NextRun(t.ctx, t.tenant, t.order.ID)
	if err != nil {
		return err
	}
	t.settings = s
	t.run, t.newRun = plan(s, t.order.ID, t.doc, sc, t.now), true
	if earlier == nil {
		t.forward(0)
	}
	return t.save()
}

// start makes a change in one transaction, once for its Idempotency-Key, and
// sets the run that it began going.
func (e *Engine) start(ctx context.Context, c Caller, do func(*transition) error) (Started, error) {
	var (
		started Started
		fresh   held
		made    *transition
		through = &pass{brake: e.brake, maxBytes: e.maxBytes}
	)
	err := e.store.Write(ctx, func(tx store.Tx) error {
		made = nil
		if again, err := replay(ctx, tx, c); again != nil || err != nil {
			if again != nil {
				started = *again
			}
			return err
		}
		t := e.transition(ctx, tx, c)
		made, t.pass = t, through
		if err := do(t); err != nil {
			return err
		}
		started, fresh = Started{OrderID: t.order.ID, Version: t.order.Version}, held{run: t.run, order: t.order}
		if t.run != nil {
			started.RunID = t.run.ID
		}
		return remember(ctx, tx, c, started, t)
	})
	through.done(err)
	if err == nil {
		e.tell(made)
		key := orderKey{c.Tenant, started.OrderID}
		if fresh.run != nil {
			e.fresh.Store(key, fresh)
		}
		e.lanes.kick(key)
	}
	return started, err
}
