package nodes

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"time"
)

// claimEvery is how often a node asks again for a claim that another node has. Claims are
// short, and few ask for the same one.
const claimEvery = 100 * time.Millisecond

// Claim waits until no other node has the claim of a name, and returns what gives it up.
// The claim of a node that dies is free. It is for what makes requests between two writes,
// such as a POST that is repeated with the same Idempotency-Key: a lock of the database
// would have to be held meanwhile. Within a node the caller sees to it that one has it at a
// time.
func (n *Node) Claim(ctx context.Context, name string) (done func(), err error) {
	if n.db == nil {
		return func() {}, nil
	}
	sum := sha256.Sum256([]byte(name)) // a name may be long, and is nobody's business
	name = claimed + hex.EncodeToString(sum[:])
	var id string
	for {
		id = n.ID() // it is another once others took this node for dead
		got, err := n.db.Claim(ctx, id, name)
		if err != nil {
			return nil, err
		}
		if got {
			break
		}
		if pause(ctx, claimEvery); ctx.Err() != nil {
			return nil, ctx.Err()
		}
	}
	return func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), answerTime)
		defer cancel()
		if err := n.db.Unclaim(ctx, id, name); err != nil {
			n.Log.Warn("a claim could not be given up: it is free when this node ends", "error", err)
		}
	}, nil
}

// claimed is how the names of claims begin, which are stored beside the leases.
const claimed = "claim/"
