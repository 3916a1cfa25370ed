package workflow

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/orderhook/orderhook/internal/oms"
	"github.com/orderhook/orderhook/internal/settings"
	"github.com/orderhook/orderhook/internal/store"
)

// transition is one move of a run inside one transaction: it gathers what
// becomes of the order, its history and the run, and save writes all of it.
type transition struct {
	ctx    context.Context
	from   store.Reader // what is read; tx itself, but in a dry run
	tx     store.Tx     // nil in a dry run
	tenant string
	now    time.Time

	settings *settings.Settings
	order    *oms.Order  // as it is stored now
	doc      *oms.Object // what becomes of it; the stored document until it is edited
	run      *oms.Run
	newRun   bool   // run is not stored yet
	requeue  bool   // run begins anew, behind the order's others
	by       string // who makes the change, for the history
	history  []oms.HistoryEntry
	created  bool         // the order is new
	entered  []string     // statuses that the order was given, in their order
	returnID string       // of the return that the change is about
	exports  []export     // to be sent
	attempt  *oms.Attempt // that was made
	next     *oms.Run     // a run to begin behind this one
	pass     *pass        // of a call of the API that may have the order enter a status; nil: no such call
	idle     bool         // the run had ended already: nothing becomes of anything
	ended    bool         // the run ends with this move
	troubles []trouble    // for the log, once all is durable
}

// load reads what a run needs to move, as far as it is not held: nobody but its
// lane moves a run that has not ended, and a version of an order never changes.
func load(ctx context.Context, tx store.Tx, tenant string, h held, now time.Time) (*transition, error) {
	ended, err := tx.RunEnded(ctx, tenant, h.run.ID)
	if err != nil {
		return nil, err
	}
	run := h.run.Clone()
	if ended {
		if run, err = tx.Run(ctx, tenant, h.run.ID); err != nil {
			return nil, err
		}
	}
	order, err := h.current(ctx, tx, tenant)
	if err != nil {
		return nil, err
	}
	s, err := tx.SettingsVersion(ctx, tenant, run.SettingsVersion)
	if err != nil {
		return nil, err
	}
	return &transition{ctx: ctx, from: tx, tx: tx, tenant: tenant, now: now, settings: s, order: order, doc: order.Doc, run: run, returnID: run.ReturnID}, nil
}

// current returns the order as it is now, to be changed by the caller alone.
func (h held) current(ctx context.Context, tx store.Tx, tenant string) (*oms.Order, error) {
	if h.order == nil {
		return tx.Order(ctx, tenant, h.run.OrderID)
	}
	order, err := tx.OrderUnless(ctx, tenant, h.run.OrderID, h.order.Version)
	if order == nil && err == nil {
		same := *h.order
		order = &same
	}
	return order, err
}

// edit returns the document to change.
func (t *transition) edit() *oms.Object {
	if t.doc == t.order.Doc {
		t.doc = t.order.Doc.Clone()
	}
	return t.doc
}

// log adds an entry to the history, completed with what all have in common.
func (t *transition) log(e oms.HistoryEntry) {
	e.ID, e.Timestamp, e.By = oms.NewID(oms.HistoryID), t.now, t.by
	if e.Category == "" {
		e.Category = oms.CategoryWorkflow
	}
	t.history = append(t.history, e)
}

// setStatus sets the order's status. It starts no workflow.
func (t *transition) setStatus(status string) {
	was := t.doc.Text("status")
	if oms.SameName(was, status) {
		return
	}
	t.edit().Set("status", status)
	t.logStatus(was)
}

// logStatus notes, for the history and for events, that the status is no longer
// what it was.
func (t *transition) logStatus(was string) {
	t.entered = append(t.entered, t.doc.Text("status"))
	t.log(oms.HistoryEntry{Category: oms.CategoryOrder, Operation: oms.OpStatusChanged, Status: t.doc.Text("status"), PreviousStatus: was,
		Message: fmt.Sprintf("the status became %s", t.doc.Text("status"))})
}

// noteUnfit says, once in an order's history, that it holds amounts which
// orderhook does not compute and which no longer fit its totals.
func (t *transition) noteUnfit(fields []string) error {
	if len(fields) == 0 {
		return nil
	}
	if !t.created {
		earlier, err := t.from.History(t.ctx, t.tenant, t.order.ID, store.Page{Limit: store.MaxLimit})
		if err != nil {
			return err
		}
		if slices.ContainsFunc(earlier.Items, func(h oms.HistoryEntry) bool { return h.Operation == oms.OpTotalsUnfit }) {
			return nil
		}
	}
	t.log(oms.HistoryEntry{Category: oms.CategoryOrder, Operation: oms.OpTotalsUnfit,
		Message: "the totals were computed anew; orderhook does not compute " + strings.Join(fields, ", ") + ", which are as they were"})
	return nil
}

// save writes the order's next version if it changed, its events, its history,
// and the run at its new position.
func (t *transition) save() error {
	if t.attempt != nil {
		if err := t.tx.AddAttempt(t.ctx, t.tenant, t.attempt); err != nil {
			return err
		}
	}
	if t.idle {
		return nil
	}
	before := t.order.StatusVersion
	if err := t.braked(); err != nil {
		return err
	}
	if err := t.saveOrder(); err != nil {
		return err
	}
	if err := t.tellFailed(); err != nil {
		return err
	}
	if err := t.sendExports(); err != nil {
		return err
	}
	if err := t.saveRest(); err != nil {
		return err
	}
	return t.carry(before)
}

// braked refuses a call of the API that has an order enter statuses too often.
// Entering the status that it is in counts, too, where its workflow runs.
func (t *transition) braked() error {
	if t.pass == nil || t.created || !t.newRun && !oms.EntersStatus(t.order.Doc, t.doc) {
		return nil
	}
	return t.pass.enter(orderKey{t.tenant, t.order.ID})
}

func (t *transition) saveOrder() error {
	before, changed := t.order.Doc, t.doc != t.order.Doc
	if changed {
		t.order.Advance(t.doc, t.now)
		if err := t.tx.UpdateOrder(t.ctx, t.tenant, t.order); err != nil {
			return err
		}
	}
	if t.created {
		before = nil
	}
	if !changed && !t.created {
		return nil
	}
	if t.pass != nil {
		if err := oms.CheckSize(before, t.order.Doc, t.pass.maxBytes); err != nil {
			return err
		}
	}
	return t.addEvents(before)
}

// carry lets the runs that wait behind this one know of the status that it set.
// Those of a shipment or a return are as much to the point as before; one of a
// status that the order is no longer in is not.
func (t *transition) carry(before int64) error {
	if t.run == nil || t.newRun || t.order.StatusVersion == before {
		return nil
	}
	queued, err := t.tx.Runs(t.ctx, t.tenant, store.RunFilter{OrderID: t.order.ID, Status: oms.RunWaiting}, store.Page{Limit: store.MaxLimit})
	if err != nil {
		return err
	}
	for _, r := range queued.Items {
		apart := r.ShipmentID != "" || r.ReturnID != "" || oms.SameName(r.EnteredStatus, t.order.Status())
		if r.ID == t.run.ID || r.StatusVersion != before || !apart {
			continue
		}
		r.StatusVersion = t.order.StatusVersion
		if err := t.tx.UpdateRun(t.ctx, t.tenant, r); err != nil {
			return err
		}
	}
	return nil
}

func (t *transition) saveRest() error {
	for i := range t.history {
		h := &t.history[i]
		if h.Version == 0 {
			h.Version = t.order.Version
		}
		if t.run != nil {
			h.RunID, h.ShipmentID, h.ReturnID = t.run.ID, t.run.ShipmentID, t.run.ReturnID
		}
	}
	if err := t.tx.AddHistory(t.ctx, t.tenant, t.order.ID, t.history...); err != nil {
		return err
	}
	if err := t.saveRun(); err != nil {
		return err
	}
	if t.next != nil {
		t.next.StatusVersion, t.next.ScopeStatus = t.order.StatusVersion, scopeStatus(t.doc, t.next)
		return t.tx.InsertRun(t.ctx, t.tenant, t.next)
	}
	return nil
}

func (t *transition) saveRun() error {
	if t.run == nil {
		return nil
	}
	t.stamp()
	if t.newRun {
		return t.tx.InsertRun(t.ctx, t.tenant, t.run)
	}
	if t.requeue {
		return t.tx.RequeueRun(t.ctx, t.tenant, t.run)
	}
	return t.tx.UpdateRun(t.ctx, t.tenant, t.run)
}

// stamp gives the run the versions that are known only now.
func (t *transition) stamp() {
	r := t.run
	r.Updated = t.now
	r.StatusVersion = t.order.StatusVersion
	r.ScopeStatus = scopeStatus(t.doc, r)
	if r.Position.CallID != "" && r.Position.BaseVersion == 0 {
		r.Position.BaseVersion = t.order.Version
	}
	if r.AnswerVersion == 0 && answered(r) {
		r.AnswerVersion = t.order.Version
	}
}

// answered reports whether only deferred steps are left, if any.
func answered(r *oms.Run) bool {
	return r.Status.Ended() || r.Position.Step < len(r.Results) && r.Results[r.Position.Step].Deferred
}
