package workflow

import (
	"slices"
	"sync"
)

// watchers tells those who wait for a run that it has an answer.
type watchers struct {
	mu   sync.Mutex
	byID map[string][]watcher
}

// watcher is somebody who waits for a run of an order.
type watcher struct {
	order    orderKey
	answered chan held
}

func newWatchers() *watchers { return &watchers{byID: map[string][]watcher{}} }

// watch returns a channel that gets the run once tell is called for it, and a
// function to call when nobody waits any more.
func (w *watchers) watch(order orderKey, runID string) (answered <-chan held, stop func()) {
	c := make(chan held, 1)
	w.mu.Lock()
	w.byID[runID] = append(w.byID[runID], watcher{order, c})
	w.mu.Unlock()
	return c, func() { w.forget(runID, c) }
}

// tell gives the run to those who wait for it.
func (w *watchers) tell(runID string, h held) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, who := range w.byID[runID] {
		who.answered <- h
	}
	delete(w.byID, runID)
}

// erased has those who wait for a run of an order look for themselves: it is gone.
func (w *watchers) erased(order orderKey) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for id, waiting := range w.byID {
		if waiting[0].order == order { // a run is of one order
			for _, who := range waiting {
				who.answered <- held{}
			}
			delete(w.byID, id)
		}
	}
}

func (w *watchers) forget(runID string, c chan held) {
	w.mu.Lock()
	defer w.mu.Unlock()
	left := slices.DeleteFunc(w.byID[runID], func(who watcher) bool { return who.answered == c })
	if len(left) == 0 {
		delete(w.byID, runID)
		return
	}
	w.byID[runID] = left
}
