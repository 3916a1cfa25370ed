package store

import (
	"bytes"
	"context"
	"time"

	"github.com/orderhook/orderhook/internal/apierr"
)

// IdempotencyTTL is how long an Idempotency-Key is honoured (docs/contract.md#idempotency).
const IdempotencyTTL = 24 * time.Hour

// Idempotency is what is kept of a POST that had an Idempotency-Key: no body
// and no answer, only what the same answer can be made from again.
type Idempotency struct {
	Key      string
	Hash     []byte // of the method, path and body
	Resource string // id of what the POST made
	Created  time.Time
}

// Earlier returns what is stored of an earlier request with the same
// Idempotency-Key, nil if there was none. [apierr.Conflict] if that was another
// request. The key is stored with what the request made, so a repeated request
// that comes while the first is being written finds it too. The nil Idempotency
// is a request without a key.
func (i *Idempotency) Earlier(ctx context.Context, r Reader, tenant string) (*Idempotency, error) {
	if i == nil {
		return nil, nil
	}
	earlier, err := r.Idempotency(ctx, tenant, i.Key)
	if err == nil && earlier != nil && !bytes.Equal(earlier.Hash, i.Hash) {
		return nil, apierr.Errorf(apierr.Conflict, "this Idempotency-Key came with another request before")
	}
	return earlier, err
}

// Remember stores what a request came to under its Idempotency-Key, if it has one.
func (i *Idempotency) Remember(ctx context.Context, tx Tx, tenant, resource string, at time.Time) error {
	if i == nil {
		return nil
	}
	done := *i
	done.Resource, done.Created = resource, at
	return tx.PutIdempotency(ctx, tenant, done)
}
