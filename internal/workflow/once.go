package workflow

import (
	"bytes"
	"context"
	"fmt"
	"time"

	"github.com/orderhook/orderhook/internal/oms"
	"github.com/orderhook/orderhook/internal/store"
)

// replay finds what an earlier POST with the same Idempotency-Key began. The
// key is stored with what it made, so a duplicate in flight finds it too, and
// waits for the same run.
func replay(ctx context.Context, tx store.Reader, c Caller) (*Started, error) {
	kept, err := tx.Idempotency(ctx, c.Tenant, c.Once.Key)
	if err != nil || kept == nil {
		return nil, err
	}
	if !bytes.Equal(kept.Hash, c.Once.Hash) {
		return nil, oms.Errorf(oms.Conflict, "this Idempotency-Key came with another request before")
	}
	s := &Started{}
	if _, err := fmt.Sscanf(kept.Resource, "%d %q %q", &s.Version, &s.RunID, &s.OrderID); err != nil {
		return nil, fmt.Errorf("what is kept of an Idempotency-Key: %w", err)
	}
	return s, nil
}

// Replayed returns what an earlier POST with the caller's Idempotency-Key
// began, nil if there was none.
func (e *Engine) Replayed(ctx context.Context, c Caller) (*Started, error) {
	if c.Once == nil {
		return nil, nil
	}
	return replay(ctx, e.store, c)
}

// remember keeps what a POST with an Idempotency-Key began.
func remember(ctx context.Context, tx store.Tx, c Caller, s Started, now time.Time) error {
	kept := *c.Once
	kept.Resource, kept.Created = fmt.Sprintf("%d %q %q", s.Version, s.RunID, s.OrderID), now
	return tx.PutIdempotency(ctx, c.Tenant, kept)
}
