package nodes

import (
	"context"
	"sync"

	"github.com/orderhook/orderhook/internal/clock"
)

// Share is what a worker does of one shard, for as long as this node has it. Work keeps the
// share that it began with. If the shard goes and comes back it has another lease, and so
// another share.
type Share struct {
	Lease Lease
	Ctx   context.Context // ends when nothing more may begin; its writes are made by the lease
	Work  sync.WaitGroup  // counts what is under way
	end   context.CancelFunc
}

// Shares is the shares of the shards that a worker has, by the names of the leases. A lock
// of the worker's guards it.
type Shares map[string]*Share

// of returns the share of a lease. One of the same name may be of another epoch: that is
// another lease, whose work is not this one's.
func (s Shares) of(l Lease) *Share {
	if has := s[l.Name]; has != nil && has.Lease == l {
		return has
	}
	return nil
}

// Take adds the shares of leases. Those that are there stay, since their work is under way:
// the node asks again after an error.
func (s Shares) Take(ctx context.Context, leases []Lease) {
	for _, l := range leases {
		if s.of(l) == nil {
			one := &Share{Lease: l}
			one.Ctx, one.end = context.WithCancel(Under(ctx, l))
			s[l.Name] = one
		}
	}
}

// Give removes the shares of leases, has nothing more begin in them, and returns them, for
// [AwaitWork].
func (s Shares) Give(leases []Lease) (gone []*Share) {
	for _, l := range leases {
		if one := s.of(l); one != nil {
			delete(s, l.Name)
			one.end()
			gone = append(gone, one)
		}
	}
	return gone
}

// AwaitWork waits until the work under way of some shares has ended, or ctx has.
func AwaitWork(ctx context.Context, of []*Share) {
	_ = clock.Await(ctx, func() {
		for _, one := range of {
			one.Work.Wait()
		}
	})
}
