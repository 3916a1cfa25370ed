package bench

import (
	"context"
	"net/http"
	"time"
)

// publishFor has publishers publish until the budget is used up, and returns
// how many events they did.
func (b *bench) publishFor(ctx context.Context, url, path string, want int, d *delivery, count int, budget time.Duration) (int64, error) {
	var all []*publisher
	defer func() {
		for _, p := range all {
			p.close()
		}
	}()
	for range count {
		p, err := newPublisher(ctx, url)
		if err != nil {
			return 0, err
		}
		all = append(all, p)
	}
	before := d.published.Load()
	var err error
	part("publisher", func() {
		_, err = perSecondOf(ctx, count, budget, func(caller int) error {
			p := all[caller]
			p.body = d.appendNth(p.body[:0], d.published.Add(1))
			return p.post(path, p.body, want)
		})
	})
	return (d.published.Load() - before) * int64(d.events), err
}

// publishing is the CPU time per event, in µs, that it takes to publish to a
// server that only reads.
func (b *bench) publishing(ctx context.Context, s *sink, d *delivery) (float64, error) {
	watch := startWatch()
	published, err := b.publishFor(ctx, s.URL, "/", http.StatusNoContent, d, d.publishers, b.budget/5)
	return micros(watch.used(), published), err
}

func micros(cpu time.Duration, events int64) float64 {
	return float64(cpu.Microseconds()) / float64(max(1, events))
}
