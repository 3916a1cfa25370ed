package contract

import (
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/orderhook/orderhook/internal/outbound"
)

// docs/contract.md#outcomes: where no whole answer comes.

// hijacked answers with what do does to the bare connection.
func hijacked(t *testing.T, do func(conn *net.TCPConn)) func(http.ResponseWriter, int) {
	return func(w http.ResponseWriter, _ int) {
		conn, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		do(conn.(*net.TCPConn))
		_ = conn.Close()
	}
}

const half = "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{\"OrderPatch\":"

func TestBrokenConnectionsAreRetried(t *testing.T) {
	for _, row := range []struct {
		name, reason string
		do           func(*net.TCPConn)
	}{
		{"closed without an answer", "connection closed without an answer", func(*net.TCPConn) {}},
		{"closed in the middle of the body", "connection closed before the whole answer came", func(c *net.TCPConn) { _, _ = io.WriteString(c, half) }},
		{"no HTTP", "invalid HTTP response", func(c *net.TCPConn) { _, _ = io.WriteString(c, "SSH-2.0-OpenSSH_9.6\r\n\r\n") }},
		{"headers without end", "response headers over 64 KiB", func(c *net.TCPConn) {
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nX-Long: "+strings.Repeat("x", 100<<10)+"\r\n\r\n")
		}},
	} {
		t.Run(row.name, func(t *testing.T) { failedOnce(t, hijacked(t, row.do), 4, row.reason) })
	}
}

func TestAResetInTheMiddleOfTheBodyIsRetried(t *testing.T) {
	failedOnce(t, func(w http.ResponseWriter, n int) {
		w.Header().Set("Content-Length", "1000")
		_, _ = io.WriteString(w, `{"OrderPatch":`)
		_ = http.NewResponseController(w).Flush()
		hijacked(t, func(c *net.TCPConn) { _ = c.SetLinger(0) })(w, n)
	}, 4, "connection")
}

// unreachable checks a step whose endpoint cannot be called.
func unreachable(t *testing.T, r *rig, url string, attempts int, reason string) {
	t.Helper()
	r.settings(config(status("New", step{Host: url, Stop: true, ErrorStatus: "Unchecked"})))
	res := r.post(order)
	res.is("isAborted", true).is("order.status", "Unchecked").is("orderActionExecutionResults[0].attempts", attempts)
	if got := res.at("orderActionExecutionResults[0].errorReason"); !strings.HasPrefix(got.(string), reason) {
		t.Errorf("reason %v, want %s", got, reason)
	}
	equals(t, "waits", len(r.clock.Waits()), attempts-1)
	r.get("/api/attempts?status=none").is("items[0].number", attempts).is("items[0].status", nil)
}

func TestRefusedConnectionIsRetried(t *testing.T) {
	s := httptest.NewServer(http.NotFoundHandler())
	s.Close()
	unreachable(t, lease(t), s.URL, 4, "connection refused")
}

func TestUnknownHostIsRetried(t *testing.T) {
	unreachable(t, lease(t), "http://orders.invalid/hook", 4, "")
}

func TestTLSErrorIsRetried(t *testing.T) {
	s := httptest.NewUnstartedServer(http.NotFoundHandler())
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.StartTLS()
	defer s.Close()
	unreachable(t, lease(t), s.URL, 4, "TLS: certificate signed by unknown authority")
}

// What a refusal says would admit the target.
const (
	hostRefused    = "; outgoing.allowHosts in the config file admits it"
	privateRefused = "; --allow-private-targets (allowPrivateTargets), or outgoing.allowHosts in the config file, admits it"
)

func TestTargetGuardIsNotRetried(t *testing.T) {
	s := answering(t, success)
	strict := start(t, func(o *outbound.Options) { o.Guard = outbound.Guard{} })
	for _, row := range []struct {
		name, url, reason string
		allowed           bool // private targets
	}{
		{"loopback", s.URL, "127.0.0.1 is a loopback address", false},
		{"loopback by name", strings.Replace(s.URL, "127.0.0.1", "localhost", 1), "", false},
		{"private", "http://10.1.2.3/hook", "10.1.2.3 is a private address", false},
		{"mapped into IPv6", "http://[::ffff:10.0.0.1]/", "10.0.0.1 is a private address", false},
		{"metadata, private targets allowed", "http://169.254.169.254/latest", "169.254.169.254 is a metadata address", true},
		{"link-local, private targets allowed", "http://169.254.1.1/", "169.254.1.1 is a link-local address", true},
	} {
		t.Run(row.name, func(t *testing.T) {
			r := strict
			if row.allowed {
				r = lease(t)
			}
			unreachable(t, r, row.url, 1, "refused by the target guard: "+row.reason)
			r.call("DELETE", theOrder+"?permanently=true", "").want(204)
		})
	}
	equals(t, "requests", len(s.got()), 0)
}
