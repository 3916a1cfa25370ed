package core

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/orderhook/orderhook/internal/oms"
	"github.com/orderhook/orderhook/internal/store"
)

// gate lets so many pages be read at a time. Those that have to wait are let in
// tenant by tenant in turn, so that nobody waits for all that another has asked
// for; and not for long: who waits holds a request.
type gate struct {
	what   string        // what it lets in, for the error
	places int           // at a time
	wait   time.Duration // at most

	mu      sync.Mutex
	inside  int
	waiting map[string][]*visitor
	turns   []string // the tenants that wait, each once; the first is next
}

// visitor is somebody who waits at a gate. let is closed with the place theirs.
type visitor struct{ let chan struct{} }

// The pages that callers may have read at a time. Engines have as many
// connections for each class.
const (
	ListsAtOnce    = 4
	SearchesAtOnce = 2
)

func newGates() map[store.Class]*gate {
	return map[store.Class]*gate{
		store.Listing: {what: "lists", places: ListsAtOnce, wait: 10 * time.Second, waiting: map[string][]*visitor{}},
		store.Search:  {what: "searches", places: SearchesAtOnce, wait: 5 * time.Second, waiting: map[string][]*visitor{}},
	}
}

// enter lets a caller's page of a class in, and returns the context to read it
// with. What is no caller's passes as it is. The error is [oms.TooMany].
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
		err = &oms.Error{Kind: oms.TooMany, RetryAfter: g.wait,
			Detail: "too many " + g.what + " at once: this one has waited " + g.wait.String() + " for those of others"}
	}
	if !g.quit(tenant, v) { // it was let in at this moment
		g.leave()
	}
	return err
}

// join is nil where there is a place.
func (g *gate) join(tenant string) *visitor {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.inside < g.places {
		g.inside++
		return nil
	}
	if len(g.waiting[tenant]) == 0 {
		g.turns = append(g.turns, tenant)
	}
	v := &visitor{make(chan struct{})}
	g.waiting[tenant] = append(g.waiting[tenant], v)
	return v
}

// leave gives a place to whose turn it is, or free.
func (g *gate) leave() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.turns) == 0 {
		g.inside--
		return
	}
	tenant := g.turns[0]
	g.turns = g.turns[1:]
	line := g.waiting[tenant]
	close(line[0].let)
	if line = line[1:]; len(line) == 0 {
		delete(g.waiting, tenant)
		return
	}
	g.waiting[tenant] = line
	g.turns = append(g.turns, tenant)
}

// quit takes out who waits no longer. It reports false if they wait no more.
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
