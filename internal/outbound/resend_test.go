package outbound

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/orderhook/orderhook/internal/event"
)

const okAnswer = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"

// listen runs handle on every connection to a port of its own, and returns
// that port's URL. Connections close with handle, all with the test.
func listen(t testing.TB, handle func(net.Conn)) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				handle(conn)
			}()
		}
	}()
	t.Cleanup(func() {
		l.Close()
		<-done
	})
	return "http://" + l.Addr().String()
}

// readRequest reads one whole request from a connection.
func readRequest(r *bufio.Reader) (*http.Request, error) {
	req, err := http.ReadRequest(r)
	if err == nil {
		_, err = io.Copy(io.Discard, req.Body)
	}
	return req, err
}

// net/http would send these again if it saw their idempotency key.
func TestABrokenConnectionIsNoSecondRequest(t *testing.T) {
	var requests atomic.Int32
	url := listen(t, func(conn net.Conn) {
		r := bufio.NewReader(conn)
		for {
			if _, err := readRequest(r); err != nil {
				return
			}
			if requests.Add(1)%2 == 0 {
				return // on the reused connection: read, and closed without an answer
			}
			io.WriteString(conn, okAnswer)
		}
	})
	for name, header := range map[string][]event.Header{
		"own key":    nil,
		"custom key": {{Name: "X-Idempotency-Key", Value: given("k")}},
	} {
		t.Run(name, func(t *testing.T) {
			requests.Store(0)
			c := newClient(t, nil)
			r := Request{URL: url, Header: header, Body: []byte(`{}`), IdempotencyKey: "call_1"}
			if x := c.Post(t.Context(), r); x.Err != nil {
				t.Fatal(x.Err)
			}
			x := c.Post(t.Context(), r)
			if !x.wire.reused {
				t.Fatal("the connection was not reused")
			}
			if x.Failure() != "connection closed without an answer" || x.Class() != Retry || requests.Load() != 2 {
				t.Errorf("failure %q, class %v, %d requests", x.Failure(), x.Class(), requests.Load())
			}
		})
	}
}

// brokenLater is a connection whose peer has gone once its first request is
// answered: not a byte of a second one can be written, while nothing to read
// tells so.
type brokenLater struct {
	net.Conn
	writes atomic.Int32
}

func (c *brokenLater) Write(b []byte) (int, error) {
	if c.writes.Add(1) > 1 {
		return 0, syscall.EPIPE
	}
	return c.Conn.Write(b)
}

func TestAStaleConnectionIsReplaced(t *testing.T) {
	var requests, dials atomic.Int32
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		requests.Add(1)
		io.Copy(w, r.Body)
	})
	c := newClient(t, nil)
	c.dialBy(func(dial dialFunc) dialFunc {
		return func(ctx context.Context, network, target string) (net.Conn, error) {
			dials.Add(1)
			conn, err := dial(ctx, network, target)
			return &brokenLater{Conn: conn}, err
		}
	})
	r := Request{URL: url, Body: []byte(`{"a":1}`), IdempotencyKey: "call_1"}
	for n := range int32(5) {
		x := c.Post(t.Context(), r)
		if x.Err != nil || string(x.Body) != `{"a":1}` {
			t.Fatalf("body %q, error %v", x.Body, x.Err)
		}
		if requests.Load() != n+1 || dials.Load() != n+1 {
			t.Fatalf("after post %d: %d requests, %d dials", n+1, requests.Load(), dials.Load())
		}
	}
}
