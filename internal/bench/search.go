package bench

import (
	"context"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
)

// A search over what was delivered.
const (
	searchSize   = 1_000_000 // deliveries
	searchAtOnce = 100       // in one publication
	searchSKUs   = 5000      // how many there are, each in as many orders
	searchBar    = 100 * time.Millisecond
)

// searchedOrder is an order whose few fields that people search for are its own.
type searchedOrder struct{ number, reference, email, sku string }

// orderAt makes the i-th order, the same each time.
func orderAt(i int) searchedOrder {
	r := rand.New(rand.NewPCG(uint64(i), 1))
	var id uuid.UUID
	binary.LittleEndian.PutUint64(id[:8], r.Uint64())
	binary.LittleEndian.PutUint64(id[8:], r.Uint64())
	return searchedOrder{
		number:    orderNumber(i),
		reference: id.String(),
		email:     fmt.Sprintf("%s.%s%d@example.com", names[r.IntN(len(names))], names[r.IntN(len(names))], r.IntN(1_000_000)),
		sku:       skuAt(r.IntN(searchSKUs)),
	}
}

// orderNumber gives orders numbers as shops do: one after the other.
func orderNumber(i int) string { return fmt.Sprintf("SO-%08d", 20_000_000+i) }

func skuAt(i int) string { return fmt.Sprintf("JKT-%04d-%c", i, "SMLX"[i%4]) }

var names = strings.Fields("kari ola anne per ingrid lars marit jan berit knut astrid svein nina erik silje bjorn hanne geir tone morten")

// event appends the order's event as it is published.
func (o searchedOrder) event(to []byte) []byte {
	return fmt.Appendf(to, `{"type":%q,"orderId":%q,"data":{"orderNumber":%q,"reference":%q,"contact":%q,"firstSku":%q,%s}`,
		eventType, o.number, o.number, o.reference, o.email, o.sku, numberedOrder[1:])
}

// search measures how long searches for a piece of a body take, over very many
// recorded deliveries.
func (b *bench) search(ctx context.Context) (string, error) {
	s := startSink()
	defer s.Close()
	endpoint, err := b.subscribe(ctx, s.URL, eventType, "")
	if err != nil {
		return "", err
	}
	count := max(1, b.of(searchSize)/searchAtOnce) * searchAtOnce
	loading := time.Now()
	if err := b.load(ctx, count); err != nil {
		return "", err
	}
	if err := b.awaitDelivered(ctx, s, endpoint, count); err != nil {
		return "", err
	}
	loaded := time.Since(loading)
	if err := quiet(ctx, min(3*time.Second, b.budget), 120*b.budget); err != nil {
		return "", err
	}
	indexed := time.Since(loading) - loaded
	out := strings.Builder{}
	fmt.Fprintf(&out, `
## Search in the bodies of %d deliveries

Events of %.1f KB, published, delivered and recorded in %s, %.0f a second; %s later the server had no more to do for
them, and its files held %.2f KB for each. Then the first page with a result, or the last, of GET /api/attempts?body=…,
one search at a time, for pieces of orders picked at random.

| piece | searches | attempts on the page | requests, at most | p50 | p95 | most |
|---|---|---|---|---|---|---|
`, count, float64(len(orderAt(0).event(nil)))/1000, loaded.Round(time.Second), float64(count)/loaded.Seconds(), indexed.Round(time.Second),
		float64(b.databaseSize())/1000/float64(count))
	for _, p := range pieces(count) {
		line, err := b.searchFor(ctx, p)
		if err != nil {
			return "", err
		}
		out.WriteString(line)
	}
	return out.String(), nil
}

func (b *bench) load(ctx context.Context, count int) error {
	pool := newPublishers(b.url)
	defer pool.close()
	var next atomic.Int64
	return times(ctx, 4, count/searchAtOnce, func() error {
		first := int(next.Add(searchAtOnce)) - searchAtOnce
		return pool.with(ctx, func(p *publisher) error {
			p.body = append(p.body[:0], '[')
			for i := range searchAtOnce {
				p.body = append(orderAt(first+i).event(p.body), ',')
			}
			p.body[len(p.body)-1] = ']'
			return p.publish(p.body)
		})
	})
}

func (b *bench) awaitDelivered(ctx context.Context, s *sink, endpoint string, count int) error {
	err := until(ctx, "all events have arrived", 20*patience, 10*time.Millisecond, func() (bool, error) {
		return s.arrived.Load() >= int64(count), nil
	})
	if err != nil {
		return err
	}
	return b.awaitRecorded(ctx, endpoint)
}

// databaseSize is the bytes of the server's files.
func (b *bench) databaseSize() (size int64) {
	files, _ := filepath.Glob(filepath.Join(b.folder, "*"))
	for _, f := range files {
		if info, err := os.Stat(f); err == nil {
			size += info.Size()
		}
	}
	return size
}

// piece is what is searched for.
type piece struct {
	what        string
	of          func() string
	least, most int // how many attempts the first page has
}

// firstPage is how many attempts a page holds that is not asked for more.
const firstPage = 50

func pieces(count int) []piece {
	random := func() searchedOrder { return orderAt(rand.IntN(count)) }
	return []piece{
		{"an order number", func() string { return random().number }, 1, 1},
		{"a UUID", func() string { return random().reference }, 1, 1},
		{"an e-mail address", func() string { return random().email }, 1, firstPage},
		{"an SKU", func() string { return random().sku }, 1, firstPage},
		{"a word in all", func() string { return "Moss green" }, min(count, firstPage), firstPage},
		{"an order number of none", func() string { return orderNumber(count + rand.IntN(count)) }, 0, 0},
		{"a word of none", func() string { return "quicksilver" + skuAt(rand.IntN(searchSKUs)) }, 0, 0},
	}
}

// searchFor searches for a piece over and over, and fails if it is not found as
// often as it should be.
func (b *bench) searchFor(ctx context.Context, p piece) (string, error) {
	var took sample
	least, most, asked := firstPage, 0, 0
	for end := time.Now().Add(b.budget); len(took) < warmUp || time.Now().Before(end) && len(took) < 1000; {
		text := p.of()
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
// empty though there is more to look at; then it asks for the one behind it.
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
		query.Set("cursor", page.NextCursor)
	}
}
