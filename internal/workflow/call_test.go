package workflow

import (
	"errors"
	"testing"
	"time"

	"github.com/orderhook/orderhook/internal/jsondoc"
	"github.com/orderhook/orderhook/internal/outbound"
	"github.com/orderhook/orderhook/internal/run"
	"github.com/orderhook/orderhook/internal/settings"
)

// docs/contract.md#outcomes.
func TestTheOutcomeOfOneAttempt(t *testing.T) {
	answered := func(status int, body string) outbound.Exchange {
		return outbound.Exchange{Status: status, Body: []byte(body)}
	}
	for _, row := range []struct {
		name  string
		x     outbound.Exchange
		taken bool
		why   string
		retry bool
	}{
		{"an empty body", answered(200, ``), true, "", false},
		{"blanks", answered(204, " \n"), true, "", false},
		{"{}", answered(201, `{}`), true, "", false},
		{"a result", answered(299, `{"OrderActionExecutionResults":[{"ActionStatus":"Warning"}],"OrderPatch":{"Tags":["a"]}}`), true, "", false},
		{"no JSON", answered(200, `<html>`), false, "invalid response: malformed JSON at line 1, column 1: ", false},
		{"no object", answered(200, `[]`), false, "invalid response: ", false},
		{"a wrong type", answered(200, `{"OrderActionExecutionResults":[{"CancelWorkflow":"no"}]}`), false, "invalid response: orderActionExecutionResults[0].cancelWorkflow: ", false},
		{"over 5 MiB", outbound.Exchange{Status: 200, TooLarge: true}, false, "invalid response: the body is larger than 5242880 bytes", false},
		{"400", answered(400, ``), false, "answered 400 Bad Request", false},
		{"404", answered(404, `{}`), false, "answered 404 Not Found", false},
		{"another 4xx", answered(409, ``), false, "answered 409 Conflict", true},
		{"a redirect", answered(302, ``), false, "answered 302 Found", true},
		{"500", answered(500, `{}`), false, "answered 500 Internal Server Error", true},
		{"a broken body", outbound.Exchange{Status: 200, Err: errors.New("unexpected EOF")}, false, "unexpected EOF", true},
		{"no connection", outbound.Exchange{Err: errors.New("connection refused")}, false, "connection refused", true},
		{"own trouble", outbound.Exchange{Err: outbound.OwnTroubleError("no descriptor")}, false, "this server's own trouble: no descriptor", false},
		{"the target guard", outbound.Exchange{Err: &outbound.RefusedError{}}, false, "", false},
	} {
		t.Run(row.name, func(t *testing.T) {
			o := classify(row.x)
			if (o.Answer != nil) != row.taken || o.Retry != row.retry || len(o.Failure) < len(row.why) || o.Failure[:len(row.why)] != row.why {
				t.Errorf("taken %v, again %v: %q", o.Answer != nil, o.Retry, o.Failure)
			}
			if o.own != (row.name == "own trouble") {
				t.Errorf("own trouble: %v", o.own)
			}
			if o.Refused != row.x.Refused() || o.Refused != (row.name == "the target guard") {
				t.Errorf("refused: %v", o.Refused)
			}
		})
	}
}

// The connector bounds an attempt, turns retries off, and so does the time that
// the run has left.
func TestWhatBoundsAnAttempt(t *testing.T) {
	now := time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)
	for _, row := range []struct {
		name      string
		connector *settings.Connector
		left      time.Duration // of the run's maxDuration; 0: it has none
		timeout   time.Duration
		most      int
	}{
		{"no connector", nil, 0, 30 * time.Second, 4},
		{"a time-out", &settings.Connector{Timeout: 5 * time.Second}, 0, 5 * time.Second, 4},
		{"without retries", &settings.Connector{Timeout: time.Second, DisableStandardErrorPolicy: true}, 0, time.Second, 1},
		{"little time left", &settings.Connector{Timeout: 5 * time.Second}, 2 * time.Second, 2 * time.Second, 4},
		{"much time left", &settings.Connector{Timeout: 5 * time.Second}, time.Hour, 5 * time.Second, 4},
		{"none left", nil, -time.Second, time.Millisecond, 4},
	} {
		run := &run.Run{Position: run.Position{CallID: "call_1", Attempt: 2}, Results: []run.StepResult{{}}}
		if row.left != 0 {
			run.Deadline = now.Add(row.left)
		}
		c := &call{run: run, step: &settings.Step{Wire: jsondoc.NewObject()}, target: settings.Target{URL: "http://one", Connector: row.connector}, order: jsondoc.NewObject()}
		r, cut := c.request(now)
		if bounded := row.left != 0 && row.left < time.Minute; cut != bounded {
			t.Errorf("%s: cut short: %v", row.name, cut)
		}
		if r.Timeout != row.timeout || r.MaxDelivery != row.most || r.Delivery != 2 || r.IdempotencyKey != "call_1" {
			t.Errorf("%s: %v, %d of %d, key %q", row.name, r.Timeout, r.Delivery, r.MaxDelivery, r.IdempotencyKey)
		}
	}
}
