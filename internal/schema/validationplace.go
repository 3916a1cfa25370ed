package schema

// The places of a validator's answer (docs/contract.md#validators).
var (
	ValidationPlace      = &Place{read: Validation, meant: meantInValidation}
	ValidationEntryPlace = &Place{read: validationErrorModel, meant: meantInEntry}
)

// These are other words for the fields that are read, as people use them.
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

// meantInValidation says what may be meant by a member beside those that are read.
func meantInValidation(name string) string {
	if field := Validation.nearest(name, validationWords); field != "" {
		return mayBeMeant(field)
	}
	if field := Order.spelling(name); field != "" {
		return field + " is a field of the cart, which is changed inside value"
	}
	if field := validationErrorModel.spelling(name); field != "" {
		return field + " is read inside an entry of validationErrors or validationWarnings"
	}
	return ""
}

// meantInEntry says what may be meant by a member of an entry.
func meantInEntry(name string) string {
	if field := validationErrorModel.nearest(name, validationEntryWords); field != "" {
		return mayBeMeant(field)
	}
	if field := Validation.spelling(name); field != "" {
		return field + " is read beside the lists of errors and warnings, not inside an entry of them"
	}
	return ""
}
