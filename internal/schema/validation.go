package schema

// Validation is what a validator answers, validationErrorModel an entry of its lists
// (docs/contract.md#validators).
var (
	validationErrorModel = newModel(must(of(Text, "message translateKey validationType referenceId")))
	Validation           = newModel(must(
		of(boolean, "isValidatedSuccessful"), of(Text, "validationMessage"), object("value", Order),
		list("validationErrors", validationErrorModel), list("validationWarnings", validationErrorModel)))
)
