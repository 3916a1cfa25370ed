package oms

// The places of a step's answer (order-workflow-step.txt, "Building Your Webhook
// Endpoint").
var (
	topPlace    = &answerPlace{read: answerModel, meant: meantInAnswer}
	resultPlace = &answerPlace{read: resultModel, ignored: ignoredInResults, meant: meantInResult}
)

// ignoredInResults are the members of a result that CONTRACT.md, "What is not
// read is named", excepts; translateKey, actionType and isInvisible are known
// to the model.
var ignoredInResults = names("message messageheading duration orderstatuschanged isaborted")

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

// meantInAnswer says what may be meant by a member beside the results.
func meantInAnswer(name string) string {
	if field := resultModel.spelling(name); field != "" {
		return raised(field) + " is read inside an entry of OrderActionExecutionResults, not beside it"
	}
	if fold(name) == "message" {
		return "ErrorReason inside an entry of OrderActionExecutionResults may be meant"
	}
	if field := answerModel.nearest(name, answerWords); field != "" {
		return mayBeMeant(raised(field))
	}
	if field := orderModel.spelling(name); field != "" {
		return raised(field) + " is a field of the order, which is changed inside OrderPatch"
	}
	if field := resultModel.nearest(name, resultWords); field != "" {
		return mayBeMeant(raised(field) + " inside an entry of OrderActionExecutionResults")
	}
	return ""
}

// meantInResult says what may be meant by a member of a result.
func meantInResult(name string) string {
	if field := answerModel.spelling(name); field != "" {
		return raised(field) + " is read beside OrderActionExecutionResults, not inside an entry of it"
	}
	if field := resultModel.nearest(name, resultWords); field != "" {
		return mayBeMeant(raised(field))
	}
	if field := orderModel.spelling(name); field != "" {
		return raised(field) + " is a field of the order, which is changed inside OrderPatch"
	}
	return ""
}
