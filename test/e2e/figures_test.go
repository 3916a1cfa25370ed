package e2e

import (
	"io"
	"net/http"
	"strings"
	"testing"
)

// TestFigures: each figure that an operator goes by is told on either engine, and is true
// of a server of which the test knows all that it does: 1 step that waits, 3 deliveries to
// an endpoint that is down, 1 breaker that is open, 1 request that is refused.
func TestFigures(t *testing.T) {
	for name, at := range map[string]func(*testing.T) where{
		"SQLite":     func(t *testing.T) where { return newWhere(t) },
		"PostgreSQL": onPostgreSQL,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			figures(t, at(t).watch(t, "--max-requests", "8/8"), name == "SQLite")
		})
	}
}

func figures(t *testing.T, w *watched, file bool) {
	down := newReceiver(t, func(w http.ResponseWriter, _ *http.Request, _ receipt) { w.WriteHeader(503) })
	w.subscribe(t, crashKey, down.URL, `"eventTypes":["thing"],"retrySchedule":["PT1H"]`)
	w.expect(t, 200, "PUT", "/api/settings", crashKey, strings.Replace(workflow(down.URL), `"token": "s3cret"`,
		`"breaker": {"failures": 1, "window": "00:01:00", "openFor": "02:00:00", "whileOpen": "wait"}`, 1))
	w.expect(t, 202, "POST", "/api/events", crashKey, `[{"type":"thing","data":{}},{"type":"thing","data":{}},{"type":"thing","data":{}}]`)
	go w.call("POST", "/api/orders", crashKey, `{"id":"ORD-1","orderType":"Online"}`)
	down.await(t, "the step and three deliveries", func(got []receipt) bool { return len(got) >= 4 })
	waits := func(s scrape) bool {
		return s.value("orderhook_runs_unfinished", `status="waiting"`) == 1 && s.value("orderhook_connector_breakers", `state="open"`) == 1 &&
			s.value("orderhook_attempts_unindexed", "") >= 4 && s.value("orderhook_run_oldest_seconds", `status="waiting"`) > 0
	}
	w.scrapeUntil(t, "a run that waits, and what was sent is recorded", waits)
	// After that: uploads that stand still are not held for ever, and the database is asked rarely.
	until(t, "the limit", func() bool {
		w.hold(t, crashKey)
		return w.call("GET", "/api/orders", crashKey, "").status == http.StatusTooManyRequests
	})
	s := w.scrapeUntil(t, "a run that waits, beside requests", func(s scrape) bool {
		return waits(s) && s.value("orderhook_budget_used", `budget="requests"`) > 0
	})
	for _, f := range []struct {
		name, labels string
		least, most  float64
	}{
		{"orderhook_deliveries_waiting", `tenant="default"`, 3, 3},
		{"orderhook_delivery_oldest_seconds", `tenant="default"`, 0.001, 600},
		{"orderhook_runs_unfinished", `status="running"`, 0, 0},
		{"orderhook_run_oldest_seconds", `status="waiting"`, 0.001, 600},
		{"orderhook_endpoint_queues", "", 1, 1},
		{"orderhook_connector_breakers", "", 1, 1},
		{"orderhook_call_duration_seconds_count", `kind="event",outcome="failed"`, 3, 3},
		{"orderhook_call_duration_seconds_count", `kind="step",outcome="failed"`, 1, 9},
		{"orderhook_http_request_duration_seconds_count", `route="/api/events",status="202"`, 1, 1},
		{"orderhook_budget_size", `budget="calls"`, 2048, 2048},
		{"orderhook_budget_used", `budget="calls"`, 0, 1},
		{"orderhook_budget_used", `budget="requests"`, 1, 8},
		{"orderhook_requests_refused_total", `limit="requests"`, 1, 100},
		{"orderhook_database_up", "", 1, 1},
		{"orderhook_writes_waiting", "", 0, 8},
		{"orderhook_writes_total", "", 6, 1000}, // the size of a group is by commits
		{"orderhook_commits_total", "", 1, s.value("orderhook_writes_total", "")},
		{"orderhook_commit_failures_total", "", 0, 0},
		{"orderhook_commit_seconds_total", "", 0.000001, 600},
		{"orderhook_last_commit_timestamp_seconds", "", 1.7e9, 1e11},
		{"orderhook_database_bytes", "", 8192, 1e9},
		{"orderhook_attempts_unindexed", "", 4, 20},
		{"orderhook_retention_lag_seconds", `tenant="default"`, 0, 0},
		{"go_goroutines", "", 10, 10_000},
		{"process_open_fds", "", 5, 10_000},
	} {
		if got := s.value(f.name, f.labels); got < f.least || got > f.most {
			t.Errorf("%s{%s} is %v, which should be from %v to %v", f.name, f.labels, got, f.least, f.most)
		}
	}
	for _, name := range []string{"orderhook_wal_bytes", "orderhook_disk_free_bytes"} { // of a database server nobody knows them
		if got := s.value(name, ""); got > 0 != file {
			t.Errorf("%s is %v", name, got)
		}
	}
	native(t, w)
}

// native sees that histograms are native to those who take these: in the format that
// has them, each holds the schema of its buckets.
func native(t *testing.T, w *watched) {
	t.Helper()
	req, err := http.NewRequest(http.MethodGet, "http://"+w.metrics+"/metrics", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Accept", "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=text")
	resp, err := w.scraper.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != 200 {
		t.Fatal(resp.Status, err)
	}
	for _, name := range []string{"orderhook_http_request_duration_seconds", "orderhook_call_duration_seconds"} {
		_, family, found := strings.Cut(string(text), name)
		family, _, _ = strings.Cut(family, "help:\"orderhook")
		if !found || !strings.Contains(family, "positive_span") {
			t.Errorf("%s has no native buckets", name)
		}
	}
}
