package model

import "fmt"

// run is one run of a status's workflow.
type run struct {
	entered  string
	returned int    // number of the return that it is for, 0 for none
	status   string // succeeded, aborted, superseded
	results  []stepResult
	trigger  string
	delayed  bool   // the deferred steps' turn came, and with it the caller's answer
	answer   string // the order as the caller sees it then
	atOnce   []stepResult
}

// stepResult is what a step came to; skipped steps are part of the run and not
// of the answer.
type stepResult struct {
	step           step
	status         string
	cancel, reason bool
	attempts, call int
	changed        []string
}

func (r stepResult) String() string {
	return resultText(r.step.key, r.status, r.cancel, r.reason, r.attempts, r.call, r.changed)
}

func resultText(step, status string, cancel, reason bool, attempts, call int, changed []string) string {
	return fmt.Sprintf("%s: %s cancel=%t reason=%t attempts=%d call=%d changed=%v", step, status, cancel, reason, attempts, call, changed)
}

// maxChain is how many runs may follow one another by TriggerNewStatus.
const maxChain = 10

// follow runs the workflow of a status that was entered, and those that it
// triggers, and returns the answer to who entered it.
func (m *oracle) follow(code int, entered string, returned int) answer {
	first := m.run(entered, returned)
	out := answer{code: code, aborted: first.status == "aborted" && !first.delayed, results: shown(first)}
	for r, chain := first, 0; ; chain++ {
		if r.delayed && out.order == "" {
			out.order = r.answer
		}
		if r.trigger == "" || r.status == "superseded" {
			break
		}
		if chain == maxChain {
			m.addError("TriggerNewStatus")
			m.log("WorkflowStepFailed", "", 0, true, "", "")
			break
		}
		m.setStatus(r.trigger)
		m.commit() // the run that was triggered begins with a write of its own
		r = m.run(r.trigger, 0)
	}
	m.commit()
	out.order = or(out.order, m.order.view().String())
	return out
}

func shown(r *run) []string {
	results := r.results
	if r.delayed {
		results = r.atOnce
	}
	out := []string{}
	for _, x := range results {
		if x.status != "Skipped" {
			out = append(out, x.String())
		}
	}
	return out
}

// run takes the order through the active steps of a status, the deferred ones last.
func (m *oracle) run(entered string, returned int) *run {
	r := &run{entered: entered, returned: returned, status: "succeeded"}
	m.runs = append(m.runs, r)
	for _, deferred := range []bool{false, true} {
		for _, st := range m.shop.stepsOf(m.order.OrderType, entered, returned > 0) {
			if !st.inactive && st.deferred == deferred {
				r.results = append(r.results, stepResult{step: st, status: "Pending"})
			}
		}
	}
	last := 0
	for i := range r.results {
		if r.results[i].step.deferred && !r.delayed {
			m.delay(r)
		}
		last = i
		if m.take(r, i); r.status != "succeeded" {
			break
		}
	}
	m.close(r)
	m.ends(r, last)
	return r
}

// delay answers the caller; deferred steps are still to come, in other writes.
func (m *oracle) delay(r *run) {
	m.commit()
	r.delayed, r.answer = true, m.order.view().String()
	r.atOnce = append([]stepResult{}, r.results...)
}

// close ends the run: what was not come to is skipped.
func (m *oracle) close(r *run) {
	for i := range r.results {
		if r.results[i].status == "Pending" {
			r.results[i].status, r.results[i].reason = "Skipped", true
		}
	}
	if r.status != "succeeded" {
		m.log("WorkflowEnded", "", 0, r.status == "aborted", "", m.order.Status)
	}
	if r.status == "aborted" && r.returned > 0 {
		m.order = m.order.clone()
		m.order.ReturnOrderForms[r.returned-1].Status = "Cancelled"
		m.order.keepReturned()
		m.log("ReturnCancelled", "", 0, false, "", "")
		m.snap()
	}
}
