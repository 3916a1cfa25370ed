package postgres

import (
	"context"
	"errors"
	"net"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/orderhook/orderhook/internal/attempt"
	"github.com/orderhook/orderhook/internal/changes"
	"github.com/orderhook/orderhook/internal/event"
	"github.com/orderhook/orderhook/internal/ids"
	"github.com/orderhook/orderhook/internal/nodes"
	"github.com/orderhook/orderhook/internal/store"
	"github.com/orderhook/orderhook/internal/store/pgtest"
)

// told notes what a store tells of.
type told struct {
	mu      sync.Mutex
	news    []nodes.News
	changed map[int64]int64 // the versions that endpoints were told of, by No
	deleted map[int64]int64
	topics  changes.Topics
}

func (n *told) Tell(news ...nodes.News) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.news = append(n.news, news...)
}

func (n *told) take() []nodes.News {
	n.mu.Lock()
	defer n.mu.Unlock()
	news := n.news
	n.news = nil
	return news
}

func (n *told) EndpointChanged(_ string, e *event.Endpoint, version int64) { n.changed[e.No] = version }
func (n *told) EndpointDeleted(_ string, no, version int64)                { n.deleted[no] = version }
func (n *told) Changed(_ string, what changes.Topics)                      { n.topics |= what }
func (*told) Due([]store.Due)                                              {}
func (*told) Ended(string, event.DeliveryKey)                              {}
func (*told) Behind(string, int64)                                         {}
func (*told) FilterFailed(store.FilterFailure)                             {}

// TestANodeHearsOfEndpoints that another one makes, changes and deletes: its lists show
// them, and its listener is told, with versions that ascend.
func TestANodeHearsOfEndpoints(t *testing.T) {
	url := pgtest.Database(t, Migrate)
	one, other := openAt(t, url, nil, Options{}), openAt(t, url, nil, Options{})
	says, hears := &told{}, &told{changed: map[int64]int64{}, deleted: map[int64]int64{}}
	one.Tell(says.Tell)
	other.Listen(hears)
	other.Watch(hears)
	listed := func() (all []*event.Endpoint) {
		t.Helper()
		list, err := other.Endpoints(ctx, acme, store.EndpointFilter{}, store.Page{})
		must(t, err)
		return list.Items
	}
	if n := len(listed()); n != 0 { // which it has in memory from now on
		t.Fatalf("%d endpoints", n)
	}
	e := putEndpoint(t, one, event.OrderingNone)
	other.Hear(ctx, says.take())
	if all := listed(); len(all) != 1 || all[0].Description != "" {
		t.Errorf("the endpoints are %+v", all)
	}
	made := hears.changed[e.No]
	if hears.topics&changes.TopicEndpoints == 0 {
		t.Error("who looks at endpoints is not told")
	}
	e.Description = "changed"
	must(t, one.Write(ctx, func(tx store.Tx) error { return tx.PutEndpoint(ctx, acme, e) }))
	late := says.take()
	e.Description = "changed again"
	must(t, one.Write(ctx, func(tx store.Tx) error { return tx.PutEndpoint(ctx, acme, e) }))
	other.Hear(ctx, says.take())
	other.Hear(ctx, late) // news may come twice, or late
	if all := listed(); len(all) != 1 || all[0].Description != "changed again" {
		t.Errorf("the endpoints are %+v", all)
	}
	if hears.changed[e.No] != made+2 {
		t.Errorf("the listener was told of version %d, and %d behind it", made, hears.changed[e.No])
	}
	must(t, one.Write(ctx, func(tx store.Tx) error { return tx.DeleteEndpoint(ctx, acme, e.ID) }))
	says.take() // that is lost with its node
	other.Hear(ctx, []nodes.News{{Kind: nodes.Anew}})
	if n := len(listed()); n != 0 {
		t.Errorf("%d endpoints are listed that were deleted", n)
	}
	other.Hear(ctx, []nodes.News{{Kind: nodes.Endpoint, Tenant: acme, No: e.No, Version: made + 3}})
	if hears.deleted[e.No] != made+3 {
		t.Errorf("the listener was told that version %d is without it", hears.deleted[e.No])
	}
}

// TestANodeHearsOfSecrets: what it has opened counts no more when another node destroys any.
func TestANodeHearsOfSecrets(t *testing.T) {
	db := openTemp(t)
	for _, kind := range []nodes.Kind{nodes.Secrets, nodes.Anew} {
		before := db.Secrets().Changes()
		db.Hear(ctx, []nodes.News{{Kind: nodes.Touched, Tenant: acme}})
		if db.Secrets().Changes() != before {
			t.Error("secrets are read anew for nothing")
		}
		if db.Hear(ctx, []nodes.News{{Kind: kind}}); db.Secrets().Changes() == before {
			t.Errorf("secrets are not read anew after %s", kind)
		}
	}
}

// TestNodesHearOfACommitThatNobodyKnowsOf: where the server cannot be reached to ask what became
// of a commit, all nodes are to look at everything anew. So they are told, and only then.
func TestNodesHearOfACommitThatNobodyKnowsOf(t *testing.T) {
	var cut atomic.Int32
	var down atomic.Bool
	url := pgtest.Database(t, Migrate)
	db := openAt(t, url, func(c *config) {
		cuttingConns(&cut, func() { down.Store(true) })(c)
		dial := c.pool.ConnConfig.DialFunc
		c.pool.ConnConfig.DialFunc = func(ctx context.Context, network, address string) (net.Conn, error) {
			if down.Load() {
				return nil, errors.New("the network is down")
			}
			return dial(ctx, network, address)
		}
		c.outcomeTime = time.Second
	}, Options{})
	says := &told{}
	db.Tell(says.Tell)
	must(t, db.Write(ctx, insert("o1")))
	anew := nodes.News{Kind: nodes.Anew}
	if news := says.take(); slices.Contains(news, anew) {
		t.Errorf("a commit that was answered: %v", news)
	}
	cut.Store(cutBehind)
	if err := db.Write(ctx, insert("o2")); err == nil || !strings.Contains(err.Error(), "not known") {
		t.Errorf("the write: %v", err)
	}
	if news := says.take(); !slices.Contains(news, anew) {
		t.Errorf("the others hear %v", news)
	}
	down.Store(false)
	must(t, db.Write(ctx, insert("o3")))
	if news := says.take(); slices.Contains(news, anew) {
		t.Errorf("the next commit: %v", news)
	}
}

// TestANodeHearsHowLateAttemptsAreRecorded by another one, which tells of that seldom; until
// then it indexes what began a second ago.
func TestANodeHearsHowLateAttemptsAreRecorded(t *testing.T) {
	url := pgtest.Database(t, Migrate)
	one, other := openAt(t, url, nil, Options{}), openAt(t, url, nil, Options{})
	says := &told{}
	one.Tell(says.Tell)
	record := func(late time.Duration) (news []nodes.News) {
		t.Helper()
		at := time.Now().Add(-late)
		a := &attempt.Attempt{ID: ids.Numbered(ids.Attempt, at), Kind: attempt.KindStep, CallID: ids.New(ids.Call), StartedAt: at}
		must(t, one.Write(ctx, func(tx store.Tx) error { return tx.AddAttempt(ctx, acme, a) }))
		return slices.DeleteFunc(says.take(), func(n nodes.News) bool { return n.Kind != nodes.Late })
	}
	if news := record(10 * time.Millisecond); len(news) > 0 {
		t.Errorf("of one that is not late the others hear %v", news)
	}
	news := record(20 * time.Second)
	if len(news) != 1 || news[0].No < 20_000_000 || news[0].No > 30_000_000 {
		t.Fatalf("of one that is 20 s late the others hear %v", news)
	}
	if again := record(20*time.Second + 100*time.Millisecond); len(again) > 0 {
		t.Errorf("of one that is as late they hear %v", again)
	}
	lateness := func() time.Duration {
		f, err := other.Figures(ctx)
		must(t, err)
		return f.Lateness
	}
	before := lateness()
	other.Hear(ctx, news)
	if is := lateness(); before > 5*time.Second || is < 20*time.Second || is > 35*time.Second {
		t.Errorf("it indexes what began %v ago, and %v before it heard", is, before)
	}
}
