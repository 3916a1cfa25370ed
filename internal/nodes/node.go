package nodes

import (
	"context"
	"log/slog"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/orderhook/orderhook/internal/clock"
	"github.com/orderhook/orderhook/internal/ids"
)

// Worker does a part of the work of a node: deliveries, workflows, jobs, the maintenance.
// Its methods are called on goroutines of the node's, and may be called at the same time.
type Worker interface {
	// Take begins the work of leases that the node has got. It reads what there is to do.
	// After an error it is called again.
	Take(ctx context.Context, leases []Lease) error
	// Give ends the work of leases. No more of it begins. Give returns when what is under
	// way has ended and is written, or when ctx ends. What ends after that is not written.
	Give(ctx context.Context, leases []Lease)
	// Hear is told what other nodes have committed. It may be told more than once, and of
	// what is not this node's.
	Hear(ctx context.Context, news []News)
}

// Options of a node. All of them may be left out.
type Options struct {
	// Database is nil for a database that only one process can open.
	Database Database
	Clock    *Clock        // nil: nobody wants the time of the database
	Lasts    time.Duration // how long a node may be silent before others take its work over; 0: DefaultLasts
	Address  string
	Version  string
	// Barred is called, once, with the error of a node that was cut off and may not join the
	// others again ([ErrBarred]). It does no work any more. nil: nobody is told.
	Barred func(error)
	Log    *slog.Logger // nil: no log
}

// DefaultLasts is how long a node may be silent before others take its work over.
const DefaultLasts = 30 * time.Second

// Node is this process among those that share the work of a database. Join makes it. A
// database that only one process can open has one node; then db is nil, and most methods do
// nothing.
type Node struct {
	Options
	db      Database
	started time.Time
	workers []Worker
	running context.Context // ends with Stop; nil before Start, and then no lease is taken
	cancel  context.CancelFunc
	ended   sync.WaitGroup

	// mu guards the fields up to unclaimed.
	mu       sync.Mutex
	info     Info
	view     View                // as it was last seen
	holdings map[string]*holding // by the name of the lease
	// sure is until when nobody else can have the leases.
	sure     time.Time
	stopping bool
	wake     func()    // ends the present Await
	touched  time.Time // when the database last answered that this node is alive
	// unclaimed is what is still to be given up; a goroutine does so while there is any.
	unclaimed []ClaimID

	// The fields below are used by the goroutine of keep alone.
	position   int64     // the number of the last news that was read
	heardAt    time.Time // when that was, by the database's clock; zero: never
	looked     time.Time // when the node last looked
	renewed    time.Time // when the leases were last renewed
	reconnects time.Time // when the connection was lost last; zero: never
	failing    bool      // the last look failed
	gone       map[string]int

	// telling guards what is to be told: order has it in the order in which it came, and
	// untold has the same, so that nothing is told twice. toTell wakes the goroutine that
	// posts.
	telling sync.Mutex
	untold  map[News]bool
	order   []News
	toTell  chan struct{}

	// hearing guards what was heard and the workers do not know yet. toHear wakes the
	// goroutine that tells them.
	hearing sync.Mutex
	unheard []News
	times   map[Kind]uint64 // how often news of a kind was heard
	toHear  chan struct{}
}

// Join makes this process a node of a database, and looks at what the others do. It does no
// work before Start.
func Join(ctx context.Context, o Options) (*Node, error) {
	if o.Lasts == 0 {
		o.Lasts = DefaultLasts
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Clock == nil {
		o.Clock = NewClock(clock.Real{})
	}
	n := &Node{Options: o, db: o.Database, started: time.Now(), holdings: map[string]*holding{}, gone: map[string]int{},
		untold: map[News]bool{}, times: map[Kind]uint64{}, toTell: make(chan struct{}, 1), toHear: make(chan struct{}, 1), wake: func() {}}
	if n.db == nil {
		n.info = n.fresh()
		return n, nil
	}
	if err := n.join(ctx); err != nil {
		return nil, err
	}
	return n, n.look(ctx)
}

// Alone returns the node of a database that only one process can open.
func Alone() *Node {
	n, _ := Join(context.Background(), Options{}) // without a database nothing can fail
	return n
}

// fresh returns what others are told of this node, with a new id. Nothing but the id tells
// nodes apart: host and process are for people, and may be the same in two containers.
func (n *Node) fresh() Info {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	return Info{ID: ids.New(ids.Node), Name: host + "/" + strconv.Itoa(os.Getpid()), Address: n.Address, Version: n.Version, Started: n.started.UTC()}
}

// join makes the node known, under a new id. What it knew of others is forgotten.
func (n *Node) join(ctx context.Context) error {
	info, began := n.fresh(), time.Now()
	last, err := n.db.Join(ctx, info, n.Lasts)
	if err != nil {
		return err
	}
	n.mu.Lock()
	n.info, n.sure, n.touched = info, n.sureFrom(began), began
	n.mu.Unlock()
	n.position, n.heardAt, n.renewed, n.looked = last, time.Time{}, began, time.Time{}
	n.gone = map[string]int{}
	return nil
}

// ID returns the id of the node. It changes when others took the node for dead.
func (n *Node) ID() string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.info.ID
}

// Sure reports whether work may begin now: as far as this node can know, nobody else can
// have its leases yet. What is written is checked in any case. Sure only keeps a node that
// was paused, or is cut off, from making calls that another node makes, too. A worker asks
// it before each call.
func (n *Node) Sure() bool {
	if n.db == nil {
		return true
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	return time.Now().Before(n.sure)
}

// Leases is how sure a node is of its leases, for those who watch over it.
type Leases struct {
	Shared bool          // the database is one that several nodes may use
	Shards int           // how many it has
	Sure   bool          // as [Node.Sure]
	Age    time.Duration // how long ago the leases were renewed
	Lasts  time.Duration // for how long that is enough
}

// Leases returns how sure this node is of its leases. One that is alone has them for ever.
func (n *Node) Leases() Leases {
	if n.db == nil {
		return Leases{Shards: Shards, Sure: true}
	}
	l := Leases{Shared: true, Sure: n.Sure(), Lasts: n.Options.Lasts}
	n.mu.Lock()
	defer n.mu.Unlock()
	l.Age = time.Since(n.touched)
	for name, h := range n.holdings {
		if name != Maintenance && h.state != ended && !h.lost {
			l.Shards++
		}
	}
	return l
}

// sureFrom returns until when the leases last that were renewed by a statement which was
// sent at a time. The time of sending counts, because the answer may have taken long. A
// tenth is left for what is about to begin.
func (n *Node) sureFrom(sent time.Time) time.Time { return sent.Add(n.Lasts - n.Lasts/10) }

// Start begins the work. A node that is alone has begun all of it when Start returns;
// others take what is theirs from then on. What is started in the background ends with
// Stop, not with ctx.
func (n *Node) Start(ctx context.Context, workers ...Worker) error {
	n.workers = workers
	if n.db == nil {
		return n.takeAll(ctx, All())
	}
	n.running, n.cancel = context.WithCancel(context.WithoutCancel(ctx))
	n.ended.Go(func() { n.keep(n.running) })
	n.ended.Go(func() { n.post(n.running) })
	n.ended.Go(func() { n.listen(n.running) })
	return nil
}

// Stop gives all leases back, which other nodes take at once. The workers must have ended
// before: nothing is written any more. What is still to be told is told first. If the
// database cannot be reached, the others notice that the node is gone.
func (n *Node) Stop(ctx context.Context) {
	if n.db == nil {
		return
	}
	n.Stopping()
	if n.cancel != nil {
		n.cancel()
		n.ended.Wait()
	}
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	err := n.postNow(ctx)
	if err == nil {
		err = n.db.Leave(ctx, n.ID())
	}
	if err != nil {
		n.Log.Warn("the node could not sign off: others take its work over when they notice that it is gone", "error", err)
	}
	_ = n.db.Close() // the server ends it, too
}

// Stopping has the node take no more work. It keeps what it has, until the workers end.
func (n *Node) Stopping() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.stopping = true
}

// Status is a node as operators see it.
type Status struct {
	Info
	Self        bool
	Live        bool // others count on it
	Shards      int  // how many it has
	Maintenance bool // it does the maintenance of the database
}

// List returns all nodes, the longest running first, as this one saw them last. That was
// less than a second ago, unless the database cannot be reached.
func (n *Node) List() []Status {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.db == nil {
		return []Status{{Info: n.info, Self: true, Live: true, Shards: Shards, Maintenance: true}}
	}
	var all []Status
	for _, other := range n.view.Nodes {
		s := Status{Info: other.Info, Self: other.ID == n.info.ID, Live: !other.Silent && !other.Gone}
		for name, held := range n.view.Leases {
			switch {
			case held.Node != other.ID:
			case name == Maintenance:
				s.Maintenance = true
			default:
				s.Shards++
			}
		}
		all = append(all, s)
	}
	slices.SortFunc(all, func(a, b Status) int {
		if c := a.Started.Compare(b.Started); c != 0 {
			return c
		}
		return strings.Compare(a.ID, b.ID)
	})
	return all
}
