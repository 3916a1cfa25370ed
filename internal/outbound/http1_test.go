package outbound

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/orderhook/orderhook/internal/weburl"
)

// listenTLS is listen with TLS, and returns whom to trust.
func listenTLS(t *testing.T, handle func(net.Conn)) (string, *x509.CertPool) {
	t.Helper()
	shown := issue(t, nil, "server", valid)
	config := &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{shown.cert.Raw}, PrivateKey: shown.key}}}
	url := listen(t, func(conn net.Conn) {
		secured := tls.Server(conn, config)
		if secured.HandshakeContext(t.Context()) == nil {
			handle(secured)
			secured.Close()
		}
	})
	return strings.Replace(url, "http:", "https:", 1), pool([]*x509.Certificate{shown.cert})
}

// plainAndTLS runs a test with servers of either kind. serve starts one that runs handle on
// each connection, and returns its URL and a client that trusts it.
func plainAndTLS(t *testing.T, test func(t *testing.T, serve func(handle func(net.Conn)) (string, *Client))) {
	t.Run("plain", func(t *testing.T) {
		test(t, func(handle func(net.Conn)) (string, *Client) { return listen(t, handle), newClient(t, nil) })
	})
	t.Run("TLS", func(t *testing.T) {
		test(t, func(handle func(net.Conn)) (string, *Client) {
			url, trusted := listenTLS(t, handle)
			return url, newClient(t, trusted)
		})
	})
}

// TestHostileEndpointsOnEachConnection: with TLS or without, on a new connection and on one that
// was used before, the outcome is the same.
func TestHostileEndpointsOnEachConnection(t *testing.T) {
	plainAndTLS(t, func(t *testing.T, serve func(func(net.Conn)) (string, *Client)) {
		for _, before := range []int{0, 1} {
			for _, test := range hostile {
				if test.name == "resets" {
					continue // of a socket, which is beneath TLS
				}
				t.Run(fmt.Sprint(test.name, " after ", before), func(t *testing.T) {
					t.Parallel()
					url, c := serve(func(conn net.Conn) {
						r := bufio.NewReader(conn)
						for range before {
							if _, err := readRequest(r); err != nil {
								return
							}
							io.WriteString(conn, okAnswer)
						}
						if _, err := readRequest(r); err == nil {
							test.handle(conn)
						}
					})
					for range before {
						if x := c.Post(t.Context(), Request{URL: url, Body: []byte(`{}`)}); x.Err != nil {
							t.Fatal(x.Err)
						}
					}
					timeout, want := time.Minute, test.want
					if strings.HasPrefix(want, TimedOutAfter) {
						timeout = time.Second // for TLS, too, however busy the machine is
						want = TimedOutAfter + timeout.String()
					}
					x := c.Post(t.Context(), Request{URL: url, Body: []byte(`{}`), Timeout: timeout})
					if x.Status != test.status || x.Failure() != want || x.Class() != test.class || x.wire.reused != (before > 0) {
						t.Errorf("status %d, failure %q, class %v, reused %v", x.Status, x.Failure(), x.Class(), x.wire.reused)
					}
				})
			}
		}
	})
}

// TestWhatIsWritten is the request, byte by byte.
func TestWhatIsWritten(t *testing.T) {
	var got string
	url := listen(t, func(conn net.Conn) {
		b := make([]byte, 4<<10)
		n, _ := conn.Read(b)
		got = string(b[:n])
		io.WriteString(conn, okAnswer)
	})
	c := newClient(t, nil)
	c.userAgent = " Shop/7 "
	if x := c.Post(t.Context(), Request{URL: url + "/a%2Fb?c=d", Body: []byte(`{"a":1}`), IdempotencyKey: "call_1", Attempt: 2}); x.Err != nil {
		t.Fatal(x.Err)
	}
	head, rest, _ := strings.Cut(got, "Traceparent: ")
	_, rest, _ = strings.Cut(rest, "\r\n")
	want := "POST /a%2Fb?c=d HTTP/1.1\r\nHost: " + strings.TrimPrefix(url, "http://") + "\r\nContent-Length: 7\r\nUser-Agent: Shop/7\r\nAccept: application/json\r\n" +
		"Content-Type: application/json\r\nX-Attempt: 2\r\nidempotency-key: call_1\r\n\r\n{\"a\":1}"
	if head+rest != want {
		t.Errorf("%q, want %q", head+rest, want)
	}
}

// TestWhatCannotBeWrittenIsLeftToNetHTTP, which refuses or mends it, or writes and reads at once.
func TestWhatCannotBeWrittenIsLeftToNetHTTP(t *testing.T) {
	of := func(url, agent string, body int) *message {
		to, ok := new(destinations).get(url)
		if !ok {
			t.Fatal(url)
		}
		h := &headers{Header: http.Header{}}
		h.put("User-Agent", agent)
		return &message{to: to, header: h, body: make([]byte, body)}
	}
	for what, c := range map[string]struct {
		m    *message
		want bool
	}{
		"all is well":             {of("http://a/b", "c", 1000), true},
		"a header of two lines":   {of("http://a/b", "c\r\nX-Smuggled: d", 1000), false},
		"a large body":            {of("http://a/b", "c", mostWritten+1), false},
		"a large head":            {of("http://a/b", strings.Repeat("c", mostWritten), 10), false},
		"a zone":                  {of("http://[fe80::1%25eth0]/", "c", 10), false},
		"a body that just fits":   {of("http://a/b", "c", mostWritten-200), true},
		"head and body are large": {of("http://a/b", "c", mostWritten-20), false},
	} {
		if got := c.m.write(&buffers{}); got != c.want {
			t.Errorf("%s: %v", what, got)
		}
	}
}

// TestAnAnswerBeforeTheWholeRequest is taken, though the endpoint reads no more of it, and hangs.
func TestAnAnswerBeforeTheWholeRequest(t *testing.T) {
	plainAndTLS(t, func(t *testing.T, serve func(func(net.Conn)) (string, *Client)) {
		for _, size := range []int{10, mostWritten - 1000, 8 << 20} {
			ended := make(chan struct{})
			url, c := serve(func(conn net.Conn) {
				conn.Read(make([]byte, 10))
				io.WriteString(conn, "HTTP/1.1 413 X\r\nContent-Length: 2\r\n\r\n{}")
				<-ended
			})
			x := c.Post(t.Context(), Request{URL: url, Body: make([]byte, size)})
			close(ended)
			if x.Status != 413 || string(x.Body) != "{}" {
				t.Errorf("%d bytes: status %d, body %q, %v", size, x.Status, x.Body, x.Err)
			}
		}
	})
}

// TestAnswersBeforeTheAnswer, of 1xx, are passed over.
func TestAnswersBeforeTheAnswer(t *testing.T) {
	for _, before := range []string{"", "HTTP/1.1 100 Continue\r\n\r\n", "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 102 X\r\n\r\n"} {
		url := listen(t, say(before+"HTTP/1.1 202 X\r\nContent-Length: 2\r\n\r\n{}"))
		if x := newClient(t, nil).Post(t.Context(), Request{URL: url}); x.Status != 202 || string(x.Body) != "{}" || x.Header.Get("Link") != "" {
			t.Errorf("%q: status %d, body %q, %v", before, x.Status, x.Body, x.Err)
		}
	}
}

// counting answers requests with their number on the connection, and what is added to it. It
// counts connections.
func counting(conns *atomic.Int32, after func(conn net.Conn, n int) (goOn bool), add string) func(net.Conn) {
	return func(conn net.Conn) {
		conns.Add(1)
		r := bufio.NewReader(conn)
		for n := 1; ; n++ {
			if _, err := readRequest(r); err != nil {
				return
			}
			fmt.Fprintf(conn, "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n%d%s", n, add)
			if after != nil && !after(conn, n) {
				return
			}
		}
	}
}

// TestWhatComesBehindAnAnswer is not taken for the next one: neither what comes with the answer,
// nor what comes later.
func TestWhatComesBehindAnAnswer(t *testing.T) {
	plainAndTLS(t, func(t *testing.T, serve func(func(net.Conn)) (string, *Client)) {
		const more = "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nX"
		later := make(chan struct{})
		for name, handle := range map[string]func(*atomic.Int32) func(net.Conn){
			"with it":   func(n *atomic.Int32) func(net.Conn) { return counting(n, nil, more) },
			"much":      func(n *atomic.Int32) func(net.Conn) { return counting(n, nil, strings.Repeat(more, 300)) },
			"line ends": func(n *atomic.Int32) func(net.Conn) { return counting(n, nil, "\r\n") },
			"later": func(n *atomic.Int32) func(net.Conn) {
				return counting(n, func(conn net.Conn, _ int) bool {
					io.WriteString(conn, more)
					later <- struct{}{}
					return true
				}, "")
			},
		} {
			var conns atomic.Int32
			url, c := serve(handle(&conns))
			for range 3 {
				x := c.Post(t.Context(), Request{URL: url})
				if x.Err != nil || string(x.Body) != "1" || x.wire.reused {
					t.Errorf("%s: body %q, %v, reused %v", name, x.Body, x.Err, x.wire.reused)
				}
				if name == "later" {
					<-later
				}
			}
			if conns.Load() != 3 {
				t.Errorf("%s: %d connections", name, conns.Load())
			}
		}
	})
}

// TestTheEndOfAConnection, whoever says so and however, costs no attempt: the next request has
// another one.
func TestTheEndOfAConnection(t *testing.T) {
	plainAndTLS(t, func(t *testing.T, serve func(func(net.Conn)) (string, *Client)) {
		closed := make(chan struct{})
		url, c := serve(func(conn net.Conn) {
			if _, err := readRequest(bufio.NewReader(conn)); err == nil {
				io.WriteString(conn, okAnswer)
			}
			conn.Close()
			closed <- struct{}{}
		})
		for range 3 {
			if x := c.Post(t.Context(), Request{URL: url, Body: []byte(`{}`)}); x.Err != nil || x.wire.reused {
				t.Errorf("closed without a word: %v, reused %v", x.Err, x.wire.reused)
			}
			<-closed
		}
		for name, answer := range map[string]string{
			"Connection: close": "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}", "HTTP/1.0": "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\n{}",
			"another protocol": "HTTP/1.1 101 X\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n",
		} {
			var conns atomic.Int32
			url, c := serve(func(conn net.Conn) {
				conns.Add(1)
				for r := bufio.NewReader(conn); ; {
					if _, err := readRequest(r); err != nil {
						return
					}
					io.WriteString(conn, answer)
				}
			})
			for range 2 {
				if x := c.Post(t.Context(), Request{URL: url}); x.Err != nil || x.Status != 101 && string(x.Body) != "{}" {
					t.Errorf("%s: %v", name, x.Err)
				}
			}
			if conns.Load() != 2 || c.open.Load() != 0 {
				t.Errorf("%s: %d connections, of which %d are open", name, conns.Load(), c.open.Load())
			}
		}
	})
}

// TestConnectionsAreUsedAgainWithEachBody that has an end: of a length, in chunks with a trailer,
// without one, and where it is left unread since it is too long it is not.
func TestConnectionsAreUsedAgainWithEachBody(t *testing.T) {
	plainAndTLS(t, func(t *testing.T, serve func(func(net.Conn)) (string, *Client)) {
		for answer, want := range map[string]int32{
			"HTTP/1.1 204 No Content\r\n\r\n":                                                                         1,
			"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}":                                                          1,
			"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: A\r\n\r\n2\r\n{}\r\n0\r\nA: b\r\n\r\n":         1,
			"HTTP/1.1 500 X\r\nContent-Length: 70000\r\n\r\n" + strings.Repeat("a", 70_000):                           1,
			fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", MaxBody+2, strings.Repeat("a", MaxBody+2)): 3,
		} {
			var conns atomic.Int32
			url, c := serve(func(conn net.Conn) {
				conns.Add(1)
				for r := bufio.NewReader(conn); ; {
					if _, err := readRequest(r); err != nil {
						return
					}
					io.WriteString(conn, answer)
				}
			})
			for range 3 {
				if x := c.Post(t.Context(), Request{URL: url, OneWay: true}); x.Status == 0 {
					t.Error(x.Err)
				}
			}
			if got := conns.Load(); got != want {
				t.Errorf("%.40q: %d connections", answer, got)
			}
		}
	})
}

// TestEachGetsItsOwnAnswer: whatever attempts are broken off, and when, no answer is taken for
// that of another request, and no connection is lost.
func TestEachGetsItsOwnAnswer(t *testing.T) {
	plainAndTLS(t, func(t *testing.T, serve func(func(net.Conn)) (string, *Client)) {
		url, c := serve(func(conn net.Conn) {
			for r := bufio.NewReader(conn); ; {
				req, err := http.ReadRequest(r)
				if err != nil {
					return
				}
				body, err := io.ReadAll(req.Body)
				if err != nil {
					return
				}
				io.WriteString(conn, "HTTP/1.1 200 OK\r\n")
				if rand.IntN(4) == 0 {
					<-time.After(rand.N(2 * time.Millisecond))
				}
				fmt.Fprintf(conn, "Content-Length: %d\r\n\r\n%s", len(body), body[:len(body)/2])
				if rand.IntN(4) == 0 {
					<-time.After(rand.N(2 * time.Millisecond))
				}
				conn.Write(body[len(body)/2:])
			}
		})
		var all sync.WaitGroup
		var answered, ended atomic.Int32
		for worker := range 8 {
			all.Go(func() {
				for i := range 100 {
					ctx, cancel := context.WithCancel(t.Context())
					timeout := time.Minute
					switch rand.IntN(4) {
					case 0:
						time.AfterFunc(rand.N(2*time.Millisecond), cancel)
					case 1:
						timeout = rand.N(2*time.Millisecond) + 1
					}
					id := fmt.Sprint(worker, "/", i)
					x := c.Post(ctx, Request{URL: url, Body: []byte(id), Timeout: timeout})
					switch {
					case x.Err == nil && string(x.Body) == id:
						answered.Add(1)
					case x.Err == ErrCanceled, x.Err == failure(TimedOutAfter+timeout.String()):
						ended.Add(1)
					default:
						t.Errorf("%s: %v, body %q", id, x.Err, x.Body)
					}
					x.Memory.Give()
					cancel()
				}
			})
		}
		all.Wait()
		if answered.Load() < 100 || ended.Load() < 10 {
			t.Errorf("%d were answered, %d broken off", answered.Load(), ended.Load())
		}
		awaitNoneOpen(t, c)
	})
}

// awaitNoneOpen returns once a client that is closed has no connection. A dial may have outlived
// its attempt.
func awaitNoneOpen(t *testing.T, c *Client) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); c.open.Load() > 0; time.Sleep(time.Millisecond) {
		c.Close()
		if time.Now().After(end) {
			t.Fatalf("%d connections are open", c.open.Load())
		}
	}
}

// TestADialOutlivesItsAttempt, and the next request has the connection: an endpoint that takes
// longer than an attempt may is reached in the end.
func TestADialOutlivesItsAttempt(t *testing.T) {
	url := serve(t, func(http.ResponseWriter, *http.Request) {})
	c := newClient(t, nil)
	var dials atomic.Int32
	goOn, dialed := make(chan struct{}), make(chan struct{})
	c.dialBy(func(dial dialFunc) dialFunc {
		return func(ctx context.Context, network, target string) (net.Conn, error) {
			dials.Add(1)
			<-goOn
			defer close(dialed)
			return dial(ctx, network, target)
		}
	})
	if x := c.Post(t.Context(), Request{URL: url, Timeout: time.Millisecond}); x.Failure() != "timed out after 1ms" {
		t.Fatal(x.Failure())
	}
	close(goOn)
	<-dialed
	u, _ := weburl.ParseURL(url)
	p := c.network.Load().general.transport(u.Host)
	for idle := 0; idle == 0; time.Sleep(time.Millisecond) { // until it is put there
		p.idle.mu.Lock()
		idle = len(p.idle.of[siteOf(u)])
		p.idle.mu.Unlock()
	}
	if x := c.Post(t.Context(), Request{URL: url}); x.Err != nil || dials.Load() != 1 {
		t.Errorf("%v, %d dials", x.Err, dials.Load())
	}
}

// TestHTTP2HasTheConnectionThatWasMade, and what is not needed of those that were made at once is
// closed.
func TestHTTP2HasTheConnectionThatWasMade(t *testing.T) {
	s := named(t, "endpoint", true)
	c := newClient(t, roots(s))
	var dials atomic.Int32
	c.dialBy(func(dial dialFunc) dialFunc {
		return func(ctx context.Context, network, target string) (net.Conn, error) {
			dials.Add(1)
			return dial(ctx, network, target)
		}
	})
	var all sync.WaitGroup
	for n := range 20 {
		post := func() {
			x := c.Post(t.Context(), Request{URL: s.URL, Body: make([]byte, n*4<<10)}) // small and large ones
			if x.Err != nil || string(x.Body) != "endpoint HTTP/2.0" || x.wire.tlsVersion != "TLS 1.3" {
				t.Errorf("%v, %q, %s", x.Err, x.Body, x.wire.tlsVersion)
			}
		}
		if n < 3 {
			post()
			if c.open.Load() != 1 || dials.Load() != 1 {
				t.Errorf("%d connections are open, of %d dials", c.open.Load(), dials.Load())
			}
			if n == 2 {
				awaitNoneOpen(t, c)
				c.Reload(Options{Guard: Guard{AllowPrivate: true}, RootCAs: roots(s)}) // nothing is known of it then
			}
			continue
		}
		all.Go(post)
	}
	all.Wait()
	awaitNoneOpen(t, c)
}

// TestSessionsAreResumed by the next connection, and not past another trust.
func TestSessionsAreResumed(t *testing.T) {
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Connection", "close")
		fmt.Fprint(w, r.TLS.DidResume)
	}))
	s.StartTLS()
	t.Cleanup(s.Close)
	c := newClient(t, roots(s))
	var got []string
	for _, own := range []*Trust{nil, nil, trust(t, TrustOptions{TrustAll: true}), nil} {
		x := c.Post(t.Context(), Request{URL: s.URL, Trust: own})
		if x.Err != nil {
			t.Fatal(x.Err)
		}
		got = append(got, string(x.Body))
	}
	if want := "false true false true"; strings.Join(got, " ") != want {
		t.Errorf("%v, want %s", got, want)
	}
}

// TestIdleConnectionsAreClosed once they have been idle for too long, whether or not their host
// is called again; the others are not.
func TestIdleConnectionsAreClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var i idleConns
		one, other := site{"http", "one"}, site{"http", "other"}
		open := func(s site) (conn *http1Conn, closed func() bool) {
			near, far := net.Pipe()
			var done atomic.Bool
			go func() { _, _ = io.Copy(io.Discard, far); done.Store(true) }()
			return newHTTP1Conn(s, near, near, nil), func() bool { synctest.Wait(); return done.Load() }
		}
		first, firstClosed := open(one)
		second, secondClosed := open(other)
		i.put(first)
		time.Sleep(idleTimeout / 2)
		i.put(second)
		time.Sleep(idleTimeout/2 + time.Second)
		if !firstClosed() || secondClosed() || i.take(one) != nil || i.take(other) != second {
			t.Error("the first should be closed, and the second used")
		}
		i.put(second)
		time.Sleep(idleTimeout - time.Second)
		i.close()
		if !secondClosed() || i.take(other) != nil {
			t.Error("close leaves it open")
		}
		third, thirdClosed := open(one)
		i.take(one)
		i.close()
		if i.put(third); !thirdClosed() {
			t.Error("one that became idle after close is open")
		}
		fourth, fourthClosed := open(one)
		i.take(one)
		i.put(fourth)
		i.mu.Lock()
		fourth.since = fourth.since.Add(-idleTimeout) // the sweep is late
		i.mu.Unlock()
		if i.take(one) != nil || !fourthClosed() {
			t.Error("one that is too old is used")
		}
		time.Sleep(2 * idleTimeout)
		i.mu.Lock()
		defer i.mu.Unlock()
		if i.sweep != nil || len(i.of) != 0 {
			t.Errorf("what is left of none: %v, %v", i.sweep, i.of)
		}
	})
}

// failing is a connection of which a write fails after some bytes.
type failing struct {
	net.Conn
	writes, at atomic.Int32
	taken      int
}

func (c *failing) Write(b []byte) (int, error) {
	if c.writes.Add(1) == c.at.Load() {
		n, _ := c.Conn.Write(b[:c.taken])
		return n, syscall.EPIPE
	}
	return c.Conn.Write(b)
}

// TestARequestOfWhichSomethingWasWrittenIsNotMadeAgain.
func TestARequestOfWhichSomethingWasWrittenIsNotMadeAgain(t *testing.T) {
	const taken = 5
	var conns atomic.Int32
	url := listen(t, func(conn net.Conn) {
		conns.Add(1)
		r := bufio.NewReader(conn)
		if _, err := readRequest(r); err != nil {
			return
		}
		io.WriteString(conn, okAnswer)
		io.ReadFull(r, make([]byte, taken)) // of the next one, then it hangs up
	})
	c := newClient(t, nil)
	c.dialBy(func(dial dialFunc) dialFunc {
		return func(ctx context.Context, network, target string) (net.Conn, error) {
			conn, err := dial(ctx, network, target)
			f := &failing{Conn: conn, taken: taken}
			f.at.Store(2)
			return f, err
		}
	})
	if x := c.Post(t.Context(), Request{URL: url}); x.Err != nil {
		t.Fatal(x.Err)
	}
	x := c.Post(t.Context(), Request{URL: url})
	if x.Failure() != "connection reset" || x.Class() != Retry || conns.Load() != 1 {
		t.Errorf("%q, class %v, %d connections", x.Failure(), x.Class(), conns.Load())
	}
}

// TestWhichConnectionsAreUsedAgain: one that was interrupted is not, though its answer came whole
// just before: its deadline is over, or about to be.
func TestWhichConnectionsAreUsedAgain(t *testing.T) {
	for _, row := range []struct{ whole, interrupted, last, used bool }{
		{whole: true, used: true}, {whole: true, interrupted: true}, {whole: true, last: true}, {whole: false},
	} {
		near, far := net.Pipe()
		var i idleConns
		c := newHTTP1Conn(site{"http", "one"}, near, near, nil)
		a := &answering{conn: c, buffers: idleBuffers.Get().(*buffers), idle: &i, stop: func() bool { return !row.interrupted }, last: row.last, whole: row.whole}
		a.end()
		if used := i.take(c.site) == c; used != row.used {
			t.Errorf("%+v: used again %v", row, used)
		}
		near.Close()
		far.Close()
		i.close()
	}
}

// TestNoSiteHasTheConnectionOfAnother, though more of them are called than there are parts.
func TestNoSiteHasTheConnectionOfAnother(t *testing.T) {
	c := newClient(t, nil)
	var servers []string
	for n := range 2 * partCount {
		servers = append(servers, serve(t, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, n) }))
	}
	for range 2 {
		for n, url := range servers {
			if x := c.Post(t.Context(), Request{URL: url}); x.Err != nil || string(x.Body) != fmt.Sprint(n) {
				t.Errorf("server %d: %v, %s", n, x.Err, x.Body)
			}
		}
	}
	for _, other := range []string{"https://a.example", "http://a.example:8080", "http://b.example"} {
		one, _ := weburl.ParseURL("http://a.example")
		if u, _ := weburl.ParseURL(other); siteOf(u) == siteOf(one) {
			t.Errorf("%s is the same site", other)
		}
	}
}

// TestAnAnswerOfAPeerThatHungUp, while the request was written, is taken.
func TestAnAnswerOfAPeerThatHungUp(t *testing.T) {
	url := listen(t, func(conn net.Conn) {
		io.ReadFull(conn, make([]byte, 5))
		io.WriteString(conn, "HTTP/1.1 413 X\r\nContent-Length: 2\r\n\r\n{}")
	})
	c := newClient(t, nil)
	c.dialBy(func(dial dialFunc) dialFunc {
		return func(ctx context.Context, network, target string) (net.Conn, error) {
			conn, err := dial(ctx, network, target)
			f := &failing{Conn: conn, taken: 5}
			f.at.Store(1)
			return f, err
		}
	})
	if x := c.Post(t.Context(), Request{URL: url}); x.Status != 413 || string(x.Body) != "{}" || c.open.Load() != 0 {
		t.Errorf("status %d, body %q, %v, %d connections are open", x.Status, x.Body, x.Err, c.open.Load())
	}
}
