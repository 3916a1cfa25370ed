package bench

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/orderhook/orderhook/internal/oms"
)

// Endpoints that are ill beside ones that are well: of illCrowd endpoints, the
// last illOnes are well in one phase, and hang, or answer a byte a second, in
// others.
const (
	illCrowd  = 20
	illOnes   = 2
	illRate   = 400 // events a second, to each endpoint as many
	illCycles = 4
)

// condition is how the last endpoints are, and how the others fared with it.
type condition struct {
	what string
	ids  []string // of the endpoints of this condition
	kind int      // part of the names of their types

	took   sample
	p99    []time.Duration // of each phase
	failed int64           // attempts or more, of those that are ill
}

// ill measures how long the events of healthy endpoints take while some others
// are ill, against while none is.
func (b *bench) ill(ctx context.Context) (string, error) {
	phase := max(300*time.Millisecond, b.budget*3/5)
	timeout := phase * 2 / 3
	s := startSink()
	defer s.Close()
	hanging, dripping := startHanging(), startDripping()
	defer closeIll(hanging, dripping)
	well, hang, drip := &condition{what: "are well, too", kind: 0}, &condition{what: fmt.Sprintf("hang until the timeout of %s", timeout), kind: 1},
		&condition{what: "answer 1 byte a second", kind: 2}
	for i := range illCrowd - illOnes {
		if _, err := b.subscribe(ctx, s.URL, illType(0, i), ""); err != nil {
			return "", err
		}
	}
	for c, url := range map[*condition]string{well: s.URL, hang: hanging.URL, drip: dripping.URL} {
		if err := b.makeIll(ctx, c, url, timeout); err != nil {
			return "", err
		}
	}
	order := []*condition{well, hang, well, drip}
	for cycle := range b.of(illCycles) {
		for i, c := range order {
			if err := b.illPhase(ctx, s, c, fmt.Sprintf("p%dx%d", cycle, i), phase); err != nil {
				return "", err
			}
			if err := sleep(ctx, timeout+timeout/10); err != nil { // what hangs is over then
				return "", err
			}
		}
		slices.Reverse(order)
	}
	for _, c := range []*condition{hang, drip} {
		if err := b.checkIll(ctx, c); err != nil {
			return "", err
		}
	}
	return illReport(phase, well, hang, drip), nil
}

func illType(kind, endpoint int) string { return fmt.Sprintf("bench.e%d.%d", kind, endpoint) }

func (b *bench) makeIll(ctx context.Context, c *condition, url string, timeout time.Duration) error {
	for i := illCrowd - illOnes; i < illCrowd; i++ {
		id, err := b.subscribe(ctx, url, illType(c.kind, i), fmt.Sprintf(`,"enabled":false,"timeout":%q`, oms.FormatDuration(timeout)))
		if err != nil {
			return err
		}
		c.ids = append(c.ids, id)
	}
	return nil
}

// illPhase publishes at an even pace while the condition holds.
func (b *bench) illPhase(ctx context.Context, s *sink, c *condition, name string, phase time.Duration) error {
	if err := b.turn(ctx, c, true); err != nil {
		return err
	}
	pool := newPublishers(b.url)
	defer pool.close()
	count := int(phase.Seconds() * illRate)
	f := newFlight(name, count)
	s.flight.Store(f)
	err := paced(ctx, time.Second/illRate, count, func(i int) error {
		endpoint, kind := i%illCrowd, 0
		if !healthy(i) {
			kind = c.kind
		}
		return pool.with(ctx, func(p *publisher) error {
			p.body = numberedEvent(p.body[:0], f.id(i), illType(kind, endpoint))
			f.send(i)
			return p.publish(p.body)
		})
	})
	if err != nil {
		return err
	}
	took, err := f.healthyOnes(ctx, count)
	c.took, c.p99 = append(c.took, took...), append(c.p99, took.at(99))
	if err != nil {
		return err
	}
	return b.turn(ctx, c, false)
}

func healthy(event int) bool { return event%illCrowd < illCrowd-illOnes }

// healthyOnes returns the times of the events of healthy endpoints, all of
// which must arrive, once.
func (f *flight) healthyOnes(ctx context.Context, count int) (took sample, err error) {
	err = until(ctx, "all events of healthy endpoints have arrived", patience, time.Millisecond, func() (bool, error) {
		missing := 0
		took, missing = f.took(healthy)
		return missing == 0, nil
	})
	if again := f.again.Load(); err == nil && again > 0 {
		err = fmt.Errorf("%d of %d events arrived more than once", again, count)
	}
	return took, err
}

// turn turns the endpoints of a condition on or off.
func (b *bench) turn(ctx context.Context, c *condition, on bool) error {
	for _, id := range c.ids {
		if err := b.call(ctx, http.MethodPatch, b.url+"/api/endpoints/"+id, fmt.Sprintf(`{"enabled":%t}`, on), http.StatusOK); err != nil {
			return err
		}
	}
	return nil
}

// checkIll fails if the endpoints were not ill.
func (b *bench) checkIll(ctx context.Context, c *condition) error {
	for _, id := range c.ids {
		e, err := b.subscriber(ctx, id)
		if err != nil {
			return err
		}
		if e.Counts.Succeeded > 0 || e.Counts.Pending+e.Counts.Failed == 0 {
			return fmt.Errorf("endpoints that %s: %+v", c.what, e.Counts)
		}
		c.failed += e.Counts.Pending + e.Counts.Failed
	}
	return nil
}

func illReport(phase time.Duration, all ...*condition) string {
	out := strings.Builder{}
	well := all[0].took.at(99)
	fmt.Fprintf(&out, `
## Healthy endpoints beside ill ones

%d endpoints, %d events a second in all, in phases of %s by turns. The times are those of the %d that are always well,
from publishing to arrival; all their events arrived, each once.

| the other %d | events | p50 | p99 | p99 of the single phases | p99 against all well |
|---|---|---|---|---|---|
`, illCrowd, illRate, phase, illCrowd-illOnes, illOnes)
	for i, c := range all {
		against := "1"
		if i > 0 {
			ratio := float64(c.took.at(99)) / float64(well)
			against = fmt.Sprintf("**%.2f** %s", ratio, bar(ratio <= 1.1, "at most 1.1"))
		}
		fmt.Fprintf(&out, "| %s | %d | %s | %s | %s to %s | %s |\n",
			c.what, len(c.took), c.took.p(50), c.took.p(99), ms(slices.Min(c.p99)), ms(slices.Max(c.p99)), against)
	}
	return out.String()
}
