package e2e

import (
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// asked runs `orderhook healthcheck` against an address, and returns what it came to.
func asked(t *testing.T, w where, address string, args ...string) result {
	t.Helper()
	return w.with("ORDERHOOK_LISTEN="+address).run(t, append([]string{"healthcheck"}, args...)...)
}

// TestHealthcheck asks servers that are well, that are not ready, and that are not there, with
// the flags that the server has.
func TestHealthcheck(t *testing.T) {
	t.Parallel()
	w := newWhere(t)
	s := w.serve(t)
	_, port, _ := net.SplitHostPort(strings.TrimPrefix(s.url, "http://"))
	for _, address := range []string{"127.0.0.1:" + port, ":" + port, "0.0.0.0:" + port, "localhost:" + port} {
		if r := asked(t, w, address); r.code != 0 || r.out != "ready\n" || r.errOut != "" {
			t.Errorf("at %s a server that is well: %+v", address, r)
		}
	}
	if err := os.Remove(filepath.Join(w.dir, "orderhook.db")); err != nil {
		t.Fatal(err)
	}
	if r := asked(t, w, "127.0.0.1:"+port); r.code != 1 || !strings.Contains(r.errOut, "answers 503: ") || strings.Count(r.errOut, "\n") != 1 {
		t.Errorf("one that lost its database: %+v", r)
	}
	if r := asked(t, w, "127.0.0.1:"+port, "--live"); r.code != 0 || r.out != "ok\n" {
		t.Errorf("one that lost its database is alive: %+v", r)
	}
	s.signal(t, os.Kill)
	<-s.ended
	if r := asked(t, w, "127.0.0.1:"+port, "--live"); r.code != 1 || !strings.Contains(r.errOut, "connection refused") {
		t.Errorf("one that is not there: %+v", r)
	}
}

// TestHealthcheckOverTLS: the server's certificate is for another name than loopback's.
func TestHealthcheckOverTLS(t *testing.T) {
	t.Parallel()
	w := newWhere(t, "ORDERHOOK_TLS_CERT=cert.pem", "ORDERHOOK_TLS_KEY=key.pem")
	certificate(t, w)
	s := w.serve(t)
	address := strings.TrimPrefix(s.url, "https://")
	if r := asked(t, w, strings.Replace(address, "127.0.0.1", "localhost", 1)); r.code != 0 || r.out != "ready\n" {
		t.Errorf("over TLS: %+v", r)
	}
	s.stop(t)
}

// TestHealthcheckOfOneThatHangs: who does not answer is not well, and nobody waits for ever.
func TestHealthcheckOfOneThatHangs(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	hangs := &http.Server{Handler: http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-done })}
	go func() { _ = hangs.Serve(l) }()
	t.Cleanup(func() { close(done); _ = hangs.Close() })
	if r := asked(t, newWhere(t), l.Addr().String(), "--timeout", "200ms"); r.code != 1 || !strings.Contains(r.errOut, "does not answer within 200ms") {
		t.Errorf("one that hangs: %+v", r)
	}
}
