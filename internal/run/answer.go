package run

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/jsondoc"
	"github.com/orderhook/orderhook/internal/schema"
)

// StepAnswer is what an endpoint answered to a workflow step
// (docs/contract.md#effects).
type StepAnswer struct {
	Status         ActionStatus // the worst of the results; Success when there is none
	CancelWorkflow bool         // any result's
	Reasons        []string
	TranslateKey   string
	Trigger        string           // the status to enter once the run has ended
	Patch          *jsondoc.Object  // nil when there is none
	Warnings       []apierr.Warning // what of it is taken, and not read
}

// ParseStepAnswer reads the body of a 2xx answer. An empty body and {} are a
// success. When there are several results, any CancelWorkflow counts, the worst
// status is the step's and all reasons are stored (docs/contract.md#effects).
// The error is an *[apierr.Error] that names the path of what is wrong.
func ParseStepAnswer(body []byte) (*StepAnswer, error) {
	answer := &StepAnswer{Status: ActionSuccess}
	if len(bytes.TrimSpace(body)) == 0 {
		return answer, nil
	}
	doc, err := schema.ParseRaw(body)
	if err != nil {
		return nil, err
	}
	r := answerReader{answer: answer, DocumentReader: schema.DocumentReader{Patch: true}}
	r.results(doc)
	if answer.Patch = doc.Object("orderPatch"); answer.Patch != nil {
		if status, _ := answer.Patch.Get("status"); status == "" {
			r.Add("orderPatch.status", schema.BlankStatus)
		} else if text, _ := status.(string); len(text) > schema.MostStatus {
			r.Add("orderPatch.status", schema.LongStatus)
		}
	}
	if len(r.Errors) > 0 {
		return nil, &apierr.Error{Kind: apierr.Invalid, Detail: "the answer is not valid", Fields: r.Errors}
	}
	answer.Warnings = append(r.Warnings, r.unread.List()...)
	return answer, nil
}

// reportable are the statuses that an endpoint may report, in any case, the worst last.
var reportable = []ActionStatus{ActionSuccess, ActionWarning, ActionError}

type answerReader struct {
	schema.DocumentReader
	unread schema.Unread
	answer *StepAnswer
}

func (r *answerReader) results(doc *jsondoc.Object) {
	r.Object(doc, schema.StepAnswer)
	r.unread.Object(doc, schema.TopPlace, "")
	// False is what typed endpoints write that never abort anything.
	if doc.True("isAborted") {
		r.Warnings = append(r.Warnings, apierr.Warning{Path: "isAborted", Message: "aborts nothing; CancelWorkflow inside an entry of OrderActionExecutionResults may be meant"})
	}
	worst := 0
	for i, result := range doc.Objects("orderActionExecutionResults") {
		at := fmt.Sprintf("orderActionExecutionResults[%d]", i)
		r.unread.Object(result, schema.ResultPlace, at)
		if reported := result.Text("actionStatus"); reported != "" { // none is Success
			status := slices.IndexFunc(reportable, func(s ActionStatus) bool { return strings.EqualFold(reported, string(s)) })
			if status < 0 {
				r.Add(at+".actionStatus", "must be Success, Warning or Error")
			}
			worst = max(worst, status)
		}
		r.answer.CancelWorkflow = r.answer.CancelWorkflow || result.True("cancelWorkflow")
		if reason := result.Text("errorReason"); reason != "" {
			r.answer.Reasons = append(r.answer.Reasons, reason)
		}
		if key := result.Text("translateKey"); key != "" {
			r.answer.TranslateKey = key
		}
		// The empty text of a typed endpoint is no status, as it is no text above. One of
		// blanks is an error.
		if status := result.Text("triggerNewStatus"); status != "" {
			if r.answer.Trigger = strings.TrimSpace(status); r.answer.Trigger == "" {
				r.Add(at+".triggerNewStatus", schema.BlankStatus)
			} else if len(r.answer.Trigger) > schema.MostStatus {
				r.Add(at+".triggerNewStatus", schema.LongStatus)
			}
		}
	}
	r.answer.Status = reportable[worst]
}

// StepAnswerShape is what an endpoint may answer to a workflow step
// (docs/contract.md#effects).
func StepAnswerShape() *schema.Shape {
	s := schema.ShapeOf(schema.StepAnswer)
	s.Field("orderPatch").Of = schema.OrderShape()
	s.Field("orderActionExecutionResults").Of.Field("actionStatus").Enum = []string{string(ActionSuccess), string(ActionWarning), string(ActionError)}
	return s
}
