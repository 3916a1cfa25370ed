package contract

import (
	"fmt"
	"testing"
	"time"
)

// docs/contract.md#runs: durationMs of a step is the time from the start
// of its call's first attempt to the end of its last one.
func TestAStepsDurationIsThatOfAllItsAttempts(t *testing.T) {
	for _, row := range []struct {
		policy   string
		attempts int
	}{{"true", 1}, {"false", 4}} {
		t.Run(fmt.Sprint(row.attempts, " attempts"), func(t *testing.T) {
			const timeout = 50 // ms
			r, s := lease(t), holding(t)
			r.settings(with(config(status("New", step{})), connectors(connector(s.URL, `,"Timeout":"00:00:00.05","disableStandardErrorPolicy":`+row.policy))))
			res := r.post(order).is("orderActionExecutionResults[0].attempts", row.attempts)
			var shown struct {
				Results []struct{ DurationMs int64 } `json:"orderActionExecutionResults"`
			}
			decode(t, res.Raw, &shown)
			got, want := shown.Results[0].DurationMs, r.spent(row.attempts)
			if got < int64(row.attempts)*timeout || got < want-1 || got > want+1 {
				t.Errorf("the step took %d ms, its attempts %d", got, want)
			}
			is(t, r.get(runOf(res)).Raw, "orderActionExecutionResults[0].durationMs", got)
		})
	}
}

// spent is the time from the start of the first attempt to the end of the last
// one, of that many, in milliseconds.
func (r *rig) spent(attempts int) int64 {
	r.t.Helper()
	var list struct {
		Items []struct {
			StartedAt  time.Time
			DurationMs float64
		}
	}
	decode(r.t, r.get("/api/attempts").Raw, &list)
	equals(r.t, "attempts", len(list.Items), attempts)
	last, first := list.Items[0], list.Items[len(list.Items)-1]
	return last.StartedAt.Sub(first.StartedAt).Milliseconds() + int64(last.DurationMs)
}
