package bench

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// A transaction that somebody else leaves open: the server may remove no row that it
// could still see, so what was deleted since stays in tables and indexes.
const (
	pinnedFor   = 24  // budgets: two minutes, of 5 s
	pinnedLeast = 0.5 // of the deliveries a second of before
	pinnedMost  = 2   // times the time from publishing to arrival of before
)

// pinned measures deliveries before such a transaction began and in its last part. A
// transaction of a report, or of a person who left a terminal open, is enough to make
// one.
func (b *bench) pinned(ctx context.Context) (_ string, err error) {
	s := startSink(ctx)
	defer s.Close()
	d := &delivery{publication: newPublication(100)}
	// The same endpoint as in the measurement of arrays, so the figures can be compared.
	if d.endpoint, err = b.subscribe(ctx, s.URL, eventType, `,"maxConcurrency":16`); err != nil {
		return "", err
	}
	const publishers = 3
	if _, _, err := b.deliver(ctx, s, d, publishers, b.budget/2); err != nil { // to warm up
		return "", err
	}
	// First the figures without such a transaction.
	before, calm, err := b.rateAndLatency(ctx, s, d, "before")
	if err != nil {
		return "", err
	}
	conn, err := pgx.Connect(ctx, b.database.name)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, conn.Close(context.WithoutCancel(ctx))) }()
	begun := time.Now()
	// A transaction that has read nothing holds no snapshot, and would be in nobody's
	// way.
	if _, err := conn.Exec(ctx, `BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM tenants`); err != nil {
		return "", err
	}
	// Then deliveries are made and removed, for two minutes at the full budget. What they
	// leave behind is what makes it slow.
	delivered := s.arrived.Load()
	if _, _, err := b.deliver(ctx, s, d, publishers, pinnedFor*b.budget); err != nil {
		return "", err
	}
	after, late, err := b.rateAndLatency(ctx, s, d, "after")
	if err != nil {
		return "", err
	}
	// If the connection was lost meanwhile, the transaction was not open, and COMMIT
	// fails.
	open, delivered := time.Since(begun), s.arrived.Load()-delivered
	if _, err := conn.Exec(ctx, `COMMIT`); err != nil {
		return "", fmt.Errorf("the transaction did not stay open: %w", err)
	}
	ratio, slower := after/before, float64(late)/float64(calm)
	return fmt.Sprintf(`
## A transaction that stays open

Arrays of 100 events to one endpoint, and then single ones at %d a second; first without, and then while another
connection had left a transaction open for %s, in which %d deliveries were made and removed.

| what | before | with the transaction open |  |
|---|---|---|---|
| deliveries a second | %.0f | %.0f | **%.2f** %s |
| from publishing to arrival, p50 | %s | %s | **%.2f** %s |
`, latencyRate, open.Round(time.Second), delivered,
		before, after, ratio, bar(ratio >= pinnedLeast, "at least %.1f", pinnedLeast),
		ms(calm), ms(late), slower, bar(slower <= pinnedMost, "at most %d", pinnedMost)), nil
}

// rateAndLatency measures how many deliveries a second there are, and how long single
// ones take, at that moment.
func (b *bench) rateAndLatency(ctx context.Context, s *sink, d *delivery, name string) (perSecond float64, p50 time.Duration, err error) {
	if perSecond, _, err = b.deliver(ctx, s, d, 3, b.budget); err != nil {
		return 0, 0, err
	}
	took, _, err := b.latencies(ctx, s, name, max(warmUp, int(b.budget.Seconds()*latencyRate)))
	return perSecond, took.at(50), err
}
