package e2e

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// wrongClock is the variable of a binary that has its own idea of the time.
const wrongClock = "WRONG_CLOCK_SECONDS"

// patientLease is for nodes of which none dies, so that a busy machine takes none for dead. Nobody
// waits for its end: what a node leaves behind that ends well is taken over before.
const patientLease = "ORDERHOOK_LEASE_TIME=PT10M"

// withWrongClock builds an orderhook whose clock is wrong by as many seconds as a variable
// says, and which says so at its start. What takes the time from package time itself only
// measures how long something lasts.
func withWrongClock(t *testing.T) string {
	t.Helper()
	const package_ = "internal/app/"
	return otherBinary(t, "v1.2.3", map[string]string{
		package_ + "options.go": edited(t, "../../"+package_+"options.go", "o.Clock = clock.Real{}\n", "o.Clock = wrongClock{clock.Real{}}\n"),
		package_ + "wrongclock.go": `package app

import (
	"os"
	"strconv"
	"time"

	"github.com/orderhook/orderhook/internal/clock"
)

type wrongClock struct{ clock.Real }

func (wrongClock) Now() time.Time { return time.Now().Add(wrongBy) }

var wrongBy = func() time.Duration {
	by, _ := strconv.Atoi(os.Getenv("` + wrongClock + `"))
	println("the clock is wrong by", by)
	return time.Duration(by) * time.Second
}()
`})
}

// TestNodesWithWrongClocks has two nodes work whose clocks are an hour and a half apart, and both
// wrong. What they do, and what they say about it, goes by the clock of the database, which is
// that of this test. A clock that is not put right is wrong by more than a test may take, so no
// bound has to be narrow.
func TestNodesWithWrongClocks(t *testing.T) {
	t.Parallel()
	binary := withWrongClock(t)
	traces := newCollector(t)
	to := "OTEL_EXPORTER_OTLP_ENDPOINT=" + traces.URL
	c := newClusterOf(t, &node{binary: binary, env: []string{wrongClock + "=-3600", patientLease, to}}, &node{binary: binary, env: []string{wrongClock + "=1800", patientLease, to}})
	a, b := c.nodes[0].server.Load(), c.nodes[1].server.Load()
	awaitShards(t, a, 32, 32)
	awaitShards(t, b, 32, 32)
	for s, by := range map[*server]string{a: "-3600", b: "1800"} {
		if !strings.Contains(s.errOut.String(), "the clock is wrong by "+by+"\n") {
			t.Fatalf("the clock of a node is right: %s", s.errOut)
		}
	}
	t.Run("a run's maxDuration", func(t *testing.T) { testWrongMaxDuration(t, a, b) })
	t.Run("rates", func(t *testing.T) { testWrongRate(t, a, b) })
	t.Run("retries", func(t *testing.T) { testWrongRetries(t, c, a, b) }) // ends b
	for _, s := range []*server{a, b} {
		for _, wrong := range []string{"a node has died", "took this one for dead"} {
			if strings.Contains(s.errOut.String(), wrong) {
				t.Errorf("a node lost its leases: %s", s.errOut)
			}
		}
	}
	a.stop(t)
	wrongSpans(t, traces)
}

// clockLeeway is by how much a time may be off: what this test has taken until it looks, and by
// how much clocks are left wrong where the way to the database is slow. It is far less than what
// the clocks of the nodes are wrong by.
const clockLeeway = 10 * time.Minute

// wrongSpans: each span of either node begins at the time that it is, and none before the one
// that it lies beneath, as far as clocks can be put right.
func wrongSpans(t *testing.T, of *collector) {
	began := map[string]time.Time{}
	for _, s := range of.spans {
		began[id(s.SpanId)] = time.Unix(0, int64(s.StartTimeUnixNano))
		if off := time.Since(began[id(s.SpanId)]); off.Abs() > clockLeeway {
			t.Errorf("%s began %v ago", s.Name, off)
		}
	}
	for _, name := range []string{"workflow run", "step call", "event call", "commit"} {
		beneath := 0
		for _, s := range of.named(name) {
			parent, there := began[id(s.ParentSpanId)]
			if !there {
				continue
			}
			beneath++
			if early := parent.Sub(began[id(s.SpanId)]); early > clockLeeway {
				t.Errorf("%s began %v before what it lies beneath", s.Name, early)
			}
		}
		if beneath == 0 {
			t.Errorf("no %s lies beneath anything", name)
		}
	}
}

// about is an error unless a time is that of this test.
func about(t *testing.T, what string, at time.Time) {
	t.Helper()
	if off := time.Since(at); off.Abs() > clockLeeway {
		t.Errorf("%s is %v, which is %v ago", what, at, off)
	}
}

func timeOf(t *testing.T, m map[string]any, field string) time.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339, fmt.Sprint(m[field]))
	if err != nil {
		t.Errorf("%s: %v", field, err)
	}
	return at
}

// soonest is how long what takes 3 s has to take at least: clocks may be left wrong by as much
// as the way to the database is slow.
const soonest = 1500 * time.Millisecond

// testWrongMaxDuration: a workflow that may take 3 s takes 3 s, whichever node takes the
// order and whichever has its queue. By a clock that is late it would not end in this test.
func testWrongMaxDuration(t *testing.T, nodes ...*server) {
	r := newReceiver(t, always(http.StatusServiceUnavailable))
	settings := `{"orderTypes":[{"name":"Online","orderStatuses":[{"name":"New","maxDuration":"PT3S","workflowSteps":[
		{"name":"WebhookWorkflowStep","active":true,"connector":"Webhook","stopOnError":true,"properties":[{"key":"Host","value":"` + r.URL + `"}]}]}]}]}`
	for _, s := range nodes { // so that neither has to hear of it
		s.expect(t, 200, "PUT", "/api/settings", crashKey, settings)
	}
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			id, s := fmt.Sprint("LATE-", i), nodes[i%2]
			began := time.Now()
			s.callWith("POST", "/api/orders", crashKey, fmt.Sprintf(`{"id":%q,"orderType":"Online","customerEmail":"kari@example.com"}`, id))
			o := awaitEnd(t, nodes[(i+1)%2], id)
			if took := time.Since(began); o.run["status"] != "aborted" || took < soonest {
				t.Errorf("%s: the run ended after %v: %v", id, took, o.run)
			}
			about(t, "the order's time", timeOf(t, o.order, "created"))
		})
	}
	wg.Wait()
}

// testWrongRate: an endpoint gets its rate, whoever publishes.
func testWrongRate(t *testing.T, nodes ...*server) {
	r := newReceiver(t, nil)
	nodes[0].subscribe(t, crashKey, r.URL, `"eventTypes":["Rated"],"rateLimit":4`)
	began := time.Now()
	for i := range 12 {
		nodes[i%2].expect(t, 202, "POST", "/api/events", crashKey, `{"type":"Rated","data":{}}`)
	}
	r.await(t, "all events", func(got []receipt) bool { return len(got) == 12 })
	if took := time.Since(began); took < soonest {
		t.Errorf("12 events at 4 a second took %v", took)
	}
}

// testWrongRetries: what one node has put off for 4 s the other sends when these have
// passed, after the first has ended, and not only when a lease would be over. Signatures and
// records are of the time that it is.
func testWrongRetries(t *testing.T, c *cluster, a, b *server) {
	type arrival struct{ first, second time.Time }
	var mu sync.Mutex
	arrivals := map[string]*arrival{}
	r := newReceiver(t, func(w http.ResponseWriter, _ *http.Request, one receipt) {
		now := time.Now()
		if seconds, err := strconv.ParseInt(one.header.Get("Webhook-Timestamp"), 10, 64); err != nil || now.Sub(time.Unix(seconds, 0)).Abs() > clockLeeway {
			t.Errorf("at %v it was signed as of %d (%v)", now, seconds, err)
		}
		mu.Lock()
		defer mu.Unlock()
		if arrivals[one.ID] == nil {
			arrivals[one.ID] = &arrival{first: now}
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		arrivals[one.ID].second = now
	})
	const endpoints = 12 // some of each node
	for i := range endpoints {
		a.subscribe(t, crashKey, fmt.Sprint(r.URL, "/", i), fmt.Sprintf(`"eventTypes":["late_%d"],"retrySchedule":["PT4S"]`, i))
	}
	for i := range endpoints {
		[]*server{a, b}[i%2].expect(t, 202, "POST", "/api/events", crashKey, fmt.Sprintf(`{"type":"late_%d","data":{}}`, i))
	}
	r.await(t, "first attempts", func(got []receipt) bool { return len(got) == endpoints })
	c.nodes[1].dead.Store(true)
	b.stop(t)
	r.await(t, "second attempts", func(got []receipt) bool { return len(got) == 2*endpoints })
	mu.Lock()
	defer mu.Unlock()
	for id, at := range arrivals {
		if waited := at.second.Sub(at.first); waited < soonest {
			t.Errorf("%s was sent again after %v", id, waited)
		}
	}
	for _, e := range items(a.expect(t, 200, "GET", "/api/events?limit=10", crashKey, "")) {
		about(t, "an event's time", timeOf(t, e, "timestamp"))
	}
	for _, attempt := range items(a.expect(t, 200, "GET", "/api/attempts?limit=20", crashKey, "")) {
		about(t, "an attempt's time", timeOf(t, attempt, "startedAt"))
	}
}
