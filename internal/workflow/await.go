package workflow

import (
	"context"
	"time"

	"github.com/orderhook/orderhook/internal/oms"
)

// Result is what a workflow came to (API.md, "A workflow result").
type Result struct {
	RunID     string
	Done      bool          // false when the wait was over before the run had an answer
	ReturnID  string        // of the return that the run is for
	RunStatus oms.RunStatus // "" where there is no run
	Reason    string        // why the run did not succeed
	IsAborted bool
	Order     *oms.Order
	Steps     []oms.StepResult
}

// Await waits until what was started has its answer, which is when all but the
// deferred steps have ended, and so have the runs that it triggered. It waits
// until wait has passed, ctx ends or the engine stops; the run goes on without
// a waiter. With a wait of 0 the result shows the run as it is at that moment,
// and is never Done: a caller who does not wait gets the same kind of answer
// each time, however fast the run was (CONTRACT.md, "When it runs").
func (e *Engine) Await(ctx context.Context, tenant string, s Started, wait time.Duration) (*Result, error) {
	if s.RunID == "" {
		order, err := e.store.OrderVersion(ctx, tenant, s.OrderID, s.Version)
		return &Result{Done: true, Order: order}, err
	}
	over, stop := context.WithTimeout(ctx, wait)
	defer stop()
	key := orderKey{tenant, s.OrderID}
	first, err := e.awaitStarted(ctx, key, s, over)
	last := first
	for err == nil && last.run.AnswerVersion > 0 && last.run.Triggered != "" && !atDeferred(last.run) {
		last, err = e.awaitRun(ctx, key, last.run.Triggered, over)
	}
	if err != nil {
		return nil, err
	}
	order, err := e.answeredOrder(ctx, tenant, last)
	if err != nil {
		return nil, err
	}
	r := result(first.run, last.run, order)
	r.Done = r.Done && wait > 0
	return r, nil
}

// awaitStarted returns the run that was started, as awaitRun does, without reading it
// where it is known.
func (e *Engine) awaitStarted(ctx context.Context, key orderKey, s Started, over context.Context) (held, error) {
	if s.stop != nil {
		defer s.stop()
	}
	switch {
	case s.run == nil:
		return e.awaitRun(ctx, key, s.RunID, over)
	case s.run.AnswerVersion > 0:
		return s.held, nil
	}
	return e.awaitAnswer(ctx, key, s.RunID, s.answered, over)
}

// awaitRun returns a run once it has an answer, or as it is when the wait is over.
func (e *Engine) awaitRun(ctx context.Context, key orderKey, id string, over context.Context) (held, error) {
	answered, stop := e.watchers.watch(key, id)
	defer stop()
	run, err := e.store.Run(ctx, key.tenant, id)
	if err != nil || run.AnswerVersion > 0 {
		return held{run: run}, err
	}
	return e.awaitAnswer(ctx, key, id, answered, over)
}

// awaitAnswer waits for what answered gets, and reads the run as it is when the wait
// is over or somebody erased it.
func (e *Engine) awaitAnswer(ctx context.Context, key orderKey, id string, answered <-chan held, over context.Context) (held, error) {
	select {
	case h := <-answered:
		if h.run != nil {
			return h, nil
		}
	case <-over.Done():
	case <-e.released.Done():
	}
	run, err := e.store.Run(ctx, key.tenant, id)
	return held{run: run}, err
}

// answeredOrder returns the order as a run's answer shows it, or as it is while
// there is none.
func (e *Engine) answeredOrder(ctx context.Context, tenant string, h held) (*oms.Order, error) {
	version := h.run.AnswerVersion
	switch {
	case version == 0:
		return e.store.Order(ctx, tenant, h.run.OrderID)
	case h.order != nil && h.order.Version == version:
		return h.order, nil
	}
	return e.store.OrderVersion(ctx, tenant, h.run.OrderID, version)
}

// result is what a workflow's first run came to, with the order that the last
// run that it triggered left.
func result(first, last *oms.Run, order *oms.Order) *Result {
	r := &Result{RunID: first.ID, ReturnID: first.ReturnID, Done: last.AnswerVersion > 0, Order: order}
	passed := first.Status.Ended() && !atDeferred(first) // no deferred step was ever come to
	for _, s := range first.Results {
		if s.Deferred && !passed { // as the first to ask was told, whatever has become of it since
			s = oms.StepResult{Step: s.Step, ActionType: s.ActionType, ActionStatus: oms.ActionPending, IsInvisible: s.IsInvisible, TranslateKey: s.TranslateKey, DisplayName: s.DisplayName, Deferred: true}
		}
		if s.ActionStatus != oms.ActionSkipped {
			r.Steps = append(r.Steps, s)
		}
	}
	r.IsAborted = first.Status == oms.RunAborted && !atDeferred(first)
	r.RunStatus, r.Reason = first.Status, first.Reason
	if r.Done && atDeferred(first) { // whatever has become of it since
		r.RunStatus, r.Reason = oms.RunWaiting, ""
	}
	return r
}

// atDeferred reports whether the step that a run is at, or ended at, is a deferred one.
func atDeferred(r *oms.Run) bool {
	return r.Position.Step < len(r.Results) && r.Results[r.Position.Step].Deferred
}
