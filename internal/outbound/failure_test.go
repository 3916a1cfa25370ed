package outbound

import (
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/orderhook/orderhook/internal/event"
)

func TestNetworkFailures(t *testing.T) {
	dial := func(err error) error { return &net.OpError{Op: "dial", Net: "tcp", Err: err} }
	dialing, waiting, reading := wire{}, wire{remoteAddr: &net.TCPAddr{}}, wire{remoteAddr: &net.TCPAddr{}, answering: true}
	for _, test := range []struct {
		err  error
		w    wire
		want string
	}{
		{dial(&net.DNSError{Name: "x", IsNotFound: true}), dialing, "no such host"},
		{dial(&net.DNSError{Name: "x", IsTimeout: true}), dialing, "timed out resolving the host name"},
		{dial(&net.DNSError{Name: "x", IsTemporary: true}), dialing, "cannot resolve the host name"},
		{dial(os.NewSyscallError("connect", syscall.ECONNREFUSED)), dialing, "connection refused"},
		{dial(os.NewSyscallError("connect", syscall.EHOSTUNREACH)), dialing, "no route to host"},
		{dial(os.NewSyscallError("connect", syscall.ETIMEDOUT)), dialing, "connection timed out"},
		{dial(os.ErrDeadlineExceeded), dialing, "connection timed out"},
		{dial(errors.New("odd")), dialing, "cannot connect"},
		{os.NewSyscallError("write", syscall.EPIPE), waiting, "connection reset"},
		{io.EOF, waiting, "connection closed without an answer"},
		{io.EOF, wire{tlsFailed: true}, "TLS: connection closed during the handshake"},
		{fmt.Errorf("broken: %w", io.ErrUnexpectedEOF), reading, "connection closed before the whole answer came"},
		{errors.New(`malformed HTTP response "Bearer x"`), reading, "invalid HTTP response"},
	} {
		if got := networkFailure(test.err, test.w); string(got) != test.want {
			t.Errorf("%v: %q, want %q", test.err, got, test.want)
		}
	}
}

// tlsServer starts a TLS server that keeps the handshakes it lost to itself.
func tlsServer(t *testing.T, change func(*httptest.Server)) *httptest.Server {
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		panic(http.ErrAbortHandler)
	}))
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	change(s)
	s.StartTLS()
	t.Cleanup(s.Close)
	return s
}

func TestTLSFailures(t *testing.T) {
	one := tlsServer(t, func(*httptest.Server) {})
	two := tlsServer(t, func(s *httptest.Server) { s.EnableHTTP2 = true })
	_, port, _ := net.SplitHostPort(one.Listener.Addr().String())
	plain := serve(t, func(http.ResponseWriter, *http.Request) {})
	silent := listen(t, func(conn net.Conn) {
		conn.(*net.TCPConn).CloseWrite()
		io.Copy(io.Discard, conn) // closing with something unread would be a reset
	})
	for _, test := range []struct {
		url, want string
		trusted   bool
	}{
		{one.URL, "TLS: certificate signed by unknown authority", false},
		{"https://localhost:" + port, "TLS: certificate is valid for example.com, *.example.com, not localhost", true},
		{strings.Replace(plain, "http:", "https:", 1), "TLS: the server answers in plain HTTP", false},
		{strings.Replace(silent, "http:", "https:", 1), "TLS: connection closed during the handshake", false},
		{one.URL, "connection closed without an answer", true},
		{two.URL, "HTTP/2 exchange broken off", true},
	} {
		c := newClient(t, nil)
		if test.trusted {
			c = newClient(t, roots(one))
		}
		x := c.Post(t.Context(), Request{URL: test.url, Body: []byte(`{}`)})
		if x.Failure() != test.want || x.Class() != Retry {
			t.Errorf("%s: %q (class %v), want %q", test.url, x.Failure(), x.Class(), test.want)
		}
	}
}

func TestUncallableURLs(t *testing.T) {
	for _, url := range []string{
		"", "/path", "example.com/hook", "ftp://example.com/", "file:///etc/passwd", "http://", "http:///x", "http://:80/",
		"http:example.com", "http://exa mple.com/", "http://host:99999/", "http://host:x/", "https://u:p/w@host/", "http://[::1/",
	} {
		x := newClient(t, nil).Post(t.Context(), Request{URL: url})
		if !errors.Is(x.Err, ErrURL) || x.Class() != Final || x.Detail().Request.Headers == nil {
			t.Errorf("%q: %v, class %v", url, x.Err, x.Class())
		}
	}
}

// echo answers with what it was sent, as a misconfigured port might.
func echo(conn net.Conn) {
	io.CopyN(conn, conn, 100)
	conn.(*net.TCPConn).CloseWrite()
	io.Copy(io.Discard, conn)
}

func TestNoSecretIsShown(t *testing.T) {
	closed := listen(t, func(net.Conn) {})
	answering := serve(t, func(w http.ResponseWriter, r *http.Request) {
		http.SetCookie(w, &http.Cookie{Name: "session", Value: "s3cret"})
		w.WriteHeader(http.StatusInternalServerError)
	})
	hosts := []string{
		strings.TrimPrefix(listen(t, echo), "http://"), strings.TrimPrefix(closed, "http://"), strings.TrimPrefix(answering, "http://"),
		"127.0.0.1:1", "no.such.host.invalid", "169.254.169.254", "host:s3cret", "host:99999", "[::1", "ho st",
	}
	for _, host := range hosts {
		for _, scheme := range []string{"http", "https", "s3cret"} {
			for _, r := range []Request{
				{BearerToken: given("s3cret")}, {Token: given("s3cret")}, {Username: "user", Password: given("s3cret")},
				{BearerToken: given("s3cret\r\n")}, {SigningSecret: given("s3cret")}, {SigningSecret: given("whsec_s3cret")},
				{Header: []event.Header{{Name: "X-Key", Value: given("s3cret")}, {Name: "Authorization", Value: given("s3cret")}, {Name: "Accept", Value: given("s3cret\n")}}},
			} {
				r.URL = scheme + "://user:s3cret@" + host + "/s3cret?key=s3cret"
				x := newClient(t, nil).Post(t.Context(), r)
				if x.Class() == Answered {
					t.Fatalf("%s answers", r.URL)
				}
				shown := fmt.Sprintf("%s %v %+v %+v", x.Failure(), x.Err, x.Detail().Request, x.Detail().Response)
				for _, secret := range []string{"s3cret", basic("user", "s3cret"), "czNjcmV0"} {
					if strings.Contains(shown, secret) {
						t.Errorf("%s: %s", r.URL, shown)
					}
				}
			}
		}
	}
}
