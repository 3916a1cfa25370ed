package schema

import (
	"github.com/orderhook/orderhook/internal/jsondoc"
	"github.com/orderhook/orderhook/internal/spelling"
)

// The places of a step's answer (docs/contract.md#effects).
var (
	TopPlace    = &Place{read: StepAnswer, meant: meantInAnswer}
	ResultPlace = &Place{read: StepResult, ignored: ignoredInResults, meant: meantInResult}
)

// ignoredInResults are the members of a result that
// docs/contract.md#unread-members excepts; translateKey, actionType and
// isInvisible are known to the model.
var ignoredInResults = NameSet("message messageheading duration orderstatuschanged isaborted")

// These are other words for the fields that are read: what people write who have not seen
// the specification, or know another one.
var (
	answerWords = words(map[string]string{
		"orderPatch":                  "value order patch orderupdate update",
		"orderActionExecutionResults": "results result actionresults executionresults",
	})
	resultWords = words(map[string]string{
		"actionStatus":     "status result actionresult",
		"cancelWorkflow":   "cancel cancelled canceled abort stop stopworkflow abortworkflow",
		"errorReason":      "reason error errors errormessage errorreasons",
		"triggerNewStatus": "newstatus nextstatus triggerstatus",
	})
)

// meantInAnswer says what may be meant by a member beside the results. The likeliest is
// asked first, and only one thing is said.
func meantInAnswer(name string) string {
	if field := StepResult.spelling(name); field != "" {
		return jsondoc.Raised(field) + " is read inside an entry of OrderActionExecutionResults, not beside it"
	}
	if spelling.Fold(name) == "message" {
		return "ErrorReason inside an entry of OrderActionExecutionResults may be meant"
	}
	if field := StepAnswer.nearest(name, answerWords); field != "" {
		return mayBeMeant(jsondoc.Raised(field))
	}
	if field := Order.spelling(name); field != "" {
		return jsondoc.Raised(field) + " is a field of the order, which is changed inside OrderPatch"
	}
	if field := StepResult.nearest(name, resultWords); field != "" {
		return mayBeMeant(jsondoc.Raised(field) + " inside an entry of OrderActionExecutionResults")
	}
	return ""
}

// meantInResult says what may be meant by a member of a result. The field that stands one
// level too deep is the likeliest.
func meantInResult(name string) string {
	if field := StepAnswer.spelling(name); field != "" {
		return jsondoc.Raised(field) + " is read beside OrderActionExecutionResults, not inside an entry of it"
	}
	if field := StepResult.nearest(name, resultWords); field != "" {
		return mayBeMeant(jsondoc.Raised(field))
	}
	if field := Order.spelling(name); field != "" {
		return jsondoc.Raised(field) + " is a field of the order, which is changed inside OrderPatch"
	}
	return ""
}
