package bench

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/orderhook/orderhook/internal/clock"
)

// A backlog: deliveries that wait for an endpoint that is down. The bars are those of the
// aims (docs/design.md#aims).
const (
	// How many deliveries wait, and how many events are in one publication.
	backlogSize   = 1_000_000
	backlogAtOnce = 1000
	// How often the server is killed and started.
	backlogStarts = 3
	// What the server may take with them waiting, and how soon it must make its first
	// attempt after a start.
	backlogMemory = 256 << 20
	backlogFirst  = 2 * time.Second
	// Publishers at once.
	backlogCallers = 4
	backlogCounted = 10_000 // as far as an endpoint's pending deliveries are counted
)

// backlog measures the memory of a server of its own that very many deliveries
// wait in, and how soon it is back at work after a kill -9. A process of its own can be
// killed as a crash would, and its memory is that of the server alone.
func (b *bench) backlog(ctx context.Context) (_ string, err error) {
	down := startDown()
	defer down.Close()
	database, err := b.engine.newDatabase(ctx, b.folder, "backlog")
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, database.remove(ctx)) }()
	p, err := b.startProcess(ctx, database)
	if err != nil {
		return "", err
	}
	// p is another process after each start, so the one to kill is looked up at the end.
	defer func() { p.kill() }()
	own := *b
	own.url = p.url
	endpoint, err := own.subscribe(ctx, down.URL, "bench.small", "")
	if err != nil {
		return "", err
	}
	// A whole number of publications, at least one.
	count := max(1, b.of(backlogSize)/backlogAtOnce) * backlogAtOnce
	// The memory of the empty server is in the report, to tell what the deliveries add.
	begun, before := time.Now(), p.resident()
	filling, err := own.fill(ctx, p, count)
	if err != nil {
		return "", err
	}
	took := time.Since(begun)
	// The most of some seconds is taken, since the memory goes up and down with the
	// garbage collector.
	waiting := p.peak(min(3*time.Second, b.budget))
	e, err := own.subscriber(ctx, endpoint)
	if err != nil {
		return "", err
	}
	// As far as they are counted, all of them have to wait, or the measurement would be
	// of something else.
	if e.Counts.Pending != int64(min(count, backlogCounted)) {
		return "", fmt.Errorf("%d deliveries should wait: %+v", count, e.Counts)
	}
	var firsts sample
	// Only after the last start is the endpoint up. The others find it down, as it was
	// before.
	for i := range backlogStarts {
		down.up.Store(i == backlogStarts-1)
		p.kill()
		if p, err = b.startAgain(ctx, database, down); err != nil {
			return "", err
		}
		first, err := down.await(ctx, p.begun)
		if err != nil {
			return "", err
		}
		firsts = append(firsts, first)
	}
	// What waited is delivered for one budget, and only what arrives in it counts.
	drained := down.answered.Load()
	drain := startWatch()
	if err := clock.Pause(ctx, clock.Real{}, b.budget); err != nil {
		return "", err
	}
	perSecond := float64(down.answered.Load()-drained) / drain.elapsed().Seconds()
	// The bar is for the longest of the starts, not for their median.
	most := slices.Max(firsts)
	return fmt.Sprintf(`
## %d deliveries waiting

Small events in arrays of %d, published to a server in a process of its own, for an endpoint that answers 503 to all.
Publishing took %s, %.0f a second. Then kill -9 and start, %d times: the time from starting the process to the first
attempt that reaches the endpoint. After the last start the endpoint is up, and gets what waited at %.0f a second.

| resident memory, empty | most while publishing | with the deliveries waiting | from start to first attempt, median | longest |
|---|---|---|---|---|
| %d MiB | %d MiB | **%d MiB** %s | %s | **%s** %s |
`, count, backlogAtOnce, took.Round(100*time.Millisecond), float64(count)/took.Seconds(), backlogStarts, perSecond,
		before>>20, filling>>20, waiting>>20, bar(waiting < backlogMemory, "under 256 MiB"), firsts.p(50), ms(most), bar(most < backlogFirst, "under 2 s")), nil
}

// startAgain starts a server once nothing of the one before it can arrive any more. An
// attempt that the killed server had sent could otherwise count as the first of the next.
func (b *bench) startAgain(ctx context.Context, database *database, d *down) (*process, error) {
	if err := clock.Pause(ctx, clock.Real{}, 100*time.Millisecond); err != nil {
		return nil, err
	}
	d.first.Store(nil)
	return b.startProcess(ctx, database)
}

// fill publishes small events and returns the most memory that the server took. The
// events are small, since it is their number that counts.
func (b *bench) fill(ctx context.Context, p *process, count int) (most int64, err error) {
	// The same array is published each time: without ids the server makes new events of
	// it.
	body := []byte{'['}
	for i := range backlogAtOnce {
		body = fmt.Appendf(body, `{"type":"bench.small","data":{"sku":"JKT-RAIN-M","warehouseCode":"oslo-1","available":%d}},`, i)
	}
	body[len(body)-1] = ']'
	pool := newPublishers(b.url)
	defer pool.close()
	// The memory is read while the publishers are at work.
	return p.mostWhile(func() error {
		return times(ctx, backlogCallers, count/backlogAtOnce, func() error {
			return pool.with(ctx, func(p *publisher) error { return p.publish(body) })
		})
	})
}
