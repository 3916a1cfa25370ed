package oms

import (
	"bytes"
	"fmt"
	"strings"
)

// StepAnswer is what an endpoint answered to a workflow step
// (order-workflow-step.txt, "Building Your Webhook Endpoint").
type StepAnswer struct {
	Status         ActionStatus // the worst of the results; Success when there is none
	CancelWorkflow bool         // any result's
	Reasons        []string
	TranslateKey   string
	Trigger        string    // the status to enter once the run has ended
	Patch          *Object   // nil when there is none
	Warnings       []Warning // what of it is taken, and not read
}

// Reason is all reasons in one line.
func (a *StepAnswer) Reason() string { return strings.Join(a.Reasons, "; ") }

// ParseStepAnswer reads the body of a 2xx answer. An empty body and {} are a
// success. Of two results and more any CancelWorkflow counts, the worst status
// is the step's and all reasons are kept (CONTRACT.md, "Effect of the call").
// The error is an *[Error] that names the path of what is wrong.
func ParseStepAnswer(body []byte) (*StepAnswer, error) {
	answer := &StepAnswer{Status: ActionSuccess}
	if len(bytes.TrimSpace(body)) == 0 {
		return answer, nil
	}
	doc, err := parse(body, reading{levels: MaxDepth})
	if err != nil {
		return nil, err
	}
	r := answerReader{answer: answer, documentReader: documentReader{patch: true}}
	r.results(doc)
	r.patch(doc)
	if len(r.errors) > 0 {
		return nil, &Error{Kind: Invalid, Detail: "the answer is not valid", Fields: r.errors}
	}
	answer.Warnings = append(r.warnings, r.unread.list()...)
	return answer, nil
}

type answerReader struct {
	documentReader
	unread unread
	answer *StepAnswer
}

// answerModel is the outside of an answer, resultModel one of its results.
var (
	resultModel = newModel(
		must(of(text, "actionStatus actionType errorReason translateKey triggerNewStatus"), of(boolean, "cancelWorkflow isInvisible")),
	)
	answerModel = newModel(
		must(list("orderActionExecutionResults", resultModel), object("orderPatch", orderModel), of(boolean, "isAborted")))
)

func (r *answerReader) results(doc *Object) {
	r.object(doc, answerModel)
	r.unread.object(doc, topPlace, "")
	for i, result := range doc.Objects("orderActionExecutionResults") {
		at := fmt.Sprintf("orderActionExecutionResults[%d]", i)
		r.unread.object(result, resultPlace, at)
		status, ok := parseActionStatus(result.Text("actionStatus"))
		if !ok {
			r.add(at+".actionStatus", "must be Success, Warning or Error")
		}
		r.answer.Status = worse(r.answer.Status, status)
		r.answer.CancelWorkflow = r.answer.CancelWorkflow || result.True("cancelWorkflow")
		if reason := result.Text("errorReason"); reason != "" {
			r.answer.Reasons = append(r.answer.Reasons, reason)
		}
		if key := result.Text("translateKey"); key != "" {
			r.answer.TranslateKey = key
		}
		r.trigger(result, at)
	}
}

// trigger reads the status to enter. The empty text of a typed endpoint is none,
// as it is for the other texts of a result; one of blanks is a mistake.
func (r *answerReader) trigger(result *Object, at string) {
	status := result.Text("triggerNewStatus")
	switch trimmed := strings.TrimSpace(status); {
	case status == "":
	case trimmed == "":
		r.add(at+".triggerNewStatus", blankStatus)
	default:
		r.answer.Trigger = trimmed
	}
}

func (r *answerReader) patch(doc *Object) {
	patch := doc.Object("orderPatch")
	if patch == nil {
		return
	}
	if status, _ := patch.Get("status"); status == "" {
		r.add("orderPatch.status", blankStatus)
	}
	r.answer.Patch = patch
}

// parseActionStatus reads a status in any case; none is Success.
func parseActionStatus(s string) (ActionStatus, bool) {
	for _, known := range []ActionStatus{ActionSuccess, ActionWarning, ActionError} {
		if s == "" || strings.EqualFold(s, string(known)) {
			return known, true
		}
	}
	return ActionSuccess, false
}

// worse returns the worse of two statuses.
func worse(a, b ActionStatus) ActionStatus {
	for _, s := range []ActionStatus{ActionError, ActionWarning} {
		if a == s || b == s {
			return s
		}
	}
	return ActionSuccess
}
