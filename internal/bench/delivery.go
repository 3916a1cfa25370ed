package bench

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"time"
)

// deliveryRounds is how often the throughput is measured, in turn with the
// bare client's: the machine may be slower for a while.
const deliveryRounds = 3

// delivery is a way to publish, and what came of it.
type delivery struct {
	what    string
	bar     float64 // least ratio to the bare client
	callers []int   // numbers of publishers to try
	bodies  [][]byte
	events  int // in each body

	publishers int // the best number
	perSecond  []float64
	ratio      []float64
	cpu        []float64 // µs of CPU time per delivery
	publishing float64   // µs of it that publishing takes, its answering aside
	behind     int64     // most deliveries that waited when the publishers stopped
}

// events measures how many deliveries a second one endpoint gets that are
// published, durable, sent, and recorded, against a bare client that only sends
// the same bodies.
func (b *bench) events(ctx context.Context) (string, error) {
	s := startSink()
	defer s.Close()
	endpoint, err := b.subscribe(ctx, s.URL, eventType, `,"maxConcurrency":64`)
	if err != nil {
		return "", err
	}
	bare := &delivery{what: "bare POST of the same bodies to the same sink", callers: []int{8, 16, 32, 64, 128}, events: 1}
	ways := []*delivery{
		{what: "published in arrays of 100", bar: 0.3, callers: []int{2, 4, 8}, bodies: arrays(50, 100), events: 100},
		{what: "published one by one", bar: 0.15, callers: []int{32, 64, 128}, bodies: arrays(500, 1), events: 1},
	}
	if err := b.tune(ctx, s, endpoint, bare, ways); err != nil {
		return "", err
	}
	for range deliveryRounds {
		if err := b.bareRound(ctx, s, bare); err != nil {
			return "", err
		}
		for _, d := range ways {
			if err := b.deliveryRound(ctx, s, endpoint, d); err != nil {
				return "", err
			}
			d.ratio = append(d.ratio, d.perSecond[len(d.perSecond)-1]/bare.perSecond[len(bare.perSecond)-1])
		}
	}
	return b.deliveryReport(bare, ways), nil
}

// tune finds the best number of callers for each, and what publishing costs.
func (b *bench) tune(ctx context.Context, s *sink, endpoint string, bare *delivery, ways []*delivery) (err error) {
	bare.publishers, err = best(bare.callers, func(n int) (float64, error) { return b.bare(ctx, s, n, b.budget/5) })
	for _, d := range ways {
		if err == nil {
			d.publishers, err = best(d.callers, func(n int) (float64, error) {
				perSecond, _, err := b.deliver(ctx, s, endpoint, d, n, b.budget/5)
				return perSecond, err
			})
		}
		if err == nil {
			d.publishing, err = b.publishing(ctx, s, d)
		}
	}
	return err
}

// bare has a plain HTTP client POST to the sink.
func (b *bench) bare(ctx context.Context, s *sink, callers int, budget time.Duration) (float64, error) {
	body := deliveredEvent("o-7")
	return perSecond(ctx, callers, budget, func() error { return b.post(ctx, s.URL, body, http.StatusNoContent) })
}

func (b *bench) bareRound(ctx context.Context, s *sink, d *delivery) error {
	watch, before := startWatch(), s.arrived.Load()
	got, err := b.bare(ctx, s, d.publishers, b.budget)
	d.perSecond = append(d.perSecond, got)
	d.cpu = append(d.cpu, micros(watch.used(), s.arrived.Load()-before))
	return err
}

// deliveryRound counts in its CPU time what the server does behind the
// deliveries, once they are recorded.
func (b *bench) deliveryRound(ctx context.Context, s *sink, endpoint string, d *delivery) error {
	watch, before := startWatch(), s.arrived.Load()
	got, behind, err := b.deliver(ctx, s, endpoint, d, d.publishers, b.budget)
	if err == nil {
		err = quiet(ctx, min(1500*time.Millisecond, b.budget), 12*b.budget)
	}
	d.perSecond, d.behind = append(d.perSecond, got), max(d.behind, behind)
	d.cpu = append(d.cpu, micros(watch.used(), s.arrived.Load()-before))
	return err
}

// deliver publishes until the budget is used up, and returns how many events a
// second have arrived and are recorded, from the first publication to the last
// record; and how many of them still waited when publishing ended.
func (b *bench) deliver(ctx context.Context, s *sink, endpoint string, d *delivery, publishers int, budget time.Duration) (perSecond float64, behind int64, err error) {
	before, begin := s.arrived.Load(), time.Now()
	published, err := b.publishFor(ctx, b.url, "/api/events", http.StatusAccepted, d, publishers, budget)
	if err != nil {
		return 0, 0, err
	}
	behind = published - (s.arrived.Load() - before)
	err = until(ctx, "all events have arrived", patience+20*budget, time.Millisecond, func() (bool, error) {
		return s.arrived.Load()-before >= published, nil
	})
	if err == nil {
		err = b.awaitRecorded(ctx, endpoint)
	}
	took := time.Since(begin)
	if more := s.arrived.Load() - before - published; err == nil && more != 0 {
		err = fmt.Errorf("%d of %d events arrived more than once", more, published)
	}
	return float64(published) / took.Seconds(), behind, err
}

// awaitRecorded returns once no delivery to an endpoint is pending.
func (b *bench) awaitRecorded(ctx context.Context, endpoint string) error {
	return until(ctx, "no delivery is pending", patience, 2*time.Millisecond, func() (bool, error) {
		e, err := b.subscriber(ctx, endpoint)
		return e.Counts.Pending == 0, err
	})
}

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
	var next atomic.Int64
	var err error
	part("publisher", func() {
		_, err = perSecondOf(ctx, count, budget, func(caller int) error {
			body := d.bodies[int(next.Add(1))%len(d.bodies)]
			return all[caller].post(path, body, want)
		})
	})
	return next.Load() * int64(d.events), err
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

func (b *bench) deliveryReport(bare *delivery, ways []*delivery) string {
	out := strings.Builder{}
	fmt.Fprintf(&out, `
## Deliveries a second to one endpoint

Each event is published over HTTP, durable before that is answered, delivered, and its attempt recorded; the time
ends when the last one is. The median of %d rounds of %s each, in turn with a bare net/http client that POSTs the same
bodies of %.1f KB to the same sink over kept connections. Publishers, server and sink share the cores. The CPU time
counts all of them, and what the server does behind its deliveries; what the bare client takes, any sender and sink
would; publishing is what its publishers, and a server that only reads, take.

| what | a second | of bare (lowest to highest round) | CPU time each | of it bare | of it publishing | waiting when publishing ended |
|---|---|---|---|---|---|---|
| %s, %d connections | %.0f | 1 | %.0f µs | | | |
`, deliveryRounds, b.budget, float64(len(deliveredEvent("o-7")))/1000, bare.what, bare.publishers, median(bare.perSecond), median(bare.cpu))
	for _, d := range ways {
		fmt.Fprintf(&out, "| %s, %d publishers | %.0f | **%.2f** (%.2f to %.2f) %s | %.0f µs | %.0f µs | %.0f µs | %d |\n",
			d.what, d.publishers, median(d.perSecond), median(d.ratio), slices.Min(d.ratio), slices.Max(d.ratio),
			bar(median(d.ratio) >= d.bar, "at least %.2f", d.bar), median(d.cpu), median(bare.cpu), d.publishing, d.behind)
	}
	return out.String()
}

func median(of []float64) float64 { return slices.Sorted(slices.Values(of))[len(of)/2] }
