package bench

import (
	"context"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync/atomic"
	"time"
)

// What is stored when the pages of the dashboard are asked for, and what is written
// meanwhile.
const (
	pagesAttempts  = 1_000_000
	pagesOrders    = 200_000
	pagesEndpoints = 10_000
	pagesWriting   = 1000 // events a second
	pagesAtOnce    = 10   // in one publication
	pagesBar       = 100 * time.Millisecond

	fewestVisits = 20 // of each page; fewer with a smaller budget
	mostWriting  = 32 // publications at once: with more, none would be left for the pages
)

// pages measures how long pages of the dashboard take to their first byte, with very
// much stored, while nothing is written and while events are. A page that takes long with
// much stored has an index missing, or looks through too much.
func (b *bench) pages(ctx context.Context) (string, error) {
	s := startSink(ctx)
	defer s.Close()
	loading := time.Now()
	// Each number is made smaller with the budget.
	attempts, orders, endpoints := max(1, b.of(pagesAttempts)/searchAtOnce)*searchAtOnce, b.of(pagesOrders), b.of(pagesEndpoints)
	if err := b.storeForPages(ctx, s, attempts, orders, endpoints); err != nil {
		return "", err
	}
	if err := quiet(ctx, min(3*time.Second, 10*b.budget), 200*b.budget); err != nil {
		return "", err
	}
	out := strings.Builder{}
	fmt.Fprintf(&out, `
## Pages of the dashboard

To the first byte, with %d attempts, %d orders and %d endpoints, stored in %s: while nothing else is done, and while
%d events a second are published and delivered.

| page | p50 | p95 | most | p50 while events are written | p95 | most |
|---|---|---|---|---|---|---|
`, attempts, orders, endpoints, time.Since(loading).Round(time.Second), pagesWriting)
	// Pages are asked for by a signed-in visitor, as people see them, and not through the
	// API.
	v, err := b.signIn(ctx)
	if err != nil {
		return "", err
	}
	paths, err := v.discover(ctx)
	if err != nil {
		return "", err
	}
	// Every page is measured twice, first while nothing else goes on and directly after
	// that while events are written. So a change of the machine concerns both.
	for _, path := range paths {
		idle, err := v.visits(ctx, path)
		if err != nil {
			return "", err
		}
		var busy sample
		if err := b.whileWriting(ctx, func() (err error) { busy, err = v.visits(ctx, path); return err }); err != nil {
			return "", err
		}
		fmt.Fprintf(&out, "| `%s` | %s | **%s** %s | %s | %s | **%s** %s | %s |\n", placeholders.ReplaceAllString(path, "/…"), idle.p(50), idle.p(95), bar(idle.at(95) <= pagesBar, "at most 100 ms"), idle.p(100),
			busy.p(50), busy.p(95), bar(busy.at(95) <= pagesBar, "at most 100 ms"), busy.p(100))
	}
	return out.String(), nil
}

// placeholders are the ids in the paths of a report. Ids differ in each run, and would
// make two reports differ.
var placeholders = regexp.MustCompile(`/[a-z]+_[0-9a-zA-Z_.]{20,}`)

// storeForPages fills the database through the API: endpoints, delivered events, a
// cart, and orders. The last endpoint is the one that gets the events.
func (b *bench) storeForPages(ctx context.Context, s *sink, attempts, orders, endpoints int) error {
	if err := b.makeMany(ctx, s.URL, endpoints-1); err != nil {
		return err
	}
	id, err := b.subscribe(ctx, s.URL, eventType, "")
	if err != nil {
		return err
	}
	if err := b.load(ctx, attempts); err != nil {
		return err
	}
	if err := b.awaitDelivered(ctx, s, id, attempts); err != nil {
		return err
	}
	if err := b.call(ctx, http.MethodPut, b.url+"/api/carts/CART-7", `{"currency":"EUR","lineItems":[]}`, http.StatusCreated); err != nil {
		return err
	}
	var next atomic.Int64
	return times(ctx, 16, orders, func() error {
		return b.post(ctx, b.url+"/api/orders", orderOf(orderNumber(int(next.Add(1))-1), "New"), http.StatusCreated)
	})
}

// whileWriting does something while events are published at an even pace. A server
// that does not keep up gets fewer. It ends with what it does. An error of writing counts
// only if that came before the end.
func (b *bench) whileWriting(ctx context.Context, do func() error) error {
	writing := make(chan struct{}, mostWriting)
	ctx, cancel := context.WithCancel(ctx)
	pool := newPublishers(b.url)
	defer pool.close()
	written := make(chan error, 1)
	go func() {
		written <- paced(ctx, time.Second*pagesAtOnce/pagesWriting, math.MaxInt, func(i int) error {
			// If the server does not keep up, this event is left out: to pile up more
			// would measure the pile.
			select {
			case writing <- struct{}{}:
			default:
				return nil
			}
			defer func() { <-writing }()
			return pool.with(ctx, func(p *publisher) error { return p.publish(someEvents(p, i*pagesAtOnce, pagesAtOnce)) })
		})
	}()
	err := do()
	cancel()
	if wrote := <-written; wrote != nil && ctx.Err() == nil && err == nil {
		err = wrote
	}
	return err
}

// visitor is a browser that has signed in. It sends the cookie by itself, since a cookie
// jar would cost time with each request.
type visitor struct {
	*bench
	cookie string
}

// signIn signs in with the key of the server. The answer is a redirect, which nobody has
// to follow.
func (b *bench) signIn(ctx context.Context) (*visitor, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, b.url+"/sign-in", strings.NewReader(url.Values{"key": {key}}.Encode()))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := http.DefaultTransport.RoundTrip(r) // follows nothing
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	// A server that does not accept the key answers with the form, without a cookie.
	if len(resp.Cookies()) == 0 {
		return nil, fmt.Errorf("signing in is answered %d, without a cookie", resp.StatusCode)
	}
	return &visitor{b, resp.Cookies()[0].String()}, nil
}

// page reads a page, and says how long its first byte took. The client returns with the
// headers, which the server sends with the first bytes of the page. What is wrong with a
// page stands in its alert.
func (v *visitor) page(ctx context.Context, path string) (text string, took time.Duration, err error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, v.url+path, nil)
	if err != nil {
		return "", 0, err
	}
	r.Header.Set("Cookie", v.cookie)
	began := time.Now()
	resp, err := v.client.Do(r)
	if err != nil {
		return "", 0, err
	}
	// The rest of the page is read after the time was taken.
	took = time.Since(began)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		_, why, _ := strings.Cut(string(body), `role="alert">`)
		err = fmt.Errorf("%s is answered %d: %.300s", path, resp.StatusCode, why)
	}
	return string(body), took, err
}

// visits asks for a page again and again, for a quarter of the budget, since there are many
// pages, and often enough in any case.
func (v *visitor) visits(ctx context.Context, path string) (took sample, err error) {
	for end := time.Now().Add(v.budget / 4); len(took) < max(2, v.of(fewestVisits)) || time.Now().Before(end); {
		_, one, err := v.page(ctx, path)
		if err != nil {
			return nil, err
		}
		took = append(took, one)
	}
	return took, nil
}

var (
	// identified are the parts of a path that have an id or a number.
	identified = regexp.MustCompile(`/[^/?]*[0-9][^/?]*`)
	// links finds the links of a page that lead to another one.
	links = regexp.MustCompile(`href="(/[^"#]*)"`)
	// searched are lists as one searches them: by what is rare, what is frequent, and what
	// is nowhere; and the pages of one order.
	searched = []string{"/orders?hasErrors=true", "/orders?status=New", "/orders?q=" + orderNumber(7), "/orders?q=nowhere-at-all", "/orders?tag=nowhere",
		"/orders?marketId=nowhere", "/orders?customerEmail=nowhere%40example.com",
		"/orders/" + orderNumber(7), "/orders/" + orderNumber(7) + "/blame", "/orders/" + orderNumber(7) + "/versions", "/orders/" + orderNumber(7) + "/status",
		"/deliveries?status=failed", "/deliveries?status=succeeded", "/deliveries?orderId=" + orderNumber(7), "/deliveries/redeliver?status=failed",
		"/events?orderId=" + orderNumber(7), "/events?type=" + eventType, "/events?subscriptionId=nowhere",
		"/runs?status=succeeded", "/runs?status=aborted", "/runs?step=nowhere", "/runs/resume?status=aborted",
		"/endpoints?enabled=false", "/endpoints?q=nowhere", "/endpoints/explain", "/workflows/history",
		"/attempts?orderId=" + orderNumber(7), "/attempts?outcome=failed", "/attempts?status=5xx", "/attempts?kind=event", "/attempts?minDurationMs=60000",
		"/attempts?host=nowhere.example", "/attempts?body=" + orderNumber(7), "/attempts?body=nowhere-at-all"}
)

// shape is a path without ids: pages of one shape are one page with other contents.
func shape(path string) string { return identified.ReplaceAllString(path, "/…") }

// discover finds the pages that there are: those of the navigation, what they link to below
// themselves, and searches. So a page that is added is measured without being named here.
func (v *visitor) discover(ctx context.Context) (paths []string, err error) {
	overview, _, err := v.page(ctx, "/")
	if err != nil {
		return nil, err
	}
	_, nav, _ := strings.Cut(overview, `<nav aria-label="Sections">`)
	nav, _, _ = strings.Cut(nav, "</nav>")
	seen := map[string]bool{}
	for _, link := range links.FindAllStringSubmatch(nav, -1) {
		if paths, err = v.below(ctx, link[1], link[1], seen, paths); err != nil {
			return nil, err
		}
	}
	return append(paths, searched...), nil
}

// below adds a page of a section, and those of the same section that it leads to, one of each
// shape.
func (v *visitor) below(ctx context.Context, section, path string, seen map[string]bool, paths []string) ([]string, error) {
	seen[shape(path)] = true
	page, _, err := v.page(ctx, path)
	if err != nil {
		return nil, err
	}
	paths = append(paths, path)
	for _, link := range links.FindAllStringSubmatch(page, -1) {
		to, _, _ := strings.Cut(link[1], "?")
		if section != "/" && strings.HasPrefix(to, section+"/") && !seen[shape(to)] {
			if paths, err = v.below(ctx, section, to, seen, paths); err != nil {
				return nil, err
			}
		}
	}
	return paths, nil
}
