package model

import (
	"fmt"
	"slices"
	"strings"
)

// take takes one step: docs/contract.md#outcomes and docs/contract.md#effects.
func (m *oracle) take(r *run, i int) {
	res := &r.results[i]
	if !m.isFor(res.step, r, r.results[:i]) {
		res.status, res.reason = "Skipped", true
		m.log("WorkflowStepSkipped", res.step.key, 0, false, "", "")
		return
	}
	t, ok := m.shop.target(res.step, m.order.MarketID)
	if !ok {
		m.fail(res)
		return
	}
	before := m.order.clone()
	reply, answered := m.call(res, t, r)
	theirs := m.order
	overtaken := !strings.EqualFold(theirs.Status, before.Status)
	stop := res.step.stop
	if answered {
		stop = m.answered(r, res, reply, before, overtaken)
		m.conflict(res, before, theirs, reply)
	} else {
		m.fail(res)
	}
	switch {
	case overtaken:
		m.log("Conflict", res.step.key, res.call, false, "", "")
		r.status = "superseded"
	case stop:
		if res.step.errorStatus != "" {
			m.setStatus(res.step.errorStatus)
		}
		r.status = "aborted"
	}
}

// call makes the attempts of a call; false if the last of them failed.
func (m *oracle) call(res *stepResult, t target, r *run) (reply, bool) {
	m.commit()
	m.made++
	res.call = m.made
	reply := m.script.of(m.made)
	most, sent := t.attempts(), m.order.view().String()
	for res.attempts = 1; ; res.attempts++ {
		m.calls = append(m.calls, callText(t.path, res.step.no, res.call, fmt.Sprintf("%d/%d", res.attempts, most), t.auth, r.returned, sent))
		if res.attempts > len(reply.failures) {
			break
		}
		if res.attempts == most {
			return reply, false
		}
	}
	if reply.meanwhile != nil {
		m.patchByAPI(*reply.meanwhile)
	}
	return reply, !reply.failed()
}

func callText(path string, step, call int, attempt, auth string, returned int, order string) string {
	return fmt.Sprintf("%s step=%d call=%d attempt=%s %s return=%d\n    %s", path, step, call, attempt, auth, returned, order)
}

// fail is the effect of a call that failed for good.
func (m *oracle) fail(res *stepResult) {
	res.status, res.reason = "Error", true
	m.addError(res.step.key)
	m.log("WorkflowStepFailed", res.step.key, res.call, true, "", "")
}

// answered is the effect of an answer, and whether it stops the workflow.
func (m *oracle) answered(r *run, res *stepResult, reply reply, sent order, overtaken bool) (stop bool) {
	was := m.order.Status
	res.status, res.cancel, res.reason = reply.worst(), reply.cancels(), reply.reasoned() || reply.cancels() || reply.worst() == "Error"
	r.trigger = or(reply.trigger(), r.trigger)
	stop = res.cancel && res.step.stop
	cleared := !res.cancel && res.status != "Error" && m.clearErrors(res.step.key)
	rest := m.applyPatch(res, reply.patch, sent, overtaken || stop)
	switch {
	case stop:
		m.fail(res)
	case res.cancel:
		res.status = "Warning"
		m.log("WorkflowStepWarning", res.step.key, res.call, false, "", "")
	default:
		if res.status == "Error" {
			m.addError(res.step.key)
		}
		m.log("ExecuteExportOrder", res.step.key, res.call, res.status == "Error", "", "")
	}
	if cleared {
		m.log("ErrorsCleared", res.step.key, res.call, false, "", "")
	}
	if rest {
		m.log("PatchFieldsNotApplied", res.step.key, res.call, false, "", "")
	}
	m.logStatus(was)
	m.snap()
	return stop
}

// applyPatch applies an answer's patch, and reports whether part of it was not
// the step's to change.
func (m *oracle) applyPatch(res *stepResult, patch *edit, sent order, keepStatus bool) (rest bool) {
	if patch == nil {
		return false
	}
	e, was := *patch, m.order
	if res.step.key == returnWebhook {
		e, rest = e.forReturn(sent)
	}
	if keepStatus {
		e.status = ""
	}
	e.step = true
	m.order = e.apply(m.order, sent)
	res.changed = m.order.view().changed(was.view())
	return rest || len(e.forbidden) > 0
}

// addError adds an error of the run under way to the order.
func (m *oracle) addError(key string) {
	m.order = m.order.clone()
	m.order.Errors = append(m.order.Errors, fault{Key: key, run: len(m.runs)})
	m.snap()
}

// clearErrors removes the errors that a step's earlier runs left, and reports
// whether there were any.
func (m *oracle) clearErrors(key string) bool {
	before := len(m.order.Errors)
	m.order = m.order.clone()
	m.order.Errors = slices.DeleteFunc(m.order.Errors, func(f fault) bool { return f.Key == key && f.run != len(m.runs) })
	m.snap()
	return len(m.order.Errors) < before
}
