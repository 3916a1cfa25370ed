package e2e

import (
	"bufio"
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	_ "modernc.org/sqlite" // which the examples store in
)

// The programs of examples/, as their users run them, called by the real binary.

const exampleSecret = "whsec_c2VjcmV0IG9mIHRoZSBjb25uZWN0b3JzIG9mIGV4YW1wbGVz"

// builtExamples builds the examples in Go, once, and returns their folder.
var builtExamples = sync.OnceValues(func() (string, error) {
	dir := filepath.Join(filepath.Dir(binary), "examples")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", err
	}
	build := exec.Command("go", "build", "-o", dir+string(filepath.Separator), "./examples/...")
	build.Dir = "../.." // the product's module
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w: %s", err, out)
	}
	return dir, nil
})

// exampleProgram is the command of an example, by the name of its folder.
func exampleProgram(t *testing.T, name string) []string {
	t.Helper()
	source, err := filepath.Abs("../../examples/" + name)
	if err != nil {
		t.Fatal(err)
	}
	switch {
	case strings.HasPrefix(name, "node-"):
		return []string{"node", filepath.Join(source, "main.mjs")}
	case strings.HasPrefix(name, "python-"):
		return []string{"python3", filepath.Join(source, "main.py")}
	}
	dir, err := builtExamples()
	if err != nil {
		t.Fatal(err)
	}
	return []string{filepath.Join(dir, name)}
}

// runExample starts an example in a folder and returns its URL once it listens, and what ends it.
func runExample(t *testing.T, dir, name string, env ...string) (url string, stop func()) {
	t.Helper()
	command := exampleProgram(t, name)
	ctx, cancel := context.WithCancel(context.Background())
	cmd := exec.CommandContext(ctx, command[0], command[1:]...)
	cmd.Dir = dir
	cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME"), "LISTEN=127.0.0.1:0", "SIGNING_SECRET=" + exampleSecret}, env...)
	var errOut bytes.Buffer
	cmd.Stderr = &errOut
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		cancel()
		t.Fatalf("%v: %v", command, err)
	}
	stop = sync.OnceFunc(func() { cancel(); _ = cmd.Wait() })
	t.Cleanup(stop)
	late := time.AfterFunc(patience, cancel)
	defer late.Stop()
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if at, ok := strings.CutPrefix(lines.Text(), "listening on "); ok {
			return at, stop
		}
	}
	stop()
	t.Fatalf("%s does not listen: %s", name, &errOut)
	return "", nil
}

// stepSettings are settings in which each order that is New is checked by a step, which stops.
func stepSettings(url string) string {
	return fmt.Sprintf(`{"connectors": [{"name": "Webhook", "connectorId": "c", "host": %q, "signingSecret": %q}],
		"orderTypes": [{"name": "Online", "default": true, "orderStatuses": [{"name": "New", "workflowSteps": [%[3]s]}]}],
		"returnStatuses": [{"name": "PartiallyReturned", "workflowSteps": [%[4]s]}]}`, url, exampleSecret,
		`{"name": "WebhookWorkflowStep", "connector": "Webhook", "stopOnError": true}`, `{"name": "WebhookReturnWorkflowStep", "connector": "Webhook", "stopOnError": true}`)
}

// withStep is a server whose step is an example.
func withStep(t *testing.T, url string) *server {
	t.Helper()
	s := newWhere(t).serve(t)
	s.expect(t, 200, "PUT", "/api/settings", s.newKey, stepSettings(url))
	return s
}

// ordered creates an order and returns what came of its workflow.
func (s *server) ordered(t *testing.T, body string) answer {
	t.Helper()
	return s.expect(t, 201, "POST", "/api/orders", s.newKey, body)
}

// shows fails unless an answer has a text.
func (a answer) shows(t *testing.T, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if !strings.Contains(a.text, text) {
			t.Errorf("there is no %s in %s", text, a.text)
		}
	}
}

func TestTheFraudCheckOfTheExamples(t *testing.T) {
	t.Parallel()
	url, _ := runExample(t, t.TempDir(), "fraud-check")
	s := withStep(t, url)
	s.ordered(t, `{"id":"good","orderForm":{"lineItems":[{"lineItemId":"1","code":"SHOE-42","quantity":2,"placedPrice":499.50}]}}`).
		shows(t, `"isAborted":false`, `"fraud-checked"`, `{"key":"FraudScore","value":"0"}`)
	s.ordered(t, `{"id":"odd","orderForm":{"lineItems":[{"lineItemId":"1","code":"SHOE-42","quantity":21,"placedPrice":1}]}}`).
		shows(t, `"isAborted":false`, `{"key":"FraudScore","value":"20"}`, "score 20: it has over 20 of SHOE-42")
	s.ordered(t, `{"id":"nowhere","billingAddress":{"name":"Kari"},"orderForm":{"shipments":[{"shipmentId":"s1","address":{"countryCode":"SE"}}]}}`).
		shows(t, `"isAborted":false`, `{"key":"FraudScore","value":"0"}`)
	s.ordered(t, `{"id":"bad","billingAddress":{"countryCode":"NO"},"orderForm":{"lineItems":[{"lineItemId":"1","code":"GOLD","quantity":1,"placedPrice":10000.01}],
		"shipments":[{"shipmentId":"s1","address":{"countryCode":"SE"}}]}}`).
		shows(t, `"isAborted":true`, `{"key":"FraudScore","value":"90"}`, "this looks like fraud (score 90): it costs over 10000, it is paid for in NO and sent to SE")
}

func TestTheTaxValidatorOfTheExamples(t *testing.T) {
	t.Parallel()
	url, _ := runExample(t, t.TempDir(), "tax-validator")
	s := newWhere(t).serve(t)
	for _, wrapped := range []string{"false", "true"} {
		s.expect(t, 200, "PUT", "/api/settings", s.newKey, fmt.Sprintf(`{"connectors":[{"name":"webhookValidator","host":%q,"signingSecret":%q,
			"properties":[{"key":"IsRequestWrapperEnabled","value":%q}]}]}`, url, exampleSecret, wrapped))
		id := "cart-" + wrapped
		s.expect(t, 201, "PUT", "/api/carts/"+id, s.newKey, `{"marketId":"NOR","mine":1.50,"orderForm":{"lineItems":[
			{"lineItemId":"1","code":"A","quantity":1,"placedPrice":100},{"lineItemId":"2","code":"B","quantity":3,"placedPrice":0.10}]}}`)
		for range 2 { // validated again, it has the same tax
			s.expect(t, 200, "POST", "/api/carts/"+id+"/validate", s.newKey, "").shows(t, `"isValidatedSuccessful":true`)
			s.expect(t, 200, "GET", "/api/carts/"+id, s.newKey, "").shows(t, `"taxTotal":20.00`, `"taxTotal":0.06`, `"taxTotal":20.06`, `"taxRate":25`, `"mine":1.50`)
		}
		s.expect(t, 200, "POST", "/api/carts/validate", s.newKey, `{"marketId":"XX"}`).shows(t, `"isValidatedSuccessful":false`, `no tax rate is known for the market \"XX\"`)
	}
}

func TestTheStockReservationOfTheExamples(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	listen := "LISTEN=" + freeAddress(t)
	url, stop := runExample(t, dir, "stock-reservation", "STOCK=SHOE-42=3,SOCK-42=5", listen)
	s := withStep(t, url)
	db, err := sql.Open("sqlite", "file:"+filepath.Join(dir, "stock.db")+"?_pragma=busy_timeout(5000)")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	left := func(shoes, socks int) {
		t.Helper()
		for code, want := range map[string]int{"SHOE-42": shoes, "SOCK-42": socks} {
			var n int
			if err := db.QueryRowContext(t.Context(), `SELECT available FROM stock WHERE code = ?`, code).Scan(&n); err != nil || n != want {
				t.Errorf("%d of %s are left, %v; want %d", n, code, err, want)
			}
		}
	}
	s.ordered(t, `{"id":"o1","orderForm":{"lineItems":[{"lineItemId":"1","code":"SHOE-42","quantity":1},{"lineItemId":"2","code":"SHOE-42","quantity":1},{"lineItemId":"3","code":"SOCK-42","quantity":5}]}}`).
		shows(t, `"isAborted":false`, `"reserved"`)
	left(1, 0)
	s.expect(t, 200, "POST", "/api/orders/o1/status", s.newKey, `{"status":"New"}`).shows(t, `"isAborted":false`) // entered again, it needs nothing more
	left(1, 0)
	s.ordered(t, `{"id":"o2","orderForm":{"lineItems":[{"lineItemId":"1","code":"SHOE-42","quantity":1},{"lineItemId":"2","code":"SOCK-42","quantity":1}]}}`).
		shows(t, `"isAborted":true`, "there are too few of SOCK-42")
	left(1, 0)
	s.expect(t, 201, "POST", "/api/orders/o1/returns", s.newKey, `{"lineItems":[{"lineItemId":"3","returnQuantity":2}]}`).shows(t, `"put-back"`)
	left(1, 2)
	// The same call again, as after a crash, takes nothing, also of a program that was started
	// anew: a replay is the very request, with its Idempotency-Key.
	id := items(s.expect(t, 200, "GET", "/api/attempts?orderId=o1&kind=step", s.newKey, ""))[0]["id"]
	stop()
	runExample(t, dir, "stock-reservation", listen)
	s.expect(t, 200, "POST", fmt.Sprintf("/api/attempts/%v/replay", id), s.newKey, "").shows(t, "reserved")
	left(1, 2)
}

func TestTheERPExportOfTheExamples(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := newWhere(t).serve(t)
	// The endpoint is there before its program: the URL is changed once that listens.
	e := s.expect(t, 201, "POST", "/api/endpoints", s.newKey, fmt.Sprintf(`{"url":"http://127.0.0.1:1/","eventTypes":["OrderCreated","order_completed"],"secret":%q,"retrySchedule":["P1D"]}`, exampleSecret))
	id := fmt.Sprint(e.body["id"])
	var env []string
	feed := s.call("GET", "/api/endpoints/"+id+"/feed", s.newKey, "").status == 200
	if feed {
		env = []string{"ENDPOINT=" + id, "ORDERHOOK_URL=" + s.url, "ORDERHOOK_KEY=" + s.newKey}
		s.ordered(t, `{"id":"missed","marketId":"NOR","orderForm":{"total":10.10}}`) // its delivery fails
	}
	url, _ := runExample(t, dir, "erp-export", env...)
	s.expect(t, 200, "PATCH", "/api/endpoints/"+id, s.newKey, fmt.Sprintf(`{"url":%q}`, url))
	s.ordered(t, `{"id":"o1","marketId":"SWE","orderForm":{"total":1048.00}}`)
	s.expect(t, 200, "POST", "/api/orders/o1/status", s.newKey, `{"status":"Completed"}`)

	db, err := sql.Open("sqlite", "file:"+filepath.Join(dir, "erp.db")+"?_pragma=busy_timeout(5000)")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	rows := func() (all []string) {
		found, err := db.QueryContext(t.Context(), `SELECT order_id || ' ' || event || ' ' || market || ' ' || total FROM exports ORDER BY number`)
		if err != nil {
			t.Fatal(err)
		}
		defer found.Close()
		for found.Next() {
			var row string
			if err := found.Scan(&row); err != nil {
				t.Fatal(err)
			}
			all = append(all, row)
		}
		return all
	}
	want := []string{"o1 OrderCreated SWE 1048.00", "o1 order_completed SWE 1048.00"}
	if feed {
		want = append([]string{"missed OrderCreated NOR 10.10"}, want...)
	}
	s.awaitSucceeded(t, endpoint{id: id}, 2)
	// Sent again, each is known.
	for _, d := range s.deliveries(t, s.newKey, endpoint{id: id}, "succeeded") {
		s.expect(t, 202, "POST", fmt.Sprintf("/api/deliveries/%v/redeliver", d["id"]), s.newKey, "")
	}
	s.awaitSucceeded(t, endpoint{id: id}, 2)
	if got := rows(); strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("exported:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// awaitSucceeded waits until so many deliveries of an endpoint have succeeded.
func (s *server) awaitSucceeded(t *testing.T, e endpoint, n int) {
	t.Helper()
	for deadline := time.Now().Add(patience); len(s.deliveries(t, s.newKey, e, "succeeded")) < n; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%d deliveries were to succeed; they are %v", n, s.deliveries(t, s.newKey, e, "failed"))
		}
	}
}

func TestTheShipmentMailsOfTheExamples(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	url, stop := runExample(t, dir, "node-shipment-mails")
	s := newWhere(t).serve(t)
	e := endpoint{id: fmt.Sprint(s.expect(t, 201, "POST", "/api/endpoints", s.newKey, fmt.Sprintf(`{"url":%q,"eventTypes":["shipment_shipped"],"secret":%q}`, url, exampleSecret)).body["id"])}
	s.ordered(t, `{"id":"o1","orderForm":{"shipments":[{"shipmentId":"s1","status":"Shipped","shipmentTrackingNumber":"T-1"}]}}`)
	s.awaitSucceeded(t, e, 1)
	stop()
	url, _ = runExample(t, dir, "node-shipment-mails") // which knows what the one before has sent
	s.expect(t, 200, "PATCH", "/api/endpoints/"+e.id, s.newKey, fmt.Sprintf(`{"url":%q}`, url))
	for _, d := range s.deliveries(t, s.newKey, e, "succeeded") {
		s.expect(t, 202, "POST", fmt.Sprintf("/api/deliveries/%v/redeliver", d["id"]), s.newKey, "")
	}
	s.ordered(t, `{"id":"o2","orderForm":{"shipments":[{"shipmentId":"s2","status":"Shipped"}]}}`)
	s.awaitSucceeded(t, e, 2)
	text, err := os.ReadFile(filepath.Join(dir, "outbox.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	if mails := string(text); strings.Count(mails, "\n") != 2 || strings.Count(mails, "The shipment s1 of your order o1 is on its way (T-1).") != 1 || !strings.Contains(mails, "The shipment s2 of your order o2 is on its way.") {
		t.Errorf("the mails are %s", text)
	}
}

func TestTheAddressCheckOfTheExamples(t *testing.T) {
	t.Parallel()
	url, _ := runExample(t, t.TempDir(), "python-address-check")
	s := withStep(t, url)
	s.ordered(t, `{"id":"good","billingAddress":{"countryCode":"NO","postalCode":"0150"},"total":10.10}`).shows(t, `"isAborted":false`, `"address-checked"`)
	s.ordered(t, `{"id":"bad","billingAddress":{"countryCode":"SE","postalCode":"0150"}}`).shows(t, `"isAborted":true`, "'0150' is no postal code of SE")
	s.ordered(t, `{"id":"far","billingAddress":{"countryCode":"XX"}}`).shows(t, `"isAborted":true`, "nothing is known of the country 'XX'")
}

// TestTheExamplesPassTheCheck of the command that the documents recommend.
func TestTheExamplesPassTheCheck(t *testing.T) {
	t.Parallel()
	for name, kind := range map[string]string{"fraud-check": "step", "tax-validator": "validator", "stock-reservation": "step", "erp-export": "event",
		"node-shipment-mails": "event", "python-address-check": "step"} {
		url, _ := runExample(t, t.TempDir(), name)
		w := newWhere(t)
		args := []string{"check", url, "--kind", kind, "--timeout", "PT5M", "--secret-file", w.file(t, "secret", exampleSecret+"\n")}
		if kind == "validator" { // which knows the taxes of some markets
			args = append(args, "--order", w.file(t, "cart.json", `{"marketId":"NOR","orderForm":{"lineItems":[{"lineItemId":"1","code":"A","quantity":1,"placedPrice":100}]}}`))
		}
		if r := w.run(t, args...); r.code != 0 {
			t.Errorf("%s: code %d, %s%s", name, r.code, r.out, r.errOut)
		}
	}
}

// TestTheExamplesRefuse: whoever cannot sign gets nothing, in whatever language.
func TestTheExamplesRefuse(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"fraud-check", "tax-validator", "stock-reservation", "erp-export", "node-shipment-mails", "python-address-check"} {
		url, _ := runExample(t, t.TempDir(), name)
		s := &server{url: url, client: &http.Client{Timeout: patience}}
		if a := s.call("POST", "/", "", `{"Value":{"Id":"x"},"type":"OrderCreated"}`); a.status != 401 {
			t.Errorf("%s: %d %s", name, a.status, a.text)
		}
		if a := s.callWith("POST", "/", "", `{}`, "Webhook-Id", "x", "Webhook-Timestamp", fmt.Sprint(time.Now().Unix()), "Webhook-Signature", "v1,AAAA v1,å"); a.status != 401 {
			t.Errorf("%s, with a wrong signature: %d %s", name, a.status, a.text)
		}
		command := exampleProgram(t, name)
		cmd := exec.Command(command[0], command[1:]...)
		cmd.Dir, cmd.Env = t.TempDir(), []string{"PATH=" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME"), "LISTEN=127.0.0.1:0"}
		if out, err := cmd.CombinedOutput(); err == nil || !strings.Contains(string(out), "SIGNING_SECRET") {
			t.Errorf("%s without a secret: %v %s", name, err, out)
		}
	}
}
