package e2e

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"testing"
)

var freeAddresses atomic.Int32

// freeAddress returns a loopback address that nobody listened on just now. It is another one than
// 127.0.0.1 where the system has more of them, as Linux does: a port of that may be given to
// somebody else before the test listens there, or listens there again.
func freeAddress(t *testing.T) string {
	t.Helper()
	n := freeAddresses.Add(1)
	l, err := net.Listen("tcp", fmt.Sprintf("127.%d.%d.%d:0", 1+os.Getpid()%250, 1+n/250, 1+n%250))
	if err != nil {
		l, err = net.Listen("tcp", "127.0.0.1:0")
	}
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// page returns what an address answers, with a key if there is one.
func (s *server) page(t *testing.T, url, key string) (status int, body string) {
	t.Helper()
	req, err := http.NewRequest(http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	if key != "" {
		req.Header.Set("Authorization", "Bearer "+key)
	}
	resp, err := s.client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(text)
}

// TestMetrics: what a server did is told at --listen to keys of its own tenant, and at
// --metrics-listen to everybody; and no secret is among it.
func TestMetrics(t *testing.T) {
	t.Parallel()
	w := newWhere(t)
	metrics, debug := freeAddress(t), freeAddress(t)
	s := w.serve(t, "--metrics-listen", metrics, "--debug-listen", debug)
	reader := strings.TrimSpace(w.succeeds(t, "keys", "create", "--role", "reader", "--name", "prometheus"))
	other := strings.TrimSpace(w.succeeds(t, "keys", "create", "--tenant", "acme", "--role", "admin", "--name", "shop"))
	s.expect(t, http.StatusCreated, "POST", "/api/orders", s.newKey, `{"id":"ORD-1"}`)
	for key, want := range map[string]int{"": 401, "ohk_wrong": 401, other: 403, reader: 200} {
		if status, body := s.page(t, s.url+"/metrics", key); status != want {
			t.Errorf("with the key %q answered %d: %.200s", key, status, body)
		}
	}
	status, text := s.page(t, "http://"+metrics+"/metrics", "")
	if status != 200 {
		t.Fatalf("answered %d: %.200s", status, text)
	}
	for _, line := range []string{`orderhook_http_request_duration_seconds_count{method="POST",route="/api/orders",status="201"} 1`,
		`orderhook_http_request_duration_seconds_count{method="GET",route="/metrics",status="403"} 1`, "orderhook_database_up 1",
		`orderhook_deliveries_waiting{tenant="acme"} 0`, `orderhook_budget_size{budget="calls"} 2048`, "orderhook_wal_bytes ", "orderhook_disk_free_bytes "} {
		if !strings.Contains(text, line) {
			t.Errorf("no %s in\n%s", line, text)
		}
	}
	for _, secret := range []string{s.newKey, reader, other} {
		if strings.Contains(text, secret) {
			t.Error("a key is among the metrics")
		}
	}
	if status, _ := s.page(t, "http://"+metrics+"/api/orders", s.newKey); status != 404 {
		t.Errorf("the API is at --metrics-listen, too: %d", status)
	}
	if status, body := s.page(t, "http://"+debug+"/debug/pprof/goroutine?debug=1", ""); status != 200 || !strings.Contains(body, "goroutine profile") {
		t.Errorf("profiles: %d, %.100s", status, body)
	}
	if _, body := s.page(t, s.url+"/debug/pprof/goroutine?debug=1", s.newKey); strings.Contains(body, "goroutine profile") {
		t.Error("profiles are at --listen")
	}
	s.stop(t)
	for _, address := range []string{metrics, debug} {
		if l, err := net.Listen("tcp", address); err != nil {
			t.Errorf("%s is still taken after the stop: %v", address, err)
		} else {
			_ = l.Close()
		}
	}
}

func TestAddressesForOperators(t *testing.T) {
	t.Parallel()
	w := newWhere(t)
	w.refuses(t, "must be a loopback address", "serve", "--debug-listen", "0.0.0.0:6060")
	w.refuses(t, "is not of the form", "serve", "--debug-listen", "6060")
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	w.refuses(t, "address already in use", "serve", "--metrics-listen", taken.Addr().String())
}
