package e2e

import (
	"bufio"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// leastSeen is how often a server is looked at, at least: of a quarter of that there is a median.
const leastSeen = 20

// footprint is what a server takes of its machine at a moment.
type footprint struct{ memory, descriptors, goroutines int }

var goroutines = regexp.MustCompile(`(?m)^go_goroutines ([0-9]+)$`)

// footprint reads it from the system and from the metrics.
func (s *server) footprint(t *testing.T) (f footprint) {
	t.Helper()
	process := fmt.Sprintf("/proc/%d/", s.cmd.Process.Pid)
	open, err := os.ReadDir(process + "fd")
	if err != nil {
		t.Skip("this system does not say what a process has open:", err)
	}
	f.descriptors = len(open)
	statm, err := os.ReadFile(process + "statm")
	if err != nil {
		t.Fatal(err)
	}
	pages, err := strconv.Atoi(strings.Fields(string(statm))[1])
	if err != nil {
		t.Fatal(err)
	}
	f.memory = pages * os.Getpagesize()
	status, text := s.page(t, s.url+"/metrics", s.newKey)
	found := goroutines.FindStringSubmatch(text)
	if status != http.StatusOK || found == nil {
		t.Fatalf("no goroutines in the metrics: %d %.200s", status, text)
	}
	f.goroutines, _ = strconv.Atoi(found[1])
	return f
}

// closing is an endpoint that closes each connection after its answer, and does not say so.
func closing(t *testing.T) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				if req, err := http.ReadRequest(bufio.NewReader(conn)); err == nil {
					_, _ = io.Copy(io.Discard, req.Body)
					_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
				}
			}()
		}
	}()
	return "http://" + l.Addr().String()
}

// TestNothingLeaksUnderLoad: memory, descriptors and goroutines of a server stay where they are
// while it delivers to endpoints of all sorts, over connections that are made anew all the
// time. LEAK_MINUTES says for how long.
func TestNothingLeaksUnderLoad(t *testing.T) {
	t.Parallel()
	lasts := 8 * time.Second
	if minutes, err := strconv.ParseFloat(os.Getenv("LEAK_MINUTES"), 64); err == nil {
		lasts = time.Duration(minutes * float64(time.Minute))
	}
	s := newWhere(t).serve(t, "--connection-max-age", "PT1S")
	var arrived atomic.Int64 // at the endpoint that answers at once
	answer := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		if r.URL.Path == "/" && r.TLS == nil {
			arrived.Add(1)
		}
		switch r.URL.Path {
		case "/hang":
			<-r.Context().Done()
		case "/long":
			_, _ = w.Write(make([]byte, 1<<20))
		case "/fail":
			w.WriteHeader(http.StatusInternalServerError)
		}
	})
	plain, secure, http2 := httptest.NewServer(answer), httptest.NewTLSServer(answer), httptest.NewUnstartedServer(answer)
	http2.EnableHTTP2 = true
	http2.StartTLS()
	for _, server := range []*httptest.Server{plain, secure, http2} {
		t.Cleanup(func() { server.CloseClientConnections(); server.Close() })
	}
	trusting := func(c *x509.Certificate) string {
		return fmt.Sprintf(`,"tls":{"ca":%q}`, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw}))
	}
	const once = `"eventTypes":["*"],"timeout":"PT0.2S","retrySchedule":["PT1S"]`
	for url, more := range map[string]string{
		plain.URL: "", plain.URL + "/long": "", plain.URL + "/hang": "", plain.URL + "/fail": "", secure.URL: trusting(secure.Certificate()),
		secure.URL + "/hang": trusting(secure.Certificate()), http2.URL: trusting(http2.Certificate()), closing(t): "", "http://127.0.0.1:1": "",
	} {
		s.subscribe(t, s.newKey, url, once+more)
	}
	var seen []footprint
	data := map[string]string{"text": strings.Repeat("many words ", 100)}
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	begun, n := time.Now(), 0
	for next := time.Duration(0); time.Since(begun) < lasts || len(seen) < leastSeen; <-tick.C {
		// What waits takes memory, too: there is no more of it where the machine is slow.
		until(t, "the arrival of what was published", func() bool { return int64(n)-arrived.Load() < 30 })
		for range 3 {
			n++
			s.mustPublish(t, s.newKey, "leak", fmt.Sprint("leak-", n), data)
		}
		if time.Since(begun) >= next {
			seen = append(seen, s.footprint(t))
			next += lasts / 80
		}
	}
	// The first quarter is for what fills up once: caches, buffers, the heap that may wait for
	// the collector.
	quarter := len(seen) / 4
	for what, c := range map[string]struct {
		of    func(footprint) int
		spare int // what they may rise by, beside a quarter: noise of a short run
	}{
		"bytes of memory": {func(f footprint) int { return f.memory }, 48 << 20},
		"descriptors":     {func(f footprint) int { return f.descriptors }, 20},
		"goroutines":      {func(f footprint) int { return f.goroutines }, 40},
	} {
		early, late := middle(seen[quarter:2*quarter], c.of), middle(seen[3*quarter:], c.of)
		t.Logf("%s: %d, then %d", what, early, late)
		if late > early+early/4+c.spare {
			t.Errorf("%d %s became %d in %s of load", early, what, late, lasts)
		}
	}
}

// middle is the median of a part of some footprints.
func middle(all []footprint, of func(footprint) int) int {
	var figures []int
	for _, f := range all {
		figures = append(figures, of(f))
	}
	slices.Sort(figures)
	return figures[len(figures)/2]
}
