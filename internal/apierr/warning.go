package apierr

import (
	"fmt"
	"strings"
)

// Warning names something that was taken as it is, and may still be an error:
// a field that nothing reads, a name that is like another one. It never changes
// what comes of a request or of an answer (docs/contract.md#unread-members).
type Warning struct {
	Path    string `json:"path"` // as in [FieldError]
	Message string `json:"message"`
}

// WarningText says in one line what warnings are about, and names the first of
// them; the others are counted.
func WarningText(warnings []Warning) string {
	const most = 5
	var parts []string
	for _, w := range warnings[:min(most, len(warnings))] {
		parts = append(parts, strings.TrimPrefix(w.Path+": "+w.Message, ": "))
	}
	if more := len(warnings) - most; more > 0 {
		parts = append(parts, fmt.Sprintf("and %d more", more))
	}
	return strings.Join(parts, "; ")
}
