package nodes

import (
	"context"
	"time"
)

// Database is where nodes know of each other. Its clock is the one that counts. All methods
// but Claim, Unclaim and Post are called by one goroutine. After an error the next call may
// succeed: the implementation makes another connection if it needs one.
type Database interface {
	// Join makes a node known, and returns the number of the last news: the node reads what
	// comes behind that.
	Join(ctx context.Context, self Info, lasts time.Duration) (last int64, err error)
	// Look returns what there is. If lasts is not 0, it first notes that the node is alive,
	// and that it may be silent for that long from now on.
	Look(ctx context.Context, id string, lasts time.Duration) (View, error)
	// Await returns when there is news, when it is worth it to look, when the connection is
	// gone, or when ctx ends.
	Await(ctx context.Context) (what Notice)
	// Take takes those of the leases that belong to no node, unless somebody uses one of
	// them at this very moment.
	Take(ctx context.Context, id string, names []string) ([]Lease, error)
	// End gives leases back. One that another node has by now is not touched.
	End(ctx context.Context, id string, leases []Lease) error
	// Bury removes a node that is silent, or whose connection is gone. It does nothing if
	// the node has been heard of since.
	Bury(ctx context.Context, id string) error
	// Leave removes this node, and with it all of its leases.
	Leave(ctx context.Context, id string) error

	// Claim takes a claim that no other node has. One that the node itself has is taken by the
	// new number: it could not be given up. Unclaim gives a claim up, unless it was taken since.
	Claim(ctx context.Context, c ClaimID) (bool, error)
	Unclaim(ctx context.Context, c ClaimID) error
	// Post tells all other nodes. It does nothing if there are none.
	Post(ctx context.Context, id string, body []byte) error
	// News returns what was posted after a number, in order, and the time.
	News(ctx context.Context, after int64) ([]Posted, time.Time, error)
	// Close ends the connection.
	Close() error
}

// ClaimID names what a node has while it does something that no other may do at the same time. The
// number tells it from a later claim of the same name.
type ClaimID struct {
	Node, Name string
	Number     int64
}

// Notice is why [Database.Await] has returned.
type Notice int

// The notices.
const (
	Nothing  Notice = iota // the time is over, or the connection is gone
	NewsCame               // there is news
	Changed                // leases or nodes have changed
)

// Info is what is known of a node.
type Info struct {
	ID      string // made by chance when the node joins
	Name    string // host and process, for people; two nodes may have the same
	Address string // that it listens on
	Version string // of orderhook
	Started time.Time
	Seen    time.Time // when it was last heard of; zero: now
}

// View is what there is in the database at one moment. Nobody changes one that others may
// read.
type View struct {
	Now    time.Time // by the database's clock
	Nodes  []Neighbor
	Leases map[string]Held // by name; there are no claims among them
}

// Neighbor is a node as others see it.
type Neighbor struct {
	Info
	Silent bool // it has said nothing for longer than it may
	Gone   bool // its connection to the database has ended
}

// Held is who has a lease. The node may be unknown by now: then the lease is free.
type Held struct {
	Node  string // the id
	Epoch int64
}

// Posted is news of a node, as it is stored.
type Posted struct {
	Number int64
	Node   string
	Body   []byte
}

// holder returns the node that has a lease, "" if nobody has it: a node that is not known
// any more has none.
func (v *View) holder(name string) string {
	held := v.Leases[name]
	for i := range v.Nodes {
		if v.Nodes[i].ID == held.Node {
			return held.Node
		}
	}
	return ""
}

// knows reports whether a node is among those in the view.
func (v *View) knows(id string) bool {
	for i := range v.Nodes {
		if v.Nodes[i].ID == id {
			return true
		}
	}
	return false
}
