package contract

import (
	"fmt"
	"strings"
	"testing"

	"github.com/orderhook/orderhook/internal/outbound"
)

// What the log says at three in the morning: one line each, with the ids that
// lead to the run and to the attempt.

// warnings returns the log's lines of a message.
func (r *rig) warnings(message string) (lines []string) {
	for line := range strings.Lines(r.log.String()) {
		if strings.Contains(line, fmt.Sprintf("level=WARN msg=%q", message)) {
			lines = append(lines, line)
		}
	}
	return lines
}

// warning fails the test unless there is one line of a message, which holds each of the values.
func (r *rig) warning(message string, holds ...any) {
	r.t.Helper()
	lines := r.warnings(message)
	if len(lines) != 1 {
		r.t.Fatalf("%d lines of %q in %s", len(lines), message, r.log.String())
	}
	for _, value := range append(holds, "tenant="+r.tenant()) {
		if text := fmt.Sprint(value); text == "" || !strings.Contains(lines[0], text) {
			r.t.Errorf("%q does not hold %q", lines[0], value)
		}
	}
}

func TestAnAbortedRunAndAFailedStepAreLogged(t *testing.T) {
	s := endpoint(t, replying(400, topSecret))
	r, res := placed(t, step{Host: s.URL, Stop: true, Headers: header("Authorization", "Bearer "+topSecret), More: `,"displayName":"Fraud check"`})
	ids := []any{"order=ORD-12345", "run=" + res.text("runId"), "attempt=" + r.get("/api/attempts").text("items[0].id"), "answered 400"}
	r.warning("a workflow step failed", append(ids, "call="+res.text("orderActionExecutionResults[0].callId"), "Fraud check (step 1 of 1, WebhookWorkflowStep)")...)
	r.warning("a workflow run was aborted", append(ids, "status=New")...)
	if text := r.log.String(); strings.Contains(text, topSecret) {
		t.Errorf("the log holds a secret: %s", text)
	}
}

func TestEachStepThatFailsIsLoggedOnce(t *testing.T) {
	for name, row := range map[string]struct {
		answer          string
		step            step
		failed, stopped int
	}{
		"success":                 {success, step{}, 0, 0},
		"a reported error":        {`{"OrderActionExecutionResults":[{"ActionStatus":"Error","ErrorReason":"x"}]}`, step{}, 1, 0},
		"connector not found":     {"", step{ID: "gone"}, 1, 0},
		"a cancel that stops":     {canceled, step{Stop: true}, 1, 1},
		"a cancel that does not":  {canceled, step{}, 0, 0},
		"an answer of no meaning": {"garbage", step{}, 1, 0},
	} {
		t.Run(name, func(t *testing.T) {
			if row.step.ID == "" {
				row.step.Host = answering(t, row.answer).URL
			}
			r, _ := placed(t, row.step)
			equals(t, "lines", fmt.Sprint(len(r.warnings("a workflow step failed")), len(r.warnings("a workflow run was aborted"))), fmt.Sprint(row.failed, row.stopped))
		})
	}
}

func TestAFailedStepIsLoggedAfterItsLastAttempt(t *testing.T) {
	r, _ := placed(t, step{Host: failing(t, 99, 503).URL})
	r.warning("a workflow step failed", "attempt="+r.get("/api/attempts").is("items[0].number", 4).text("items[0].id"))
}

func TestADryRunLogsNothing(t *testing.T) {
	r := accepting(t, step{Host: answering(t, canceled).URL, Stop: true})
	r.rehearse("Accepted", calling).want(200).is("isAborted", true)
	if text := r.log.String(); strings.Contains(text, "WARN") {
		t.Errorf("the log: %s", text)
	}
}

func TestALongReasonIsCutInTheLog(t *testing.T) {
	r, _ := placed(t, step{Host: answering(t, `{"OrderActionExecutionResults":[{"ActionStatus":"Error","ErrorReason":"`+strings.Repeat("å", 5000)+`"}]}`).URL})
	if line := r.warnings("a workflow step failed")[0]; len(line) > 1000 {
		t.Errorf("a line of %d bytes", len(line))
	}
}

func TestARefusedTargetIsLogged(t *testing.T) {
	r := start(t, func(o *outbound.Options) { o.Guard = outbound.Guard{} })
	r.settings(with(config(status("New", step{Host: "http://10.1.2.3/hook?code=" + topSecret})), connectors(validatorAt("http://10.1.2.4/check", `,"connectorId":"v"`))))
	res := r.post(order)
	attempt := r.get("/api/attempts").text("items[0].id")
	r.warning("the target guard refused the target of a step", "order=ORD-12345", "run="+res.text("runId"), "call=call_", "attempt="+attempt, "host=10.1.2.3")
	r.call("POST", "/api/carts/validate", cart).want(200)
	r.warning("the target guard refused the target of a validator", "connector=v", "host=10.1.2.4", "attempt="+r.get("/api/attempts?kind=validator").text("items[0].id"))
	if text := r.log.String(); strings.Contains(text, topSecret) {
		t.Errorf("the log holds a secret: %s", text)
	}
}

func TestABreakerThatOpensIsLogged(t *testing.T) {
	s := failing(t, 99, 500)
	r, _ := guarded(t, s.URL, opening("fail"), step{})
	r.enter("Checked")
	equals(t, "lines", len(r.warnings("the breaker of a connector opened")), 0)
	r.enter("Checked")
	r.enter("Checked")
	r.warning("the breaker of a connector opened", "connector=Webhook", "openFor=1h0m0s")
}
