package bench

import (
	"context"
	"net/http"
	"time"
)

// publishFor has publishers publish until the budget is used up, and returns
// how many events they did. Each publisher has a connection and a goroutine of its own. d
// says what they publish, and counts it, so that later rounds go on with other orders.
func (b *bench) publishFor(ctx context.Context, url, path string, want int, d *delivery, count int, budget time.Duration) (int64, error) {
	var all []*publisher
	defer func() {
		for _, p := range all {
			p.close()
		}
	}()
	// The connections are made before the time begins.
	for range count {
		p, err := newPublisher(ctx, url)
		if err != nil {
			return 0, err
		}
		all = append(all, p)
	}
	before := d.published.Load()
	var err error
	part(ctx, "publisher", func() {
		_, err = perSecondOf(ctx, count, budget, func(caller int) error {
			// A caller has its publisher to itself, so its buffer is used again without a
			// lock.
			p := all[caller]
			p.body = d.appendNth(p.body[:0], d.published.Add(1))
			return p.post(path, p.body, want)
		})
	})
	return (d.published.Load() - before) * int64(d.events), err
}

// publishing is the CPU time per event, in µs, that it takes to publish to a
// server that only reads. The report takes it off, as a cost that is not orderhook's.
func (b *bench) publishing(ctx context.Context, s *sink, d *delivery) (float64, error) {
	watch := startWatch()
	published, err := b.publishFor(ctx, s.URL, "/", http.StatusNoContent, d, d.publishers, b.budget/5)
	return micros(watch.used(), published), err
}

// micros is CPU time for each of some events.
func micros(cpu time.Duration, events int64) float64 {
	return float64(cpu.Microseconds()) / float64(max(1, events))
}
