package bench

import (
	"context"
	"fmt"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"time"
)

// Many endpoints, each with one event a second.
const (
	manyEndpoints = 10_000
	manySeconds   = 30
	manyAtOnce    = 100 // events in one publication
	manyMemory    = 300 << 20
)

// many measures how soon the events of very many endpoints arrive. The server is
// a process of its own: it may have a connection for each, and so may the sink.
func (b *bench) many(ctx context.Context) (string, error) {
	s := startSink()
	defer s.Close()
	server, err := b.startProcess(ctx, filepath.Join(b.folder, "many.db"))
	if err != nil {
		return "", err
	}
	defer server.kill()
	own := *b
	own.url = server.url
	return own.measureMany(ctx, s, server)
}

func (b *bench) measureMany(ctx context.Context, s *sink, server *process) (string, error) {
	batches := max(1, b.of(manyEndpoints)/manyAtOnce)
	endpoints, seconds := batches*manyAtOnce, b.of(manySeconds)
	made := time.Now()
	if err := b.makeMany(ctx, s.URL, endpoints); err != nil {
		return "", err
	}
	making := time.Since(made)
	if err := quiet(ctx, min(300*time.Millisecond, b.budget), 12*b.budget); err != nil {
		return "", err
	}
	f := newFlight("m", endpoints*seconds)
	s.flight.Store(f)
	before := server.resident()
	most, err := server.mostWhile(func() error {
		if err := b.publishMany(ctx, f, batches, seconds); err != nil {
			return err
		}
		return f.await(ctx, endpoints*seconds)
	})
	if err != nil {
		return "", err
	}
	took, _ := f.took(every)
	late := 0
	for _, t := range took {
		if t > time.Second {
			late++
		}
	}
	return fmt.Sprintf(`
## %d endpoints with one event each a second

For %d s, published in arrays of %d. Making the endpoints, all of one host, through the API took %s. All events arrived,
each once.

| events | within a second | p50 | p99 | most | resident memory of the server before | most meanwhile |
|---|---|---|---|---|---|---|
| %d | **%.3f %%** %s | %s | %s | %s | %d MiB | **%d MiB** %s |
`, endpoints, seconds, manyAtOnce, making.Round(10*time.Millisecond), len(took), 100-100*float64(late)/float64(len(took)),
		bar(late == 0, "all"), took.p(50), took.p(99), took.p(100),
		before>>20, most>>20, bar(most < manyMemory, "under 300 MiB")), nil
}

func manyType(endpoint int) string { return "bench.m" + strconv.Itoa(endpoint) }

func (b *bench) makeMany(ctx context.Context, url string, endpoints int) error {
	var next atomic.Int64
	return times(ctx, 32, endpoints, func() error {
		i := int(next.Add(1)) - 1
		_, err := b.subscribe(ctx, fmt.Sprintf("%s/%d", url, i), manyType(i), "")
		return err
	})
}

// publishMany publishes, every second, one event for each endpoint.
func (b *bench) publishMany(ctx context.Context, f *flight, batches, seconds int) error {
	pool := newPublishers(b.url)
	defer pool.close()
	return paced(ctx, time.Second/time.Duration(batches), batches*seconds, func(i int) error {
		return pool.with(ctx, func(p *publisher) error {
			first, endpoint := i*manyAtOnce, i%batches*manyAtOnce
			p.body = append(p.body[:0], '[')
			for j := range manyAtOnce {
				p.body = append(numberedEvent(p.body, f.id(first+j), manyType(endpoint+j)), ',')
			}
			p.body[len(p.body)-1] = ']'
			for j := range manyAtOnce {
				f.send(first + j)
			}
			return p.publish(p.body)
		})
	})
}
