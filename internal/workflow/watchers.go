package workflow

import (
	"slices"
	"sync"
)

// watchers tells those who wait for a run that it has an answer. A watch gets one snapshot
// at most and has room for it, so that telling waits for nobody.
type watchers struct {
	mu   sync.Mutex
	byID map[string][]watcher
}

// watcher is somebody who waits for a run of an order.
type watcher struct {
	order    orderKey
	answered chan snapshot
}

// newWatchers makes watchers of which none waits yet.
func newWatchers() *watchers { return &watchers{byID: map[string][]watcher{}} }

// watch returns a channel that gets the run once tell is called for it, and a
// function to call when nobody waits any more. The function may be called more than once,
// and after the channel got its run.
func (w *watchers) watch(order orderKey, runID string) (answered <-chan snapshot, stop func()) {
	c := make(chan snapshot, 1)
	w.mu.Lock()
	w.byID[runID] = append(w.byID[runID], watcher{order, c})
	w.mu.Unlock()
	return c, func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		// Others may wait for the same run.
		left := slices.DeleteFunc(w.byID[runID], func(who watcher) bool { return who.answered == c })
		if len(left) == 0 {
			delete(w.byID, runID)
			return
		}
		w.byID[runID] = left
	}
}

// tell gives the run to those who wait for it. A snapshot without a run has them read it.
func (w *watchers) tell(runID string, s snapshot) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, who := range w.byID[runID] {
		who.answered <- s
	}
	delete(w.byID, runID)
}

// watched is a run that somebody waits for.
type watched struct {
	order orderKey
	run   string
}

// all returns the runs that somebody waits for.
func (w *watchers) all() (all []watched) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for id, waiting := range w.byID {
		all = append(all, watched{waiting[0].order, id})
	}
	return all
}

// erased has those who wait for a run of an order look for themselves: it is gone.
func (w *watchers) erased(order orderKey) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for id, waiting := range w.byID {
		if waiting[0].order == order { // a run is of one order
			for _, who := range waiting {
				who.answered <- snapshot{}
			}
			delete(w.byID, id)
		}
	}
}
