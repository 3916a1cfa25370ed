// Package changes tells whoever looks at a tenant that something of it has
// changed: not what, and not more often than once a second. A page that is told reads anew what
// it shows. It knows neither what a change is nor who looks. Begin to read with [Hub.Changed],
// which commits call, and [Hub.Listen].
package changes

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/clock"
)

const (
	// Every is how much time there is at least between two tellings of a tenant.
	Every = time.Second
	// MostPerTenant and Most bound how many may listen at the same time.
	MostPerTenant = 50
	Most          = 500
	// again is when somebody for whom there is no place may try again.
	again = 5 * time.Second
)

// Hub takes changes from the store, as its [store.Watcher], and tells listeners.
// It is safe for concurrent use.
type Hub struct {
	clock clock.Clock

	mu      sync.RWMutex
	tenants map[string]*tenant // those that somebody listens to
	count   int                // of listeners
	closed  bool
}

// tenant is a tenant that somebody listens to. It is made for the first listener and goes
// with the last. The lock of the hub guards the map, its own lock guards what is in it.
type tenant struct {
	pending atomic.Uint32 // what has changed since they were told; with a timer as soon as it is not 0

	mu        sync.Mutex
	told      time.Time // when they were told last
	listeners map[*Listener]bool
}

// New returns a hub. It has nothing running until somebody listens, and needs no end but
// [Hub.Close].
func New(c clock.Clock) *Hub { return &Hub{clock: c, tenants: map[string]*tenant{}} }

// Changed notes what a commit changed. It waits for nobody who listens, and costs
// next to nothing where nobody does.
func (h *Hub) Changed(name string, what Topics) {
	h.mu.RLock()
	t := h.tenants[name]
	h.mu.RUnlock()
	// The first change since the last telling sets a timer. Those that follow only add
	// their topics, which is why a burst of commits costs one telling.
	if t != nil && t.pending.Or(uint32(what)) == 0 && what != 0 {
		t.schedule(h.clock)
	}
}

// schedule has the listeners told: at once, or when a second has passed since they
// were told last.
func (t *tenant) schedule(c clock.Clock) {
	t.mu.Lock()
	wait := t.told.Add(Every).Sub(c.Now())
	t.mu.Unlock()
	c.AfterFunc(min(max(wait, 0), Every), func() { t.tell(c.Now()) }) // a clock that was set back holds nothing up
}

// tell gives every listener what has changed of its topics. The timer calls it. What
// changes from here on sets the next timer.
func (t *tenant) tell(now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.told = now
	what := Topics(t.pending.Swap(0))
	for l := range t.listeners {
		l.tell(what)
	}
}

// Listener is somebody who listens to a tenant. Its owner receives from Changed and calls
// Stop in the end.
type Listener struct {
	// Changed gets what has changed of the topics since it was received from last.
	// It is closed once the hub is.
	Changed <-chan Topics

	hub    *Hub
	tenant string
	topics Topics
	into   chan Topics // has room for one
}

// tell does not wait: what was not received yet becomes part of it. The tenant's mu
// is held, so nobody else sends.
func (l *Listener) tell(what Topics) {
	if what &= l.topics; what == 0 {
		return
	}
	// A listener who is slow gets one value with all topics, and never a queue of them.
	select {
	case before := <-l.into:
		what |= before
	default:
	}
	l.into <- what
}

// Listen has somebody listen to topics of a tenant, until they Stop. The error is
// [apierr.TooMany] if as many listen already as may, and [apierr.Unavailable] once the
// hub is closed.
func (h *Hub) Listen(name string, topics Topics) (*Listener, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return nil, apierr.Errorf(apierr.Unavailable, "orderhook is shutting down")
	}
	t := h.tenants[name]
	switch {
	case h.count >= Most:
		return nil, tooMany("of all tenants", Most)
	case t != nil && len(t.listeners) >= MostPerTenant:
		return nil, tooMany("of the tenant", MostPerTenant)
	case t == nil:
		t = &tenant{listeners: map[*Listener]bool{}}
		h.tenants[name] = t
	}
	into := make(chan Topics, 1)
	l := &Listener{Changed: into, hub: h, tenant: name, topics: topics, into: into}
	t.mu.Lock()
	t.listeners[l] = true
	t.mu.Unlock()
	h.count++
	return l, nil
}

// tooMany is the error for somebody for whom there is no place, in words for people.
func tooMany(of string, most int) error {
	e := apierr.Errorf(apierr.TooMany, "%d %s listen to changes at the same time already, which is the most", most, of)
	e.RetryAfter = again
	return e
}

// Stop ends the listening. It may be called again. It may also be called after the hub was
// closed.
func (l *Listener) Stop() {
	h := l.hub
	h.mu.Lock()
	defer h.mu.Unlock()
	t := h.tenants[l.tenant]
	if t == nil || !t.listeners[l] {
		return
	}
	t.mu.Lock()
	delete(t.listeners, l)
	t.mu.Unlock()
	if len(t.listeners) == 0 {
		delete(h.tenants, l.tenant)
	}
	h.count--
}

// Close ends the listening of everybody. Their channels are closed, by which they know it.
// No later commit finds a tenant.
func (h *Hub) Close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, t := range h.tenants {
		t.mu.Lock()
		for l := range t.listeners {
			close(l.into)
		}
		clear(t.listeners)
		t.mu.Unlock()
	}
	clear(h.tenants)
	h.count, h.closed = 0, true
}
