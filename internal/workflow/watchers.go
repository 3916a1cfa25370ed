package workflow

import "sync"

// watchers tells those who wait for a run that it has an answer.
type watchers struct {
	mu   sync.Mutex
	byID map[string][]chan struct{}
}

func newWatchers() *watchers { return &watchers{byID: map[string][]chan struct{}{}} }

// watch returns a channel that is closed once tell is called for the run, and
// a function to call when nobody waits any more.
func (w *watchers) watch(runID string) (answered <-chan struct{}, stop func()) {
	c := make(chan struct{})
	w.mu.Lock()
	w.byID[runID] = append(w.byID[runID], c)
	w.mu.Unlock()
	return c, func() { w.forget(runID, c) }
}

func (w *watchers) tell(runID string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, c := range w.byID[runID] {
		close(c)
	}
	delete(w.byID, runID)
}

func (w *watchers) forget(runID string, c chan struct{}) {
	w.mu.Lock()
	defer w.mu.Unlock()
	left := w.byID[runID]
	for i, have := range left {
		if have == c {
			left = append(left[:i:i], left[i+1:]...)
			break
		}
	}
	if len(left) == 0 {
		delete(w.byID, runID)
		return
	}
	w.byID[runID] = left
}
