package cart

import (
	"bytes"
	"fmt"

	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/jsondoc"
	"github.com/orderhook/orderhook/internal/order"
	"github.com/orderhook/orderhook/internal/schema"
)

// ValidationError is one entry of validationErrors or validationWarnings
// (docs/contract.md#validators). Endpoints write it, so every field may be missing; it is
// passed on as it came.
type ValidationError struct {
	Message        string `json:"message,omitempty"`
	TranslateKey   string `json:"translateKey,omitempty"`
	ValidationType string `json:"validationType,omitempty"`
	ReferenceID    string `json:"referenceId,omitempty"`
}

// TypeExternal is the validationType of errors that orderhook itself makes of
// a validator that failed (docs/contract.md#validators).
const TypeExternal = "External"

// Validation is what a validator answered. Package validate puts those of several
// validators together.
type Validation struct {
	Passed   bool // false when there are errors, whatever the answer says
	Errors   []ValidationError
	Warnings []ValidationError
	Message  string
	Value    *jsondoc.Object  // the cart to apply; nil leaves it as it is
	Unread   []apierr.Warning // what of the answer nobody reads
}

// ParseValidation reads the body of a validator's 2xx answer, in any letter
// case. An empty body passes the cart. The error is an *[apierr.Error] that names the
// path of what is wrong.
func ParseValidation(body []byte) (*Validation, error) { return parseValidation(body, false) }

// ParseValidationOfLines is ParseValidation for a validator that changes the lines alone: of
// the value nothing else is read, so nothing else in it can be wrong.
func ParseValidationOfLines(body []byte) (*Validation, error) { return parseValidation(body, true) }

func parseValidation(body []byte, onlyLines bool) (*Validation, error) {
	v := &Validation{Passed: true}
	if len(bytes.TrimSpace(body)) == 0 {
		return v, nil
	}
	doc, err := schema.ParseRaw(body)
	if err != nil {
		return nil, err
	}
	if value := doc.Object("value"); onlyLines && value != nil {
		doc.Set("value", order.LinesAlone(value))
	}
	c := schema.DocumentReader{Patch: true}
	c.Object(doc, schema.Validation)
	if len(c.Errors) > 0 {
		return nil, &apierr.Error{Kind: apierr.Invalid, Detail: "the answer is not valid", Fields: c.Errors}
	}
	// Only false fails the cart. A validator that says nothing has nothing against it.
	if passed, ok := doc.Get("isValidatedSuccessful"); ok && passed == false {
		v.Passed = false
	}
	v.Unread = append(c.Warnings, unreadInValidation(doc)...)
	v.Errors = validationErrors(doc.Objects("validationErrors"))
	v.Warnings = validationErrors(doc.Objects("validationWarnings"))
	v.Passed = v.Passed && len(v.Errors) == 0
	v.Message, v.Value = doc.Text("validationMessage"), doc.Object("value")
	return v, nil
}

// unreadInValidation names the members of an answer that nobody reads; those of
// value are fields of the cart, which are stored. A typing error in a name would otherwise
// look like an answer that passes.
func unreadInValidation(doc *jsondoc.Object) []apierr.Warning {
	var u schema.Unread
	u.Object(doc, schema.ValidationPlace, "")
	for _, list := range []string{"validationErrors", "validationWarnings"} {
		for i, entry := range doc.Objects(list) {
			u.Object(entry, schema.ValidationEntryPlace, fmt.Sprintf("%s[%d]", list, i))
		}
	}
	return u.List()
}

// UnreadWarning is the entry of validationWarnings that names what of a
// validator's answer nobody reads (docs/contract.md#unread-members).
func UnreadWarning(unread []apierr.Warning) ValidationError {
	return ValidationError{Message: "the validator's answer was not read as a whole: " + apierr.WarningText(unread), ValidationType: TypeExternal}
}

// ShapeWarning is the entry of validationWarnings that names what of the cart
// itself nobody reads (docs/contract.md#documents).
func ShapeWarning(shapes []apierr.Warning) ValidationError {
	return ValidationError{Message: "the cart was not read as a whole: " + apierr.WarningText(shapes), ValidationType: TypeExternal}
}

// validationErrors reads the entries of one list, in their order. What is missing in one is
// "" there.
func validationErrors(list []*jsondoc.Object) []ValidationError {
	out := make([]ValidationError, len(list))
	for i, o := range list {
		out[i] = ValidationError{o.Text("message"), o.Text("translateKey"), o.Text("validationType"), o.Text("referenceId")}
	}
	return out
}
