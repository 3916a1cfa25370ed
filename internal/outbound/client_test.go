package outbound

import (
	"context"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/orderhook/orderhook/internal/secret"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// newClient returns a client that may call the test's own servers.
func newClient(t testing.TB, roots *x509.CertPool) *Client {
	c := New(Options{Version: "1.2.3", Guard: Guard{AllowPrivate: true}, RootCAs: roots, Secrets: testSecrets.opener})
	t.Cleanup(c.Close)
	return c
}

// serve starts a server for the test and returns its URL.
func serve(t *testing.T, h http.HandlerFunc) string {
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.URL
}

func TestPostReturnsTheAnswer(t *testing.T) {
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.Header().Set("X-Method", r.Method)
		w.WriteHeader(http.StatusAccepted)
		w.Write(append([]byte("got "), body...))
	})
	x := newClient(t, nil).Post(t.Context(), Request{URL: url + "/hook?a=b", Body: []byte(`{"a":1}`)})
	if x.Err != nil || x.Class() != Answered || x.Failure() != "" {
		t.Fatalf("Err %v, class %v, failure %q", x.Err, x.Class(), x.Failure())
	}
	if x.Status != 202 || x.Header.Get("X-Method") != "POST" || string(x.Body) != `got {"a":1}` {
		t.Errorf("answer %d %v %s", x.Status, x.Header, x.Body)
	}
	if x.URL != url+"/hook?a=***" || "http://"+x.Host != url {
		t.Errorf("URL %s, host %s", x.URL, x.Host)
	}
	if x.StartedAt.IsZero() || x.Duration <= 0 {
		t.Errorf("started %v, took %v", x.StartedAt, x.Duration)
	}
}

// TestAttemptsBeginByTheTimeOfTheDatabase: an attempt shows the time that all nodes share, and
// is signed as of it, whatever the clock of this machine says; how long it took does not.
func TestAttemptsBeginByTheTimeOfTheDatabase(t *testing.T) {
	var stamp string
	url := serve(t, func(_ http.ResponseWriter, r *http.Request) { stamp = r.Header.Get("Webhook-Timestamp") })
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	c := New(Options{Guard: Guard{AllowPrivate: true}, Secrets: testSecrets.opener, Now: func() time.Time { return at }})
	t.Cleanup(c.Close)
	x := c.Post(t.Context(), Request{URL: url, ID: "msg_1", SigningKeys: []secret.Value{given(NewSecret())}})
	if x.Err != nil || !x.StartedAt.Equal(at) || stamp != strconv.FormatInt(at.Unix(), 10) {
		t.Errorf("started %v, signed as of %s, want %v (%v)", x.StartedAt, stamp, at, x.Err)
	}
	if x.Duration <= 0 || x.Duration > time.Minute {
		t.Errorf("it took %v", x.Duration)
	}
}

// A URL that was stored before URLs were escaped still makes a request line that
// can be read, and a host in ASCII.
func TestURLsOfBefore(t *testing.T) {
	var line string
	url := serve(t, func(_ http.ResponseWriter, r *http.Request) { line = r.Host + r.RequestURI })
	odd := strings.Replace(url, "127.0.0.1", "ＬＯＣＡＬＨＯＳＴ", 1)
	x := newClient(t, nil).Post(t.Context(), Request{URL: odd + "/a b?ø=c d"})
	want := strings.TrimPrefix(strings.Replace(url, "127.0.0.1", "localhost", 1), "http://")
	if x.Err != nil || line != want+"/a%20b?%C3%B8=c%20d" || x.Host != want {
		t.Errorf("%v: it asked for %s of %s", x.Err, line, x.Host)
	}
}

func TestRedirectsAreNotFollowed(t *testing.T) {
	var followed atomic.Bool
	other := serve(t, func(http.ResponseWriter, *http.Request) { followed.Store(true) })
	for status := 300; status < 400; status++ {
		url := serve(t, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Location", other)
			w.WriteHeader(status)
		})
		x := newClient(t, nil).Post(t.Context(), Request{URL: url})
		if x.Status != status || x.Class() != Retry || followed.Load() {
			t.Errorf("%d: status %d, class %v, followed %v", status, x.Status, x.Class(), followed.Load())
		}
	}
}

func TestConnectionsAreUsedAgain(t *testing.T) {
	url := serve(t, func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, r.RemoteAddr) })
	c := newClient(t, nil)
	first := c.Post(t.Context(), Request{URL: url})
	second := c.Post(t.Context(), Request{URL: url})
	if first.Err != nil || string(first.Body) != string(second.Body) {
		t.Errorf("came from %s (%v), then from %s (%v)", first.Body, first.Err, second.Body, second.Err)
	}
	if first.wire.timing.Connect == 0 || second.wire.timing.Connect != 0 {
		t.Errorf("connect took %v ms, then %v", first.wire.timing.Connect, second.wire.timing.Connect)
	}
}

func TestConnectionsOfManyRequestsAreUsedAgain(t *testing.T) {
	const many = 256
	var conns atomic.Int32
	arrived, answer := make(chan struct{}), make(chan struct{})
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		arrived <- struct{}{}
		<-answer
	}))
	s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			conns.Add(1)
		}
	}
	s.Start()
	t.Cleanup(s.Close)
	c := newClient(t, nil)
	for range 2 {
		var posts sync.WaitGroup
		for range many {
			posts.Go(func() { c.Post(t.Context(), Request{URL: s.URL}) })
		}
		for range many {
			<-arrived
		}
		for range many {
			answer <- struct{}{}
		}
		posts.Wait()
	}
	if conns.Load() != many {
		t.Errorf("%d connections for %d requests at once", conns.Load(), many)
	}
}

func TestHTTP2IsSpokenWhereOffered(t *testing.T) {
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, r.Proto+" "+r.Header.Get("Idempotency-Key"))
	}))
	s.EnableHTTP2 = true
	s.StartTLS()
	t.Cleanup(s.Close)
	x := newClient(t, roots(s)).Post(t.Context(), Request{URL: s.URL, IdempotencyKey: "call_1"})
	if string(x.Body) != "HTTP/2.0 call_1" || x.Detail().TLSVersion != "TLS 1.3" {
		t.Errorf("body %q, error %v, TLS %q", x.Body, x.Err, x.Detail().TLSVersion)
	}
}

// roots returns a pool that holds the server's certificate.
func roots(s *httptest.Server) *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(s.Certificate())
	return pool
}

func TestCallerCancels(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	url := serve(t, func(_ http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		cancel()
		<-r.Context().Done()
	})
	x := newClient(t, nil).Post(ctx, Request{URL: url, Body: []byte(`{}`)})
	if !errors.Is(x.Err, ErrCanceled) || x.Class() != Retry {
		t.Errorf("Err %v, class %v", x.Err, x.Class())
	}
}
