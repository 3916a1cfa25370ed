package bench

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// The fleet: endpoints that each take one call at a time, and two orders at
// once for each of them, so that there is always one to call it with.
const (
	fleetSize    = 64
	fleetTime    = 50 * time.Millisecond
	ordersOfEach = 2
	fleetBar     = 0.93 // of what the endpoints allow
)

// fleet measures how near the engine comes to what slow endpoints allow. An engine in
// which orders wait for each other would reach a fraction.
func (b *bench) fleet(ctx context.Context) (string, error) {
	urls, stop := startFleet()
	defer stop()
	if err := b.fleetSettings(ctx, urls); err != nil {
		return "", err
	}
	// As many callers call the endpoints directly as orders are under way later, so both
	// are limited by the endpoints in the same way.
	callers := fleetSize * ordersOfEach
	body := orderOf("bare", "Fleet")
	allowed, err := perSecondOf(ctx, callers, b.budget, func(i int) error { return b.post(ctx, urls[i%fleetSize], body, http.StatusOK) })
	if err != nil {
		return "", err
	}
	var n atomic.Int64
	// Caller i creates orders of the type whose step calls endpoint i, one after the
	// other. The text is changed in one place, so that the body has the size of all other
	// orders.
	got, err := perSecondOf(ctx, callers, b.budget, func(i int) error {
		order := strings.Replace(orderOf(fmt.Sprintf("f-%d", n.Add(1)), "Fleet"), `"orderType":"Online"`, fmt.Sprintf(`"orderType":"Fleet%d"`, i%fleetSize), 1)
		return b.post(ctx, b.url+"/api/orders", order, http.StatusCreated)
	})
	return fmt.Sprintf(`
## Runs a second with %d endpoints of %s each

Each endpoint takes one call at a time and has two orders at once. What they allow is what as many callers reach
that call them directly.

| endpoints allow | runs/s | ratio |
|---|---|---|
| %.0f | %.0f | **%.2f** %s |
`, fleetSize, fleetTime, allowed, got, got/allowed, bar(got/allowed >= fleetBar, "at least %g", fleetBar)), err
}

// startFleet starts the endpoints. Each lets one call in at a time; the others wait.
func startFleet() (urls []string, stop func()) {
	var servers []*httptest.Server
	for range fleetSize {
		// The lock is what makes the endpoint take one call at a time, like a machine
		// that prints labels.
		var turn sync.Mutex
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			turn.Lock()
			time.Sleep(fleetTime)
			turn.Unlock()
			_, _ = fmt.Fprint(w, answer)
		}))
		servers, urls = append(servers, s), append(urls, s.URL)
	}
	// All calls have ended by then, so closing waits for none.
	return urls, func() {
		for _, s := range servers {
			s.Close()
		}
	}
}

// fleetSettings gives each endpoint an order type of its own, whose one status calls it.
func (b *bench) fleetSettings(ctx context.Context, urls []string) error {
	types := make([]string, len(urls))
	for i, url := range urls {
		types[i] = fmt.Sprintf(`{"name":"Fleet%d","orderStatuses":[{"name":"Fleet","workflowSteps":[%s]}]}`, i, step(url))
	}
	return b.call(ctx, http.MethodPut, b.url+"/api/settings", `{"orderTypes":[`+strings.Join(types, ",")+`]}`, http.StatusOK)
}
