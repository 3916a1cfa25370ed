package bench

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"time"
)

// A backlog: deliveries that wait for an endpoint that is down.
const (
	backlogSize    = 1_000_000
	backlogAtOnce  = 1000
	backlogStarts  = 3
	backlogMemory  = 256 << 20
	backlogFirst   = 2 * time.Second
	backlogCallers = 4
	backlogCounted = 10_000 // as far as an endpoint's pending deliveries are counted
)

// backlog measures the memory of a server of its own that very many deliveries
// wait in, and how soon it is back at work after a kill -9.
func (b *bench) backlog(ctx context.Context) (string, error) {
	down := startDown()
	defer down.Close()
	database := filepath.Join(b.folder, "backlog.db")
	p, err := b.startProcess(ctx, database)
	if err != nil {
		return "", err
	}
	defer func() { p.kill() }()
	own := *b
	own.url = p.url
	endpoint, err := own.subscribe(ctx, down.URL, "bench.small", "")
	if err != nil {
		return "", err
	}
	count := max(1, b.of(backlogSize)/backlogAtOnce) * backlogAtOnce
	begun, before := time.Now(), p.resident()
	filling, err := own.fill(ctx, p, count)
	if err != nil {
		return "", err
	}
	took := time.Since(begun)
	waiting := p.peak(min(3*time.Second, b.budget))
	e, err := own.subscriber(ctx, endpoint)
	if err != nil {
		return "", err
	}
	if e.Counts.Pending != int64(min(count, backlogCounted)) {
		return "", fmt.Errorf("%d deliveries should wait: %+v", count, e.Counts)
	}
	var firsts sample
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
	drained := down.answered.Load()
	drain := startWatch()
	if err := sleep(ctx, b.budget); err != nil {
		return "", err
	}
	perSecond := float64(down.answered.Load()-drained) / drain.elapsed().Seconds()
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

// startAgain starts a server once nothing of the one before it can arrive any more.
func (b *bench) startAgain(ctx context.Context, database string, d *down) (*process, error) {
	if err := sleep(ctx, 100*time.Millisecond); err != nil {
		return nil, err
	}
	d.first.Store(nil)
	return b.startProcess(ctx, database)
}

// fill publishes small events and returns the most memory that the server took.
func (b *bench) fill(ctx context.Context, p *process, count int) (most int64, err error) {
	body := []byte{'['}
	for i := range backlogAtOnce {
		body = fmt.Appendf(body, `{"type":"bench.small","data":{"sku":"JKT-RAIN-M","warehouseCode":"oslo-1","available":%d}},`, i)
	}
	body[len(body)-1] = ']'
	pool := newPublishers(b.url)
	defer pool.close()
	return p.mostWhile(func() error {
		return times(ctx, backlogCallers, count/backlogAtOnce, func() error {
			return pool.with(ctx, func(p *publisher) error { return p.publish(body) })
		})
	})
}
