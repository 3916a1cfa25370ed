package oms

// The places of a validator's answer (cart-validator.txt, "Response — what your
// endpoint must return").
var (
	validationPlace      = &answerPlace{read: validationModel, meant: meantInValidation}
	validationEntryPlace = &answerPlace{read: validationErrorModel, meant: meantInEntry}
)

var (
	validationWords = words(map[string]string{
		"isValidatedSuccessful": "isvalid valid isvalidated validated success successful issuccess issuccessful passed ok approved",
		"validationErrors":      "errors error",
		"validationWarnings":    "warnings warning",
		"validationMessage":     "message reason",
		"value":                 "cart order updatedcart modifiedcart",
	})
	validationEntryWords = words(map[string]string{
		"message":        "text error errormessage reason description",
		"translateKey":   "key translationkey",
		"validationType": "type category",
		"referenceId":    "id reference sku code lineitemid",
	})
)

func meantInValidation(name string) string {
	if field := validationModel.nearest(name, validationWords); field != "" {
		return mayBeMeant(field)
	}
	if field := orderModel.spelling(name); field != "" {
		return field + " is a field of the cart, which is changed inside value"
	}
	if field := validationErrorModel.spelling(name); field != "" {
		return field + " is read inside an entry of validationErrors or validationWarnings"
	}
	return ""
}

func meantInEntry(name string) string {
	if field := validationErrorModel.nearest(name, validationEntryWords); field != "" {
		return mayBeMeant(field)
	}
	if field := validationModel.spelling(name); field != "" {
		return field + " is read beside the lists of errors and warnings, not inside an entry of them"
	}
	return ""
}
