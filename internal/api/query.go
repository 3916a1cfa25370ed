package api

import (
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/schema"
)

// checkQuery refuses query parameters that would be misread silently: one given twice (only
// the first would count), a blank one, and a cursor of another list. An empty one counts as
// left out, since forms send such (docs/contract.md#calls-of-the-api). The names are sorted,
// so that the same request always has the same answer.
func checkQuery(at *url.URL, op *huma.Operation) error {
	query := at.Query()
	var wrong []apierr.FieldError
	for _, name := range slices.Sorted(maps.Keys(query)) {
		message := ""
		switch values := query[name]; {
		case len(values) > 1:
			message = "is there more than once, and takes one value"
		case isBlank(values[0]):
			message = blankText
		case name == "cursor" && values[0] != "" && asksFor(op, name) && !isCursorOf(at.Path, values[0]):
			message = "is not a cursor that this list gave out"
		}
		if message != "" && len(wrong) < mostNamed {
			wrong = append(wrong, apierr.FieldError{Location: "query." + clip(name), Message: message})
		}
	}
	if len(wrong) == 0 {
		return nil
	}
	return &apierr.Error{Kind: apierr.Invalid, Detail: "the query is not valid", Fields: wrong}
}

// asksFor reports whether an operation has a parameter. What it does not have, Huma refuses.
func asksFor(op *huma.Operation, name string) bool {
	return slices.ContainsFunc(op.Parameters, func(p *huma.Param) bool { return p.In == "query" && p.Name == name })
}

// mostNamed is how many parameters one such answer names. A query may have thousands
// of them, and the answer should not be larger than the question.
const mostNamed = 20

// blankText is what is wrong with a filter that is nothing but white space.
const blankText = "is blank: say what is looked for, or leave it out"

// isBlank reports whether a text has nothing but white space. The empty text is none such.
func isBlank(text string) bool { return text != "" && strings.TrimSpace(text) == "" }

// refuseBlank is the same rule for a filter that is a body.
func refuseBlank(body *schema.ObjectReader, names ...string) {
	for _, name := range names {
		if isBlank(body.Text(name)) {
			body.Wrong(name, "%s", blankText)
		}
	}
}
