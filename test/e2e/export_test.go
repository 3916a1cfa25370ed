package e2e

import (
	"encoding/csv"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
)

func (w where) read(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(w.dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// withOrders is a server with orders that have a history, and events that were delivered.
func withOrders(t *testing.T, orders int) (where, *server) {
	t.Helper()
	w := newWhere(t, "ORDERHOOK_API_KEY="+crashKey)
	to := newReceiver(t, func(w http.ResponseWriter, _ *http.Request, _ receipt) { w.WriteHeader(http.StatusNoContent) })
	s := w.serve(t)
	s.subscribe(t, crashKey, to.URL, `"eventTypes":["*"],"headers":{"X-Api-Key":"hush-header"}`)
	for i := range orders {
		id := fmt.Sprintf("ORD-%03d", i)
		s.expect(t, 201, "POST", "/api/orders", crashKey, fmt.Sprintf(`{"id":%q,"customerEmail":"=cmd","total":10.10,"orderForm":{"lineItems":[{"lineItemId":"1","code":"SHOE-42","quantity":2,"placedPrice":499.50}]}}`, id))
		s.expect(t, 200, "PATCH", "/api/orders/"+id, crashKey, `{"dueDate":"2027-01-31T00:00:00Z","note":"æ"}`)
	}
	to.await(t, "the events of all orders", func(got []receipt) bool { return len(got) >= 2*orders })
	return w, s
}

// TestExportAndImport: what was exported and imported elsewhere is exported from there the
// same, and to import it again changes nothing.
func TestExportAndImport(t *testing.T) {
	t.Parallel()
	const orders = 30
	w, s := withOrders(t, orders)
	for kind, rows := range map[string]int{"orders": orders, "history": 2 * orders, "events": 2 * orders} {
		out := w.succeeds(t, "export", kind, kind+".jsonl")
		if want := fmt.Sprintf("%s.jsonl has %d %s", kind, rows, kind); !strings.Contains(out, want) || strings.Count(w.read(t, kind+".jsonl"), "\n") != rows {
			t.Errorf("it says %q, want %q", out, want)
		}
	}
	s.stop(t)
	w.succeeds(t, "export", "attempts", "attempts.jsonl")
	attempts := w.read(t, "attempts.jsonl")
	if strings.Count(attempts, "\n") != 2*orders || !strings.Contains(attempts, `"request":{`) || strings.Contains(attempts, "hush-header") || !strings.Contains(attempts, `"X-Api-Key":"***"`) {
		t.Errorf("the attempts are %.2000s", attempts)
	}
	if !strings.Contains(w.read(t, "events.jsonl"), `"data":{`) {
		t.Error("events have no data")
	}
	w.succeeds(t, "export", "history", "one.jsonl", "--order", "ORD-007")
	if got := w.read(t, "one.jsonl"); strings.Count(got, `"orderId":"ORD-007"`) != 2 || strings.Index(got, `"Created"`) > strings.Index(got, `"Patched"`) {
		t.Errorf("the history of one order is %s", got)
	}
	w.succeeds(t, "export", "orders", "none.jsonl", "--to", "2020-01-01T00:00:00Z")
	if w.size("none.jsonl") != 0 {
		t.Error("orders were exported that are not of the time")
	}
	w.succeeds(t, "export", "orders", "orders.csv", "--format", "csv")
	rows, err := csv.NewReader(strings.NewReader(w.read(t, "orders.csv"))).ReadAll()
	if err != nil || len(rows) != orders+1 || !slices.Contains(rows[1], "999.00") || !slices.Contains(rows[1], "'=cmd") {
		t.Errorf("%v, %v", rows, err)
	}
	for kind := range strings.FieldsSeq("orders history events attempts") { // the lines alone, and no file; the headers of attempts are in any order
		file := w.read(t, kind+".jsonl")
		if r := w.run(t, "export", kind, "-"); r.code != 0 || r.out != file && (kind != "attempts" || len(r.out) != len(file)) || !strings.Contains(r.errOut, "standard output has ") || w.has("-") || w.has("-.progress") {
			t.Errorf("export %s -: code %d, %.200s, %s", kind, r.code, r.out, r.errOut)
		}
	}
	w.refuses(t, "orders.jsonl is there already", "export", "orders", "orders.jsonl")
	w.refuses(t, "--status is no filter of events", "export", "events", "x.jsonl", "--status", "New")
	w.refuses(t, "there is no database typo.db", "export", "events", "x.jsonl", "--database", "typo.db")
	w.refuses(t, "no/such", "export", "events", "no/such/x.jsonl")

	for range 2 {
		w.succeeds(t, "import", "orders", "orders.jsonl", "--database", "other.db")
		w.succeeds(t, "import", "history", "history.jsonl", "--database", "other.db")
	}
	if out := w.succeeds(t, "import", "orders", "orders.jsonl", "--database", "other.db"); !strings.Contains(out, "imported 0 orders, there already 30") {
		t.Errorf("a second time: %s", out)
	}
	for _, kind := range []string{"orders", "history"} {
		w.succeeds(t, "export", kind, kind+"-again.jsonl", "--database", "other.db")
		if w.read(t, kind+"-again.jsonl") != w.read(t, kind+".jsonl") {
			t.Errorf("%s are not the same elsewhere", kind)
		}
	}
	w.succeeds(t, "check", "--database", "other.db")
}

// TestAnExportThatWasStopped is continued, and is the same as one that was not.
func TestAnExportThatWasStopped(t *testing.T) {
	t.Parallel()
	w, rows := filled(t, 3)
	w.succeeds(t, "export", "events", "whole.jsonl")
	for _, c := range []struct {
		sig  syscall.Signal
		code int
	}{{syscall.SIGINT, 130}, {syscall.SIGKILL, -1}} {
		name := fmt.Sprintf("stopped-%d.jsonl", c.sig)
		if r := w.stopped(t, c.sig, "exported", "export", "events", name); r.code != c.code {
			t.Errorf("code %d, %s", r.code, r.errOut)
		}
		if !w.has(name + ".progress") {
			t.Fatal("nothing says how far it came")
		}
		w.refuses(t, "is of another export", "export", "events", name, "--type", "other")
		w.succeeds(t, "export", "events", name)
		if w.read(t, name) != w.read(t, "whole.jsonl") || w.has(name+".progress") {
			t.Errorf("after %v the export is another one", c.sig)
		}
	}
	if n := strings.Count(w.read(t, "whole.jsonl"), "\n"); n != len(rows) {
		t.Errorf("%d of %d events were exported", n, len(rows))
	}
	cmd := w.command(t.Context())
	cmd.Args = []string{"prlimit", "--fsize=1000000", binary, "export", "events", "full.jsonl"}
	if r := ran(t, cmd, "prlimit"); r.code != 2 || !strings.Contains(r.errOut, "full.jsonl") {
		t.Errorf("on a full disk: code %d, %s", r.code, r.errOut)
	}
	w.succeeds(t, "export", "events", "full.jsonl")
	if w.read(t, "full.jsonl") != w.read(t, "whole.jsonl") {
		t.Error("after a full disk the export is another one")
	}
}

// TestWhatImportRefuses says which line it is; what came before is added.
func TestWhatImportRefuses(t *testing.T) {
	t.Parallel()
	w := newWhere(t)
	const sound = `{"id":"A","status":"New","version":3,"created":"2026-11-21T08:00:00Z","modified":"2026-11-22T08:00:00Z"}`
	w.file(t, "sound.jsonl", sound) // no line end
	w.succeeds(t, "import", "orders", "sound.jsonl")
	for line, want := range map[string]string{
		`{`:                                    "line 2",
		`[]`:                                   "line 2",
		``:                                     "line 2",
		"\x00\x01\xff":                         "line 2",
		strings.Replace(sound, `"A"`, `""`, 1): "id",
		strings.Replace(sound, `"version":3,`, ``, 1):                                                "version must be",
		strings.Replace(sound, `:3,`, `:0,`, 1):                                                      "version must be",
		strings.Replace(sound, `:3,`, `:1.5,`, 1):                                                    "version must be",
		strings.Replace(sound, `"New"`, `""`, 1):                                                     "status",
		strings.Replace(sound, `2026-11-21T`, `soon`, 1):                                             "created",
		strings.Replace(sound, `"New"`, `"Other"`, 1):                                                `another order "A"`,
		strings.Replace(sound, `{`, `{"orderLines":[{"code":"B"}],"orderForm":{"lineItems":[]},`, 1): "orderLines",
	} {
		w.file(t, "bad.jsonl", strings.Replace(sound, `"A"`, `"B"`, 1)+"\n"+line+"\n"+sound+"\n")
		w.refuses(t, want, "import", "orders", "bad.jsonl")
	}
	w.refuses(t, "has more than 10 bytes", "import", "orders", "sound.jsonl", "--max-order-bytes", "10")
	w.refuses(t, "none.jsonl", "import", "orders", "none.jsonl")
	w.file(t, "history.jsonl", `{"orderId":"gone","id":"h1","timestamp":"2026-11-21T08:00:00Z","category":"Order","operation":"Created"}`)
	w.refuses(t, `line 1: no order "gone"`, "import", "history", "history.jsonl")
	w.file(t, "history.jsonl", sound)
	w.refuses(t, "line 1", "import", "history", "history.jsonl")
	if out := w.succeeds(t, "import", "orders", "sound.jsonl"); !strings.Contains(out, "imported 0 orders, there already 1") {
		t.Errorf("%s", out)
	}
}
