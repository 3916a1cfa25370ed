package bench

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/orderhook/orderhook/internal/clock"
	"github.com/orderhook/orderhook/internal/timetext"
)

// Endpoints that are unhealthy beside ones that are well: of unhealthyCrowd endpoints, the
// last unhealthyOnes are well in one phase, and hang, or answer a byte a second, in
// others.
const (
	unhealthyCrowd  = 20
	unhealthyOnes   = 2
	unhealthyRate   = 400 // events a second, to each endpoint as many
	unhealthyCycles = 4
)

// condition is how the last endpoints are, and how the others fared with it. Its
// endpoints are on in its own phases alone.
type condition struct {
	what string
	ids  []string // of the endpoints of this condition
	kind int      // part of the names of their types

	took   sample
	p99    []time.Duration // of each phase
	failed int64           // attempts or more, of those that are unhealthy
}

// unhealthy measures how long the events of healthy endpoints take while some others
// are unhealthy, against while none is. Each phase without is beside one with, and the
// order is turned round each time, so that a machine which gets slower with time does no
// harm.
func (b *bench) unhealthy(ctx context.Context) (string, error) {
	// A phase is longer than the timeout of the endpoints, so calls that hang end within
	// it and new ones begin.
	phase := max(300*time.Millisecond, b.budget*3/5)
	timeout := phase * 2 / 3
	s := startSink(ctx)
	defer s.Close()
	hanging, dripping := startHanging(), startDripping()
	defer closeUnhealthy(hanging, dripping)
	well, hang, drip := &condition{what: "are well, too", kind: 0}, &condition{what: fmt.Sprintf("hang until the timeout of %s", timeout), kind: 1},
		&condition{what: "answer 1 byte a second", kind: 2}
	// These are well in all phases, and their events are those that are timed.
	for i := range unhealthyCrowd - unhealthyOnes {
		if _, err := b.subscribe(ctx, s.URL, unhealthyType(0, i), ""); err != nil {
			return "", err
		}
	}
	// Each condition has endpoints of its own for the last places. They are on only in
	// its phases.
	for c, url := range map[*condition]string{well: s.URL, hang: hanging.URL, drip: dripping.URL} {
		if err := b.makeUnhealthy(ctx, c, url, timeout); err != nil {
			return "", err
		}
	}
	order := []*condition{well, hang, well, drip}
	// A cycle has each condition once, and the one without unhealthy endpoints twice.
	for cycle := range b.of(unhealthyCycles) {
		for i, c := range order {
			if err := b.unhealthyPhase(ctx, s, c, fmt.Sprintf("p%dx%d", cycle, i), phase); err != nil {
				return "", err
			}
			if err := clock.Pause(ctx, clock.Real{}, timeout+timeout/10); err != nil { // what hangs is over then
				return "", err
			}
		}
		slices.Reverse(order)
	}
	for _, c := range []*condition{hang, drip} {
		if err := b.checkUnhealthy(ctx, c); err != nil {
			return "", err
		}
	}
	return unhealthyReport(phase, well, hang, drip), nil
}

// unhealthyType is the type of events that one endpoint of a kind gets. Healthy ones have
// the kind 0.
func unhealthyType(kind, endpoint int) string { return fmt.Sprintf("bench.e%d.%d", kind, endpoint) }

// makeUnhealthy makes the endpoints of a condition. They are off at first.
func (b *bench) makeUnhealthy(ctx context.Context, c *condition, url string, timeout time.Duration) error {
	for i := unhealthyCrowd - unhealthyOnes; i < unhealthyCrowd; i++ {
		id, err := b.subscribe(ctx, url, unhealthyType(c.kind, i), fmt.Sprintf(`,"enabled":false,"timeout":%q`, timetext.FormatDuration(timeout)))
		if err != nil {
			return err
		}
		c.ids = append(c.ids, id)
	}
	return nil
}

// unhealthyPhase publishes at an even pace while the condition holds. Only the events of
// healthy endpoints are waited for.
func (b *bench) unhealthyPhase(ctx context.Context, s *sink, c *condition, name string, phase time.Duration) error {
	// The server has heard of it once the call is answered.
	if err := b.turn(ctx, c, true); err != nil {
		return err
	}
	pool := newPublishers(b.url)
	defer pool.close()
	count := int(phase.Seconds() * unhealthyRate)
	// Each phase has a name of its own, so that an event of an earlier phase which
	// arrives late is not taken for one of this.
	f := newFlight(name, count)
	s.flight.Store(f)
	err := paced(ctx, time.Second/unhealthyRate, count, func(i int) error {
		// The events go to all endpoints in turn.
		endpoint, kind := i%unhealthyCrowd, 0
		if !healthy(i) {
			kind = c.kind
		}
		return pool.with(ctx, func(p *publisher) error {
			p.body = numberedEvent(p.body[:0], f.id(i), unhealthyType(kind, endpoint))
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

// healthy reports whether an event goes to an endpoint that is always well.
func healthy(event int) bool { return event%unhealthyCrowd < unhealthyCrowd-unhealthyOnes }

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

// checkUnhealthy fails if the endpoints were not unhealthy. Otherwise the measurement
// would prove nothing. Deliveries that wait or have failed are what such endpoints leave.
func (b *bench) checkUnhealthy(ctx context.Context, c *condition) error {
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

// unhealthyReport is the part of the report. The first condition is the one that the
// others are held against.
func unhealthyReport(phase time.Duration, all ...*condition) string {
	out := strings.Builder{}
	well := all[0].took.at(99)
	fmt.Fprintf(&out, `
## Healthy endpoints beside ill ones

%d endpoints, %d events a second in all, in phases of %s by turns. The times are those of the %d that are always well,
from publishing to arrival; all their events arrived, each once.

| the other %d | events | p50 | p99 | p99 of the single phases | p99 against all well |
|---|---|---|---|---|---|
`, unhealthyCrowd, unhealthyRate, phase, unhealthyCrowd-unhealthyOnes, unhealthyOnes)
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
