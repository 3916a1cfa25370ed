package contract

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/orderhook/orderhook/internal/access"
	"github.com/orderhook/orderhook/internal/api"
	orders "github.com/orderhook/orderhook/internal/order"
	"github.com/orderhook/orderhook/internal/run"
	"github.com/orderhook/orderhook/internal/settings"
	"github.com/orderhook/orderhook/internal/store"
)

// largeOrders posts orders with that much in them.
func (r *rig) largeOrders(n int, fields string) {
	r.t.Helper()
	for i := range n {
		r.call("POST", "/api/orders?runWorkflow=false", fmt.Sprintf(`{"id":"large-%02d","tags":["large"],%s,"note":"last"}`, i, fields)).want(201)
	}
}

// A page of a list ends at 8 MiB, with a cursor, whatever its limit is; over all
// pages nothing is lost and nothing comes twice (docs/contract.md#calls-of-the-api).
func TestAPageEndsAtItsBytes(t *testing.T) {
	r := start(t)
	r.largeOrders(11, `"text":"`+strings.Repeat("x", 1<<20)+`"`)
	filler := strings.Repeat("x", 3<<20)
	for i := range 4 {
		r.call("PUT", fmt.Sprintf("/api/carts/c%d", i), `{"note":"`+filler+`"}`).want(201)
	}
	for path, first := range map[string]int{"/api/orders?limit=200": 8, "/api/orders?limit=200&q=LAST": 8, "/api/orders?limit=200&tag=large": 8, "/api/carts?limit=200": 3} {
		page := r.get(path)
		if got := len(page.ids("id")); got != first && got != first-1 || page.text("nextCursor") == "" || len(page.Raw) > 9<<20+4096 {
			t.Errorf("%s: %d items of %d bytes, then %q", path, got, len(page.Raw), page.text("nextCursor"))
		}
		want := 11
		if strings.Contains(path, "carts") {
			want = 4
		}
		seen := map[string]bool{}
		for _, id := range r.all(path, "id", func() {}) {
			seen[id] = true
		}
		if len(seen) != want {
			t.Errorf("%s: %d of %d, %v", path, len(seen), want, seen)
		}
	}
	equals(t, "fewer than fit", len(r.get("/api/orders?limit=3").ids("id")), 3)
}

// What a list has of an order or a cart is, to the byte, what is read by its id.
func TestAListedDocumentIsTheDocument(t *testing.T) {
	r := start(t)
	r.post(`{"id":"a","status":"New","orderForm":{"lineItems":[{"lineItemId":"1","code":"å <&> \u2028","placedPrice":1.50,"quantity":2}]},"mine":{"Deep":[1e2,null]}}`)
	r.call("PATCH", "/api/orders/a", `{"customerName":"Åsa","tags":["x"]}`).want(200)
	r.call("PUT", "/api/carts/c", `{"orderForm":{"lineItems":[{"lineItemId":"1","placedPrice":0.10}]},"Other":"<\/>"}`).want(201)
	for list, one := range map[string]string{"/api/orders": "/api/orders/a", "/api/carts": "/api/carts/c"} {
		want := `{"items":[` + strings.TrimSpace(string(r.get(one).Raw)) + "]}\n"
		if got := string(r.get(list).Raw); got != want {
			t.Errorf("%s: %s, want %s", list, got, want)
		}
	}
}

// stuck is a caller who takes nothing of an answer, until the server gives it up:
// then each write fails, as it does once a connection's deadline has passed.
type stuck struct {
	http.ResponseWriter
	first   sync.Once
	waits   func() // is called when the first write waits
	givenUp chan struct{}
}

func (s *stuck) Write([]byte) (int, error) {
	s.first.Do(s.waits)
	<-s.givenUp
	return 0, os.ErrDeadlineExceeded
}

// docs/contract.md#fairness: callers ask for lists of large orders and never
// read. What the server holds for each is a part of a page, and others are answered meanwhile.
func TestListsThatNobodyReads(t *testing.T) {
	r := start(t)
	const callers, size = 8, 1 << 20
	r.largeOrders(12, `"properties":[`+strings.Repeat(`{"name":"n","value":"v"},`, size/25)+`{}]`)
	log := &journal{}
	handler := api.New(api.Options{Store: r.store, Engine: r.engine, Clock: r.clock, Log: slog.New(slog.NewTextHandler(log, nil)), Version: "test"})
	before := heap()
	givenUp := make(chan struct{})
	var waiting, ended sync.WaitGroup
	for i := range callers {
		waiting.Add(1)
		ended.Go(func() {
			defer func() {
				if p := recover(); p != nil && !errors.Is(p.(error), http.ErrAbortHandler) {
					t.Error(p)
				}
			}()
			req := httptest.NewRequest("GET", []string{"/api/orders?limit=200", "/api/orders?limit=200&q=last"}[i%2], nil)
			req.Header.Set("Authorization", "Bearer "+r.key)
			handler.ServeHTTP(&stuck{ResponseWriter: httptest.NewRecorder(), waits: waiting.Done, givenUp: givenUp}, req)
		})
	}
	waiting.Wait()
	// A part of a page is 1 MiB and what one more item has; an answer that is held
	// whole is ten times that, and more while it is encoded.
	if held := heap() - before; held > callers*3*size {
		t.Errorf("%d callers who do not read have the server hold %d KiB", callers, held>>10)
	}
	r.get("/readyz")
	r.get("/api/orders?limit=2")
	r.get("/api/orders?limit=2&q=last")
	r.post(`{"id":"another"}`)
	close(givenUp)
	ended.Wait()
	if said := log.String(); strings.Contains(said, "panic") {
		t.Errorf("the log says %s", said)
	}
}

// heap is how many bytes are held.
func heap() int64 {
	runtime.GC()
	runtime.GC() // a sync.Pool lets go of what it has with the second
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// asked is a store that notes of which class questions are.
type asked struct {
	store.Store
	mu      sync.Mutex
	classes map[string]store.Class
}

func (a *asked) note(ctx context.Context, what string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.classes[what] = store.ClassOf(ctx)
}

func (a *asked) Orders(ctx context.Context, tenant string, f store.OrderFilter, p store.Page) (store.List[store.Document], error) {
	a.note(ctx, "orders")
	return a.Store.Orders(ctx, tenant, f, p)
}

func (a *asked) Order(ctx context.Context, tenant, id string) (*orders.Order, error) {
	a.note(ctx, "order")
	return a.Store.Order(ctx, tenant, id)
}

func (a *asked) Runs(ctx context.Context, tenant string, f store.RunFilter, p store.Page) (store.List[*run.Run], error) {
	a.note(ctx, "runs")
	return a.Store.Runs(ctx, tenant, f, p)
}

func (a *asked) Settings(ctx context.Context, tenant string) (*settings.Settings, error) {
	a.note(ctx, "settings")
	return a.Store.Settings(ctx, tenant)
}

func (a *asked) KeyByHash(ctx context.Context, hash []byte) (access.Key, error) {
	a.note(ctx, "key")
	return a.Store.KeyByHash(ctx, hash)
}

// Callers that read, or have a job counted, ask on connections that those who write, and
// orderhook itself, need not wait for.
func TestWhoReadsAsksAsACaller(t *testing.T) {
	r := start(t)
	r.post(`{"id":"a"}`)
	s := &asked{Store: r.store, classes: map[string]store.Class{}}
	other := r.over(s, &journal{})
	for _, call := range []struct {
		call, body, what string
		want             store.Class
	}{
		{"GET /api/orders", "", "orders", store.Read},
		{"GET /api/orders/a", "", "order", store.Read},
		{"GET /api/runs", "", "runs", store.Read},
		{"POST /api/runs/resume", `{"status":"aborted","dryRun":true}`, "runs", store.Read},
		{"GET /api/settings", "", "settings", store.Read},
		{"POST /api/settings/check", `{}`, "settings", store.Work},
		{"GET /api/orders", "", "key", store.Work},
	} {
		other.callOf(call.call, call.body).want(200)
		if got, asked := s.classes[call.what]; got != call.want || !asked {
			t.Errorf("%s asks for the %s as one of the class %d, want %d", call.call, call.what, got, call.want)
		}
	}
}
