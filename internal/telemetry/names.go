package telemetry

import "sync"

// mostNames is how many tenants have a label of their own. Each has a series for each kind
// and outcome of its calls, and each series is memory here and in Prometheus.
const mostNames = 200

// others is the label of the tenants that came later.
const others = "(others)"

// names gives out labels, to the first tenants that are met. A tenant keeps its label as
// long as the process runs: a series that changed its meaning would be worse than one that
// adds up many. It is safe for concurrent use.
type names struct {
	mu    sync.RWMutex
	known map[string]bool
}

// newNames returns names of which none is given out.
func newNames() *names { return &names{known: map[string]bool{}} }

// of returns the label of a tenant. Nearly always the tenant is known, so it takes only the
// lock of readers.
func (n *names) of(tenant string) string {
	n.mu.RLock()
	known, full := n.known[tenant], len(n.known) >= mostNames
	n.mu.RUnlock()
	switch {
	case known:
		return tenant
	// Checked once more below, since this look had only the lock of readers.
	case full:
		return others
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if !n.known[tenant] && len(n.known) >= mostNames {
		return others
	}
	n.known[tenant] = true
	return tenant
}
