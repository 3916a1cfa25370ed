package api

import (
	"bytes"
	"context"
	"time"

	"github.com/orderhook/orderhook/internal/oms"
	"github.com/orderhook/orderhook/internal/store"
	"github.com/orderhook/orderhook/internal/workflow"
)

// kept returns what is kept of an earlier POST with the caller's
// Idempotency-Key, nil if there was none (API.md, "Idempotency").
func kept(ctx context.Context, r store.Reader, c workflow.Caller) (*store.Idempotency, error) {
	if c.Once == nil {
		return nil, nil
	}
	k, err := r.Idempotency(ctx, c.Tenant, c.Once.Key)
	if err == nil && k != nil && !bytes.Equal(k.Hash, c.Once.Hash) {
		return nil, oms.Errorf(oms.Conflict, "this Idempotency-Key came with another request before")
	}
	return k, err
}

// keep stores, under the caller's Idempotency-Key, what the answer can be made
// from again.
func keep(ctx context.Context, tx store.Tx, c workflow.Caller, resource string, at time.Time) error {
	if c.Once == nil {
		return nil
	}
	k := *c.Once
	k.Resource, k.Created = resource, at
	return tx.PutIdempotency(ctx, c.Tenant, k)
}

// once runs do in a write, unless an earlier POST with the caller's
// Idempotency-Key did: then it returns what is kept of that. do returns what is
// to be kept, mostly the id of what it made.
func (a *api) once(ctx context.Context, in OnceParams, do func(tx store.Tx, now time.Time) (string, error)) (earlier *store.Idempotency, err error) {
	c := a.caller(ctx, in, MatchParams{})
	err = a.Store.Write(ctx, func(tx store.Tx) error {
		if earlier, err = kept(ctx, tx, c); earlier != nil || err != nil {
			return err
		}
		now := a.now()
		resource, err := do(tx, now)
		if err != nil {
			return err
		}
		return keep(ctx, tx, c, resource, now)
	})
	return earlier, err
}

// onceOutside is once for what makes requests, which no write may: those
// who come with the same key meanwhile wait for the first.
func (a *api) onceOutside(ctx context.Context, in OnceParams, do func(ctx context.Context) (string, error)) (earlier *store.Idempotency, err error) {
	c := a.caller(ctx, in, MatchParams{})
	if c.Once != nil {
		done, err := a.turns.take(ctx, c.Tenant+"\n"+c.Once.Key)
		if err != nil {
			return nil, err
		}
		defer done()
	}
	if earlier, err = kept(ctx, a.Store, c); earlier != nil || err != nil {
		return earlier, err
	}
	ctx = context.WithoutCancel(ctx) // what was sent is recorded, whether the caller waits or not
	resource, err := do(ctx)
	if err != nil || c.Once == nil {
		return nil, err
	}
	return nil, a.Store.Write(ctx, func(tx store.Tx) error { return keep(ctx, tx, c, resource, a.now()) })
}

// now is the time as it is stored.
func (a *api) now() time.Time { return a.Clock.Now().UTC().Truncate(time.Microsecond) }
