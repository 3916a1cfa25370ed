package oms

import (
	"bytes"
	"fmt"
)

// ValidationError is one entry of validationErrors or validationWarnings
// (cart-validator.txt, "Response — what your endpoint must return").
type ValidationError struct {
	Message        string `json:"message,omitempty"`
	TranslateKey   string `json:"translateKey,omitempty"`
	ValidationType string `json:"validationType,omitempty"`
	ReferenceID    string `json:"referenceId,omitempty"`
}

// TypeExternal is the validationType of errors that orderhook itself makes of
// a validator that failed (cart-validator.txt, "Behavior").
const TypeExternal = "External"

// Validation is what a validator answered.
type Validation struct {
	Passed   bool // false when there are errors, whatever the answer says
	Errors   []ValidationError
	Warnings []ValidationError
	Message  string
	Value    *Object   // the cart to apply; nil leaves it as it is
	Unread   []Warning // what of the answer nobody reads
}

// ParseValidation reads the body of a validator's 2xx answer, in any letter
// case. An empty body passes the cart. The error is an *[Error] that names the
// path of what is wrong.
func ParseValidation(body []byte) (*Validation, error) {
	v := &Validation{Passed: true}
	if len(bytes.TrimSpace(body)) == 0 {
		return v, nil
	}
	doc, err := parse(body, reading{levels: MaxDepth})
	if err != nil {
		return nil, err
	}
	c := documentReader{patch: true}
	c.object(doc, validationModel)
	if len(c.errors) > 0 {
		return nil, &Error{Kind: Invalid, Detail: "the answer is not valid", Fields: c.errors}
	}
	if passed, ok := doc.Get("isValidatedSuccessful"); ok && passed == false {
		v.Passed = false
	}
	v.Unread = append(c.warnings, unreadInValidation(doc)...)
	v.Errors = validationErrors(doc.Objects("validationErrors"))
	v.Warnings = validationErrors(doc.Objects("validationWarnings"))
	v.Passed = v.Passed && len(v.Errors) == 0
	v.Message, v.Value = doc.Text("validationMessage"), doc.Object("value")
	return v, nil
}

var (
	validationErrorModel = newModel(must(of(text, "message translateKey validationType referenceId")))
	validationModel      = newModel(must(
		of(boolean, "isValidatedSuccessful"), of(text, "validationMessage"), object("value", orderModel),
		list("validationErrors", validationErrorModel), list("validationWarnings", validationErrorModel)))
)

// unreadInValidation names the members of an answer that nobody reads; those of
// value are fields of the cart, which are kept.
func unreadInValidation(doc *Object) []Warning {
	var u unread
	u.object(doc, validationPlace, "")
	for _, list := range []string{"validationErrors", "validationWarnings"} {
		for i, entry := range doc.Objects(list) {
			u.object(entry, validationEntryPlace, fmt.Sprintf("%s[%d]", list, i))
		}
	}
	return u.list()
}

// UnreadWarning is the entry of validationWarnings that names what of a
// validator's answer nobody reads (CONTRACT.md, "What is not read is named").
func UnreadWarning(unread []Warning) ValidationError {
	return ValidationError{Message: "the validator's answer was not read as a whole: " + WarningText(unread), ValidationType: TypeExternal}
}

// ShapeWarning is the entry of validationWarnings that names what of the cart
// itself nobody reads (CONTRACT.md, "Names").
func ShapeWarning(shapes []Warning) ValidationError {
	return ValidationError{Message: "the cart was not read as a whole: " + WarningText(shapes), ValidationType: TypeExternal}
}

func validationErrors(list []*Object) []ValidationError {
	out := make([]ValidationError, len(list))
	for i, o := range list {
		out[i] = ValidationError{o.Text("message"), o.Text("translateKey"), o.Text("validationType"), o.Text("referenceId")}
	}
	return out
}
