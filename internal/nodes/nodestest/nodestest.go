// Package nodestest has what tests of several packages need of nodes: a node that is not
// sure of its leases. It needs no database.
package nodestest

import (
	"context"
	"testing"
	"time"

	"github.com/orderhook/orderhook/internal/nodes"
)

// database knows of one node, which has no leases. It implements [nodes.Database] in
// memory: nobody else joins, and no news comes.
type database struct{ id string }

// Join remembers the node, so that Look shows it.
func (d *database) Join(_ context.Context, self nodes.Info, _ time.Duration) (int64, error) {
	d.id = self.ID
	return 0, nil
}

// Look shows that node alone, so it is never taken for dead.
func (d *database) Look(context.Context, string, time.Duration) (nodes.View, error) {
	return nodes.View{Now: time.Now(), Nodes: []nodes.Neighbor{{Info: nodes.Info{ID: d.id}}}}, nil
}

// Await waits for the end of ctx.
func (d *database) Await(ctx context.Context) nodes.Notice {
	<-ctx.Done()
	return nodes.Nothing
}

func (d *database) News(context.Context, int64) ([]nodes.Posted, time.Time, error) {
	return nil, time.Now(), nil
}

func (d *database) Take(context.Context, string, []string) ([]nodes.Lease, error) { return nil, nil }
func (d *database) End(context.Context, string, []nodes.Lease) error              { return nil }
func (d *database) Bury(context.Context, string) error                            { return nil }
func (d *database) Leave(context.Context, string) error                           { return nil }
func (d *database) Claim(context.Context, nodes.ClaimID) (bool, error)            { return true, nil }
func (d *database) Unclaim(context.Context, nodes.ClaimID) error                  { return nil }
func (d *database) Post(context.Context, string, []byte) error                    { return nil }
func (d *database) Close() error                                                  { return nil }

// Unsure returns a node that was sure of its leases once, for [nodes.DefaultLasts] at most,
// and will be again when it is started.
func Unsure(t *testing.T) *nodes.Node {
	t.Helper()
	// Joining makes a node sure of its leases; without Start nothing renews that.
	n, err := nodes.Join(t.Context(), nodes.Options{Database: &database{}})
	if err != nil {
		t.Fatal(err)
	}
	return n
}
