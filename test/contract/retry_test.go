package contract

import (
	"net/http"
	"testing"
	"time"
)

// docs/contract.md#retries.

func TestRetriesWait1And5And15Seconds(t *testing.T) {
	for _, row := range []struct {
		name     string
		failures int
		waits    []time.Duration
		counts   []string
	}{
		{"the first attempt is answered", 0, nil, []string{"1"}},
		{"the second", 1, []time.Duration{time.Second}, []string{"1", "2"}},
		{"the third", 2, []time.Duration{time.Second, 5 * time.Second}, []string{"1", "2", "3"}},
		{"the fourth", 3, []time.Duration{time.Second, 5 * time.Second, 15 * time.Second}, []string{"1", "2", "3", "4"}},
		{"none", 9, []time.Duration{time.Second, 5 * time.Second, 15 * time.Second}, []string{"1", "2", "3", "4"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			s := failing(t, row.failures, http.StatusInternalServerError)
			r, res := placed(t, step{Host: s.URL, Stop: true})
			equals(t, "waits", r.clock.Waits(), row.waits)
			equals(t, "X-Delivery-Count", s.each("X-Delivery-Count"), row.counts)
			for i, most := range s.each("X-Max-Delivery-Count") {
				equals(t, "X-Max-Delivery-Count", most, "4")
				equals(t, "body", string(s.got()[i].Body), string(s.got()[0].Body))
			}
			res.is("isAborted", row.failures > 3).is("orderActionExecutionResults[0].attempts", len(row.counts))
		})
	}
}

// failing starts an endpoint that answers with a status so many times, then 200.
func failing(t *testing.T, times, status int) *sink {
	return endpoint(t, func(w http.ResponseWriter, n int) {
		if n < times {
			w.WriteHeader(status)
		}
	})
}

func TestABadRequestAfterAFailureEndsTheRetries(t *testing.T) {
	s := endpoint(t, func(w http.ResponseWriter, n int) { w.WriteHeader([]int{503, 404}[n]) })
	_, res := placed(t, step{Host: s.URL, Stop: true})
	res.is("isAborted", true).is("orderActionExecutionResults[0].attempts", 2)
	res.is("orderActionExecutionResults[0].errorReason", "answered 404 Not Found")
}

func TestARetryLeavesNothingOnTheOrder(t *testing.T) {
	s := failing(t, 2, http.StatusServiceUnavailable)
	r, res := placed(t, step{Host: s.URL})
	res.is("order.errors", nil).is("orderActionExecutionResults[0].actionStatus", "Success")
	equals(t, "failures in the history", len(r.history("WorkflowStepFailed")), 0)
	equals(t, "answers in the history", len(r.history("ExecuteExportOrder")), 1)
}

func TestEndpointThatHangs(t *testing.T) {
	s := holding(t)
	r := lease(t)
	doc := config(status("New", step{Stop: true, ErrorStatus: "Unchecked"}))
	r.settings(with(doc, connectors(connector(s.URL, `,"Timeout":"00:00:00.1500000"`))))
	res := r.post(order)
	res.is("isAborted", true).is("order.status", "Unchecked")
	res.is("orderActionExecutionResults[0].errorReason", "timed out after 150ms")
	equals(t, "X-Delivery-Count", s.each("X-Delivery-Count"), []string{"1", "2", "3", "4"})
	equals(t, "waits", r.clock.Waits(), []time.Duration{time.Second, 5 * time.Second, 15 * time.Second})
}

func TestDisableStandardErrorPolicyTurnsRetriesOff(t *testing.T) {
	for _, row := range []struct {
		field string
		most  string
		calls int
	}{
		{`,"DisableStandardErrorPolicy":true`, "1", 1},
		{`,"disableStandardErrorPolicy":false`, "4", 4},
	} {
		t.Run(row.field, func(t *testing.T) {
			s := failing(t, 9, http.StatusInternalServerError)
			r := lease(t)
			r.settings(with(config(status("New", step{})), connectors(connector(s.URL, row.field))))
			r.post(order).is("orderActionExecutionResults[0].attempts", row.calls)
			equals(t, "waits", len(r.clock.Waits()), row.calls-1)
			equals(t, "X-Max-Delivery-Count", s.got()[0].Header.Get("X-Max-Delivery-Count"), row.most)
			r.get("/api/attempts").is("items[0].maxNumber", number(row.most))
		})
	}
}
