package contract

import (
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
)

// request is what an endpoint was sent.
type request struct {
	Path   string
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
	s := &sink{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		s.mu.Lock()
		n := len(s.requests)
		s.requests = append(s.requests, request{r.URL.Path, r.Header, body})
		s.mu.Unlock()
		answer(w, n)
	}))
	t.Cleanup(s.Close)
	return s
}

// answering starts an endpoint that answers 200 with the same body always.
func answering(t *testing.T, body string) *sink {
	t.Helper()
	return endpoint(t, func(w http.ResponseWriter, _ int) { _, _ = io.WriteString(w, body) })
}

// got returns what the endpoint was sent so far.
func (s *sink) got() []request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]request(nil), s.requests...)
}
