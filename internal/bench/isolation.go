package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/orderhook/orderhook/internal/access"
	"github.com/orderhook/orderhook/internal/app"
	"github.com/orderhook/orderhook/internal/clock"
)

// What one tenant does to all others, and what of it another tenant may notice.
const (
	isolationRate   = 200     // small writes a second of the other tenant
	isolationRatio  = 5       // at most so many times the time that they take while nothing else goes on
	isolationMemory = 1 << 30 // of the server
)

// isolated is a server of two tenants: one attacks, the other makes small writes
// and has events delivered. The server is a process of its own, so that its memory can be
// measured. arrived gets the webhook-id of each event that reaches the other tenant's
// endpoint.
type isolated struct {
	*bench
	server        *process
	other, reader string // keys
	arrived       chan string
	sink          *httptest.Server
}

// They are few, so that the writes are updates, as a till makes them.
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
	// One attack after the other, each on a server and a database of its own, so that
	// what one leaves behind does not count for the next.
	for i, a := range attacks {
		line, err := b.isolate(ctx, a, i)
		if err != nil {
			return "", fmt.Errorf("%s: %w", a.name, err)
		}
		out.WriteString(line)
	}
	return out.String(), nil
}

// isolate measures one attack, on a server of its own, and returns its line of the
// report.
func (b *bench) isolate(ctx context.Context, a attack, n int) (_ string, err error) {
	database, err := b.engine.newDatabase(ctx, b.folder, fmt.Sprint("isolation", n))
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, database.remove(ctx)) }()
	// The attacker uses the key that every server of the bench has. The other tenant and
	// the reader get keys of their own below.
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
	// The endpoint of the other tenant tells when an event arrives. It is in this process
	// and answers at once.
	i.sink = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.WriteHeader(http.StatusNoContent)
		i.arrived <- r.Header.Get("Webhook-Id")
	}))
	defer i.sink.Close()
	if _, err := i.as(ctx, i.other, http.MethodPost, "/api/endpoints", fmt.Sprintf(`{"url":%q,"eventTypes":["bench.small"]}`, i.sink.URL), http.StatusCreated); err != nil {
		return "", err
	}
	// The items exist before anything is measured, so that each write is of the same
	// kind.
	for n := range victimItems {
		if err := i.put(ctx, n, http.StatusCreated); err != nil {
			return "", err
		}
	}
	// The attacker is there from the beginning and does nothing, so the idle times are
	// measured with it as well.
	attacker, err := i.startAttacker(ctx, n)
	if err != nil {
		return "", err
	}
	defer attacker.kill()
	return i.measure(ctx, a, attacker)
}

// measure measures the other tenant while nothing else goes on, and then beside the
// attack. The attack has a while to begin before anything is measured.
func (i *isolated) measure(ctx context.Context, a attack, attacker *attacker) (string, error) {
	phase := max(200*time.Millisecond, i.budget)
	if _, _, err := i.victim(ctx, phase/4); err != nil { // connections, caches
		return "", err
	}
	// The same work, for as long as it is done later beside the attack.
	idleWrites, idleEvents, err := i.victim(ctx, phase)
	if err != nil {
		return "", err
	}
	stopped, stop := context.WithCancel(ctx)
	defer stop()
	if err := attacker.begin(); err != nil {
		return "", err
	}
	var most atomic.Int64
	// The memory is read often, since a peak may be short. The goroutine ends with the
	// phase.
	go func() {
		for stopped.Err() == nil {
			most.Store(max(most.Load(), i.server.resident()))
			time.Sleep(20 * time.Millisecond)
		}
	}()
	if err := clock.Pause(ctx, clock.Real{}, phase/4); err != nil {
		return "", err
	}
	writes, events, err := i.victim(ctx, phase)
	if err != nil {
		return "", err
	}
	stop()
	// The attack ends only when both measurements of the phase are made.
	attacked, err := attacker.end()
	if err != nil {
		return "", err
	}
	times := func(idle, took sample) string {
		// A ratio and not a time is held against the bar, since machines differ.
		ratio := float64(took.at(99)) / float64(idle.at(99))
		return fmt.Sprintf("**%.1f** %s", ratio, bar(ratio <= isolationRatio, "at most 5"))
	}
	return fmt.Sprintf("| %s | %d | %s | %s | %s | %s | %s | %s | %d MiB %s |\n", a.name, attacked, idleWrites.p(99), writes.p(99), times(idleWrites, writes),
		idleEvents.p(99), events.p(99), times(idleEvents, events), most.Load()>>20, bar(most.Load() < isolationMemory, "under 1024 MiB")), nil
}

// keys makes the keys of the other tenant and of a reader beside the running server. The
// other tenant has nothing in common with the one that attacks but the server.
func (i *isolated) keys(ctx context.Context, database *database) error {
	// It opens the same database beside the server, as the command for keys does.
	st, err := app.OpenStore(ctx, database.name, app.StoreOptions{EncryptionKey: encryptionKey})
	if err != nil {
		return err
	}
	defer st.Close()
	if _, i.other, err = app.CreateKey(ctx, st, access.Key{Tenant: "other", Name: "bench", Role: access.Admin}, time.Now()); err != nil {
		return err
	}
	_, i.reader, err = app.CreateKey(ctx, st, access.Key{Tenant: access.DefaultTenant, Name: "bench", Role: access.Reader}, time.Now())
	return err
}

// unwanted is an answer with another status than was wanted. It tells a refusal that was
// not foreseen from a connection that broke off.
type unwanted struct{ text string }

// Error implements error.
func (u *unwanted) Error() string { return u.text }

// as makes a request with a key, which is to be answered with one of some statuses. It
// returns which of them it was.
func (b *bench) as(ctx context.Context, key, method, path, body string, want ...int) (status int, err error) {
	req, err := http.NewRequestWithContext(ctx, method, b.url+path, strings.NewReader(body))
	if err != nil {
		return 0, err
	}
	req.Header.Set("Authorization", "Bearer "+key)
	req.Header.Set("Content-Type", "application/json")
	resp, err := b.client.Do(req)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	// The answer is read to its end, so that the connection can be used again.
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

// put is the other tenant's small write. n is what the item's quantity is set to.
func (i *isolated) put(ctx context.Context, n, want int) error {
	_, err := i.as(ctx, i.other, http.MethodPut, fmt.Sprintf("/api/stock/s%d", n%victimItems), fmt.Sprintf(`{"sku":"S","warehouseCode":"w","available":%d}`, n), want)
	return err
}

// victim is the other tenant at its work: first small writes at an even pace, and then
// events. The events are published one at a time, each when the one before has arrived,
// so that they do not wait for each other.
func (i *isolated) victim(ctx context.Context, phase time.Duration) (writes, events sample, err error) {
	// There are ten at least, however short the phase.
	count := max(10, int(phase.Seconds()*isolationRate))
	err = paced(ctx, time.Second/isolationRate, count, func(n int) error {
		began := time.Now()
		// Every fourth turn makes no write.
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
	// One event for ten writes. The time ends when the endpoint has it, or the
	// measurement fails.
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

// adding guards samples that several goroutines add to.
var adding sync.Mutex

// add adds a time to a sample.
func (i *isolated) add(to *sample, took time.Duration) {
	adding.Lock()
	defer adding.Unlock()
	*to = append(*to, took)
}
