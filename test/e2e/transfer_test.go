package e2e

import (
	"bufio"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/orderhook/orderhook/internal/store/pgtest"
)

const (
	fileKey   = "the key of the file, of thirty-two characters"
	serverKey = "the key of the server, of thirty-two characters"
)

// installation is a server's data, and the endpoints that it knows.
type installation struct {
	where
	to       *receiver // of events, and of steps that are answered
	held     *receiver // of a step that is answered once open is
	open     atomic.Bool
	endpoint endpoint
}

// newInstallation fills a database through the API with something of everything.
func newInstallation(t *testing.T, w where) *installation {
	t.Helper()
	i := &installation{where: w.with("ORDERHOOK_API_KEY="+crashKey, "ORDERHOOK_GRACE=PT1S")}
	i.to = newReceiver(t, nil)
	i.held = newReceiver(t, func(rw http.ResponseWriter, req *http.Request, _ receipt) {
		if !i.open.Load() {
			hang(rw, req, receipt{})
		}
	})
	refuses := newReceiver(t, always(http.StatusServiceUnavailable))
	s := i.serve(t)
	s.expect(t, 200, "PUT", "/api/settings", crashKey, `{}`)
	s.expect(t, 200, "PUT", "/api/settings", crashKey, fmt.Sprintf(`{"connectors": [{"name": "Shop", "host": %q, "token": "s3cret"}, {"name": "Slow", "host": %q, "token": "s3cret"}],
		"orderTypes": [{"name": "Online", "orderStatuses": [
			{"name": "New", "workflowSteps": [{"name": "WebhookWorkflowStep", "active": true, "connector": "Shop"}]},
			{"name": "Held", "workflowSteps": [{"name": "WebhookWorkflowStep", "active": true, "connector": "Slow"}]}]}]}`, i.to.URL, i.held.URL))
	i.endpoint = s.subscribe(t, crashKey, i.to.URL, `"eventTypes":["*"],"headers":{"X-Token":"t0ken"},"description":"Ünïcødé"`)
	never := s.subscribe(t, crashKey, refuses.URL, `"eventTypes":["Something"],"retrySchedule":["P7D"]`)
	gone := s.subscribe(t, crashKey, refuses.URL, `"eventTypes":["Something"],"retrySchedule":["PT1S"]`)
	for n := range 3 {
		s.mustPublish(t, crashKey, "Something", fmt.Sprint("evt-", n), map[string]any{"n": n, "text": "needle in a haystack"})
	}
	for n := range 4 {
		id := fmt.Sprint("ORD-", n)
		s.expect(t, 201, "POST", "/api/orders", crashKey, `{"id":"`+id+`","orderType":"Online","status":"New","externalIds":[{"providerName":"erp","id":"4711-`+id+`"}],"customerName":"Zoë `+"\\u0000"+`"}`)
		s.expect(t, 200, "PATCH", "/api/orders/"+id, crashKey, `{"tags":["patched"]}`)
	}
	s.expect(t, 202, "POST", "/api/orders?wait=false", crashKey, `{"id":"ORD-held","orderType":"Online","status":"Held"}`)
	s.expect(t, 201, "POST", "/api/orders", crashKey, `{"id":"ORD-large","orderType":"Else","note":"`+strings.Repeat("large ", 1<<20)+`"}`)
	s.expect(t, 201, "PUT", "/api/carts/C1", crashKey, `{"orderForm":{"lineItems":[{"lineItemId":"a","code":"SHOE","quantity":1,"placedPrice":899.00}]}}`)
	s.expect(t, 201, "PUT", "/api/stock/oslo:SHOE", crashKey, `{"sku":"SHOE","warehouseCode":"oslo","available":3.50}`)
	w.succeeds(t, "keys", "create", "--tenant", "acme", "--role", "admin", "--name", "of another tenant")
	i.held.await(t, "the call that is held", func(got []receipt) bool { return len(got) > 0 })
	s.awaitDeliveries(t, crashKey, i.endpoint)
	s.awaitDeliveries(t, crashKey, gone) // or what is still to fail would do so while answers are compared
	pending := s.deliveries(t, crashKey, never, "pending")
	s.expect(t, 200, "POST", "/api/deliveries/"+fmt.Sprint(pending[0]["id"])+"/cancel", crashKey, "")
	s.awaitJob(t, "/api/jobs/"+fmt.Sprint(s.expect(t, 202, "POST", "/api/endpoints/"+i.endpoint.id+"/recover", crashKey, `{"from":"2020-01-01T00:00:00Z","what":"missing"}`).body["id"]))
	s.stop(t)
	return i
}

// lists are what the API lists, each with what its items are read by.
var lists = map[string]string{
	"/api/orders": "/api/orders/", "/api/runs": "/api/runs/", "/api/carts": "/api/carts/", "/api/events": "/api/events/", "/api/endpoints": "/api/endpoints/",
	"/api/deliveries": "/api/deliveries/", "/api/attempts": "/api/attempts/", "/api/jobs": "/api/jobs/", "/api/keys": "/api/keys/",
	"/api/deliveries?status=pending": "", "/api/deliveries?status=succeeded": "", "/api/deliveries?status=failed": "", "/api/deliveries?status=canceled": "",
	"/api/attempts?body=haystack": "", "/api/audit": "", "/api/settings/history": "",
}

// lastUsed is what asking changes of the answers about keys.
var lastUsed = regexp.MustCompile(`"lastUsed":"[^"]*",?`)

// everything reads all that the API tells of an installation, by path.
func (s *server) everything(t *testing.T) map[string]string {
	t.Helper()
	all := map[string]string{}
	get := func(path string) {
		all[path] = lastUsed.ReplaceAllString(s.expect(t, 200, "GET", path, crashKey, "").text, "")
	}
	for list, one := range lists {
		found := s.listed(t, list)
		all[list] = lastUsed.ReplaceAllString(mustJSON(found), "")
		if len(found) == 0 {
			t.Errorf("%s is empty: the test proves nothing of it", list)
		}
		for _, item := range found {
			if one != "" {
				get(one + url.PathEscape(fmt.Sprint(item["id"])))
			}
			if one == "/api/orders/" {
				get(one + fmt.Sprint(item["id"]) + "/history")
				get(one + fmt.Sprint(item["id"]) + "/versions/1")
			}
		}
	}
	for _, path := range []string{"/api/settings", "/api/settings/1", "/api/settings/2", "/api/stock/oslo:SHOE", "/api/orders?externalId=4711-ORD-1"} {
		get(path)
	}
	return all
}

// listed reads all pages of a list: a search may end one early, where the machine is slow.
func (s *server) listed(t *testing.T, path string) (all []map[string]any) {
	t.Helper()
	u, err := url.Parse(path)
	if err != nil {
		t.Fatal(err)
	}
	for q := u.Query(); ; u.RawQuery = q.Encode() {
		page := s.expect(t, 200, "GET", u.String(), crashKey, "")
		all = append(all, items(page)...)
		next, more := page.body["nextCursor"].(string)
		if !more {
			return all
		}
		q.Set("cursor", next)
	}
}

// sameEverything says what is not as it was.
func sameEverything(t *testing.T, what string, before, after map[string]string) {
	t.Helper()
	for _, path := range slices.Sorted(maps.Keys(before)) {
		if after[path] != before[path] {
			t.Errorf("%s: %s was %.2000s and is %.2000s", what, path, before[path], after[path])
		}
	}
	if len(after) != len(before) || len(before) < 50 {
		t.Errorf("%s: %d answers, before %d", what, len(after), len(before))
	}
}

// TestAMoveToPostgreSQLAndBack: on each side everything is as it was, and goes on. It has the
// machine to itself: what it compares must not become due meanwhile.
func TestAMoveToPostgreSQLAndBack(t *testing.T) {
	w := newWhere(t, "ORDERHOOK_ENCRYPTION_KEY="+fileKey)
	w.file(t, "from.key", fileKey)
	w.file(t, "to.key", serverKey)
	i := newInstallation(t, w)
	s := i.serve(t)
	v := s.visitor(t)
	v.signIn(crashKey)
	before := s.everything(t)
	s.stop(t)

	database := strings.Replace(pgtest.Empty(t), "@", ":s3cret@", 1)
	there := []string{"migrate", "--from", "sqlite://orderhook.db", "--from-encryption-key-file", "from.key", "--to", database, "--to-encryption-key-file", "to.key"}
	r := w.run(t, there...)
	if want := "is a copy of orderhook.db\n"; r.code != 0 || !strings.HasSuffix(r.out, want) || strings.Contains(r.out+r.errOut, "s3cret") {
		t.Fatalf("code %d, %s%s", r.code, r.out, r.errOut)
	}
	if !strings.Contains(r.errOut, "checked orders: 6 rows, checksum ") {
		t.Errorf("stderr is %s", r.errOut)
	}
	w.refuses(t, "--to: it is not empty", there...)
	onServer := i.with("ORDERHOOK_DATABASE="+database, "ORDERHOOK_ENCRYPTION_KEY="+serverKey)
	s = onServer.serve(t)
	sameEverything(t, "on PostgreSQL", before, s.everything(t))
	v = v.at(t, s)
	v.in(true)
	s.mustPublish(t, crashKey, "Else", "evt-there", map[string]any{"n": 1})
	s.awaitDeliveries(t, crashKey, i.endpoint)
	i.checkArrived(t, "evt-there")
	s.mustPublish(t, crashKey, "Else", "evt-0", map[string]any{}) // it is there already
	s.stop(t)
	s = onServer.serve(t) // what was in memory alone is from the database now
	before = s.everything(t)
	w.refuses(t, "--from: the database is in use by another orderhook", "migrate", "--from", database, "--from-encryption-key", serverKey, "--to", "second.db")
	s.stop(t)

	w.succeeds(t, "migrate", "--from", database, "--from-encryption-key-file", "to.key", "--to", "sqlite://second.db")
	s = i.with("ORDERHOOK_DATABASE=sqlite://second.db", "ORDERHOOK_ENCRYPTION_KEY=").serve(t)
	sameEverything(t, "in a file again", before, s.everything(t))
	s.mustPublish(t, crashKey, "Else", "evt-back", map[string]any{"n": 1})
	i.open.Store(true)
	// The place of the run that was held was known, and its secret opens.
	s.stop(t)
	s = i.with("ORDERHOOK_DATABASE=second.db", "ORDERHOOK_ENCRYPTION_KEY=").serve(t)
	if end := awaitEnd(t, s, "ORD-held"); end.run["status"] != "succeeded" {
		t.Errorf("the run ended as %v", end.run)
	}
	s.awaitDeliveries(t, crashKey, i.endpoint)
	i.checkArrived(t, "evt-back")
	got, _ := i.held.all()
	if token := got[len(got)-1].header.Get("Authorization"); token != "Token s3cret" {
		t.Errorf("the step was called with %q", token)
	}
	s.stop(t)
}

// at is the visitor at another server, with the same cookies.
func (v *visitor) at(t *testing.T, s *server) *visitor {
	t.Helper()
	from, _ := url.Parse(v.s.url)
	to, _ := url.Parse(s.url)
	next := s.visitor(t)
	next.c.Jar.SetCookies(to, v.c.Jar.Cookies(from))
	return next
}

// checkArrived: an event came once, with the header that is a secret, and signed with the
// endpoint's secret.
func (i *installation) checkArrived(t *testing.T, id string) {
	t.Helper()
	i.to.awaitAll(t, []string{id})
	got, _ := i.to.all()
	for _, one := range got {
		if one.ID == id && (one.header.Get("X-Token") != "t0ken" || !signed(t, i.endpoint.secret, one)) {
			t.Errorf("%s arrived with the headers %v", id, one.header)
		}
	}
	if n := i.to.count(id); n != 1 {
		t.Errorf("%s arrived %d times", id, n)
	}
}

// signed reports whether an event was signed with a secret, as Standard Webhooks says.
func signed(t *testing.T, secret string, r receipt) bool {
	t.Helper()
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_"))
	if err != nil {
		t.Fatal(err)
	}
	mac := hmac.New(sha256.New, key)
	_, _ = mac.Write([]byte(r.webhookID() + "." + r.header.Get("Webhook-Timestamp") + "." + r.body))
	return strings.Contains(r.header.Get("Webhook-Signature"), "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil)))
}

// bulk makes an installation whose copy takes a while.
func bulk(t *testing.T, w where) where {
	t.Helper()
	w = w.with("ORDERHOOK_API_KEY=" + crashKey)
	s := w.serve(t)
	s.subscribe(t, crashKey, newReceiver(t, nil).URL, `"eventTypes":["Else"]`)
	for i := range 30 {
		var list []published
		for n := range 500 {
			list = append(list, published{ID: fmt.Sprintf("evt-%d-%d", i, n), Type: "thing_happened", Data: map[string]string{"text": strings.Repeat("x", 500)}})
		}
		s.expect(t, 202, "POST", "/api/events", crashKey, mustJSON(list))
	}
	for i := range 300 {
		s.expect(t, 201, "POST", "/api/orders", crashKey, fmt.Sprintf(`{"id":"ORD-%d","status":"New"}`, i))
	}
	s.stop(t)
	return w
}

// until runs a command, sends it a signal once it has said something, and returns how it
// ended.
func (w where) until(t *testing.T, said string, sig syscall.Signal, args ...string) (code int, errOut string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), commandTime)
	defer cancel()
	cmd := w.command(ctx, args...)
	pipe, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	sent := false
	for lines := bufio.NewScanner(pipe); lines.Scan(); {
		errOut += lines.Text() + "\n"
		if strings.HasPrefix(lines.Text(), said) && !sent {
			sent = true
			time.Sleep(time.Duration(rand.IntN(50)) * time.Millisecond) // the moment is the point of it
			_ = cmd.Process.Signal(sig)
		}
	}
	_ = cmd.Wait()
	if !sent {
		t.Fatalf("it never said %q: %s", said, errOut)
	}
	return cmd.ProcessState.ExitCode(), errOut
}

// TestACopyThatIsKilledGoesOn: killed in the midst of copying, and of comparing, or
// interrupted, it goes on, and in the end everything is there.
func TestACopyThatIsKilledGoesOn(t *testing.T) {
	t.Parallel()
	w := bulk(t, newWhere(t, "ORDERHOOK_ENCRYPTION_KEY="+fileKey))
	database := pgtest.Empty(t)
	for _, c := range []struct {
		args []string
		to   where
	}{
		{[]string{"migrate", "--from", "orderhook.db", "--from-encryption-key", fileKey, "--to", database, "--to-encryption-key", serverKey},
			w.with("ORDERHOOK_DATABASE="+database, "ORDERHOOK_ENCRYPTION_KEY="+serverKey)},
		{[]string{"migrate", "--from", database, "--from-encryption-key", serverKey, "--to", "second.db", "--to-encryption-key", fileKey},
			w.with("ORDERHOOK_DATABASE=second.db")},
	} {
		for _, said := range []string{"copied audit", "going on", "going on", "going on", "going on", "checked audit"} {
			if code, errOut := w.until(t, said, syscall.SIGKILL, c.args...); code != -1 {
				t.Fatalf("it was too fast for the kill at %s: code %d, %s", said, code, errOut)
			}
			if r := c.to.run(t, "serve"); r.code != 2 || !strings.Contains(r.errOut, "is a copy that is not finished") {
				t.Errorf("serving what is not whole: code %d, %s", r.code, r.errOut)
			}
		}
		if code, errOut := w.until(t, "checked audit", syscall.SIGINT, c.args...); code != 130 || !strings.Contains(errOut, "going on with a copy") || !strings.HasSuffix(errOut, "stopped before it was done: run the same command again, which goes on with it\n") {
			t.Errorf("after Ctrl-C: code %d, %s", code, errOut)
		}
		w.succeeds(t, c.args...)
		s := c.to.serve(t)
		for path, want := range map[string]int{"/api/events?count=true": 10_000, "/api/orders?count=true": 300, "/api/runs?count=true": 300} {
			if a := s.expect(t, 200, "GET", path, crashKey, ""); a.body["count"] != float64(want) {
				t.Errorf("%s: %v, want %d", path, a.body["count"], want)
			}
		}
		s.stop(t)
	}
}

// TestACopyOntoAFullDisk ends with an error, and goes on when there is space.
func TestACopyOntoAFullDisk(t *testing.T) {
	t.Parallel()
	w := bulk(t, newWhere(t, "ORDERHOOK_ENCRYPTION_KEY="+fileKey))
	args := []string{"migrate", "--from", "orderhook.db", "--from-encryption-key", fileKey, "--to", "second.db"}
	limited := w.command(t.Context(), args...)
	limited.Path, limited.Err = exec.LookPath("sh")
	limited.Args = append([]string{"sh", "-c", `ulimit -f 4000; exec "$0" "$@"`, binary}, args...)
	out, _ := limited.CombinedOutput()
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	if last := lines[len(lines)-1]; limited.ProcessState.ExitCode() != 1 || !strings.HasPrefix(last, "orderhook: the copy is not finished; run the same command again") {
		t.Errorf("code %d, %s", limited.ProcessState.ExitCode(), out)
	}
	w.succeeds(t, args...)
	s := w.with("ORDERHOOK_DATABASE=second.db", "ORDERHOOK_ENCRYPTION_KEY=").serve(t)
	if n := s.expect(t, 200, "GET", "/api/orders?count=true", crashKey, "").body["count"]; n != float64(300) {
		t.Errorf("%v orders are there", n)
	}
	s.stop(t)
}

func TestWhatACopyRefuses(t *testing.T) {
	t.Parallel()
	w := newWhere(t)
	s := w.with("ORDERHOOK_API_KEY=" + crashKey).serve(t)
	copies := func(args ...string) []string { return append([]string{"migrate"}, args...) }
	w.refuses(t, "orderhook.db is in use by another orderhook", copies("--from", "orderhook.db", "--to", "second.db")...)
	s.stop(t)
	w.file(t, "text.db", strings.Repeat("no database ", 100))
	w.file(t, "empty.db", "")
	w.refuses(t, "--from and --to are given together", copies("--from", "orderhook.db")...)
	w.refuses(t, "--from and --to are given together", copies("--to", "orderhook.db")...)
	w.refuses(t, "--from and --to are the same database", copies("--from", "sqlite://orderhook.db", "--to", filepath.Join(w.dir, "orderhook.db"))...)
	w.refuses(t, "--from: there is no database none.db", copies("--from", "none.db", "--to", "second.db")...)
	w.refuses(t, "--from: text.db is not a database", copies("--from", "text.db", "--to", "second.db")...)
	w.refuses(t, "--from: the database empty.db is empty", copies("--from", "empty.db", "--to", "second.db")...)
	w.refuses(t, "--to: text.db is not a database", copies("--from", "orderhook.db", "--to", "text.db")...)
	w.refuses(t, "--from: a database mysql://… is not known", copies("--from", "mysql://x", "--to", "second.db")...)
	w.refuses(t, "--to: a PostgreSQL database needs an encryption key: give --to-encryption-key-file", copies("--from", "orderhook.db", "--to", "postgres://127.0.0.1:1/x")...)
	w.refuses(t, "--to: the database cannot be reached", copies("--from", "orderhook.db", "--to", "postgres://127.0.0.1:1/x", "--to-encryption-key", serverKey)...)
	w.refuses(t, "--from: the given encryption key does not fit", copies("--from", "orderhook.db", "--from-encryption-key", serverKey, "--to", "second.db")...)
	w.refuses(t, "--from-encryption-key: it is too short", copies("--from", "orderhook.db", "--from-encryption-key", "short", "--to", "second.db")...)
	w.refuses(t, "--to-encryption-key-file: ", copies("--from", "orderhook.db", "--to", "second.db", "--to-encryption-key-file", "none.key")...)
	if w.has("second.db") {
		t.Error("a copy that was refused has left a database")
	}
	if _, err := os.Stat(filepath.Join(w.dir, "none.db")); err == nil {
		t.Error("a source that was not there was made")
	}
	w.succeeds(t, copies("--from", "orderhook.db", "--to", "second.db")...)
}
