package demo

import (
	"strings"
	"unicode/utf8"

	"github.com/orderhook/orderhook/internal/jsondoc"
	"github.com/orderhook/orderhook/internal/order"
	"github.com/orderhook/orderhook/internal/schema"
)

// longestPath is how wide the column of paths gets.
const longestPath = 40

// printChanges prints fields that changed: path, before → after. The column is as wide as
// the longest path, within bounds.
func (s *show) printChanges(changes []order.Change) {
	// First the width of the column, by characters and not by bytes.
	column := 0
	for _, c := range changes {
		column = max(column, min(utf8.RuneCountInString(c.Path), longestPath))
	}
	// The word stands before the first change only.
	name := "changed"
	for _, c := range changes {
		s.paper.line(piece{"     " + pad(name, 9), dim}, piece{pad(c.Path, column) + "  ", plain},
			piece{shown(c.Before), dim}, piece{" → ", dim}, piece{shown(c.After), bold})
		name = ""
	}
}

// shown is a value of a document as the demo prints it. A number is its digits. Texts
// have no quotes, since the demo is for people.
func shown(v any) string {
	switch v := v.(type) {
	case nil:
		return "–"
	case string:
		return v
	// As it was stored: 1200.00 stays 1200.00.
	case jsondoc.Number:
		return string(v)
	case bool:
		if v {
			return "true"
		}
		return "false"
	// Lists and objects are written in one line. Those of the demo are short.
	case []any:
		parts := make([]string, len(v))
		for i, e := range v {
			parts[i] = shown(e)
		}
		return "[" + strings.Join(parts, ", ") + "]"
	case *jsondoc.Object:
		parts := make([]string, 0, v.Len())
		for _, m := range v.Members() {
			parts = append(parts, m.Name+": "+shown(m.Value))
		}
		return "{" + strings.Join(parts, ", ") + "}"
	}
	return "?"
}

// answerText is what an endpoint answered, in short: what it reported and the
// fields of its patch, or the error that the attempt came to. What is no JSON is shown as
// it is.
func answerText(a attempt) string {
	if a.Response == nil {
		return a.Error
	}
	// Names of an answer have no case, and the parser gives all of them one form.
	doc, err := schema.Parse([]byte(a.Response.Body))
	if err != nil {
		return strings.TrimSpace(a.Response.Body)
	}
	var parts []string
	// The status that the endpoint reported, and whether it stopped the workflow.
	for _, r := range doc.Objects("orderActionExecutionResults") {
		parts = append(parts, r.Text("actionStatus"))
		if r.True("cancelWorkflow") {
			parts = append(parts, "cancelWorkflow")
		}
	}
	// Only the names in the patch are shown; what it changed is printed below the step.
	if patch := doc.Object("orderPatch"); patch != nil {
		var names []string
		for _, m := range patch.Members() {
			names = append(names, m.Name)
		}
		parts = append(parts, "orderPatch of "+strings.Join(names, ", "))
	}
	return strings.Join(parts, ", ")
}
