package workflow

import (
	"slices"
	"sync"
)

// watchers tells those who wait for a run that it has an answer.
type watchers struct {
	mu   sync.Mutex
	byID map[string][]chan held
}

func newWatchers() *watchers { return &watchers{byID: map[string][]chan held{}} }

// watch returns a channel that gets the run once tell is called for it, and a
// function to call when nobody waits any more.
func (w *watchers) watch(runID string) (answered <-chan held, stop func()) {
	c := make(chan held, 1)
	w.mu.Lock()
	w.byID[runID] = append(w.byID[runID], c)
	w.mu.Unlock()
	return c, func() { w.forget(runID, c) }
}

// tell gives the run to those who wait for it; where h holds none, they look
// for themselves.
func (w *watchers) tell(runID string, h held) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, c := range w.byID[runID] {
		c <- h
	}
	delete(w.byID, runID)
}

func (w *watchers) forget(runID string, c chan held) {
	w.mu.Lock()
	defer w.mu.Unlock()
	left := slices.DeleteFunc(w.byID[runID], func(have chan held) bool { return have == c })
	if len(left) == 0 {
		delete(w.byID, runID)
		return
	}
	w.byID[runID] = left
}
