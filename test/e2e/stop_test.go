package e2e

import (
	"io"
	"net/http"
	"net/http/httptest"
	"syscall"
	"testing"
)

func TestSignalsEndTheServerWell(t *testing.T) {
	for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT} {
		s := newWhere(t).serve(t)
		s.expect(t, http.StatusOK, "GET", "/healthz", "", "")
		s.expect(t, http.StatusOK, "GET", "/readyz", "", "")
		s.signal(t, sig)
		if code := s.code(t); code != 0 {
			t.Errorf("code %d after %v: %s", code, sig, s.errOut)
		}
	}
}

// slow is an endpoint that tells when it was called and answers when it may.
type slow struct {
	called, answer chan struct{}
	server         *httptest.Server
}

func newSlow(t *testing.T) *slow {
	s := &slow{called: make(chan struct{}, 100), answer: make(chan struct{})}
	s.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // without it net/http does not see a caller hang up
		s.called <- struct{}{}
		select {
		case <-s.answer:
		case <-r.Context().Done():
		}
	}))
	t.Cleanup(s.server.Close)
	return s
}

// placeOrder posts an order and returns once its step has called the endpoint.
func placeOrder(t *testing.T, s *server, endpoint *slow) <-chan answer {
	t.Helper()
	s.expect(t, http.StatusOK, "PUT", "/api/settings", s.newKey, workflow(endpoint.server.URL))
	got := make(chan answer, 1)
	go func() { got <- s.call("POST", "/api/orders", s.newKey, `{"id": "1", "orderType": "Online"}`) }()
	select {
	case <-endpoint.called:
	case a := <-got:
		t.Fatalf("the order was answered without a call: %d %s %v", a.status, a.text, a.err)
	}
	return got
}

func TestWhoWaitsForARunGetsItsAnswer(t *testing.T) {
	endpoint := newSlow(t)
	s := newWhere(t).serve(t)
	got := placeOrder(t, s, endpoint)
	s.signal(t, syscall.SIGTERM)
	s.awaitClosed(t)
	close(endpoint.answer)
	if a := <-got; a.status != http.StatusCreated {
		t.Errorf("the caller got %d %s %v", a.status, a.text, a.err)
	}
	if code := s.code(t); code != 0 {
		t.Errorf("code %d: %s", code, s.errOut)
	}
}

// TestGraceIsOver: the caller is told that the run goes on, and it does, at the
// next start.
func TestGraceIsOver(t *testing.T) {
	endpoint := newSlow(t)
	w := newWhere(t)
	s := w.serve(t, "--grace", "PT2S")
	got := placeOrder(t, s, endpoint)
	s.signal(t, syscall.SIGTERM)
	if a := <-got; a.status != http.StatusAccepted || a.body["runId"] == nil {
		t.Errorf("the caller got %d %s %v", a.status, a.text, a.err)
	}
	if code := s.code(t); code != 0 {
		t.Errorf("code %d: %s", code, s.errOut)
	}
	w.serve(t)
	<-endpoint.called
}

func TestASecondSignalEndsAtOnce(t *testing.T) {
	endpoint := newSlow(t)
	s := newWhere(t).serve(t)
	placeOrder(t, s, endpoint)
	s.signal(t, syscall.SIGTERM)
	s.awaitClosed(t)
	s.signal(t, syscall.SIGTERM)
	if code := s.code(t); code != 128+int(syscall.SIGTERM) {
		t.Errorf("it ended with %d", code)
	}
}
