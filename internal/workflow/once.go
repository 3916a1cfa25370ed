package workflow

import (
	"bytes"
	"context"
	"strings"

	"github.com/orderhook/orderhook/internal/oms"
	"github.com/orderhook/orderhook/internal/store"
)

// replay finds what an earlier POST with the same Idempotency-Key began. The
// key is stored with what it made, so a duplicate in flight finds it too, and
// waits for the same run.
func replay(ctx context.Context, tx store.Tx, c Caller) (*Started, error) {
	if c.Once == nil {
		return nil, nil
	}
	kept, err := tx.Idempotency(ctx, c.Tenant, c.Once.Key)
	if err != nil || kept == nil {
		return nil, err
	}
	if !bytes.Equal(kept.Hash, c.Once.Hash) {
		return nil, oms.Errorf(oms.Conflict, "this Idempotency-Key came with another request before")
	}
	orderID, runID, _ := strings.Cut(kept.Resource, "\n")
	return &Started{OrderID: orderID, RunID: runID}, nil
}

// remember keeps what a POST with an Idempotency-Key began.
func remember(ctx context.Context, tx store.Tx, c Caller, s Started, t *transition) error {
	if c.Once == nil {
		return nil
	}
	kept := *c.Once
	kept.Resource, kept.Created = s.OrderID+"\n"+s.RunID, t.now
	return tx.PutIdempotency(ctx, c.Tenant, kept)
}
