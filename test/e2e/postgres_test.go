package e2e

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	toxiproxy "github.com/Shopify/toxiproxy/v2"
	"github.com/rs/zerolog"

	"github.com/orderhook/orderhook/internal/store/pgtest"
	"github.com/orderhook/orderhook/internal/store/postgres"
)

// onPostgreSQL is newWhere with a database on a PostgreSQL server. The password in its URL
// is one that the server does not ask for.
func onPostgreSQL(t *testing.T) where {
	t.Helper()
	url := strings.Replace(pgtest.Database(t, postgres.Migrate), "@", ":s3cret@", 1)
	return newWhere(t, "ORDERHOOK_DATABASE="+url, "ORDERHOOK_ENCRYPTION_KEY=a key of thirty-two characters, or more")
}

func TestPostgreSQL(t *testing.T) {
	t.Parallel()
	w := onPostgreSQL(t)
	if out := w.succeeds(t, "migrate"); strings.Contains(out, "s3cret") || !strings.Contains(out, "postgres://127.0.0.1") {
		t.Errorf("migrate prints %q", out)
	}
	key := strings.TrimSpace(w.succeeds(t, "keys", "create", "--role", "admin"))
	s := w.serve(t)
	s.expect(t, 202, "POST", "/api/events", key, `{"type":"Something","data":{"a":1}}`)
	s.expect(t, 200, "GET", "/readyz", "", "")
	s.stop(t)
	if strings.Contains(s.errOut.String(), "s3cret") {
		t.Errorf("a password is logged: %s", s.errOut)
	}
	s = w.serve(t)
	if got := items(s.expect(t, 200, "GET", "/api/events", key, "")); len(got) != 1 {
		t.Errorf("%d events are there after a restart", len(got))
	}
	s.stop(t)
	w.with("ORDERHOOK_ENCRYPTION_KEY=another key of thirty-two characters").refuses(t, "does not fit the database", "serve")
	w.with("ORDERHOOK_ENCRYPTION_KEY=").refuses(t, "needs an encryption key", "serve")
}

// awaitStatus returns once a URL is answered so.
func awaitStatus(t *testing.T, url string, status int) {
	t.Helper()
	last := 0
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if a, err := http.Get(url); err == nil {
			_ = a.Body.Close()
			if last = a.StatusCode; last == status {
				return
			}
		}
	}
	t.Fatalf("%s is answered %d", url, last)
}

// faultsOfTheWay are what ails the network between a server and its database.
var faultsOfTheWay = []string{
	`{"type":"latency","attributes":{"latency":40,"jitter":30}}`,
	`{"type":"reset_peer","attributes":{"timeout":0}}`,
	`{"type":"reset_peer","stream":"upstream","attributes":{"timeout":100}}`,
	`{"type":"limit_data","attributes":{"bytes":20000}}`,
	`{"type":"limit_data","stream":"upstream","attributes":{"bytes":20000}}`,
	`{"type":"slicer","attributes":{"average_size":50,"size_variation":20,"delay":10}}`,
	`{"type":"timeout","attributes":{"timeout":300}}`,
}

// TestFaultsOfTheWayToTheDatabase befall a server while events are published: each that was
// acknowledged arrives, and in order.
func TestFaultsOfTheWayToTheDatabase(t *testing.T) {
	t.Parallel()
	zerolog.SetGlobalLevel(zerolog.Disabled)
	w := onPostgreSQL(t).with("ORDERHOOK_API_KEY=" + crashKey)
	address := hostOf(t, w)
	proxy := toxiproxy.NewProxy(toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop()), "database", "127.0.0.1:0", address)
	if err := proxy.Start(); err != nil {
		t.Fatal(err)
	}
	defer proxy.Stop()
	s := w.with(strings.Replace(w.env[0], address, proxy.Listen, 1)).serve(t)
	all := newCrashReceivers(t)
	all.subscribe(t, s)
	l := startLoad(uint64(time.Now().UnixNano()), s)
	for _, toxic := range faultsOfTheWay {
		heal := fault{toxic: toxic}.begin(t, proxy)
		time.Sleep(500 * time.Millisecond) // for connections to meet it
		heal()
		acknowledged := l.facts.acknowledged()
		for end := time.Now().Add(patience); l.facts.acknowledged() < acknowledged+30; time.Sleep(5 * time.Millisecond) {
			if time.Now().After(end) {
				t.Fatalf("after %s nothing goes on: %s", toxic, s.errOut)
			}
		}
	}
	facts := l.end(t)
	awaitStatus(t, s.url+"/readyz", 200)
	all.check(t, s, facts)
	s.stop(t)
	if t.Failed() {
		t.Log(s.errOut)
	}
}

// hostOf is where the server of a database listens.
func hostOf(t *testing.T, w where) string {
	t.Helper()
	u, err := url.Parse(strings.TrimPrefix(w.env[0], "ORDERHOOK_DATABASE="))
	if err != nil {
		t.Fatal(err)
	}
	return u.Host
}
