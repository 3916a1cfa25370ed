package model

import (
	"fmt"
	"slices"
)

// script is what the endpoints answer: a reply for each call, in the order in
// which the calls come, and one for all calls after those.
type script struct {
	replies []reply
	later   reply
}

func (s script) of(call int) reply {
	if call <= len(s.replies) {
		return s.replies[call-1]
	}
	return s.later
}

// reply is how one call is answered: so many failures that may pass, then the
// answer, should the call get that far.
type reply struct {
	failures  []int // statuses; 0 drops the connection
	code      int
	garbage   string   // a body that is no valid answer
	results   []result // nil: none are given
	patch     *edit
	meanwhile *edit // what another writer does just before the answer goes out
}

type result struct {
	status, reason, trigger string
	cancel                  bool
}

func (r reply) failed() bool { return r.garbage != "" || r.code >= 300 }

// body is the body of the answer.
func (r reply) body() string {
	if r.garbage != "" || r.results == nil && r.patch == nil {
		return r.garbage
	}
	f := fields{}
	if r.results != nil {
		f["OrderActionExecutionResults"] = resultList(r.results)
	}
	if r.patch != nil {
		f["OrderPatch"] = r.patch.fields()
	}
	return toJSON(f)
}

func resultList(results []result) []any {
	out := []any{}
	for _, r := range results {
		f := fields{"CancelWorkflow": r.cancel}
		for name, v := range map[string]string{"ActionStatus": r.status, "ErrorReason": r.reason, "TriggerNewStatus": r.trigger} {
			if v != "" {
				f[name] = v
			}
		}
		out = append(out, f)
	}
	return out
}

// Several results in one answer: any CancelWorkflow counts, the worst status
// is the step's, all reasons are stored.

func (r reply) cancels() bool {
	return slices.ContainsFunc(r.results, func(x result) bool { return x.cancel })
}

func (r reply) reasoned() bool {
	return slices.ContainsFunc(r.results, func(x result) bool { return x.reason != "" })
}

func (r reply) worst() string {
	for _, status := range []string{"Error", "Warning"} {
		if slices.ContainsFunc(r.results, func(x result) bool { return x.status == status }) {
			return status
		}
	}
	return "Success"
}

// trigger is the status to enter after the run, "" if none.
func (r reply) trigger() (status string) {
	for _, x := range r.results {
		status = or(x.trigger, status)
	}
	return status
}

func (r reply) String() string {
	s := fmt.Sprintf("failures %v, then %d %s", r.failures, r.code, r.body())
	if r.meanwhile != nil {
		s += ", meanwhile " + r.meanwhile.json()
	}
	return s
}
