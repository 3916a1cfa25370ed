package outbound

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// hang reads until the client gives up.
func hang(conn net.Conn) { io.Copy(io.Discard, conn) }

// reset closes the connection with a RST instead of a FIN.
func reset(conn net.Conn) { conn.(*net.TCPConn).SetLinger(0) }

// forever writes s until the client closes the connection.
func forever(conn net.Conn, s string) {
	for {
		if _, err := io.WriteString(conn, s); err != nil {
			return
		}
	}
}

// say returns a handler that writes s and closes the connection.
func say(s string) func(net.Conn) {
	return func(conn net.Conn) { io.WriteString(conn, s) }
}

// begin returns a handler that writes s and goes on with then.
func begin(s string, then func(net.Conn)) func(net.Conn) {
	return func(conn net.Conn) {
		io.WriteString(conn, s)
		then(conn)
	}
}

func trickle(conn net.Conn) {
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for range tick.C {
		if _, err := io.WriteString(conn, "a"); err != nil {
			return
		}
	}
}

var hostile = []struct {
	name   string
	handle func(net.Conn) // after the request was read
	status int
	want   string
	class  Class
}{
	{"never answers", hang, 0, "timed out after 100ms", Retry},
	{"hangs in the status line", begin("HTTP/1.1 2", hang), 0, "timed out after 100ms", Retry},
	{"hangs in the headers", begin("HTTP/1.1 200 OK\r\nA: b", hang), 0, "timed out after 100ms", Retry},
	{"hangs in the body", begin("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{", hang), 200, "timed out after 100ms", Retry},
	{"sends a byte at a time", begin("HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n", trickle), 200, "timed out after 100ms", Retry},
	{"headers a byte at a time", begin("HTTP/1.1 200 OK\r\nA: ", trickle), 0, "timed out after 100ms", Retry},
	{"closes at once", say(""), 0, "connection closed without an answer", Retry},
	{"closes in the headers", say("HTTP/1.1 200 OK\r\nA: b\r\n"), 0, "connection closed before the whole answer came", Retry},
	{"closes in the body", say("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{}"), 200, "connection closed before the whole answer came", Retry},
	{"closes in a chunk", say("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{}"), 200, "connection closed before the whole answer came", Retry},
	{"closes in the body of a 400", say("HTTP/1.1 400 X\r\nContent-Length: 9\r\n\r\n{}"), 400, "answered 400 Bad Request", Final},
	{"closes in the body of a 500", say("HTTP/1.1 500 X\r\nContent-Length: 9\r\n\r\n{}"), 500, "answered 500 Internal Server Error", Retry},
	{"resets", reset, 0, "connection reset", Retry},
	{"more than Content-Length says", say("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}{}{}"), 200, "", Answered},
	{"Content-Length is no number", say("HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n{}"), 0, "invalid HTTP response", Retry},
	{"two Content-Lengths", say("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n{}"), 0, "invalid HTTP response", Retry},
	{"no HTTP", say("SSH-2.0-OpenSSH_9.6\r\n\r\n"), 0, "invalid HTTP response", Retry},
	{"bad chunk", say("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"), 200, "invalid HTTP response", Retry},
	{"endless headers", begin("HTTP/1.1 200 OK\r\n", func(c net.Conn) { forever(c, "A: b\r\n") }), 0, "response headers over 64 KiB", Retry},
	{"an endless header", begin("HTTP/1.1 200 OK\r\nA: ", func(c net.Conn) { forever(c, "bbbbbbbb") }), 0, "response headers over 64 KiB", Retry},
	{"endless 103s", func(c net.Conn) { forever(c, "HTTP/1.1 103 Early Hints\r\n\r\n") }, 0, "response headers over 64 KiB", Retry},
	{"switches protocols", begin("HTTP/1.1 101 X\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n", hang), 101, "answered 101 Switching Protocols", Retry},
	{"an unknown status", say("HTTP/1.1 599 X\r\nContent-Length: 0\r\n\r\n"), 599, "answered 599", Retry},
	{"HTTP/1.0 until the end", say("HTTP/1.0 200 OK\r\n\r\n{}"), 200, "", Answered},
}

func TestHostileEndpoints(t *testing.T) {
	for _, test := range hostile {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			url := listen(t, func(conn net.Conn) {
				if _, err := readRequest(bufio.NewReader(conn)); err == nil {
					test.handle(conn)
				}
			})
			timeout := time.Minute
			if strings.HasPrefix(test.want, "timed out") {
				timeout = 100 * time.Millisecond
			}
			x := newClient(t, nil).Post(t.Context(), Request{URL: url, Body: []byte(`{}`), Timeout: timeout})
			if x.Status != test.status || x.Failure() != test.want || x.Class() != test.class {
				t.Errorf("status %d, failure %q, class %v", x.Status, x.Failure(), x.Class())
			}
		})
	}
}

func TestResetInTheBody(t *testing.T) {
	read := make(chan struct{})
	url := listen(t, func(conn net.Conn) {
		readRequest(bufio.NewReader(conn))
		io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{}")
		<-read // a reset overtakes what still lies in the socket
		reset(conn)
	})
	ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{GotFirstResponseByte: func() { close(read) }})
	x := newClient(t, nil).Post(ctx, Request{URL: url})
	if x.Status != 200 || x.Failure() != "connection reset" || x.Class() != Retry || string(x.Body) != "{}" {
		t.Errorf("status %d, body %q, failure %q, class %v", x.Status, x.Body, x.Failure(), x.Class())
	}
}

func TestReadingStopsAtTheLimit(t *testing.T) {
	const chunk = "10000\r\n" // 64 KiB
	for name, test := range map[string]struct {
		head, rest string
		sends      int
		tooLarge   bool
	}{
		"100 MB":       {"Content-Length: 104857600\r\n\r\n", strings.Repeat("a", 1<<20), 100, true},
		"without end":  {"\r\n", strings.Repeat("a", 1<<20), 1 << 30, true},
		"chunks":       {"Transfer-Encoding: chunked\r\n\r\n", chunk + strings.Repeat("a", 1<<16) + "\r\n", 1 << 30, true},
		"one over":     {fmt.Sprintf("Content-Length: %d\r\n\r\n", MaxBody+1), strings.Repeat("a", MaxBody+1), 1, true},
		"just as much": {fmt.Sprintf("Content-Length: %d\r\n\r\n", MaxBody), strings.Repeat("a", MaxBody), 1, false},
	} {
		t.Run(name, func(t *testing.T) {
			stopped := make(chan struct{})
			url := listen(t, func(conn net.Conn) {
				defer close(stopped)
				readRequest(bufio.NewReader(conn))
				io.WriteString(conn, "HTTP/1.1 200 OK\r\n"+test.head)
				for range test.sends {
					if _, err := io.WriteString(conn, test.rest); err != nil {
						return
					}
				}
			})
			x := newClient(t, nil).Post(t.Context(), Request{URL: url})
			if x.Err != nil || x.TooLarge != test.tooLarge || len(x.Body) != MaxBody || x.Class() != Answered {
				t.Errorf("TooLarge %v, %d bytes, class %v, error %v", x.TooLarge, len(x.Body), x.Class(), x.Err)
			}
			<-stopped // since the connection was closed, not read on
		})
	}
}

func TestLimitsHoldOverHTTP2(t *testing.T) {
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/headers" {
			w.Header().Set("X-Long", strings.Repeat("a", 2*maxHeader))
			return
		}
		for {
			if _, err := w.Write(make([]byte, 1<<20)); err != nil {
				return
			}
		}
	}))
	s.EnableHTTP2 = true
	s.StartTLS()
	t.Cleanup(s.Close)
	c := newClient(t, roots(s))
	if x := c.Post(t.Context(), Request{URL: s.URL + "/headers"}); x.Failure() != "HTTP/2 exchange broken off" {
		t.Errorf("headers: %q", x.Failure())
	}
	if x := c.Post(t.Context(), Request{URL: s.URL + "/body"}); !x.TooLarge || len(x.Body) != MaxBody || x.Err != nil {
		t.Errorf("body: %d bytes, too large %v, error %v", len(x.Body), x.TooLarge, x.Err)
	}
}

func TestOneWayRequestsKeepLittle(t *testing.T) {
	for name, test := range map[string]struct {
		size              int
		retained, counted int
		failure           string
	}{
		"empty":            {0, 0, 0, ""},
		"what is retained": {maxRecorded, maxRecorded, maxRecorded, ""},
		"a byte more":      {maxRecorded + 1, maxRecorded, maxRecorded + 1, ""},
		"5 MiB":            {MaxBody, maxRecorded, MaxBody, ""},
		"one over that":    {MaxBody + 1, maxRecorded, MaxBody, "response larger than 5 MiB"},
		"10 MB":            {10_000_000, maxRecorded, MaxBody, "response larger than 5 MiB"},
	} {
		for framing, head := range map[string]string{
			"length": fmt.Sprintf("Content-Length: %d\r\n\r\n", test.size),
			"chunk":  fmt.Sprintf("Transfer-Encoding: chunked\r\n\r\n%x\r\n", test.size),
		} {
			t.Run(name+" by "+framing, func(t *testing.T) {
				url := listen(t, func(conn net.Conn) {
					readRequest(bufio.NewReader(conn))
					io.WriteString(conn, "HTTP/1.1 200 OK\r\n"+head+strings.Repeat("a", test.size))
					if framing == "chunk" && test.size > 0 {
						io.WriteString(conn, "\r\n0\r\n\r\n")
					} else {
						io.WriteString(conn, "\r\n")
					}
				})
				x := newClient(t, nil).Post(t.Context(), Request{URL: url, OneWay: true})
				d := x.Detail().Response
				if x.Failure() != test.failure || len(x.Body) != test.retained || d.BodyBytes != int64(test.counted) {
					t.Errorf("failure %q, retained %d, counted %d", x.Failure(), len(x.Body), d.BodyBytes)
				}
				if d.Truncated != (test.size > maxRecorded) || x.TooLarge != (test.failure != "") || cap(x.Body) > 2*maxRecorded {
					t.Errorf("truncated %v, too large %v, %d bytes held", d.Truncated, x.TooLarge, cap(x.Body))
				}
			})
		}
	}
}

func TestBrokenAnswersToOneWayRequests(t *testing.T) {
	long := strings.Repeat("a", 2*maxRecorded)
	for name, test := range map[string]struct {
		answer, want string
	}{
		"closes in what is retained": {"200 OK\r\nContent-Length: 9\r\n\r\n{}", "connection closed before the whole answer came"},
		"closes in what is dropped":  {"200 OK\r\nContent-Length: 999999\r\n\r\n" + long, "connection closed before the whole answer came"},
		"closes in a chunk":          {"200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffff\r\n" + long, "connection closed before the whole answer came"},
		"a lying length":             {"200 OK\r\nContent-Length: 5000000\r\n\r\n{}", "connection closed before the whole answer came"},
		"a redirect into a network":  {"307 X\r\nLocation: http://169.254.169.254/\r\nContent-Length: 0\r\n\r\n", "answered 307 Temporary Redirect"},
		"gone":                       {"410 Gone\r\nContent-Length: 0\r\n\r\n", "answered 410 Gone"},
	} {
		t.Run(name, func(t *testing.T) {
			var requests atomic.Int32
			url := listen(t, func(conn net.Conn) {
				readRequest(bufio.NewReader(conn))
				requests.Add(1)
				io.WriteString(conn, "HTTP/1.1 "+test.answer)
			})
			x := newClient(t, nil).Post(t.Context(), Request{URL: url, OneWay: true})
			if x.Failure() != test.want || x.Class() != Retry || requests.Load() != 1 || cap(x.Body) > 2*maxRecorded {
				t.Errorf("failure %q, class %v, %d requests, %d bytes held", x.Failure(), x.Class(), requests.Load(), cap(x.Body))
			}
		})
	}
}

func TestAOneWayAnswerThatNeverEndsTimesOut(t *testing.T) {
	url := listen(t, func(conn net.Conn) {
		readRequest(bufio.NewReader(conn))
		io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 999999\r\n\r\n"+strings.Repeat("a", maxRecorded))
		trickle(conn)
	})
	x := newClient(t, nil).Post(t.Context(), Request{URL: url, OneWay: true, Timeout: time.Second})
	if x.Failure() != "timed out after 1s" || x.Status != 200 {
		t.Errorf("status %d, failure %q", x.Status, x.Failure())
	}
}
