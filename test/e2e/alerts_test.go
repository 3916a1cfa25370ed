package e2e

import (
	"bytes"
	"database/sql"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	toxiproxy "github.com/Shopify/toxiproxy/v2"
	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
	"github.com/rs/zerolog"
)

// alertRules are those that are published.
const alertRules = "../../monitoring/alerts.yml"

// trouble brings a server into the state that an alert is about. It returns scrapes: of
// before, and of then, one or more, each some minutes after the one before.
type trouble func(t *testing.T) []scrape

// scrape is what Prometheus has of one scrape: the value of each series.
type scrape map[string]string

var troubles = map[string]trouble{
	"OrderhookDown":               whenDown,
	"OrderhookDatabaseDown":       whenItsDatabaseIsDown,
	"OrderhookNodeMakesNoCalls":   whenANodeIsCutOff,
	"OrderhookLeasesLate":         whenANodeIsCutOff,
	"OrderhookCommitsFail":        whenNothingCanBeWritten,
	"OrderhookServerErrors":       whenNothingCanBeWritten,
	"OrderhookDiskAlmostFull":     whenTheDiskIsAlmostFull,
	"OrderhookDeliveriesLate":     whenDeliveriesAreLate,
	"OrderhookRunsLate":           whenRunsAreLate,
	"OrderhookCallsFail":          whenCallsFail,
	"OrderhookCircuitsOpen":       whenCallsFail,
	"OrderhookRefusesRequests":    whenLimitsAreReached,
	"OrderhookOutOfResources":     whenThereAreTooFewDescriptors,
	"OrderhookSearchBehind":       whenTheIndexIsBehind,
	"OrderhookCertificateExpires": whenTheCertificateExpires,
	"OrderhookReloadFailed":       whenAReloadFails,
}

// TestEachAlertFires: the real binary is brought into the state that each alert of the
// published rules is about, and Prometheus's own tool says of its scrapes that the alert
// fires then, and did not before.
func TestEachAlertFires(t *testing.T) {
	tool, err := exec.LookPath("promtool")
	if err != nil {
		lacking(t, "promtool: on Debian it is in the package prometheus")
	}
	text, err := os.ReadFile(alertRules)
	if err != nil {
		t.Fatal(err)
	}
	alerts := regexp.MustCompile(`(?m)^ *- alert: (\w+)$`).FindAllStringSubmatch(string(text), -1)
	if len(alerts) != len(troubles) {
		t.Errorf("there are %d alerts, and %d of them are tested", len(alerts), len(troubles))
	}
	for _, a := range alerts {
		t.Run(a[1], func(t *testing.T) {
			t.Parallel()
			bring := troubles[a[1]]
			if bring == nil {
				t.Fatal("nobody says when it fires")
			}
			evaluate(t, tool, a[1], bring(t))
		})
	}
}

// Minutes that a scrape holds: the one of before, each that follows, and the last.
const (
	minutesBefore = 5
	minutesEach   = 6
	minutesLast   = 40
)

// evaluate has promtool evaluate the rules over scrapes, one a minute.
func evaluate(t *testing.T, tool, alert string, scrapes []scrape) {
	t.Helper()
	rules, err := filepath.Abs(alertRules)
	if err != nil {
		t.Fatal(err)
	}
	names, length := map[string]bool{}, make([]int, len(scrapes))
	for i, s := range scrapes {
		length[i] = minutesEach
		for name := range s {
			names[name] = true
		}
	}
	length[0], length[len(length)-1] = minutesBefore, minutesLast
	type series struct {
		Series string `json:"series"`
		Values string `json:"values"`
	}
	var input []series
	for name := range names {
		var values []string
		for i, s := range scrapes {
			value, there := s[name]
			if !there {
				value = "_"
			}
			values = append(values, slices.Repeat([]string{value}, length[i])...)
		}
		input = append(input, series{name, strings.Join(values, " ")})
	}
	firing := fmt.Sprintf(`sgn(count(count_over_time(ALERTS{alertname=%q,alertstate="firing"}[90m]))) or vector(0)`, alert)
	is := func(minute int, want float64) map[string]any {
		return map[string]any{"expr": firing, "eval_time": fmt.Sprint(minute, "m"), "exp_samples": []any{map[string]any{"labels": "{}", "value": want}}}
	}
	last := 0
	for _, n := range length {
		last += n
	}
	file := filepath.Join(t.TempDir(), "test.json")
	text, err := json.Marshal(map[string]any{"rule_files": []string{rules}, "evaluation_interval": "1m", "tests": []any{map[string]any{
		"interval": "1m", "input_series": input, "promql_expr_test": []any{is(minutesBefore-1, 0), is(last-1, 1)}}}})
	if err == nil {
		err = os.WriteFile(file, text, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	if out, err := exec.CommandContext(t.Context(), tool, "test", "rules", file).CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
}

// watched is a server that Prometheus scrapes.
type watched struct {
	*server
	metrics string
	scraper *http.Client
}

// watch starts a server with metrics for everybody.
func (w where) watch(t *testing.T, args ...string) *watched {
	t.Helper()
	metrics := freeAddress(t)
	return &watched{w.with("ORDERHOOK_API_KEY="+crashKey).serve(t, append(args, "--metrics-listen", metrics)...), metrics, &http.Client{Timeout: patience}}
}

var sample = regexp.MustCompile(`^([a-z_]+)(?:\{(.*)\})? (\S+)$`)

// scrape returns what Prometheus would have of the server: with its own series up, which
// is 0, and all there is, where the server does not answer.
func (w *watched) scrape(t *testing.T) scrape {
	t.Helper()
	const of = `job="orderhook",instance="i"`
	resp, err := w.scraper.Get("http://" + w.metrics + "/metrics")
	if err != nil {
		return scrape{"up{" + of + "}": "0"}
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != 200 {
		t.Fatalf("the metrics are answered %d: %v", resp.StatusCode, err)
	}
	s := scrape{"up{" + of + "}": "1"}
	for line := range strings.Lines(string(text)) {
		found := sample.FindStringSubmatch(strings.TrimSpace(line))
		if found == nil || strings.HasSuffix(found[1], "_bucket") {
			continue
		}
		value, err := strconv.ParseFloat(found[3], 64)
		if err != nil {
			t.Fatal(line)
		}
		labels := of
		if found[2] != "" {
			labels += "," + found[2]
		}
		s[found[1]+"{"+labels+"}"] = strconv.FormatFloat(value, 'f', -1, 64)
	}
	return s
}

// scrapeUntil scrapes until what comes is so: the database is asked every ten seconds at most.
func (w *watched) scrapeUntil(t *testing.T, what string, is func(scrape) bool) (s scrape) {
	t.Helper()
	for deadline := time.Now().Add(3 * patience); time.Now().Before(deadline); time.Sleep(200 * time.Millisecond) {
		if s = w.scrape(t); is(s) {
			return s
		}
	}
	t.Fatalf("%s does not come about: %v", what, s)
	return nil
}

// value is that of the series of a name whose labels hold a text, 0 for none.
func (s scrape) value(name, labels string) (v float64) {
	for series, text := range s {
		if strings.HasPrefix(series, name+"{") && strings.Contains(series, labels) {
			n, _ := strconv.ParseFloat(text, 64)
			v += n
		}
	}
	return v
}

func whenDown(t *testing.T) []scrape {
	w := newWhere(t).watch(t)
	before := w.scrape(t)
	_ = w.cmd.Process.Kill()
	<-w.ended
	w.scraper.CloseIdleConnections()
	return []scrape{before, w.scrape(t)}
}

func whenItsDatabaseIsDown(t *testing.T) []scrape {
	return whenItCannotReachItsDatabase(t, "a database that is down", func(s scrape) bool { return s.value("orderhook_database_up", "") == 0 })
}

func whenANodeIsCutOff(t *testing.T) []scrape {
	return whenItCannotReachItsDatabase(t, "a lease that may be over", func(s scrape) bool {
		return s.value("orderhook_leases_sure", "") == 0 && s.value("orderhook_lease_age_seconds", "") > 15
	})
}

// whenItCannotReachItsDatabase cuts a server off from PostgreSQL, and scrapes it until what
// comes of that is so.
func whenItCannotReachItsDatabase(t *testing.T, what string, is func(scrape) bool) []scrape {
	t.Helper()
	zerolog.SetGlobalLevel(zerolog.Disabled)
	at := onPostgreSQL(t)
	address := hostOf(t, at)
	proxy := toxiproxy.NewProxy(toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop()), "database", "127.0.0.1:0", address)
	if err := proxy.Start(); err != nil {
		t.Fatal(err)
	}
	w := at.with(strings.Replace(at.env[0], address, proxy.Listen, 1)).watch(t)
	before := w.scrape(t)
	proxy.Stop()
	return []scrape{before, w.scrapeUntil(t, what, is)}
}

// whenTheCertificateExpires has a certificate of a day follow one of a hundred days.
func whenTheCertificateExpires(t *testing.T) []scrape {
	at := newWhere(t)
	certificateFor(t, at, 100*24*time.Hour)
	w := at.watch(t, "--tls-cert", "cert.pem", "--tls-key", "key.pem")
	expires := func(s scrape) float64 { return s.value("orderhook_tls_certificate_expiry_timestamp_seconds", "") }
	before := w.scrape(t)
	certificateFor(t, at, 24*time.Hour)
	w.reload(t)
	after := w.scrapeUntil(t, "the other certificate", func(s scrape) bool { return expires(s) > 0 && expires(s) < expires(before) })
	// promtool's time begins at 0.
	for _, s := range []scrape{before, after} {
		for series := range s {
			if strings.HasPrefix(series, "orderhook_tls_certificate_expiry_timestamp_seconds{") {
				s[series] = strconv.FormatFloat(expires(s)-float64(time.Now().Unix()), 'f', -1, 64)
			}
		}
	}
	return []scrape{before, after}
}

func whenAReloadFails(t *testing.T) []scrape {
	at := newWhere(t)
	at.file(t, "orderhook.json", `{}`)
	w := at.watch(t)
	before := w.scrape(t)
	at.file(t, "orderhook.json", `{"maxRequests": "no number"}`)
	w.reload(t)
	return []scrape{before, w.scrapeUntil(t, "a reload that failed", func(s scrape) bool { return s.value("orderhook_reload_failed", "") == 1 })}
}

func whenNothingCanBeWritten(t *testing.T) []scrape {
	at := newWhere(t)
	w := at.watch(t)
	before := w.scrape(t)
	limit := exec.Command("prlimit", "--pid", fmt.Sprint(w.cmd.Process.Pid), "--fsize="+fmt.Sprint(largest(t, at.dir))+":")
	if out, err := limit.CombinedOutput(); err != nil {
		t.Fatalf("prlimit: %v %s", err, out)
	}
	until(t, "a refusal", func() bool {
		return w.publish(crashKey, "thing", "", map[string]string{"text": strings.Repeat("a", 100_000)}).status == 503
	})
	return []scrape{before, w.scrapeUntil(t, "a failed commit", func(s scrape) bool { return s.value("orderhook_commit_failures_total", "") > 0 })}
}

func whenTheDiskIsAlmostFull(t *testing.T) []scrape {
	at := newWhere(t)
	large := at.watch(t).scrape(t)
	if large.value("orderhook_disk_free_bytes", "") < 1e9 {
		lacking(t, "disk with more than 1 GB left")
	}
	metrics := freeAddress(t)
	for _, namespaces := range [][]string{{"--mount"}, {"--user", "--map-root-user", "--mount"}} {
		small := newWhere(t)
		if inside := mounted(t, small, namespaces); inside != nil {
			s := start(t, inside(binary, "serve", "--metrics-listen", metrics, "--database", filepath.Join(mountPoint(small), "orderhook.db")))
			return []scrape{large, (&watched{s, metrics, http.DefaultClient}).scrape(t)}
		}
	}
	lacking(t, "small disk: that takes root, or a kernel that lets others make namespaces")
	return nil
}

func whenDeliveriesAreLate(t *testing.T) []scrape {
	w := newWhere(t).watch(t)
	to := newReceiver(t, func(w http.ResponseWriter, _ *http.Request, _ receipt) { w.WriteHeader(503) })
	w.subscribe(t, crashKey, to.URL, `"eventTypes":["*"],"retrySchedule":["PT1H"]`)
	before := w.scrape(t)
	w.expect(t, 202, "POST", "/api/events", crashKey, fmt.Sprintf(`{"type":"thing","timestamp":%q,"data":{}}`, time.Now().Add(-20*time.Minute).UTC().Format(time.RFC3339)))
	return []scrape{before, w.scrapeUntil(t, "an event that waits", func(s scrape) bool { return s.value("orderhook_deliveries_waiting", "") == 1 })}
}

// whenRunsAreLate has a run that waits for its retries be older than it is: nobody waits
// an hour for a test.
func whenRunsAreLate(t *testing.T) []scrape {
	at := newWhere(t)
	w := at.watch(t)
	to := newReceiver(t, func(w http.ResponseWriter, _ *http.Request, _ receipt) { w.WriteHeader(503) })
	w.expect(t, 200, "PUT", "/api/settings", crashKey, strings.Replace(workflow(to.URL), `"token": "s3cret"`, `"breaker": {"failures": 1, "window": "00:01:00", "openFor": "02:00:00", "whileOpen": "wait"}`, 1))
	before := w.scrape(t)
	go w.call("POST", "/api/orders", crashKey, `{"id":"ORD-1","orderType":"Online"}`)
	w.scrapeUntil(t, "a run that waits", func(s scrape) bool { return s.value("orderhook_runs_unfinished", `status="waiting"`) == 1 })
	db, err := sql.Open("sqlite", "file:"+filepath.Join(at.dir, "orderhook.db")+"?_pragma=busy_timeout(10000)")
	if err == nil {
		_, err = db.ExecContext(t.Context(), `UPDATE runs SET created = created - 7200000000`)
	}
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	return []scrape{before, w.scrapeUntil(t, "a run that waits for long", func(s scrape) bool {
		return s.value("orderhook_run_oldest_seconds", `status="waiting"`) > 3600
	})}
}

// whenCallsFail also opens the circuit of the endpoint.
func whenCallsFail(t *testing.T) []scrape {
	w := newWhere(t).watch(t)
	to := newReceiver(t, func(w http.ResponseWriter, _ *http.Request, _ receipt) { w.WriteHeader(503) })
	e := w.subscribe(t, crashKey, to.URL, `"eventTypes":["*"],"retrySchedule":["PT1H"]`)
	scrapes := []scrape{w.scrape(t)}
	for n := 1; n <= 4; n++ {
		for i := range 10 {
			w.mustPublish(t, crashKey, "thing", fmt.Sprint(n, "-", i), map[string]int{"n": i})
		}
		w.awaitFailed(t, crashKey, e, min(10*n, 30))
		scrapes = append(scrapes, w.scrape(t))
	}
	scrapes[4] = w.scrapeUntil(t, "an open circuit", func(s scrape) bool { return s.value("orderhook_endpoint_queues", `state="circuit"`) == 1 })
	return scrapes
}

func whenLimitsAreReached(t *testing.T) []scrape {
	w := newWhere(t).watch(t, "--max-requests", "2/2")
	before := w.scrape(t)
	until(t, "the limit", func() bool {
		w.hold(t, crashKey)
		return w.call("GET", "/api/orders", crashKey, "").status == http.StatusTooManyRequests
	})
	return []scrape{before, w.scrape(t)}
}

// whenThereAreTooFewDescriptors has an event sent again and again, each time through a new
// connection, for which there is now and then no descriptor.
func whenThereAreTooFewDescriptors(t *testing.T) []scrape {
	w := newWhere(t).watch(t)
	to := newReceiver(t, func(w http.ResponseWriter, _ *http.Request, _ receipt) {
		w.Header().Set("Connection", "close")
		w.WriteHeader(503)
	})
	w.subscribe(t, crashKey, to.URL, `"eventTypes":["*"],"retrySchedule":["PT1S"`+strings.Repeat(`,"PT1S"`, 19)+`]`)
	before := w.scrape(t)
	w.mustPublish(t, crashKey, "thing", "", map[string]int{"n": 1})
	limit := func(n string) {
		t.Helper()
		if out, err := exec.Command("prlimit", "--pid", fmt.Sprint(w.cmd.Process.Pid), "--nofile="+n+":").CombinedOutput(); err != nil {
			t.Fatalf("prlimit: %v %s", err, out)
		}
	}
	// What is open stays open. A scrape may need a new connection, so it has its descriptors.
	after := w.scrapeUntil(t, "trouble of its own", func(s scrape) bool {
		if s.value("orderhook_call_own_troubles_total", "") > 0 {
			return true
		}
		limit("3")
		time.Sleep(1500 * time.Millisecond)
		limit("1000")
		return false
	})
	return []scrape{before, after}
}

// whenTheIndexIsBehind keeps the index of bodies from being built: a transaction of somebody
// else's stays open, so that nobody can say which attempts are still to come.
func whenTheIndexIsBehind(t *testing.T) []scrape {
	at := onPostgreSQL(t)
	w := at.watch(t)
	var arrived sync.WaitGroup
	to := newReceiver(t, nil)
	for range 6 {
		w.subscribe(t, crashKey, to.URL, `"eventTypes":["*"]`)
	}
	before := w.scrape(t)
	db, err := sql.Open("pgx", strings.TrimPrefix(at.env[0], "ORDERHOOK_DATABASE="))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	tx, err := db.BeginTx(t.Context(), nil)
	if err == nil {
		_, err = tx.ExecContext(t.Context(), `SELECT pg_current_xact_id()`)
	}
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback() }()
	list := `[` + strings.Repeat(`{"type":"thing","data":{}},`, 899) + `{"type":"thing","data":{}}]`
	for range 2 {
		arrived.Go(func() {
			if a := w.call("POST", "/api/events", crashKey, list); a.status != 202 {
				t.Errorf("publishing: %d %s %v", a.status, cutText(a.text), a.err)
			}
		})
	}
	arrived.Wait()
	return []scrape{before, w.scrapeUntil(t, "an index that is behind", func(s scrape) bool { return s.value("orderhook_attempts_unindexed", "") >= 10_000 })}
}

func cutText(text string) string {
	return string(bytes.ToValidUTF8([]byte(text[:min(len(text), 300)]), nil))
}
