package e2e

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/orderhook/orderhook/internal/store/pgtest"
	"github.com/orderhook/orderhook/internal/store/postgres"
)

// settingsOfRole are what the role has to have behind a pooler, as docs/scaling.md says.
var settingsOfRole = []string{"enable_seqscan = off", "enable_hashjoin = off", "enable_mergejoin = off", "enable_bitmapscan = off", "enable_sort = off", "enable_material = off",
	"jit = off", "idle_in_transaction_session_timeout = 10000"}

func names(settings []string) (names []string) {
	for _, s := range settings {
		name, _, _ := strings.Cut(s, " ")
		names = append(names, name)
	}
	return names
}

// TestBehindPgBouncer in the mode transaction all is as without, also when it is started
// anew under load. What is missing for it is said at the start.
func TestBehindPgBouncer(t *testing.T) {
	t.Parallel()
	pooler := pgtest.NewPooler(t, names(settingsOfRole)...)
	direct := pgtest.Database(t, postgres.Migrate)
	pooled := pooler.URL(direct) + "&default_query_exec_mode=cache_describe"
	w := newWhere(t, "ORDERHOOK_ENCRYPTION_KEY="+serverKey, "ORDERHOOK_API_KEY="+crashKey, "ORDERHOOK_DATABASE="+pooled)
	w.refuses(t, "give them to its role with ALTER ROLE … SET, one by one: enable_bitmapscan = 'off', enable_hashjoin", "serve")
	setForDatabase(t, direct)
	empty := pgtest.Empty(t)
	setForDatabase(t, empty)
	w.with("ORDERHOOK_DATABASE="+pooler.URL(empty)+"&default_query_exec_mode=cache_describe").refuses(t, "cannot be brought up to date through a pooler", "serve")

	if err := pooler.Restart(); err != nil { // its connections have the settings of when they were made
		t.Fatal(err)
	}
	s := w.serve(t)
	endpoint := newCrashEndpoint(t)
	s.expect(t, 200, "PUT", "/api/settings", crashKey, endpoint.settings())
	all := newCrashReceivers(t)
	all.subscribe(t, s)
	l := startLoad(uint64(time.Now().UnixNano()), s)
	for range 3 {
		acknowledged := l.facts.acknowledged()
		for late := time.Now().Add(patience); l.facts.acknowledged() < acknowledged+100; time.Sleep(5 * time.Millisecond) {
			if time.Now().After(late) {
				t.Fatalf("nothing goes on: %s", s.errOut)
			}
		}
		if err := pooler.Restart(); err != nil {
			t.Fatal(err)
		}
		awaitStatus(t, s.url+"/readyz", 200)
	}
	facts := l.end(t)
	all.check(t, s, facts)
	for i := range 20 {
		s.expect(t, 202, "POST", "/api/orders?wait=false", crashKey, fmt.Sprintf(`{"id":%q,"orderType":"Online","status":"New"}`, orderID(i)))
	}
	for i := range 20 {
		endpoint.check(t, awaitEnd(t, s, orderID(i)), i)
	}
	events := s.expect(t, 200, "GET", "/api/events?count=true", crashKey, "").body["count"]
	for _, path := range []string{"/api/orders?q=ORD-0001", "/api/attempts?body=ORD-0001", "/api/overview", "/api/deliveries?count=true", "/api/runs?count=true"} {
		s.expect(t, 200, "GET", path, crashKey, "")
	}
	s.stop(t)
	// A server that ends cancels what it asks, and PgBouncer 1.18 may end of that by an error
	// of its own (disconnect_client(): bad client state).
	if err := pooler.Restart(); err != nil {
		t.Fatal(err)
	}

	again := pgtest.Database(t, postgres.Migrate)
	w.succeeds(t, "migrate", "--from", pooled, "--from-encryption-key", serverKey, "--to", "file.db")
	setForDatabase(t, again)
	w.succeeds(t, "migrate", "--from", "file.db", "--to", pooler.URL(again)+"&default_query_exec_mode=cache_describe", "--to-encryption-key", fileKey)
	s = w.with("ORDERHOOK_DATABASE="+again, "ORDERHOOK_ENCRYPTION_KEY="+fileKey).serve(t)
	if n := s.expect(t, 200, "GET", "/api/events?count=true", crashKey, "").body["count"]; n != events {
		t.Errorf("%v events are in the copy, want %v", n, events)
	}
	s.stop(t)
}

// setForDatabase gives all connections of a database the settings.
func setForDatabase(t *testing.T, direct string) {
	t.Helper()
	ctx := context.Background()
	conn, err := pgx.Connect(ctx, direct)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(ctx)
	u, err := url.Parse(direct)
	if err != nil {
		t.Fatal(err)
	}
	for _, setting := range settingsOfRole {
		if _, err := conn.Exec(ctx, "ALTER DATABASE "+strings.TrimPrefix(u.Path, "/")+" SET "+setting); err != nil {
			t.Fatal(err)
		}
	}
}
