package workflow

import (
	"context"
	"fmt"
	"time"

	"github.com/orderhook/orderhook/internal/store"
)

// earlier returns what an earlier request with the caller's Idempotency-Key began,
// nil if there was none: a repeated request waits for the same run. Stored are a version
// and two ids and no document: the answer is made of them anew
// (docs/contract.md#idempotency).
func earlier(ctx context.Context, r store.Reader, c Caller) (*Started, error) {
	done, err := c.Once.Earlier(ctx, r, c.Tenant)
	if err != nil || done == nil {
		return nil, err
	}
	s := &Started{}
	// The text is what remember has stored. The ids are quoted, since those of callers may
	// have spaces in them.
	if _, err := fmt.Sscanf(done.Resource, "%d %q %q", &s.Version, &s.RunID, &s.OrderID); err != nil {
		return nil, fmt.Errorf("what is stored under an Idempotency-Key: %w", err)
	}
	return s, nil
}

// Earlier returns what an earlier request with the caller's Idempotency-Key
// began, nil if there was none.
func (e *Engine) Earlier(ctx context.Context, c Caller) (*Started, error) {
	return earlier(ctx, e.store, c)
}

// remember stores what a request with an Idempotency-Key began.
func remember(ctx context.Context, tx store.Tx, c Caller, s Started, now time.Time) error {
	return c.Once.Remember(ctx, tx, c.Tenant, fmt.Sprintf("%d %q %q", s.Version, s.RunID, s.OrderID), now)
}
