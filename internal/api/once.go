package api

import (
	"context"
	"time"

	"github.com/orderhook/orderhook/internal/store"
	"github.com/orderhook/orderhook/internal/workflow"
)

// once runs do in a write, unless an earlier request with the caller's
// Idempotency-Key did (docs/contract.md#idempotency): then it returns what is stored of
// that. do returns what is to be stored, mostly the id of what it made.
//
// What is stored under the key and what do writes are one transaction, so a crash leaves
// both or neither. If do fails, nothing is stored, and the key is free for another try.
// do may run more than once, as any function that is passed to Write. Without a key, do
// simply runs.
func (a *api) once(ctx context.Context, in OnceParams, do func(tx store.Tx, now time.Time) (string, error)) (earlier *store.Idempotency, err error) {
	c := a.caller(ctx, in)
	err = a.Store.Write(ctx, func(tx store.Tx) error {
		if earlier, err = c.Once.Earlier(ctx, tx, c.Tenant); earlier != nil || err != nil {
			return err
		}
		now := a.now()
		resource, err := do(tx, now)
		if err != nil {
			return err
		}
		return c.Once.Remember(ctx, tx, c.Tenant, resource, now)
	})
	return earlier, err
}

// onceOutside is once for functions that make requests, which must not be done within a
// write. Requests with the same key that come meanwhile wait for the first. First the
// request is made, and then the key is stored; a crash in between leaves a request that a
// repetition makes once more. The error of do leaves the key free.
func (a *api) onceOutside(ctx context.Context, in OnceParams, do func(ctx context.Context) (string, error)) (earlier *store.Idempotency, err error) {
	c := a.caller(ctx, in)
	done, err := a.turnOf(ctx, c)
	if err != nil {
		return nil, err
	}
	defer done()
	if earlier, err = c.Once.Earlier(ctx, a.Store, c.Tenant); earlier != nil || err != nil {
		return earlier, err
	}
	ctx = context.WithoutCancel(ctx) // what was sent is recorded, whether the caller waits or not
	resource, err := do(ctx)
	if err != nil || c.Once == nil {
		return nil, err
	}
	return nil, a.Store.Write(ctx, func(tx store.Tx) error { return c.Once.Remember(ctx, tx, c.Tenant, resource, a.now()) })
}

// turnOf waits until no other request with the caller's Idempotency-Key is under
// way, here or on another node. It is for what makes requests, which no write may wait for.
//
// Two steps are needed, because a claim is a node's and not a request's: the requests of
// this node take turns first, and the one whose turn it is claims the name among the
// nodes. done must be called, and gives both back, the claim first.
func (a *api) turnOf(ctx context.Context, c workflow.Caller) (done func(), err error) {
	if c.Once == nil {
		return func() {}, nil
	}
	name := c.Tenant + "\n" + c.Once.Key
	over, err := a.turns.take(ctx, name)
	if err != nil {
		return nil, err
	}
	unclaim, err := a.Node.Claim(ctx, name)
	if err != nil {
		over()
		return nil, err
	}
	return func() { unclaim(); over() }, nil
}

// now returns the time in the precision in which it is stored. What an answer shows is
// then what a later one shows that was read from the database.
func (a *api) now() time.Time { return a.Clock.Now().UTC().Truncate(time.Microsecond) }
