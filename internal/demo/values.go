package demo

import (
	"strings"
	"unicode/utf8"

	"github.com/orderhook/orderhook/internal/oms"
)

// longestPath is how wide the column of paths gets.
const longestPath = 40

// printChanges prints fields that changed: path, before → after.
func (s *show) printChanges(changes []oms.Change) {
	column := 0
	for _, c := range changes {
		column = max(column, min(utf8.RuneCountInString(c.Path), longestPath))
	}
	name := "changed"
	for _, c := range changes {
		s.paper.line(piece{"     " + pad(name, 9), dim}, piece{pad(c.Path, column) + "  ", plain},
			piece{shown(c.Before), dim}, piece{" → ", dim}, piece{shown(c.After), bold})
		name = ""
	}
}

// shown is a value of a document as the demo prints it.
func shown(v any) string {
	switch v := v.(type) {
	case nil:
		return "–"
	case string:
		return v
	case oms.Number:
		return string(v)
	case bool:
		if v {
			return "true"
		}
		return "false"
	case []any:
		parts := make([]string, len(v))
		for i, e := range v {
			parts[i] = shown(e)
		}
		return "[" + strings.Join(parts, ", ") + "]"
	case *oms.Object:
		parts := make([]string, 0, v.Len())
		for _, m := range v.Members() {
			parts = append(parts, m.Name+": "+shown(m.Value))
		}
		return "{" + strings.Join(parts, ", ") + "}"
	}
	return "?"
}

// answerText is what an endpoint answered, in short: what it reported and the
// fields of its patch, or the error that the attempt came to.
func answerText(a attempt) string {
	if a.Response == nil {
		return a.Error
	}
	doc, err := oms.Parse([]byte(a.Response.Body))
	if err != nil {
		return strings.TrimSpace(a.Response.Body)
	}
	var parts []string
	for _, r := range doc.Objects("orderActionExecutionResults") {
		parts = append(parts, r.Text("actionStatus"))
		if r.True("cancelWorkflow") {
			parts = append(parts, "cancelWorkflow")
		}
	}
	if patch := doc.Object("orderPatch"); patch != nil {
		var names []string
		for _, m := range patch.Members() {
			names = append(names, m.Name)
		}
		parts = append(parts, "orderPatch of "+strings.Join(names, ", "))
	}
	return strings.Join(parts, ", ")
}
