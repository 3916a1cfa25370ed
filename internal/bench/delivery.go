package bench

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync/atomic"
	"time"
)

// deliveryRounds is how often the throughput is measured, in turn with the
// bare client's: the machine may be slower for a while.
const deliveryRounds = 5

// rounds is how many of them this run has: of one that is only to see that it works, one.
func (b *bench) rounds() int {
	if b.scale < 0.01 {
		return 1
	}
	return deliveryRounds
}

// deliveryBudgets is how many budgets publishing has in each round. The index of bodies is a
// second late by design, and in a short round that second would be much of the figure.
const deliveryBudgets = 3

// delivery is a way to publish, and what came of it. Each round adds its figures. The
// bare client is one, too, with other fields.
type delivery struct {
	what    string
	secure  bool    // the endpoint speaks TLS
	bar     float64 // least ratio to the bare client
	callers []int   // numbers of publishers to try
	*publication
	published atomic.Int64 // of them, in all rounds

	endpoint   string
	publishers int // the best number
	perSecond  []float64
	indexed    []float64 // as perSecond, where the time ends once their bodies are in the index
	cpu        []float64 // µs of CPU time per delivery
	publishing float64   // µs of it that publishing takes, its answering aside
	behind     int64     // most deliveries that waited when the publishers stopped
}

// oneBody is what the bare client sends again and again. The sink does not look whether
// it has seen it.
var oneBody = bareBody("evt_019aa4c27d3e7f0c9b61d2e8f4a05b37")

// arrays and singles measure how many deliveries a second one endpoint gets
// that are published in a way.
func (b *bench) arrays(ctx context.Context) (string, error) {
	return b.deliveries(ctx, &delivery{what: "in arrays of 100", bar: b.engine.bars.arrays, callers: []int{2, 3, 4, 6}, publication: newPublication(100)})
}

// secureArrays is arrays to an endpoint that speaks TLS, against a bare client that does.
func (b *bench) secureArrays(ctx context.Context) (string, error) {
	return b.deliveries(ctx, &delivery{what: "in arrays of 100, over TLS", secure: true, bar: b.engine.bars.arrays, callers: []int{2, 3, 4, 6}, publication: newPublication(100)})
}

// singles publishes each event by itself, as shops do: a few of them, and many.
func (b *bench) singles(ctx context.Context) (string, error) {
	few, err := b.deliveries(ctx, &delivery{what: "one by one by 32 publishers", bar: b.engine.bars.few, callers: []int{32}, publication: newPublication(1)})
	if err != nil {
		return "", err
	}
	many, err := b.deliveries(ctx, &delivery{what: "one by one by 256 publishers", bar: b.engine.bars.singles, callers: []int{256}, publication: newPublication(1)})
	return few + many, err
}

// deliveries measures events that are published, durable, sent, and recorded,
// by turns with a bare client that only sends the same bodies. The ratio is taken round
// by round, because what slows down the machine for a while slows down both.
func (b *bench) deliveries(ctx context.Context, d *delivery) (_ string, err error) {
	// The sink and its endpoint are the same for all rounds, so that no round pays for
	// making them.
	start := startSink
	if d.secure {
		start = startSecureSink
	}
	s := start(ctx)
	defer s.Close()
	if d.endpoint, err = b.subscribe(ctx, s.URL, eventType, `,"maxConcurrency":16`+s.trust); err != nil {
		return "", err
	}
	bare := &delivery{callers: []int{8, 16, 32, 64, 128}}
	if err := b.tune(ctx, s, bare, d); err != nil {
		return "", err
	}
	// The bare client goes first in each round. Both use the same sink, one after the
	// other.
	for range b.rounds() {
		if err := b.bareRound(ctx, s, bare); err != nil {
			return "", err
		}
		if err := b.deliveryRound(ctx, s, d); err != nil {
			return "", err
		}
	}
	// The next part of the report has an endpoint of its own.
	return b.deliveryReport(bare, d, over(d.counted(b.engine), bare.perSecond)), b.call(ctx, http.MethodDelete, b.url+"/api/endpoints/"+d.endpoint, "", http.StatusNoContent)
}

// counted is the figures that the bar is about: of SQLite those with the index, whose time is
// taken from what there is for deliveries. A server of PostgreSQL is another process, and its
// bar is from before.
func (d *delivery) counted(e engine) []float64 {
	if e.server == "" {
		return d.indexed
	}
	return d.perSecond
}

// tune finds the best number of callers for each, and what publishing costs. The best
// number depends on the machine, so each is tried for a while.
func (b *bench) tune(ctx context.Context, s *sink, bare, d *delivery) (err error) {
	// Each number of callers is tried for a part of the budget, and the best one has the
	// whole of it later.
	bare.publishers, err = best(bare.callers, func(n int) (float64, error) { return b.bare(ctx, s, n, b.budget/5) })
	if err != nil {
		return err
	}
	d.publishers, err = best(d.callers, func(n int) (float64, error) {
		perSecond, _, err := b.deliver(ctx, s, d, n, b.budget/2)
		return perSecond, err
	})
	if err != nil {
		return err
	}
	// With the number of publishers that was found to be best, because the cost depends
	// on it.
	plain := startSink(ctx) // publishers speak no TLS
	defer plain.Close()
	d.publishing, err = b.publishing(ctx, plain, d)
	return errors.Join(err, b.awaitQuiet(ctx))
}

// awaitQuiet returns once what the server does behind its deliveries is done. It indexes
// bodies, for example, which would take processors from the next round.
func (b *bench) awaitQuiet(ctx context.Context) error {
	return quiet(ctx, min(1500*time.Millisecond, b.budget), 12*b.budget)
}

// bare has a plain HTTP client POST to the sink.
func (b *bench) bare(ctx context.Context, s *sink, callers int, budget time.Duration) (got float64, err error) {
	part(ctx, "bare", func() {
		got, err = perSecond(ctx, callers, budget, func() error { return b.send(ctx, s.client, s.URL, "o-7", oneBody) })
	})
	return got, err
}

// bareRound measures one round of the bare client.
func (b *bench) bareRound(ctx context.Context, s *sink, d *delivery) error {
	watch, before := startWatch(), s.arrived.Load()
	// What arrived at the sink is counted there, also what the callers finish after the
	// time.
	got, err := b.bare(ctx, s, d.publishers, b.budget)
	d.perSecond = append(d.perSecond, got)
	d.cpu = append(d.cpu, micros(watch.used(), s.arrived.Load()-before))
	return err
}

// deliveryRound counts in its CPU time what the server does behind the
// deliveries, too.
func (b *bench) deliveryRound(ctx context.Context, s *sink, d *delivery) error {
	watch, before := startWatch(), s.arrived.Load()
	// The watch goes on until the server is quiet, and only then is the CPU time taken.
	got, behind, err := b.deliver(ctx, s, d, d.publishers, deliveryBudgets*b.budget)
	if err == nil {
		err = b.awaitIndexed(ctx)
		d.indexed = append(d.indexed, float64(s.arrived.Load()-before)/watch.elapsed().Seconds())
	}
	if err == nil {
		err = b.awaitQuiet(ctx)
	}
	d.perSecond, d.behind = append(d.perSecond, got), max(d.behind, behind)
	d.cpu = append(d.cpu, micros(watch.used(), s.arrived.Load()-before))
	return err
}

// deliver publishes until the budget is used up, and returns how many events a
// second have arrived and are recorded, from the first publication to the last
// record; and how many of them still waited when publishing ended. An event that arrives
// twice is an error: nothing has failed that would be a reason for it.
func (b *bench) deliver(ctx context.Context, s *sink, d *delivery, publishers int, budget time.Duration) (perSecond float64, behind int64, err error) {
	before, begin := s.arrived.Load(), time.Now()
	published, err := b.publishFor(ctx, b.url, "/api/events", http.StatusAccepted, d, publishers, budget)
	if err != nil {
		return 0, 0, err
	}
	// What is behind at this moment tells whether the server keeps up with its
	// publishers.
	behind = published - (s.arrived.Load() - before)
	err = until(ctx, "all events have arrived", patience+20*budget, time.Millisecond, func() (bool, error) {
		return s.arrived.Load()-before >= published, nil
	})
	if err == nil {
		err = b.awaitRecorded(ctx, d.endpoint)
	}
	// The last record ends the time. What comes twice is looked for after that.
	took := time.Since(begin)
	if more := s.arrived.Load() - before - published; err == nil && more != 0 {
		err = fmt.Errorf("%d of %d events arrived more than once", more, published)
	}
	return float64(published) / took.Seconds(), behind, err
}

// awaitRecorded returns once no delivery to an endpoint is pending; none may have
// failed.
func (b *bench) awaitRecorded(ctx context.Context, endpoint string) error {
	return until(ctx, "no delivery is pending", patience, 2*time.Millisecond, func() (bool, error) {
		e, err := b.subscriber(ctx, endpoint)
		if err == nil && e.Counts.Failed > 0 {
			err = fmt.Errorf("%d deliveries failed", e.Counts.Failed)
		}
		return e.Counts.Pending == 0, err
	})
}

// leastIndexed is how many attempts are left to later, since they are too few for a part of
// the index.
const leastIndexed = 512

// awaitIndexed returns once the bodies of all attempts are in the index, but for the last few.
func (b *bench) awaitIndexed(ctx context.Context) error {
	return until(ctx, "the bodies are in the index", patience+20*b.budget, 50*time.Millisecond, func() (bool, error) {
		figures, err := b.server.Figures(ctx)
		return figures.Unindexed <= leastIndexed, err
	})
}

// deliveryReport is the part of the report. The median is compared with the bar, and the
// lowest and highest round show the noise.
func (b *bench) deliveryReport(bare, d *delivery, ratios []float64) string {
	return fmt.Sprintf(`
## Deliveries a second to one endpoint, published %s

Each event is published over HTTP, durable before that is answered, delivered, and its attempt recorded; the time
ends when the last one is, and of what stands behind that once their bodies can be searched: the index takes up attempts
a second after they ended. The bar of SQLite is about that one. The median of %d rounds of %s each, by turns with %s of a bare net/http client that POSTs the same
bodies of %.1f KB to the same sink over reused connections. The orders' numbers ascend, and each has five events; the
endpoint has a maxConcurrency of 16. Publishers, server and sink share the cores. The CPU time is that of all of them,
and of what the server does behind its deliveries. Of it, any sender and sink would take what the bare client takes;
publishing is what its publishers take, and a server that only reads.

| what | a second | of bare (lowest to highest round) | CPU time each | of it bare | of it publishing | waiting when publishing ended |
|---|---|---|---|---|---|---|
| bare, %d connections | %.0f | 1 | %.0f µs | | | |
| delivered, %d publishers | %.0f | %.2f | %.0f µs | %.0f µs | %.0f µs | %d |
| and indexed | %.0f | %.2f | | | | |
| **for the bar** | | **%.2f** (%.2f to %.2f) %s | | | | |
`, d.what, len(ratios), deliveryBudgets*b.budget, b.budget, float64(len(oneBody))/1000,
		bare.publishers, median(bare.perSecond), median(bare.cpu),
		d.publishers, median(d.perSecond), median(over(d.perSecond, bare.perSecond)), median(d.cpu), median(bare.cpu), d.publishing, d.behind,
		median(d.indexed), median(over(d.indexed, bare.perSecond)),
		median(ratios), slices.Min(ratios), slices.Max(ratios), bar(median(ratios) >= d.bar, "at least %.2f", d.bar))
}

// over divides figures by others, round by round.
func over(of, by []float64) (ratios []float64) {
	for i := range of {
		ratios = append(ratios, of[i]/by[i])
	}
	return ratios
}

// median is the middle one of some figures; of an even number, the higher one of the two.
func median(of []float64) float64 { return slices.Sorted(slices.Values(of))[len(of)/2] }
