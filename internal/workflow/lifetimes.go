package workflow

import "context"

// lifetimes are the contexts of an engine. They end one after the other. The beginning of a
// stop ends listening: what others wait for there may never come. The stop of the engine ends
// waiting and stopping at once: callers get their answers, and no attempt begins. It ends calls
// only when the time for attempts in flight is over. None of them comes from a caller, since a
// run goes on when its caller has hung up.
type lifetimes struct {
	calls     context.Context // ends when calls in flight must be given up
	giveUp    context.CancelFunc
	stopping  context.Context // ends when no new call may begin
	stopCalls context.CancelFunc
	waiting   context.Context // ends when nobody may wait for a run any longer
	stopWaits context.CancelFunc
	listening context.Context // ends when nobody may wait for an event or a call any longer
	leave     context.CancelFunc
}

func newLifetimes() (l lifetimes) {
	l.calls, l.giveUp = context.WithCancel(context.Background())
	l.stopping, l.stopCalls = context.WithCancel(context.Background())
	l.waiting, l.stopWaits = context.WithCancel(context.Background())
	l.listening, l.leave = context.WithCancel(l.waiting)
	return l
}

// Leaving is closed when nobody may wait any longer for an event of a feed, or for a call to
// answer, since the server stops. These may never come, so a stop does not wait for them, as it
// does for runs.
func (e *Engine) Leaving() <-chan struct{} { return e.listening.Done() }

// Leave closes [Engine.Leaving]. StopWaits and Stop do so, too.
func (e *Engine) Leave() { e.leave() }

// StopWaits answers all who wait for a run: their runs go on without them.
func (e *Engine) StopWaits() { e.stopWaits() }

// Stop begins no new attempt and waits for those in flight. When ctx ends
// first it gives them up: their runs repeat that attempt at the next start.
func (e *Engine) Stop(ctx context.Context) {
	// Callers get their answers first. Then no attempt begins any more, and what wakes
	// queues ends before the queues do.
	e.stopWaits()
	e.stopCalls()
	e.board.Close()
	e.waking.Wait()
	// The time is over. Without their calls the turns end soon, and are waited for without
	// a bound: after Stop nothing of the engine writes any more.
	if e.queues.stop(ctx) != nil {
		e.giveUp()
		_ = e.queues.stop(context.Background())
	}
	// Calls of shadows have ended with stopCalls. What they still store takes a moment.
	e.shadows.tasks.Wait()
	e.giveUp()
}
