package telemetry

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/orderhook/orderhook/internal/admission"
	"github.com/orderhook/orderhook/internal/fair"
	"github.com/orderhook/orderhook/internal/nodes"
	"github.com/orderhook/orderhook/internal/settings"
	"github.com/orderhook/orderhook/internal/store"
)

var noon = time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)

// database says the same until err is set.
type database struct {
	tenants []string
	asked   int
	err     error
}

func (d *database) Tenants(context.Context) ([]string, error) { return d.tenants, d.err }

func (d *database) Waiting(_ context.Context, tenant string) (store.Waiting, error) {
	return store.Waiting{Deliveries: store.Count{N: 7}, OldestDelivery: noon.Add(-90 * time.Second),
		Waiting: store.WaitingRuns{Count: store.Count{N: 3}, Oldest: noon.Add(-time.Hour)}}, d.err
}

func (d *database) Figures(context.Context) (store.Figures, error) {
	d.asked++
	return store.Figures{WritesWaiting: 2, Commits: 5, Writes: 50, CommitsFailed: 1, Committing: 1500 * time.Millisecond, LastCommit: noon, Bytes: 1 << 20, LogBytes: 4096, DiskFree: 1 << 30, Unindexed: 12, Lateness: 3 * time.Second}, d.err
}

func (d *database) Settings(context.Context, string) (*settings.Settings, error) {
	return &settings.Settings{Retention: settings.Retention{Attempts: 24 * time.Hour}}, d.err
}

func (d *database) OldestAttempt(context.Context, string) (time.Time, error) {
	return noon.Add(-25 * time.Hour), d.err
}

// scrape returns what a scrape is answered.
func scrape(t *testing.T, m *Metrics) string {
	t.Helper()
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	if w.Code != 200 {
		t.Fatalf("answered %d: %s", w.Code, w.Body)
	}
	return w.Body.String()
}

func has(t *testing.T, text string, lines ...string) {
	t.Helper()
	for _, line := range lines {
		if !strings.Contains(text, line+"\n") {
			t.Errorf("no line %q", line)
		}
	}
}

func TestCounts(t *testing.T) {
	m := New("1.2.3")
	m.Request("POST", "/api/orders", 201, 3*time.Millisecond)
	m.Request("POST", "/api/orders", 201, 30*time.Second)
	for i := range 100 {
		m.Request(fmt.Sprint("VERB", i), "", 404, time.Millisecond)
	}
	m.Call("acme", "step", true, 20*time.Millisecond)
	m.Call("acme", "event", false, time.Second)
	m.OwnTrouble("event")
	text := scrape(t, m)
	has(t, text, `orderhook_build_info{version="1.2.3"} 1`,
		`orderhook_http_request_duration_seconds_count{method="POST",route="/api/orders",status="201"} 2`,
		`orderhook_http_request_duration_seconds_bucket{method="POST",route="/api/orders",status="201",le="0.005"} 1`,
		`orderhook_http_request_duration_seconds_count{method="",route="none",status="404"} 100`,
		`orderhook_call_duration_seconds_count{kind="step",outcome="succeeded",tenant="acme"} 1`,
		`orderhook_call_duration_seconds_count{kind="event",outcome="failed",tenant="acme"} 1`,
		`orderhook_call_own_troubles_total{kind="event"} 1`)
	if !strings.Contains(text, "go_goroutines") || !strings.Contains(text, "process_open_fds") {
		t.Error("nothing of the process")
	}
	if strings.Contains(text, "VERB") {
		t.Error("a caller made up a label")
	}
}

// TestTenantsAreBounded: who makes tenants makes no series without end.
func TestTenantsAreBounded(t *testing.T) {
	m := New("")
	for i := range mostNames + 50 {
		m.Call(fmt.Sprint("tenant-", i), "event", true, time.Millisecond)
	}
	text := scrape(t, m)
	has(t, text, `orderhook_call_duration_seconds_count{kind="event",outcome="succeeded",tenant="tenant-0"} 1`,
		`orderhook_call_duration_seconds_count{kind="event",outcome="succeeded",tenant="(others)"} 50`)
}

func TestStates(t *testing.T) {
	db, now := &database{tenants: []string{"acme"}}, noon
	m, calls := New(""), fair.New(10)
	part, err := calls.Take(t.Context(), fair.Key{Tenant: "acme"}, 4)
	if err != nil {
		t.Fatal(err)
	}
	defer part.Give()
	gate := admission.New(admission.Limits{Requests: admission.Limit{All: 1, PerTenant: 1}, Bytes: admission.Limit{All: 1, PerTenant: 1}})
	rates, wrong := new(admission.KeyRates), new(admission.WrongKeys)
	for range 3 { // the first is let through
		_ = rates.Take("key_1", 0.5, time.Unix(1000, 0))
	}
	for range 14 { // the first ten are
		wrong.Note(netip.MustParseAddr("192.0.2.1"), time.Unix(1000, 0))
	}
	m.Watch(t.Context(), Sources{Store: db, Gate: gate, Work: admission.NewWork(1), KeyRates: rates, WrongKeys: wrong, Outgoing: calls, Answers: fair.New(1 << 20),
		Breakers: func() map[string]int { return map[string]int{"open": 3} }, Queues: func() map[string]int { return map[string]int{"circuit": 2} }, Leases: alone, Now: func() time.Time { return now }, Log: slog.New(slog.DiscardHandler)})
	has(t, scrape(t, m), `orderhook_budget_used{budget="calls"} 4`, `orderhook_budget_size{budget="calls"} 10`, `orderhook_endpoint_queues{state="circuit"} 2`,
		`orderhook_database_up 1`, `orderhook_writes_waiting 2`, `orderhook_commits_total 5`, `orderhook_commit_failures_total 1`, `orderhook_commit_seconds_total 1.5`,
		`orderhook_wal_bytes 4096`, `orderhook_attempts_unindexed 12`, `orderhook_attempt_lateness_seconds 3`, `orderhook_deliveries_waiting{tenant="acme"} 7`, `orderhook_retention_lag_seconds{tenant="acme"} 3600`, `orderhook_connector_breakers{state="open"} 3`, `orderhook_delivery_oldest_seconds{tenant="acme"} 90`,
		`orderhook_runs_unfinished{status="waiting",tenant="acme"} 3`, `orderhook_run_oldest_seconds{status="waiting",tenant="acme"} 3600`,
		`orderhook_run_oldest_seconds{status="running",tenant="acme"} 0`)
	if text := scrape(t, m); !strings.Contains(text, "orderhook_shards 64\n") || strings.Contains(text, "orderhook_lease") {
		t.Error("one that is alone has no shards, or leases to renew")
	}
	ticket, err := gate.Enter("acme")
	if err != nil {
		t.Fatal(err)
	}
	defer ticket.Leave()
	if _, err := gate.Enter("acme"); err == nil {
		t.Fatal("two of one request were let in")
	}
	has(t, scrape(t, m), `orderhook_requests_refused_total{limit="requests"} 1`, `orderhook_requests_refused_total{limit="key_rate"} 2`, `orderhook_requests_refused_total{limit="wrong_keys"} 4`, `orderhook_budget_used{budget="requests"} 1`)
	if db.asked != 1 {
		t.Errorf("the database was asked %d times for scrapes within 10 s", db.asked)
	}
	db.err, now = errors.New("gone"), now.Add(askEvery)
	text := scrape(t, m)
	has(t, text, "orderhook_database_up 0", `orderhook_endpoint_queues{state="circuit"} 2`)
	if strings.Contains(text, "orderhook_deliveries_waiting{") {
		t.Error("a database that does not answer is quoted")
	}
	db.err, now = nil, now.Add(askEvery)
	has(t, scrape(t, m), "orderhook_database_up 1")
}

// TestAServerBesidePostgreSQL has no log and no disk of its own.
func TestAServerBesidePostgreSQL(t *testing.T) {
	m := New("")
	m.Watch(t.Context(), Sources{Store: remote{&database{}}, Gate: admission.New(admission.Limits{}), Work: admission.NewWork(1), KeyRates: new(admission.KeyRates), WrongKeys: new(admission.WrongKeys), Outgoing: fair.New(1), Answers: fair.New(1),
		Breakers: func() map[string]int { return map[string]int{"open": 3} }, Queues: func() map[string]int { return nil }, Leases: func() nodes.Leases {
			return nodes.Leases{Shared: true, Shards: 22, Sure: true, Age: 1500 * time.Millisecond}
		}, Now: time.Now, Log: slog.New(slog.DiscardHandler)})
	if text := scrape(t, m); strings.Contains(text, "orderhook_wal_bytes") || strings.Contains(text, "orderhook_disk_free_bytes") {
		t.Error("it quotes files that are not there")
	} else {
		has(t, text, "orderhook_shards 22", "orderhook_leases_sure 1", "orderhook_lease_age_seconds 1.5")
	}
}

func alone() nodes.Leases { return nodes.Alone().Leases() }

type remote struct{ *database }

func (r remote) Figures(ctx context.Context) (store.Figures, error) {
	f, err := r.database.Figures(ctx)
	f.LogBytes = -1
	return f, err
}
