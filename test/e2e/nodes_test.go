package e2e

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	toxiproxy "github.com/Shopify/toxiproxy/v2"
	"github.com/jackc/pgx/v5"
	"github.com/rs/zerolog"

	"github.com/orderhook/orderhook/internal/store/pgtest"
)

// The node test has three nodes work on one database while nodes are killed, paused for
// longer than their leases last, restarted and cut off, and the server of the database is
// restarted. Then it proves that nothing that was acknowledged is lost, that no patch was
// applied twice, that order was preserved, and that every run has ended. NODE_ROUNDS sets how
// often, NODE_SECONDS for how long each time; NODE_SEED repeats a choice of faults.
func TestNodesMayDieAtAnyMoment(t *testing.T) {
	rounds, seconds, seed := 1, 20, uint64(time.Now().UnixNano())
	for name, into := range map[string]*int{"NODE_ROUNDS": &rounds, "NODE_SECONDS": &seconds} {
		if n, err := strconv.Atoi(os.Getenv(name)); err == nil {
			*into = n
		}
	}
	if n, err := strconv.ParseUint(os.Getenv("NODE_SEED"), 10, 64); err == nil {
		seed = n
	}
	t.Logf("NODE_SEED=%d", seed)
	for round := range rounds {
		t.Run(fmt.Sprint(round+1), func(t *testing.T) { nodeRound(t, seed+uint64(round), time.Duration(seconds)*time.Second) })
	}
}

// nodeLease is how long a node of these tests may be silent.
const nodeLease = 3 * time.Second

// cluster is some nodes of one database, each with a way of its own to that.
type cluster struct {
	t     *testing.T
	where where
	nodes []*node
	next  atomic.Int64
}

type node struct {
	server atomic.Pointer[server]
	binary string           // "": that of the tests
	env    []string         // more than the others have
	proxy  *toxiproxy.Proxy // between it and the database
	dead   atomic.Bool      // nobody asks it
}

func newCluster(t *testing.T, n int) *cluster {
	t.Helper()
	all := make([]*node, n)
	for i := range all {
		all[i] = &node{}
	}
	return newClusterOf(t, all...)
}

// newClusterOf is newCluster of nodes that differ.
func newClusterOf(t *testing.T, all ...*node) *cluster {
	t.Helper()
	zerolog.SetGlobalLevel(zerolog.Disabled)
	c := &cluster{t: t, where: onPostgreSQL(t).with("ORDERHOOK_API_KEY="+crashKey, fmt.Sprintf("ORDERHOOK_LEASE_TIME=PT%dS", nodeLease/time.Second))}
	t.Cleanup(c.tellOnFailure) // when the nodes have ended
	proxies := toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop())
	for i := range all {
		proxy := toxiproxy.NewProxy(proxies, fmt.Sprint("node", i), "127.0.0.1:0", hostOf(t, c.where))
		if err := proxy.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(proxy.Stop)
		all[i].proxy = proxy
		c.nodes = append(c.nodes, all[i])
		c.start(c.nodes[i])
	}
	return c
}

// start starts a node that does not run.
func (c *cluster) start(n *node) {
	w := c.where.with(n.env...)
	w.binary = n.binary
	n.server.Store(w.with(strings.Replace(w.env[0], hostOf(c.t, w), n.proxy.Listen, 1)).serve(c.t))
	n.dead.Store(false)
}

// any returns a node to ask: each in turn, but for those that are known to be dead.
func (c *cluster) any() *server {
	for range c.nodes {
		if n := c.nodes[c.next.Add(1)%int64(len(c.nodes))]; !n.dead.Load() {
			return n.server.Load()
		}
	}
	return c.nodes[0].server.Load()
}

// hurried is any for who asks another one if that does not answer: one that is paused does not.
func (c *cluster) hurried() *server {
	s := *c.any()
	client := *s.client
	client.Timeout = nodeLease
	s.client = &client
	return &s
}

// kill ends a node with SIGKILL, and starts another in its place.
func (c *cluster) kill(n *node) {
	n.dead.Store(true)
	s := n.server.Load()
	_ = s.cmd.Process.Kill()
	<-s.ended
	c.start(n)
}

// restart ends a node as an operator does, and starts another in its place.
func (c *cluster) restart(n *node) {
	n.dead.Store(true)
	n.server.Load().stop(c.t)
	c.start(n)
}

// pause has a node do nothing for so long. Callers go on asking it for a moment.
func (c *cluster) pause(n *node, d time.Duration) {
	s := n.server.Load()
	s.signal(c.t, syscall.SIGSTOP)
	time.Sleep(d / 5)
	n.dead.Store(true)
	time.Sleep(d - d/5)
	s.signal(c.t, syscall.SIGCONT)
	n.dead.Store(false)
}

// cut has the way from a node to the database fail for so long.
func (c *cluster) cut(n *node, toxic string, d time.Duration) {
	heal := fault{toxic: toxic}.begin(c.t, n.proxy)
	time.Sleep(d)
	heal()
}

// onServer runs a statement on the server of the database.
func (c *cluster) onServer(text string) {
	conn, err := pgx.Connect(context.Background(), strings.TrimPrefix(c.where.env[0], "ORDERHOOK_DATABASE="))
	if err == nil {
		_, err = conn.Exec(context.Background(), text)
		_ = conn.Close(context.Background())
	}
	if err != nil {
		c.t.Error(err)
	}
}

// holdOpen has a transaction that has read be open for so long.
func (c *cluster) holdOpen(d time.Duration) {
	c.onServer(fmt.Sprintf(`BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM meta; SELECT pg_sleep(%f); COMMIT`, d.Seconds()))
}

// nodeFaults are what befalls a cluster, one after the other in a random order.
var nodeFaults = []func(c *cluster, n *node){
	func(c *cluster, n *node) { c.kill(n) },
	func(c *cluster, n *node) { c.kill(n) },
	func(c *cluster, n *node) { c.pause(n, nodeLease+nodeLease/2) },
	func(c *cluster, n *node) { c.pause(n, nodeLease/2) },
	func(c *cluster, n *node) { c.restart(n) },
	func(c *cluster, n *node) {
		c.cut(n, `{"type":"reset_peer","attributes":{"timeout":0}}`, time.Second)
	},
	func(c *cluster, n *node) {
		c.cut(n, `{"type":"timeout","attributes":{"timeout":0}}`, nodeLease+time.Second)
	},
	func(c *cluster, n *node) {
		c.cut(n, `{"type":"latency","attributes":{"latency":60,"jitter":40}}`, time.Second)
	},
	func(c *cluster, _ *node) {
		if err := pgtest.Server(c.t).Restart(); err != nil {
			c.t.Error(err)
		}
	},
	func(c *cluster, _ *node) {
		c.onServer(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() ORDER BY random() LIMIT 5`)
	},
	func(c *cluster, _ *node) { c.holdOpen(2 * time.Second) },
}

func nodeRound(t *testing.T, seed uint64, lasts time.Duration) {
	c := newCluster(t, 3)
	random := rand.New(rand.NewPCG(seed, 0))
	all, runs := newCrashReceivers(t), newCrashEndpoint(t)
	first := c.nodes[0].server.Load()
	first.expect(t, 200, "PUT", "/api/settings", crashKey, runs.settings())
	all.subscribe(t, first)
	many := newCrowd(t, first)
	l := &load{pick: c.hurried}
	l.start(seed)
	l.facts.others = ofOthers
	callers := startCallers(c)
	many.start(c, seed)
	enough := func() bool {
		return l.facts.acknowledged() >= 100 && callers.orders.Load() >= 10 && callers.carts.Load() >= 10 && many.acknowledged() >= 50
	}
	began := time.Now()
	for faults := random.Perm(len(nodeFaults)); time.Since(began) < lasts || !enough() && time.Since(began) < lasts+4*patience; { // a slow machine gets more time
		if len(faults) == 0 {
			faults = random.Perm(len(nodeFaults))
		}
		nodeFaults[faults[0]](c, c.nodes[random.IntN(len(c.nodes))])
		faults = faults[1:]
		time.Sleep(time.Duration(random.IntN(700)) * time.Millisecond)
	}
	facts := l.end(t)
	orders, carts := callers.end(t)
	many.end()
	for _, n := range c.nodes {
		awaitStatus(t, n.server.Load().url+"/readyz", 200)
	}
	all.check(t, c.any(), facts)
	many.check(t)
	for i := range orders {
		runs.check(t, awaitEnd(t, c.any(), orderID(i)), i)
	}
	t.Logf("%d orders with a workflow, %d carts, %d events to the crowd; %d attempts of steps were made again", orders, carts, many.acknowledged(), runs.repeated())
	if !enough() {
		t.Errorf("only %d events, %d orders, %d carts were acknowledged", facts.acknowledged(), orders, carts)
	}
	for _, n := range c.nodes {
		n.server.Load().stop(t)
	}
}

// tellOnFailure shows what the nodes have logged last, where a test has failed.
func (c *cluster) tellOnFailure() {
	if !c.t.Failed() {
		return
	}
	for i, n := range c.nodes {
		text := n.server.Load().errOut.String()
		c.t.Logf("node %d: %s", i, text[max(0, len(text)-20_000):])
	}
}

// shards returns how many shards each node has, by what one of them says.
func shards(t *testing.T, s *server) (of map[bool]int, nodes int) {
	t.Helper()
	of = map[bool]int{}
	all := items(s.expect(t, 200, "GET", "/api/nodes", crashKey, ""))
	for _, n := range all {
		count, _ := n["shards"].(float64)
		of[n["self"] == true] += int(count)
	}
	return of, len(all)
}

// awaitShards returns once a node says that it has so many shards, and the others so many.
func awaitShards(t *testing.T, s *server, own, others int) {
	t.Helper()
	var of map[bool]int
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if of, _ = shards(t, s); of[true] == own && of[false] == others {
			return
		}
	}
	t.Fatalf("it has %d shards and the others %d, want %d and %d", of[true], of[false], own, others)
}

// TestTwoNodes share the work; a call with one Idempotency-Key to both is one call; and what
// one changes the other goes by (how soon, the tests of internal/nodes know).
func TestTwoNodes(t *testing.T) {
	c := newClusterOf(t, &node{env: []string{patientLease}}, &node{env: []string{patientLease}})
	a, b := c.nodes[0].server.Load(), c.nodes[1].server.Load()
	awaitShards(t, a, 32, 32)
	awaitShards(t, b, 32, 32)
	r := newReceiver(t, func(http.ResponseWriter, *http.Request, receipt) { time.Sleep(300 * time.Millisecond) })
	e := a.subscribe(t, crashKey, r.URL, `"eventTypes":["Something"]`)

	var wg sync.WaitGroup
	for i := range 6 {
		wg.Go(func() {
			s := []*server{a, b}[i%2]
			if got := s.callWith("POST", "/api/endpoints/"+e.id+"/test", crashKey, "", "Idempotency-Key", "once"); got.err != nil || got.status != 200 {
				t.Errorf("%d %s %v", got.status, got.text, got.err)
			}
		})
	}
	wg.Wait()
	if got, _ := r.all(); len(got) != 1 {
		t.Errorf("%d calls were made for one Idempotency-Key", len(got))
	}

	reader := a.expect(t, 201, "POST", "/api/keys", crashKey, `{"role":"publisher"}`)
	secret, _ := reader.body["key"].(string)
	id, _ := reader.body["id"].(string)
	b.expect(t, 202, "POST", "/api/events", secret, `{"type":"Other","data":{}}`)
	a.expect(t, 204, "DELETE", "/api/keys/"+id, crashKey, "")
	a.expect(t, 200, "PATCH", "/api/endpoints/"+e.id, crashKey, `{"description":"changed"}`)
	until(t, "at the other node, the end of the key", func() bool {
		return b.call("POST", "/api/events", secret, `{"type":"Other","data":{}}`).status == http.StatusUnauthorized
	})
	until(t, "at the other node, the changed endpoint", func() bool {
		list := items(b.expect(t, 200, "GET", "/api/endpoints", crashKey, ""))
		return len(list) == 1 && list[0]["description"] == "changed"
	})

	// A listener asks one of them, and the runs are with both (docs/contract.md#interceptions).
	const ofAll = `{"steps":["a"],"allOrders":true}`
	for _, s := range []*server{a, b} {
		if got := s.expect(t, 409, "POST", "/api/interceptions", crashKey, ofAll); !strings.Contains(got.text, "several nodes share the work") {
			t.Errorf("an interception is refused with %s", got.text)
		}
	}

	a.stop(t) // and its work is taken over at once, and not only when a lease would be over
	awaitShards(t, b, 64, 0)
	// One that began while there was one node ends once there is another.
	made := b.expect(t, 201, "POST", "/api/interceptions", crashKey, ofAll)
	path := fmt.Sprint("/api/interceptions/", made.body["id"])
	b.expect(t, 200, "POST", path+"/calls", crashKey, "")
	c.start(c.nodes[0])
	a = c.nodes[0].server.Load()
	awaitShards(t, b, 32, 32)
	if got := b.expect(t, 409, "POST", path+"/calls", crashKey, ""); !strings.Contains(got.text, "several nodes share the work") {
		t.Errorf("a poll is refused with %s", got.text)
	}
	a.stop(t)
	b.stop(t)
}

// ofOthers reports whether a fact is of the crowd, or of callers.
func ofOthers(f fact) bool { return f.subject == "" || strings.Count(f.subject, "-") == 1 }

// callers create orders with a workflow, and wait for what it comes to; and write carts.
type callers struct {
	c      *cluster
	over   atomic.Bool
	all    sync.WaitGroup
	orders atomic.Int64
	carts  atomic.Int64

	mu       sync.Mutex
	problems []string
}

func startCallers(c *cluster) *callers {
	k := &callers{c: c}
	for range 4 {
		k.all.Go(func() {
			for !k.over.Load() {
				k.order(int(k.orders.Add(1)) - 1)
			}
		})
	}
	k.all.Go(func() {
		for i := 0; !k.over.Load(); i++ {
			k.cart(i)
		}
	})
	return k
}

func (k *callers) problem(format string, args ...any) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.problems = append(k.problems, fmt.Sprintf(format, args...))
}

// order posts an order to one node after the other until one has the result of its run.
func (k *callers) order(i int) {
	body := fmt.Sprintf(`{"id":%q,"orderType":"Online","marketId":"NOR","customerEmail":"kari%d@example.com",
		"orderForm":{"lineItems":[{"lineItemId":"1","code":"SHOE-42","quantity":2,"placedPrice":499.50}]}}`, orderID(i), i)
	for deadline := time.Now().Add(4 * patience); ; {
		a := k.c.any().callWith("POST", "/api/orders", crashKey, body, "Idempotency-Key", "post-"+orderID(i))
		switch {
		case a.err == nil && a.status == 201:
			return
		case time.Now().After(deadline):
			k.problem("%s has no result: %d %s %v", orderID(i), a.status, a.text, a.err)
			return
		case a.err == nil && a.status != 202 && a.status != 503:
			k.problem("%s: %d %s", orderID(i), a.status, a.text)
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// cart stores a cart through one node, and reads it through another.
func (k *callers) cart(i int) {
	id, want := fmt.Sprintf("C-%d", i), fmt.Sprintf("kari%d@example.com", i)
	stored := false
	for deadline := time.Now().Add(4 * patience); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if !stored {
			a := k.c.hurried().call("PUT", "/api/carts/"+id, crashKey, fmt.Sprintf(`{"marketId":"NOR","customerEmail":%q}`, want))
			stored = a.err == nil && (a.status == 200 || a.status == 201)
			continue
		}
		a := k.c.hurried().call("GET", "/api/carts/"+id, crashKey, "")
		if a.err != nil || a.status == 503 {
			continue
		}
		if a.status != 200 || a.body["customerEmail"] != want {
			k.problem("cart %s: %d %s", id, a.status, a.text)
		}
		k.carts.Add(1)
		return
	}
	k.problem("cart %s is not stored, or cannot be read", id)
}

// end returns how many orders and carts were acknowledged.
func (k *callers) end(t *testing.T) (orders, carts int) {
	k.over.Store(true)
	k.all.Wait()
	for _, p := range k.problems {
		t.Error(p)
	}
	return int(k.orders.Load()), int(k.carts.Load())
}
