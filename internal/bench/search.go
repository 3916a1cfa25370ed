package bench

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"sync/atomic"
	"time"
)

// A search over what was delivered.
const (
	searchSize   = 1_000_000 // deliveries
	searchAtOnce = 100       // in one publication
	searchSKUs   = 5000      // how many there are, each in as many orders
	searchBar    = 100 * time.Millisecond

	fewestSearches, mostSearches = 5, 1000 // for each kind of piece
)

// search measures how long searches for a piece of a body take, over very many
// recorded deliveries. The orders can be made again by their numbers, so it is known what
// a search must find.
func (b *bench) search(ctx context.Context) (string, error) {
	s := startSink(ctx)
	defer s.Close()
	endpoint, err := b.subscribe(ctx, s.URL, eventType, "")
	if err != nil {
		return "", err
	}
	count := max(1, b.of(searchSize)/searchAtOnce) * searchAtOnce
	// Loading is part of the report, since it shows what the index costs while it is kept
	// up to date.
	loading := time.Now()
	if err := b.load(ctx, count); err != nil {
		return "", err
	}
	if err := b.awaitDelivered(ctx, s, endpoint, count); err != nil {
		return "", err
	}
	loaded := time.Since(loading)
	if err := quiet(ctx, min(3*time.Second, 10*b.budget), 200*b.budget); err != nil {
		return "", err
	}
	// By then all attempts are in the index, and the server has nothing else to do.
	indexed := time.Since(loading) - loaded
	size, err := b.database.size(ctx)
	if err != nil {
		return "", err
	}
	out := strings.Builder{}
	fmt.Fprintf(&out, `
## Search in the bodies of %d deliveries

Events of %.1f KB, published, delivered and recorded in %s, %.0f a second; %s later the server had no more to do for
them, and its database had %.2f KB for each. Then the first page with a result, or the last, of GET /api/attempts?body=…,
one search at a time, for pieces of orders picked at random.

| piece | searches | attempts on the page | requests, at most | p50 | p95 | most |
|---|---|---|---|---|---|---|
`, count, float64(len(orderAt(0).event(nil)))/1000, loaded.Round(time.Second), float64(count)/loaded.Seconds(), indexed.Round(time.Second),
		float64(size)/1000/float64(count))
	// Each kind of piece is a line of the report. Where a kind has many pieces, each
	// search is for another one, so that no cache knows the answer.
	for _, p := range pieces(count) {
		line, err := b.searchFor(ctx, p)
		if err != nil {
			return "", err
		}
		out.WriteString(line)
	}
	return out.String(), nil
}

// load publishes the events of so many orders.
func (b *bench) load(ctx context.Context, count int) error {
	pool := newPublishers(b.url)
	defer pool.close()
	var next atomic.Int64
	return times(ctx, 4, count/searchAtOnce, func() error {
		// The callers take the orders in turn, each a hundred.
		first := int(next.Add(searchAtOnce)) - searchAtOnce
		return pool.with(ctx, func(p *publisher) error {
			return p.publish(someEvents(p, first, searchAtOnce))
		})
	})
}

// someEvents is an array of the events of so many orders.
func someEvents(p *publisher, first, count int) []byte {
	p.body = append(p.body[:0], '[')
	for i := range count {
		p.body = append(orderAt(first+i).event(p.body), ',')
	}
	p.body[len(p.body)-1] = ']'
	return p.body
}

// awaitDelivered returns once all events have reached the sink, and are recorded.
func (b *bench) awaitDelivered(ctx context.Context, s *sink, endpoint string, count int) error {
	err := until(ctx, "all events have arrived", 20*patience, 10*time.Millisecond, func() (bool, error) {
		return s.arrived.Load() >= int64(count), nil
	})
	if err != nil {
		return err
	}
	return b.awaitRecorded(ctx, endpoint)
}

// searchFor searches for a piece over and over, and fails if it is not found as
// often as it should be.
func (b *bench) searchFor(ctx context.Context, p piece) (string, error) {
	var took sample
	least, most, asked := firstPage, 0, 0
	// Five at least, however long they take, and a thousand at most, however short.
	for end := time.Now().Add(b.budget); len(took) < fewestSearches || time.Now().Before(end) && len(took) < mostSearches; {
		text := p.of()
		// Making the piece is not part of the time.
		begin := time.Now()
		found, requests, err := b.found(ctx, text)
		if err != nil {
			return "", err
		}
		took = append(took, time.Since(begin))
		if found < p.least || found > p.most {
			return "", fmt.Errorf("%s, %q, was found %d times, should be from %d to %d", p.what, text, found, p.least, p.most)
		}
		least, most, asked = min(least, found), max(most, found), max(asked, requests)
	}
	by := fmt.Sprint(most)
	if least < most {
		by = fmt.Sprintf("%d to %d", least, most)
	}
	p95 := took.at(95)
	return fmt.Sprintf("| %s | %d | %s | %d | %s | **%s** %s | %s |\n",
		p.what, len(took), by, asked, took.p(50), ms(p95), bar(p95 <= searchBar, "at most 100 ms"), took.p(100)), nil
}

// found is how many attempts the first page of a search has. A page may be
// empty though there is more to look at; then it asks for the one behind it. The time of
// a search is that of all these requests, as a person waits for the first result.
func (b *bench) found(ctx context.Context, text string) (attempts, requests int, err error) {
	query := url.Values{"body": {text}}
	for {
		var page struct {
			Items      []struct{} `json:"items"`
			NextCursor string     `json:"nextCursor"`
		}
		err := b.get(ctx, b.url+"/api/attempts?"+query.Encode(), &page)
		requests++
		if err != nil || len(page.Items) > 0 || page.NextCursor == "" {
			return len(page.Items), requests, err
		}
		// The server has looked through as much as it does for one request, and found
		// nothing so far.
		query.Set("cursor", page.NextCursor)
	}
}
