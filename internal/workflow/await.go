package workflow

import (
	"context"
	"time"

	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/order"
	"github.com/orderhook/orderhook/internal/run"
)

// Result is what a workflow came to (docs/contract.md#runs). A dry run makes one without a
// run.
type Result struct {
	RunID     string
	Done      bool          // false when the wait was over before the run had an answer
	ReturnID  string        // of the return that the run is for
	RunStatus run.RunStatus // "" where there is no run
	Reason    string        // why the run did not succeed
	IsAborted bool
	Order     *order.Order
	Steps     []run.StepResult
}

// Await waits until what was started has its answer, which is when all but the
// deferred steps have ended, and so have the runs that it triggered. It waits
// until wait has passed, ctx ends or the engine stops; the run goes on without
// a waiter. With a wait of 0 the result shows the run as it is at that moment,
// and is never Done: a caller who does not wait gets the same kind of answer
// each time, however fast the run was (docs/contract.md#waiting). The error is
// [apierr.NotFound] where what was started is not stored any more.
func (e *Engine) Await(ctx context.Context, tenant string, s Started, wait time.Duration) (*Result, error) {
	r, err := e.await(ctx, tenant, s, wait)
	if apierr.KindOf(err) == apierr.NotFound {
		return nil, e.goneSince(ctx, tenant, s)
	}
	return r, err
}

// goneSince says why nothing is there of what was started: the caller named no run, and would
// learn nothing from the id of one. The order may be there all the same, since another one
// was made under its id.
func (e *Engine) goneSince(ctx context.Context, tenant string, s Started) error {
	_, err := e.store.Order(ctx, tenant, s.OrderID)
	switch {
	case apierr.KindOf(err) == apierr.NotFound:
		return apierr.Errorf(apierr.NotFound, "the order %q was erased", s.OrderID)
	case err != nil:
		return err
	}
	return apierr.Errorf(apierr.NotFound, "what this request began of the order %q is not stored any more: the order was erased and made anew, or it is older than is retained", s.OrderID)
}

// await is Await, whose error says what is missing.
func (e *Engine) await(ctx context.Context, tenant string, s Started, wait time.Duration) (*Result, error) {
	// No workflow was to run. The answer shows the order as this change left it, whatever
	// has become of it since.
	if s.RunID == "" {
		order, err := e.store.OrderVersion(ctx, tenant, s.OrderID, s.Version)
		return &Result{Done: true, Order: order}, err
	}
	over, stop := context.WithTimeout(ctx, wait)
	defer stop()
	key := orderKey{tenant, s.OrderID}
	if s.stop != nil {
		defer s.stop()
	}
	first, err := s.snapshot, error(nil)
	// If the change has created the order, it has watched the run from before the run could
	// move. Otherwise the run is looked up and watched from now on.
	switch {
	case s.run == nil:
		first, err = e.awaitRun(ctx, key, s.RunID, over)
	case s.run.AnswerVersion == 0:
		first, err = e.awaitAnswer(ctx, key, s.RunID, s.answered, over)
	}
	last := first
	// The caller waits for the runs that were triggered, too, each after the one before. At
	// a deferred step the answer is given, and whatever is triggered behind that belongs to
	// the background.
	for err == nil && last.run.AnswerVersion > 0 && last.run.Triggered != "" && !last.run.AtDeferred() {
		last, err = e.awaitRun(ctx, key, last.run.Triggered, over)
	}
	if err != nil {
		return nil, err
	}
	order := last.order // as the answer shows it, or as it is while there is none
	switch version := last.run.AnswerVersion; {
	case version == 0:
		order, err = e.store.Order(ctx, tenant, s.OrderID)
	case order == nil || order.Version != version:
		order, err = e.store.OrderVersion(ctx, tenant, s.OrderID, version)
	}
	if err != nil {
		return nil, err
	}
	r := newResult(first.run, last.run, order)
	r.Done = r.Done && wait > 0
	return r, nil
}

// awaitRun returns a run once it has an answer, or as it is when the wait is over. It
// watches before it reads, so an answer that comes in between is not missed.
func (e *Engine) awaitRun(ctx context.Context, key orderKey, id string, over context.Context) (snapshot, error) {
	answered, stop := e.watchers.watch(key, id)
	defer stop()
	run, err := e.store.Run(ctx, key.tenant, id)
	if err != nil || run.AnswerVersion > 0 {
		return snapshot{run: run}, err
	}
	return e.awaitAnswer(ctx, key, id, answered, over)
}

// awaitAnswer waits for what answered gets, and reads the run as it is when the wait
// is over or somebody erased it. A snapshot without a run says that there is something to
// read: another node has ended the run, or its order was erased.
func (e *Engine) awaitAnswer(ctx context.Context, key orderKey, id string, answered <-chan snapshot, over context.Context) (snapshot, error) {
	select {
	case s := <-answered:
		if s.run != nil {
			return s, nil
		}
	case <-over.Done():
	case <-e.waiting.Done():
	}
	run, err := e.store.Run(ctx, key.tenant, id)
	return snapshot{run: run}, err
}

// newResult returns what a workflow's first run came to, with the order that the last
// run that it triggered left. A repeated request gets what the first one was told, though
// deferred steps may have ended since (docs/contract.md#idempotency).
func newResult(first, last *run.Run, order *order.Order) *Result {
	r := &Result{RunID: first.ID, ReturnID: first.ReturnID, Done: last.AnswerVersion > 0, Order: order}
	passed := first.Status.Ended() && !first.AtDeferred() // no deferred step was ever come to
	for _, s := range first.Results {
		if s.Deferred && !passed { // as the first to ask was told, whatever has become of it since
			s = run.StepResult{Step: s.Step, ActionType: s.ActionType, ActionStatus: run.ActionPending, IsInvisible: s.IsInvisible, TranslateKey: s.TranslateKey, DisplayName: s.DisplayName, Deferred: true}
		}
		if s.ActionStatus != run.ActionSkipped {
			r.Steps = append(r.Steps, s)
		}
	}
	r.IsAborted = first.Status == run.RunAborted && !first.AtDeferred()
	r.RunStatus, r.Reason = first.Status, first.Reason
	if r.Done && first.AtDeferred() { // whatever has become of it since
		r.RunStatus, r.Reason = run.RunWaiting, ""
	}
	return r
}
