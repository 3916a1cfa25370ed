package bench

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync/atomic"
	"time"
)

// Many endpoints, each with one event a second.
const (
	// The size at full budget. With less, there are fewer endpoints and fewer seconds.
	manyEndpoints = 10_000
	manySeconds   = 30
	manyAtOnce    = 100 // events in one publication
	// What the server may take with all of them.
	manyMemory = 300 << 20
)

// many measures how soon the events of very many endpoints arrive. The server is
// a process of its own: it may have a connection for each, and so may the sink. So
// neither runs out of descriptors because of the other.
func (b *bench) many(ctx context.Context) (_ string, err error) {
	s := startSink(ctx)
	defer s.Close()
	database, err := b.engine.newDatabase(ctx, b.folder, "many")
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, database.remove(ctx)) }()
	server, err := b.startProcess(ctx, database)
	if err != nil {
		return "", err
	}
	defer server.kill()
	own := *b
	own.url = server.url
	return own.measureMany(ctx, s, server)
}

// measureMany makes the endpoints, waits until that is done with, and publishes. The time
// of every single event counts.
func (b *bench) measureMany(ctx context.Context, s *sink, server *process) (string, error) {
	// A publication has events for a hundred endpoints, so their number is a multiple of
	// that.
	batches := max(1, b.of(manyEndpoints)/manyAtOnce)
	endpoints, seconds := batches*manyAtOnce, b.of(manySeconds)
	made := time.Now()
	if err := b.makeMany(ctx, s.URL, endpoints); err != nil {
		return "", err
	}
	making := time.Since(made)
	// What the server does after making so many endpoints must not count as slow
	// delivery.
	if err := quiet(ctx, min(300*time.Millisecond, b.budget), 12*b.budget); err != nil {
		return "", err
	}
	// Every event has a number, so the report can say that each arrived once.
	f := newFlight("m", endpoints*seconds)
	s.flight.Store(f)
	before := server.resident()
	// The memory is read until the last event has arrived.
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
	// The aim is that all of them arrive within a second, so those that do not are
	// counted one by one.
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

// manyType is the type of events that one of them gets.
func manyType(endpoint int) string { return "bench.m" + strconv.Itoa(endpoint) }

// makeMany makes endpoints at paths of one URL, each for a type of its own.
func (b *bench) makeMany(ctx context.Context, url string, endpoints int) error {
	// The callers take the numbers in turn, so each endpoint is made once.
	var next atomic.Int64
	return times(ctx, 32, endpoints, func() error {
		i := int(next.Add(1)) - 1
		_, err := b.subscribe(ctx, fmt.Sprintf("%s/%d", url, i), manyType(i), "")
		return err
	})
}

// publishMany publishes, every second, one event for each endpoint. The publications are
// spread evenly over the second, as those of many publishers would be.
func (b *bench) publishMany(ctx context.Context, f *flight, batches, seconds int) error {
	pool := newPublishers(b.url)
	defer pool.close()
	// The i-th publication is for the i-th hundred of endpoints, and begins again with
	// the first hundred each second.
	return paced(ctx, time.Second/time.Duration(batches), batches*seconds, func(i int) error {
		return pool.with(ctx, func(p *publisher) error {
			first, endpoint := i*manyAtOnce, i%batches*manyAtOnce
			p.body = append(p.body[:0], '[')
			for j := range manyAtOnce {
				p.body = append(numberedEvent(p.body, f.id(first+j), manyType(endpoint+j)), ',')
			}
			// The last comma becomes the end of the array. Only then are the events noted
			// as sent, since making the text is the publisher's work.
			p.body[len(p.body)-1] = ']'
			for j := range manyAtOnce {
				f.send(first + j)
			}
			return p.publish(p.body)
		})
	})
}
