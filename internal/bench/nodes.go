package bench

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"
)

// mostNodes is how many nodes work on one database at most, and nodesSinks to how many
// endpoints they deliver: an endpoint is one node's at a time.
const (
	mostNodes  = 3
	nodesSinks = 12
)

// nodes measures how many deliveries a second one, two and three nodes make on one
// database, each a process of its own. Where the cores are few, they limit all of them
// together: the CPU time says whether they do.
func (b *bench) nodes(ctx context.Context) (_ string, err error) {
	out := strings.Builder{}
	fmt.Fprintf(&out, `
## Deliveries a second of several nodes

Arrays of 100 events for %d endpoints, published to all nodes in turn, each a process of its own. As above, an event
counts once its attempt is recorded.

| nodes | deliveries a second | of one node |
|---|---|---|
`, nodesSinks)
	// The figure of one node is what the others are compared with.
	var one float64
	for n := 1; n <= mostNodes; n++ {
		got, err := b.nodesRound(ctx, n)
		if err != nil {
			return "", fmt.Errorf("%d nodes: %w", n, err)
		}
		if n == 1 {
			one = got
		}
		fmt.Fprintf(&out, "| %d | %.0f | %.2f |\n", n, got, got/one)
	}
	return out.String(), nil
}

// nodesRound starts nodes on a database of their own. A round with a fifth of the budget
// comes first, so that the nodes have shared out the endpoints by then.
func (b *bench) nodesRound(ctx context.Context, count int) (perSecond float64, err error) {
	db, err := b.engine.newDatabase(ctx, b.folder, fmt.Sprint("nodes", count))
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, db.remove(ctx)) }()
	var all []*bench
	for range count {
		node, err := b.startProcess(ctx, db)
		if err != nil {
			return 0, err
		}
		// All nodes are killed at the end of the round, before their database is removed.
		defer node.kill()
		// A copy of the bench with the URL of the node, by which publishers reach it.
		own := *b
		own.url = node.url
		all = append(all, &own)
	}
	s := startSink(ctx)
	defer s.Close()
	var endpoints []string
	// The endpoints are made through the first node. The others hear of them through the
	// database.
	for range nodesSinks {
		id, err := all[0].subscribe(ctx, s.URL, eventType, "")
		if err != nil {
			return 0, err
		}
		endpoints = append(endpoints, id)
	}
	d := &delivery{publication: newPublication(100)}
	if _, err := publishToAll(ctx, all, s, d, endpoints, b.budget/5); err != nil {
		return 0, err
	}
	return publishToAll(ctx, all, s, d, endpoints, b.budget)
}

// publishToAll publishes to all nodes at once, and returns how many deliveries a second
// were recorded. There are as many publishers in all, however many nodes there are: only
// the work of the nodes is to differ.
func publishToAll(ctx context.Context, nodes []*bench, s *sink, d *delivery, endpoints []string, budget time.Duration) (float64, error) {
	const publishers = 4 // of all
	before, began := s.arrived.Load(), time.Now()
	counts, errs := make([]int64, len(nodes)), make([]error, len(nodes))
	var publishing sync.WaitGroup
	for i, node := range nodes {
		publishing.Go(func() {
			own := delivery{publication: d.publication}
			own.published.Store(int64(i) * 1_000_000) // other orders than those of the other nodes
			counts[i], errs[i] = node.publishFor(ctx, node.url, "/api/events", 202, &own, max(1, publishers/len(nodes)), budget)
		})
	}
	publishing.Wait()
	published := int64(0)
	for _, n := range counts {
		published += n
	}
	// Every event goes to each of the endpoints.
	want := published * int64(len(endpoints))
	err := errors.Join(errs...)
	if err == nil {
		err = until(ctx, "all events have arrived", patience+20*budget, time.Millisecond, func() (bool, error) { return s.arrived.Load()-before >= want, nil })
	}
	for _, id := range endpoints {
		// Any node can be asked what is pending, since all have the same database.
		if err == nil {
			err = nodes[0].awaitRecorded(ctx, id)
		}
	}
	return float64(want) / time.Since(began).Seconds(), err
}
