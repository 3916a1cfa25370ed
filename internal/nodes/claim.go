package nodes

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"math/rand/v2"
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
	c := ClaimID{Name: claimed + hex.EncodeToString(sum[:]), Number: rand.Int64()}
	for {
		c.Node = n.ID() // it is another once others took this node for dead
		got, err := n.db.Claim(ctx, c)
		if err != nil {
			n.unclaimLater(c) // it may be taken: its answer may be all that was lost
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
		if err := n.unclaim(context.WithoutCancel(ctx), c); err != nil {
			n.Log.Warn("a claim could not be given up, and is tried again", "error", err)
			n.unclaimLater(c)
		}
	}, nil
}

func (n *Node) unclaim(ctx context.Context, c ClaimID) error {
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	return n.db.Unclaim(ctx, c)
}

// unclaimLater has a claim given up as soon as the database does so. Until then, requests
// for its name wait on all nodes but this one. With the end of the node it is free.
func (n *Node) unclaimLater(c ClaimID) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.running == nil || n.running.Err() != nil {
		return
	}
	if n.unclaimed = append(n.unclaimed, c); len(n.unclaimed) == 1 {
		n.ended.Go(n.unclaimAll)
	}
}

// unclaimAll gives up what could not be given up at once, until there is nothing more.
func (n *Node) unclaimAll() {
	for {
		n.mu.Lock()
		c := n.unclaimed[0]
		n.mu.Unlock()
		if err := n.unclaim(n.running, c); err != nil {
			if pause(n.running, lookEvery); n.running.Err() != nil {
				return
			}
			continue
		}
		n.mu.Lock()
		n.unclaimed = n.unclaimed[1:]
		left := len(n.unclaimed)
		n.mu.Unlock()
		if left == 0 {
			return
		}
	}
}

// claimed is how the names of claims begin, which are stored beside the leases.
const claimed = "claim/"
