package e2e

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"
)

// receiver is an endpoint that keeps every event it is sent. It is the witness.
type receiver struct {
	*httptest.Server
	answer func(http.ResponseWriter, *http.Request, receipt) // nil: 200

	mu      sync.Mutex
	got     []receipt
	arrived chan struct{} // closed at the next arrival
}

// receipt is one event as it arrived, whole.
type receipt struct {
	header http.Header
	body   string
	ID     string
	Type   string
	Data   struct {
		ID      string // an order's
		Subject string // of the tests' own events
		N       int
	}
}

func (r receipt) webhookID() string { return r.header.Get("Webhook-Id") }

func newReceiver(t *testing.T, answer func(http.ResponseWriter, *http.Request, receipt)) *receiver {
	t.Helper()
	r := &receiver{answer: answer, arrived: make(chan struct{})}
	r.Server = httptest.NewServer(r)
	t.Cleanup(r.Close)
	return r
}

// ServeHTTP implements http.Handler.
func (r *receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(req.Body)
	if err != nil {
		panic(http.ErrAbortHandler) // cut off: its sender was killed, or the network between
	}
	one := r.keep(req.Header, body)
	if r.answer != nil {
		r.answer(w, req, one)
	}
}

func (r *receiver) keep(header http.Header, body []byte) receipt {
	one := receipt{header: header, body: string(body)}
	_ = json.Unmarshal(body, &one) // what it cannot read it misses
	r.mu.Lock()
	defer r.mu.Unlock()
	r.got = append(r.got, one)
	close(r.arrived)
	r.arrived = make(chan struct{})
	return one
}

// all returns what arrived until now, and what tells of the next arrival.
func (r *receiver) all() ([]receipt, <-chan struct{}) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.got), r.arrived
}

// await returns what arrived once that is enough.
func (r *receiver) await(t *testing.T, what string, enough func([]receipt) bool) []receipt {
	t.Helper()
	late := time.After(patience)
	for {
		got, next := r.all()
		if enough(got) {
			return got
		}
		select {
		case <-next:
		case <-late:
			t.Fatalf("%s: that did not come; there are %d arrivals", what, len(got))
		}
	}
}

// awaitAll waits until every one of these ids has arrived.
func (r *receiver) awaitAll(t *testing.T, ids []string) {
	t.Helper()
	r.await(t, "every event", func(got []receipt) bool {
		missing := slices.Clone(ids)
		for _, one := range got {
			missing = slices.DeleteFunc(missing, func(id string) bool { return id == one.ID })
		}
		return len(missing) == 0
	})
}

// count is how often an event arrived.
func (r *receiver) count(id string) (n int) {
	got, _ := r.all()
	for _, one := range got {
		if one.ID == id {
			n++
		}
	}
	return n
}

// hang answers nothing until the caller gives up.
func hang(_ http.ResponseWriter, req *http.Request, _ receipt) { <-req.Context().Done() }

// distinct counts the events that arrived, each once.
func (r *receiver) distinct() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	ids := map[string]bool{}
	for _, one := range r.got {
		ids[one.ID] = true
	}
	return len(ids)
}

// repeats counts the arrivals that were not the first of their event: of an
// endpoint that never failed, those that a kill fell into.
func (r *receiver) repeats() int {
	got, _ := r.all()
	return len(got) - r.distinct()
}
