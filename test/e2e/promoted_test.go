package e2e

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestAFraudCheckFromNothingToPromoted goes the way of docs/building-an-endpoint.md#the-way: a
// step is live, and a new program is checked, tried with a single order on this machine,
// compared with what is on record, tested by recorded calls, called beside the live step, and
// put in its place.
func TestAFraudCheckFromNothingToPromoted(t *testing.T) {
	t.Parallel()
	w := newWhere(t)
	secretFile := w.file(t, "secret", exampleSecret+"\n")
	old, _ := runExample(t, t.TempDir(), "fraud-check")
	next, _ := runExample(t, t.TempDir(), "fraud-check")

	// Checked, before any server knows of it.
	if r := w.run(t, "check", next, "--kind", "step", "--secret-file", secretFile); r.code != 0 {
		t.Fatalf("check ends with %d: %s%s", r.code, r.out, r.errOut)
	}

	s := w.serve(t)
	live := `{"name":"WebhookWorkflowStep","displayName":"Fraud check","connector":"Webhook","connectorId":"fraud","stopOnError":true}`
	settings := func(steps string) string {
		// Each program has a connector of its own: a secret goes to the host of its connector alone.
		return fmt.Sprintf(`{"connectors":[{"name":"Webhook","connectorId":"fraud","host":%q,"signingSecret":%q},{"name":"Webhook","connectorId":"fraud 2","host":%q,"signingSecret":%[2]q}],
			"orderTypes":[{"name":"Online","default":true,"orderStatuses":[{"name":"New","workflowSteps":[%[4]s]}]}]}`, old, exampleSecret, next, steps)
	}
	s.expect(t, 200, "PUT", "/api/settings", s.newKey, settings(live))
	orders := 0
	order := func() (id string, calls []string) {
		t.Helper()
		orders++
		id = fmt.Sprint("ORD-", orders)
		s.ordered(t, fmt.Sprintf(`{"id":%q,"status":"New","marketId":"NOR","orderForm":{"lineItems":[{"lineItemId":"1","code":"SHOE-42","quantity":%d,"placedPrice":499.50}]}}`, id, orders))
		s.expect(t, 200, "GET", "/api/orders/"+id, s.newKey, "").shows(t, "fraud-checked")
		for _, a := range items(s.expect(t, 200, "GET", "/api/attempts?orderId="+id, s.newKey, "")) {
			calls = append(calls, fmt.Sprint(a["kind"], " ", a["host"]))
		}
		return id, calls
	}
	hostOf := func(at string) string {
		u, err := url.Parse(at)
		if err != nil {
			t.Fatal(err)
		}
		return u.Host
	}
	for range 3 {
		order()
	}

	// One order more is answered by the new program, on this machine.
	l := w.listen(t, s, "--calls-only", "--step", "Fraud check", "--orders", "ORD-4", "--forward", next)
	l.await(t, "intercepting")
	if id, calls := order(); id != "ORD-4" || len(calls) != 1 || strings.Contains(calls[0], hostOf(old)) {
		t.Errorf("the order that was to be answered here was answered by %v", calls)
	}
	if line := l.await(t, "call"); line["orderId"] != "ORD-4" || line["answer"] != 200.0 {
		t.Errorf("the listener says %v", line)
	}
	_ = l.cmd.Process.Kill()
	_ = l.cmd.Wait()

	// What is on record comes to the same, straight from the server and from files.
	remote := []string{"--url", s.url, "--key", s.newKey, "--filter", "kind=step"}
	signed := []string{"--signing-secret-file", secretFile}
	if r := w.run(t, slices.Concat([]string{"rerun", "--to", next, neverSlower}, remote, signed)...); r.code != 0 || !strings.Contains(r.out, "4 same, 0 slower, 0 different") {
		t.Errorf("rerun ends with %d: %s%s", r.code, r.out, r.errOut)
	}
	w.succeeds(t, slices.Concat([]string{"ci", "record", "--out", "calls"}, remote)...)
	w.succeeds(t, slices.Concat([]string{"ci", "run", "calls", "--against", next}, signed)...)

	// It is called beside the live step, and put in its place once it has agreed often enough.
	shadow := `{"name":"WebhookWorkflowStep","displayName":"Fraud check 2","connector":"Webhook","connectorId":"fraud 2","stopOnError":true,"mode":"shadow","promoteAfter":2}`
	s.expect(t, 200, "PUT", "/api/settings", s.newKey, settings(live+","+shadow))
	promotion := ""
	for compared := 1; compared <= 2; compared++ {
		order()
		var row map[string]any
		for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
			row = items(s.expect(t, 200, "GET", "/api/workflow-shadows", s.newKey, ""))[0]
			if agreement, _ := row["agreement"].(map[string]any); agreement["inARow"] == float64(compared) {
				break
			}
		}
		if row["promotable"] != (compared == 2) {
			t.Fatalf("after %d orders the shadow is %v", compared, row)
		}
		promotion = fmt.Sprint("/api/workflow-shadows/", row["id"], "/promote")
		if compared == 1 {
			s.expect(t, 409, "POST", promotion, s.newKey, "")
		}
	}
	s.expect(t, 200, "POST", promotion, s.newKey, "")
	if id, calls := order(); len(calls) != 1 || calls[0] != "step "+hostOf(next) {
		t.Errorf("after the promotion %s was sent to %v", id, calls)
	}
	s.stop(t)
}
