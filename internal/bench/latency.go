package bench

import (
	"context"
	"fmt"
	"time"
)

// latencyRate is how many events a second are published where the time of each
// is what counts.
const latencyRate = 50

// latency measures the time from publishing to arrival under light load, in
// turn with bare POSTs to the same sink. At this rate nothing waits for anything, so it
// is the time of the way itself.
func (b *bench) latency(ctx context.Context) (string, error) {
	s := startSink(ctx)
	defer s.Close()
	if _, err := b.subscribe(ctx, s.URL, eventType, ""); err != nil {
		return "", err
	}
	// The first ones open connections and fill caches, and are not counted.
	if _, _, err := b.latencies(ctx, s, "warm", 2*warmUp); err != nil {
		return "", err
	}
	took, bare, err := b.latencies(ctx, s, "l", max(warmUp, int(2*b.budget.Seconds()*latencyRate)))
	if err != nil {
		return "", err
	}
	p50, p99 := took.at(50), took.at(99)
	return fmt.Sprintf(`
## From publishing to arrival, at %d events a second

%d events, each published alone, from when its request is sent to when its delivery reaches the sink; in turn with as
many bare POSTs of the same body to the same sink.

| what | p50 | p99 | most |
|---|---|---|---|
| bare POST to the sink | %s | %s | %s |
| published to delivered | **%s** %s | **%s** %s | %s |
`, latencyRate, len(took), bare.p(50), bare.p(99), bare.p(100),
		ms(p50), atMost(p50, b.engine.bars.p50), ms(p99), atMost(p99, b.engine.bars.p99), took.p(100)), nil
}

// latencies publishes events and makes bare POSTs, by turns. Even numbers are events, and
// odd ones bare POSTs, which arrive at the same sink and are timed in the same way.
func (b *bench) latencies(ctx context.Context, s *sink, name string, count int) (took, bare sample, err error) {
	// Events and bare POSTs are one flight, so both are timed by the same code.
	f := newFlight(name, 2*count)
	s.flight.Store(f)
	pool := newPublishers(b.url)
	defer pool.close()
	err = paced(ctx, time.Second/latencyRate/2, 2*count, func(i int) error {
		// Each is noted just before it is sent, in either case.
		if i%2 == 1 {
			f.send(i)
			return b.send(ctx, s.client, s.URL, f.id(i), bareBody(f.id(i)))
		}
		return pool.with(ctx, func(p *publisher) error {
			p.body = numberedEvent(p.body[:0], f.id(i), eventType)
			f.send(i)
			return p.publish(p.body)
		})
	})
	if err == nil {
		err = f.await(ctx, 2*count)
	}
	took, _ = f.took(func(i int) bool { return i%2 == 0 })
	bare, _ = f.took(func(i int) bool { return i%2 == 1 })
	return took, bare, err
}

// await returns once so many of the events have arrived, each once. An event that arrived
// twice is an error.
func (f *flight) await(ctx context.Context, count int) error {
	err := until(ctx, "all events have arrived", patience, time.Millisecond, func() (bool, error) {
		return f.landed.Load() >= int64(count), nil
	})
	if again := f.again.Load(); err == nil && again > 0 {
		err = fmt.Errorf("%d events arrived more than once", again)
	}
	return err
}
