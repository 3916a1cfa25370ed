package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/orderhook/orderhook/internal/app"
	"github.com/orderhook/orderhook/internal/oms"
	"github.com/orderhook/orderhook/internal/store/sqlite"
)

// What one tenant does to all others, and what of it another tenant may notice.
const (
	isolationRate   = 200     // small writes a second of the other tenant
	isolationRatio  = 5       // at most so many times the time that they take while nothing else goes on
	isolationMemory = 1 << 30 // of the server

	bigOrder   = 7 << 20   // bytes of the order that is patched
	bigAnswer  = 4_900_000 // bytes of the answers to steps
	listOrder  = 9 << 20   // bytes of the orders that are listed
	bigUpload  = 10 << 20  // bytes of the uploads that are held open
	hangAtOnce = 256       // calls at once to each endpoint that hangs
	hangOnes   = 20        // endpoints that hang
	hangTime   = 30 * time.Second
)

// attack is what the first tenant does while it goes on.
type attack struct {
	name string
	// begin makes what it needs, and returns what to do until ctx ends.
	begin func(*isolated, context.Context) (func(ctx context.Context) error, error)
}

var attacks = []attack{
	{"10 patches of 7 bytes at once of an order of 7 MiB", (*isolated).patches},
	{"15 orders at once whose endpoint answers a nested patch of 4.9 MB", (*isolated).answers},
	{"8 lists of orders of 9 MiB that nobody reads", (*isolated).lists},
	{"60 uploads of 10 MiB that are held open with a reader's key", (*isolated).uploads},
	{"20 endpoints that hang, with 256 calls at once each", (*isolated).hang},
}

// isolated is a server of two tenants: one attacks, the other makes small writes
// and has events delivered.
type isolated struct {
	*bench
	server        *process
	other, reader string // keys
	arrived       chan string
	sink          *httptest.Server
	attacked      atomic.Int64 // requests of the attack that were taken on, or are held open
}

const victimItems = 50 // stock items that the other tenant writes

// isolation measures what a tenant notices of what another one does: the 99th
// percentile of its writes, and of the time that its events take to arrive.
func (b *bench) isolation(ctx context.Context) (string, error) {
	out := strings.Builder{}
	fmt.Fprintf(&out, `
## One tenant beside another that does its worst

The times of the other tenant's small writes (%d a second, each durable) and of its events from publishing to arrival, without
and with the attack, by turns, how many requests of the attack were taken on, and the most memory that the server took. A
server of its own for each attack.

| attack | taken on | writes, p99 idle | p99 | times | events, p99 idle | p99 | times | memory |
|---|---|---|---|---|---|---|---|---|
`, isolationRate)
	for i, a := range attacks {
		line, err := b.isolate(ctx, a, i)
		if err != nil {
			return "", fmt.Errorf("%s: %w", a.name, err)
		}
		out.WriteString(line)
	}
	return out.String(), nil
}

func (b *bench) isolate(ctx context.Context, a attack, n int) (string, error) {
	database := filepath.Join(b.folder, fmt.Sprintf("isolation%d.db", n))
	server, err := b.startProcess(ctx, database)
	if err != nil {
		return "", err
	}
	defer server.kill()
	own := *b
	own.url = server.url
	i := &isolated{bench: &own, server: server, arrived: make(chan string, 1)}
	if err := i.keys(ctx, database); err != nil {
		return "", err
	}
	i.sink = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.WriteHeader(http.StatusNoContent)
		i.arrived <- r.Header.Get("Webhook-Id")
	}))
	defer i.sink.Close()
	if _, err := i.as(ctx, i.other, http.MethodPost, "/api/endpoints", fmt.Sprintf(`{"url":%q,"eventTypes":["bench.small"]}`, i.sink.URL), http.StatusCreated); err != nil {
		return "", err
	}
	for n := range victimItems {
		if err := i.put(ctx, n, http.StatusCreated); err != nil {
			return "", err
		}
	}
	attacking, err := a.begin(i, ctx)
	if err != nil {
		return "", err
	}
	return i.measure(ctx, a, attacking)
}

func (i *isolated) measure(ctx context.Context, a attack, attacking func(context.Context) error) (string, error) {
	phase := max(200*time.Millisecond, i.budget)
	if _, _, err := i.victim(ctx, phase/4); err != nil { // connections, caches
		return "", err
	}
	idleWrites, idleEvents, err := i.victim(ctx, phase)
	if err != nil {
		return "", err
	}
	stopped, stop := context.WithCancel(ctx)
	defer stop()
	ended := make(chan error, 1)
	go func() { ended <- attacking(stopped) }()
	var most atomic.Int64
	go func() {
		for stopped.Err() == nil {
			most.Store(max(most.Load(), i.server.resident()))
			time.Sleep(20 * time.Millisecond)
		}
	}()
	if err := sleep(ctx, phase/4); err != nil {
		return "", err
	}
	writes, events, err := i.victim(ctx, phase)
	if err != nil {
		return "", err
	}
	stop()
	if err := <-ended; err != nil {
		return "", err
	}
	times := func(idle, took sample) string {
		ratio := float64(took.at(99)) / float64(idle.at(99))
		return fmt.Sprintf("**%.1f** %s", ratio, bar(ratio <= isolationRatio, "at most 5"))
	}
	return fmt.Sprintf("| %s | %d | %s | %s | %s | %s | %s | %s | %d MiB %s |\n", a.name, i.attacked.Load(), idleWrites.p(99), writes.p(99), times(idleWrites, writes),
		idleEvents.p(99), events.p(99), times(idleEvents, events), most.Load()>>20, bar(most.Load() < isolationMemory, "under 1024 MiB")), nil
}

// keys makes the keys of the other tenant and of a reader beside the running server.
func (i *isolated) keys(ctx context.Context, database string) error {
	st, err := app.OpenStore(ctx, database, sqlite.Options{})
	if err != nil {
		return err
	}
	defer st.Close()
	if i.other, err = app.CreateKey(ctx, st, "other", "bench", oms.Admin, time.Now()); err != nil {
		return err
	}
	i.reader, err = app.CreateKey(ctx, st, app.DefaultTenant, "bench", oms.Reader, time.Now())
	return err
}

// unwanted is an answer with another status than was wanted.
type unwanted struct{ text string }

func (u *unwanted) Error() string { return u.text }

// as makes a request with a key, which is to be answered with one of some statuses.
func (i *isolated) as(ctx context.Context, key, method, path, body string, want ...int) (status int, err error) {
	req, err := http.NewRequestWithContext(ctx, method, i.url+path, strings.NewReader(body))
	if err != nil {
		return 0, err
	}
	req.Header.Set("Authorization", "Bearer "+key)
	req.Header.Set("Content-Type", "application/json")
	resp, err := i.client.Do(req)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	if slices.Contains(want, resp.StatusCode) {
		_, err := io.Copy(io.Discard, resp.Body) // to hold an answer of 7 MiB would slow down what is measured beside it
		return resp.StatusCode, err
	}
	answer, err := io.ReadAll(resp.Body)
	if err == nil {
		err = &unwanted{fmt.Sprintf("%s %s answered %d: %.300s", method, path, resp.StatusCode, answer)}
	}
	return resp.StatusCode, err
}

// attack makes a request of the attack. It may be refused because there are too
// many, or broken off; any other answer would mean that there is no attack.
func (i *isolated) attack(ctx context.Context, method, path, body string, want int) error {
	status, err := i.as(ctx, key, method, path, body, want, http.StatusTooManyRequests, http.StatusServiceUnavailable)
	if wrong, ok := errors.AsType[*unwanted](err); ok {
		return wrong
	}
	if status == want {
		i.attacked.Add(1)
	}
	return nil
}

// put is the other tenant's small write.
func (i *isolated) put(ctx context.Context, n, want int) error {
	_, err := i.as(ctx, i.other, http.MethodPut, fmt.Sprintf("/api/stock/s%d", n%victimItems), fmt.Sprintf(`{"sku":"S","warehouseCode":"w","available":%d}`, n), want)
	return err
}

// victim is the other tenant at its work: one small write after the other, and
// between them an event.
func (i *isolated) victim(ctx context.Context, phase time.Duration) (writes, events sample, err error) {
	count := max(10, int(phase.Seconds()*isolationRate))
	err = paced(ctx, time.Second/isolationRate, count, func(n int) error {
		began := time.Now()
		if n%4 != 0 {
			err := i.put(ctx, n, http.StatusOK)
			if err == nil {
				i.add(&writes, time.Since(began))
			}
			return err
		}
		return nil
	})
	if err != nil {
		return nil, nil, err
	}
	for n := range max(10, count/10) {
		began := time.Now()
		if _, err := i.as(ctx, i.other, http.MethodPost, "/api/events", fmt.Sprintf(`{"type":"bench.small","data":{"n":%d}}`, n), http.StatusAccepted); err != nil {
			return nil, nil, err
		}
		select {
		case <-i.arrived:
			events = append(events, time.Since(began))
		case <-time.After(patience):
			return nil, nil, fmt.Errorf("an event of the other tenant did not arrive within %s", patience)
		case <-ctx.Done():
			return nil, nil, ctx.Err()
		}
	}
	return writes, events, nil
}

var adding sync.Mutex

func (i *isolated) add(to *sample, took time.Duration) {
	adding.Lock()
	defer adding.Unlock()
	*to = append(*to, took)
}

// sized is an order of about so many bytes, of many lines.
func (i *isolated) sized(id string, bytes int) string {
	var lines strings.Builder
	for n := 0; lines.Len() < i.of(bytes); n++ {
		fmt.Fprintf(&lines, `,{"lineItemId":"%d","code":"SKU-%d","displayName":"A thing of number %d, of a rather long name","quantity":1,"placedPrice":9.50,"properties":[{"key":"a","value":"%d"},{"key":"b","value":"%x"}]}`,
			n, n*7, n, n*31, n*977)
	}
	return fmt.Sprintf(`{"id":%q,"marketId":"NOR","orderForm":{"lineItems":[%s]}}`, id, lines.String()[1:])
}

// together runs so many of them until ctx ends, or one fails.
func together(ctx context.Context, n int, do func() error) error {
	all, ctx := errgroup.WithContext(ctx)
	for range n {
		all.Go(func() error {
			for ctx.Err() == nil {
				if err := do(); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return all.Wait()
}

func (i *isolated) patches(ctx context.Context) (func(context.Context) error, error) {
	if _, err := i.as(ctx, key, http.MethodPost, "/api/orders?runWorkflow=false", i.sized("big", bigOrder), http.StatusCreated); err != nil {
		return nil, err
	}
	var n atomic.Int64
	return func(ctx context.Context) error {
		return together(ctx, 10, func() error {
			return i.attack(ctx, http.MethodPatch, "/api/orders/big", fmt.Sprintf(`{"a":%d}`, n.Add(1)), http.StatusOK)
		})
	}, nil
}

func (i *isolated) answers(ctx context.Context) (func(context.Context) error, error) {
	depth := 50
	one := strings.Repeat(`{"a":`, depth) + `"x"` + strings.Repeat("}", depth)
	nested := "[" + strings.TrimSuffix(strings.Repeat(one+",", max(1, i.of(bigAnswer)/(len(one)+1))), ",") + "]"
	body := `{"OrderPatch":{"Properties":[{"Key":"a","Value":"b"}],"OrderForm":{"Custom":` + nested + `}}}`
	endpoint := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		_, _ = io.WriteString(w, body)
	}))
	settings := fmt.Sprintf(`{"orderTypes":[{"name":"Online","orderStatuses":[{"name":"Big","workflowSteps":[%s]}]}]}`, step(endpoint.URL))
	if _, err := i.as(ctx, key, http.MethodPut, "/api/settings", settings, http.StatusOK); err != nil {
		return nil, err
	}
	var n atomic.Int64
	return func(ctx context.Context) error {
		defer closeIll(endpoint)
		return together(ctx, 15, func() error {
			return i.attack(ctx, http.MethodPost, "/api/orders", orderOf(fmt.Sprintf("a%d", n.Add(1)), "Big"), http.StatusCreated)
		})
	}, nil
}

func (i *isolated) lists(ctx context.Context) (func(context.Context) error, error) {
	for n := range 8 {
		if _, err := i.as(ctx, key, http.MethodPost, "/api/orders?runWorkflow=false", i.sized(fmt.Sprintf("l%d", n), listOrder), http.StatusCreated); err != nil {
			return nil, err
		}
	}
	return func(ctx context.Context) error {
		return together(ctx, 8, func() error {
			return i.hold(ctx, "GET /api/orders?limit=200 HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer "+key+"\r\n\r\n", 0)
		})
	}, nil
}

func (i *isolated) uploads(context.Context) (func(context.Context) error, error) {
	size := i.of(bigUpload)
	return func(ctx context.Context) error {
		return together(ctx, 60, func() error {
			return i.hold(ctx, fmt.Sprintf("POST /api/orders HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n", i.reader, size), size-1)
		})
	}, nil
}

// hold sends a request, and so many bytes of its body, on a connection of its own,
// and neither reads nor sends anything more until ctx ends or the server is done
// with it.
func (i *isolated) hold(ctx context.Context, head string, body int) error {
	u, err := url.Parse(i.url)
	if err != nil {
		return err
	}
	conn, err := net.Dial("tcp", u.Host)
	if err != nil {
		_ = sleep(ctx, 10*time.Millisecond)
		return nil
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Now()) })()
	_, err = io.WriteString(conn, head)
	for chunk := make([]byte, 64<<10); err == nil && body > 0; body -= len(chunk) {
		_, err = conn.Write(chunk[:min(len(chunk), body)])
	}
	if err != nil {
		_ = sleep(ctx, 10*time.Millisecond)
		return nil
	}
	i.attacked.Add(1)
	_ = sleep(ctx, time.Second)
	return nil
}

func (i *isolated) hang(ctx context.Context) (func(context.Context) error, error) {
	hanging := startHanging()
	endpoints := max(2, i.of(hangOnes))
	for n := range endpoints {
		body := fmt.Sprintf(`{"url":%q,"eventTypes":["bench.hang"],"maxConcurrency":%d,"timeout":%q}`, fmt.Sprintf("%s/%d", hanging.URL, n), hangAtOnce, oms.FormatDuration(hangTime))
		if _, err := i.as(ctx, key, http.MethodPost, "/api/endpoints", body, http.StatusCreated); err != nil {
			return nil, err
		}
	}
	// As many events wait from the start on as can be under way, and more.
	events := strings.TrimSuffix(strings.Repeat(`{"type":"bench.hang","data":{"a":1}},`, 2*hangAtOnce), ",")
	if _, err := i.as(ctx, key, http.MethodPost, "/api/events", "["+events+"]", http.StatusAccepted); err != nil {
		return nil, err
	}
	return func(ctx context.Context) error {
		defer closeIll(hanging)
		return together(ctx, 1, func() error {
			defer func() { _ = sleep(ctx, 50*time.Millisecond) }()
			return i.attack(ctx, http.MethodPost, "/api/events", `{"type":"bench.hang","data":{"a":1}}`, http.StatusAccepted)
		})
	}, nil
}
