// Package nodes has several processes, the nodes, share the work of one database.
//
// The work is divided into shards. Each shard has a lease, which one node has at a time.
// A node takes the leases that nobody has, as many as are for it, and gives back what is
// more than that (plan.go, keep.go). What a node commits, and another has to know, it
// tells in the database (tell.go). A database that only one process can open has one
// node, which owns everything.
//
// It knows no SQL: the statements are in package postgres, which implements [Database]. It
// does not know what the work is, either: that is up to each [Worker], which may have a
// [Share] for each shard. Start reading at [Join] and Node.round;
// docs/design.md#several-nodes has the reasons.
package nodes

import (
	"context"
	"errors"
	"hash/fnv"
	"slices"
	"strconv"
)

// Shards is how many shards there are. With 64 of them, the busiest of ten nodes has a
// tenth more work than the average, and all leases are read in one small answer. A node
// of another version must use the same number.
const Shards = 64

// Maintenance is the name of the lease of the maintenance of the database. There is one
// of it, so it is no shard.
const Maintenance = "maintenance"

// shardNames has the names of the leases of shards.
var shardNames = func() (names [Shards]string) {
	for i := range names {
		names[i] = "shard/" + strconv.Itoa(i)
	}
	return names
}()

// shardOf returns the name of the shard that a thing of a tenant belongs to. All nodes must
// agree on it, so the hash must never change.
func shardOf(tenant, kind, id string) string {
	h := fnv.New32a()
	_, _ = h.Write([]byte(tenant + "\x00" + kind + "\x00" + id)) // never fails
	return shardNames[h.Sum32()%Shards]
}

// OfEndpoint returns the shard of an endpoint, by its No. All attempts at one endpoint are
// one node's, so its rate, its circuit and its order hold.
func OfEndpoint(tenant string, no int64) string {
	return shardOf(tenant, "endpoint", strconv.FormatInt(no, 10))
}

// OfOrder returns the shard of an order. Its runs are of the same one, because they go one
// after the other.
func OfOrder(tenant, id string) string { return shardOf(tenant, "order", id) }

// OfJob returns the shard of a background job.
func OfJob(tenant, id string) string { return shardOf(tenant, "job", id) }

// Lease is the right to do some work. Each time that a lease goes to another node it gets
// a higher epoch. So a write that names a lease is refused once another node has it,
// however late the write comes (docs/design.md#several-nodes).
type Lease struct {
	Name  string
	Epoch int64 // 0: of a database that only one process can open, where nothing is checked
}

// All returns the leases of a node that is alone.
func All() []Lease {
	all := []Lease{{Name: Maintenance}}
	for _, name := range shardNames {
		all = append(all, Lease{Name: name})
	}
	return all
}

// ErrLost is the error of a write that was made by a lease which another node has now.
// Nothing was written, and trying again is no use: the work is that node's.
var ErrLost = errors.New("another node has taken over this work")

// ErrBarred is in the error of a node that may not join again, however often it tries: it
// has to be started anew.
var ErrBarred = errors.New("the node may not join the others again")

type leasesKey struct{}

// Under returns a context whose writes are made by leases: a write is refused with
// [ErrLost] unless all of them still hold. The leases of a database with one node have the
// epoch 0, and nothing is checked.
func Under(ctx context.Context, leases ...Lease) context.Context {
	var checked []Lease
	for _, l := range leases {
		if l.Epoch > 0 && !slices.Contains(checked, l) {
			checked = append(checked, l)
		}
	}
	if checked == nil {
		return ctx
	}
	return context.WithValue(ctx, leasesKey{}, checked)
}

// LeasesOf returns the leases that a write with this context is made by. The store asks for
// them when a write begins. nil: nothing is to be checked.
func LeasesOf(ctx context.Context) []Lease {
	leases, _ := ctx.Value(leasesKey{}).([]Lease)
	return leases
}
