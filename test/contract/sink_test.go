package contract

import (
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"
)

// request is what an endpoint was sent.
type request struct {
	Method string
	Path   string
	URL    string // with the query
	Host   string
	Header http.Header
	Body   []byte
}

// sink is a real HTTP endpoint that keeps what it is sent.
type sink struct {
	*httptest.Server
	mu       sync.Mutex
	requests []request
}

// endpoint starts an endpoint; answer writes the answer to its n-th request, from 0.
func endpoint(t *testing.T, answer func(w http.ResponseWriter, n int)) *sink {
	t.Helper()
	return endpointOf(t, func(w http.ResponseWriter, _ *http.Request, n int) { answer(w, n) })
}

// endpointOf is endpoint whose answer depends on the request; its body is read already.
func endpointOf(t *testing.T, answer func(w http.ResponseWriter, r *http.Request, n int)) *sink {
	t.Helper()
	s := &sink{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		s.mu.Lock()
		n := len(s.requests)
		s.requests = append(s.requests, request{r.Method, r.URL.Path, r.RequestURI, r.Host, r.Header, body})
		s.mu.Unlock()
		answer(w, r, n)
	}))
	t.Cleanup(s.Close)
	return s
}

// answering starts an endpoint that answers 200 with each of the bodies in
// turn, and with the last one from then on.
func answering(t *testing.T, bodies ...string) *sink {
	t.Helper()
	return endpoint(t, func(w http.ResponseWriter, n int) { _, _ = io.WriteString(w, bodies[min(n, len(bodies)-1)]) })
}

// got returns what the endpoint was sent so far.
func (s *sink) got() []request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]request(nil), s.requests...)
}

// only returns the one request that the endpoint was sent.
func (s *sink) only(t *testing.T) request {
	t.Helper()
	got := s.got()
	if len(got) != 1 {
		t.Fatalf("%d requests, want 1", len(got))
	}
	return got[0]
}

// each returns one header of all requests, in their order.
func (s *sink) each(header string) []string {
	var out []string
	for _, r := range s.got() {
		out = append(out, r.Header.Get(header))
	}
	return out
}

// paths returns the paths of all requests, in their order.
func (s *sink) paths() []string {
	var out []string
	for _, r := range s.got() {
		out = append(out, r.Path)
	}
	return out
}

// keeper is an endpoint that holds each call until the test answers it.
type keeper struct {
	*sink
	t       *testing.T
	arrived chan struct{}
	answers chan string
	over    chan struct{}
}

func holding(t *testing.T) *keeper {
	t.Helper()
	g := &keeper{t: t, arrived: make(chan struct{}, 100), answers: make(chan string), over: make(chan struct{})}
	g.sink = endpointOf(t, func(w http.ResponseWriter, r *http.Request, _ int) {
		g.arrived <- struct{}{}
		select {
		case body := <-g.answers:
			_, _ = io.WriteString(w, body)
		case <-r.Context().Done(): // the caller gave up
		case <-g.over:
		}
	})
	t.Cleanup(func() { close(g.over) })
	return g
}

// patience is how long a test waits for what must come.
const patience = 20 * time.Second

// wait returns once a further call has come.
func (g *keeper) wait() {
	g.t.Helper()
	select {
	case <-g.arrived:
	case <-time.After(patience):
		g.t.Fatal("no call came")
	}
}

// answer lets one held call go with a body.
func (g *keeper) answer(body string) {
	g.t.Helper()
	select {
	case g.answers <- body:
	case <-time.After(patience):
		g.t.Error("no call waits for an answer") // Error, since some call this on a goroutine of its own
	}
}
