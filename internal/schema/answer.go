package schema

// StepAnswer is the outside of an answer, StepResult one of its results: see
// docs/contract.md#effects.
var (
	StepResult = newModel(
		must(of(Text, "actionStatus actionType errorReason translateKey triggerNewStatus"), of(boolean, "cancelWorkflow isInvisible")),
	)
	StepAnswer = newModel(
		must(list("orderActionExecutionResults", StepResult), object("orderPatch", Order), of(boolean, "isAborted")))
)
