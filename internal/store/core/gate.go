package core

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/store"
)

// gate limits how many pages are read at a time. Those that wait are let in by turns,
// tenant by tenant, so that one tenant with many requests does not hold up another. The
// waiting is short, because whoever waits has a request open.
//
// There is one gate for each class of questions that callers may ask at length. The
// dashboard passes it, too, since it asks the API.
type gate struct {
	what   string        // what kind of page it is, for the error
	places int           // how many may be read at a time
	wait   time.Duration // how long one waits at most

	// mu guards all that follows.
	mu      sync.Mutex
	inside  int
	waiting map[string][]*visitor
	turns   []string // the tenants that wait, each once; the first one is the next
}

// visitor is a request that waits at a gate. The channel let is closed when it may enter.
// It stays open if the visitor gives up first.
type visitor struct{ let chan struct{} }

// How many pages callers may read at a time.
const (
	ListsAtOnce    = 4
	SearchesAtOnce = 2
)

// Connections is how many connections an engine has at most for each class. A question that
// finds none free waits only for others of its own class. Whoever is let in to read a page
// has a connection without waiting.
var Connections = [store.Classes]int{
	store.Work:       8,
	store.Read:       4,
	store.Listing:    ListsAtOnce,
	store.Search:     SearchesAtOnce,
	store.Background: 2,
	store.Check:      1,
}

// newGates returns the gates by class, with nobody inside.
func newGates() map[store.Class]*gate {
	return map[store.Class]*gate{
		store.Listing: {what: "lists", places: ListsAtOnce, wait: 10 * time.Second, waiting: map[string][]*visitor{}},
		store.Search:  {what: "searches", places: SearchesAtOnce, wait: 5 * time.Second, waiting: map[string][]*visitor{}},
	}
}

// enter waits until a caller's page may be read. It returns the context to read it with,
// which has the class, and leave, which the caller must call when the page is read.
// Questions of the server's own work, and those within a write, are not limited. The error
// is [apierr.TooMany].
func (q queries) enter(ctx context.Context, tenant string, class store.Class) (_ context.Context, leave func(), err error) {
	if q.own != nil || store.ClassOf(ctx) != store.Read {
		return ctx, func() {}, nil
	}
	g := q.gates[class]
	if err := g.enter(ctx, tenant); err != nil {
		return nil, nil, err
	}
	return class.Mark(ctx), g.leave, nil
}

// enter waits until there is a place, for g.wait at most. If a place is given at the very
// moment that the waiting ends, it is given back.
func (g *gate) enter(ctx context.Context, tenant string) error {
	v := g.join(tenant)
	if v == nil {
		return nil
	}
	timer := time.NewTimer(g.wait)
	defer timer.Stop()
	var err error
	select {
	case <-v.let:
		return nil
	case <-ctx.Done():
		err = ctx.Err()
	case <-timer.C:
		err = &apierr.Error{Kind: apierr.TooMany, RetryAfter: g.wait,
			Detail: "too many " + g.what + " at once: this one has waited " + g.wait.String() + " for those of others"}
	}
	if !g.quit(tenant, v) { // it was let in at the same moment
		g.leave()
	}
	return err
}

// join takes a free place and returns nil, or puts a visitor behind the others of its
// tenant.
func (g *gate) join(tenant string) *visitor {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.inside < g.places {
		g.inside++
		return nil
	}
	// Each tenant is in the turns once, however many of its visitors wait.
	if len(g.waiting[tenant]) == 0 {
		g.turns = append(g.turns, tenant)
	}
	v := &visitor{make(chan struct{})}
	g.waiting[tenant] = append(g.waiting[tenant], v)
	return v
}

// leave gives the place to the next one that waits, or frees it. The tenant that has just
// been served is put behind all others that wait.
func (g *gate) leave() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.turns) == 0 {
		g.inside--
		return
	}
	tenant := g.turns[0]
	g.turns = g.turns[1:]
	// The place goes from one to the next: inside stays as it is.
	line := g.waiting[tenant]
	close(line[0].let)
	if line = line[1:]; len(line) == 0 {
		delete(g.waiting, tenant)
		return
	}
	g.waiting[tenant] = line
	g.turns = append(g.turns, tenant)
}

// quit removes a visitor that does not wait any longer. It reports false if the visitor
// has been let in already.
func (g *gate) quit(tenant string, v *visitor) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	line := g.waiting[tenant]
	at := slices.Index(line, v)
	if at < 0 {
		return false
	}
	if line = slices.Delete(line, at, at+1); len(line) > 0 {
		g.waiting[tenant] = line
		return true
	}
	delete(g.waiting, tenant)
	g.turns = slices.DeleteFunc(g.turns, func(t string) bool { return t == tenant })
	return true
}
