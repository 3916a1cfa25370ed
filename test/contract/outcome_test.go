package contract

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
)

// docs/contract.md#outcomes: what an endpoint answers.

// replying returns an endpoint's answer of one status and body.
func replying(status int, body string) func(http.ResponseWriter, int) {
	return func(w http.ResponseWriter, _ int) {
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

func TestValidAnswersAreTakenAtOnce(t *testing.T) {
	for _, row := range []struct {
		name, body string
		status     int
	}{
		{"empty body", "", 200},
		{"white space", " \r\n", 200},
		{"empty object", "{}", 200},
		{"success", success, 200},
		{"any letter case", `{"orderactionexecutionresults":[{"ACTIONSTATUS":"success"}]}`, 200},
		{"unknown fields", `{"took":12,"OrderActionExecutionResults":[{"ActionStatus":"Success","rule":{"id":7}}]}`, 200},
		{"nulls", `{"OrderActionExecutionResults":null,"OrderPatch":null}`, 200},
		{"byte order mark", "\xef\xbb\xbf{}", 200},
		{"a large one", `{"note":"` + strings.Repeat("x", 5<<20-64) + `"}`, 200},
		{"201", success, 201},
		{"202", "", 202},
		{"204", "", 204},
		{"299", success, 299},
	} {
		t.Run(row.name, func(t *testing.T) {
			s := endpoint(t, replying(row.status, row.body))
			r, res := placed(t, step{Host: s.URL, Stop: true})
			res.is("isAborted", false).is("orderActionExecutionResults[0].actionStatus", "Success")
			res.is("orderActionExecutionResults[0].attempts", 1).is("order.status", "New")
			r.get("/api/attempts").is("items[0].outcome", "succeeded").is("items[0].status", row.status).is("items[1]", nil)
		})
	}
}

// failedOnce checks a call that failed for good: what its step, its order and
// its attempts say.
func failedOnce(t *testing.T, answer func(http.ResponseWriter, int), attempts int, reason string) {
	t.Helper()
	s := endpoint(t, answer)
	r, res := placed(t, step{Host: s.URL})
	equals(t, "requests", len(s.got()), attempts)
	res.is("orderActionExecutionResults[0].actionStatus", "Error").is("orderActionExecutionResults[0].attempts", attempts)
	for path, says := range map[string][2]any{
		"result":  {res.at("orderActionExecutionResults[0].errorReason"), reason},
		"order":   {res.at("order.errors[0].message"), ofStep(1, 1, reason)},
		"history": {r.entry("WorkflowStepFailed").Message, ofStep(1, 1, reason)},
		"attempt": {r.get("/api/attempts").at("items[0].error"), reason},
	} {
		if text, _ := says[0].(string); !strings.HasPrefix(text, says[1].(string)) {
			t.Errorf("%s says %v, want %s", path, says[0], says[1])
		}
	}
	r.get("/api/attempts").is("items[0].outcome", "failed").is("items[0].number", attempts).is("items[0].maxNumber", 4)
}

func TestInvalidAnswersFailOnce(t *testing.T) {
	const results = "orderActionExecutionResults"
	for _, row := range []struct{ name, body, reason string }{
		{"not JSON", "OK, thanks", "invalid response: malformed JSON at line 1, column"},
		{"HTML", "<html><body>Welcome</body></html>", "invalid response: malformed JSON"},
		{"a broken object", `{"OrderPatch":{"Status":"Validated"`, "invalid response: malformed JSON"},
		{"two objects", `{}{}`, "invalid response: malformed JSON: something follows"},
		{"garbage", "\x00\xff\xfe\x01", "invalid response: malformed JSON"},
		{"an array", `[{"ActionStatus":"Success"}]`, "invalid response: a JSON object is needed, not a list"},
		{"text", `"Success"`, "invalid response: a JSON object is needed, not text"},
		{"null", `null`, "invalid response: a JSON object is needed, not null"},
		{"results that are no list", `{"OrderActionExecutionResults":{}}`, "invalid response: " + results + ": "},
		{"a result that is no object", `{"OrderActionExecutionResults":[1]}`, "invalid response: " + results + "[0]: "},
		{"CancelWorkflow as text", `{"OrderActionExecutionResults":[{},{"CancelWorkflow":"true"}]}`, "invalid response: " + results + "[1].cancelWorkflow: "},
		{"an unknown ActionStatus", `{"OrderActionExecutionResults":[{"ActionStatus":"Fine"}]}`, "invalid response: " + results + "[0].actionStatus: "},
		{"a patch that is a list", `{"OrderPatch":[]}`, "invalid response: orderPatch: "},
		{"a patch with text for the lines", `{"OrderPatch":{"OrderForm":{"LineItems":"none"}}}`, "invalid response: orderPatch.orderForm.lineItems: "},
		{"a line's id as a list", `{"OrderPatch":{"OrderForm":{"LineItems":[{"LineItemId":[]}]}}}`, "invalid response: orderPatch.orderForm.lineItems[0].lineItemId: "},
		{"an empty status", `{"OrderPatch":{"Status":""}}`, "invalid response: orderPatch.status: "},
		{"one field twice", `{"OrderPatch":{"tags":[],"Tags":[]}}`, "invalid response: orderPatch.tags: "},
		{"10,000 levels deep", strings.Repeat(`{"a":`, 10_000) + "1" + strings.Repeat("}", 10_000), "invalid response: a.a.a"},
		{"over 5 MiB", `{"note":"` + strings.Repeat("x", 5<<20) + `"}`, "invalid response: the body is larger than 5242880 bytes"},
	} {
		t.Run(row.name, func(t *testing.T) { failedOnce(t, replying(200, row.body), 1, row.reason) })
	}
}

func TestABodyOf100MBHarmsOnlyItsStep(t *testing.T) {
	piece := []byte(strings.Repeat("0123456789abcdef", 1<<12))
	failedOnce(t, func(w http.ResponseWriter, _ int) {
		for range 100 << 20 / len(piece) {
			if _, err := w.Write(piece); err != nil {
				return
			}
		}
	}, 1, "invalid response: the body is larger than 5242880 bytes")
}

func TestStatusesThatAreNotRetried(t *testing.T) {
	for _, status := range []int{400, 404} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			failedOnce(t, replying(status, success), 1, fmt.Sprintf("answered %d %s", status, http.StatusText(status)))
		})
	}
}

func TestStatusesThatAreRetried(t *testing.T) {
	for _, status := range []int{300, 304, 401, 403, 405, 408, 409, 410, 413, 418, 422, 425, 429, 499, 500, 501, 502, 503, 504, 599} {
		t.Run(fmt.Sprint(status), func(t *testing.T) { failedOnce(t, replying(status, ""), 4, fmt.Sprintf("answered %d", status)) })
	}
}

func TestRedirectsAreNeverFollowed(t *testing.T) {
	for _, status := range []int{301, 302, 303, 307, 308} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			target := answering(t, success)
			failedOnce(t, func(w http.ResponseWriter, _ int) {
				w.Header().Set("Location", target.URL)
				w.WriteHeader(status)
			}, 4, fmt.Sprintf("answered %d", status))
			equals(t, "requests to the target", len(target.got()), 0)
		})
	}
}

// TestALongStatusIsAnInvalidAnswer, whichever way it comes: it would stand in the history three times.
func TestALongStatusIsAnInvalidAnswer(t *testing.T) {
	long := strings.Repeat("x", 201)
	for _, body := range []string{answerWith(`{"Status":"` + long + `"}`), `{"OrderActionExecutionResults":[{"TriggerNewStatus":"` + long + `"}]}`} {
		s := endpoint(t, replying(200, body))
		r, res := placed(t, step{Host: s.URL})
		res.is("orderActionExecutionResults[0].actionStatus", "Error")
		if got := r.get(theOrder + "/history"); !strings.Contains(string(got.Raw), "longer than the 200 bytes") {
			t.Errorf("the history does not say why: %s", got.Raw)
		}
		r.get(theOrder).is("status", "New")
	}
}
