package checkup

import (
	"fmt"
	"io"
	"strings"

	"github.com/orderhook/orderhook/internal/spelling"
)

// Print writes a case as people read it, with its findings.
func (c Case) Print(w io.Writer) {
	fmt.Fprintf(w, "%-8s %-11s %s%s\n", c.Result, c.Name, c.About, c.outcome())
	for _, f := range c.Findings {
		fmt.Fprintf(w, "  %s: %s: %s\n", f.Severity, f.Kind, f.Text)
		for _, row := range [][2]string{{"sent", f.Sent}, {"came", f.Came}, {"effect", f.Effect}, {"advice", f.Advice}, {"see", f.Section}} {
			fmt.Fprintf(w, "    %-7s %s\n", row[0]+":", row[1])
		}
	}
}

// outcome is what came of the last call of a case.
func (c Case) outcome() string {
	switch {
	case c.Skipped != "":
		return ": left out: " + c.Skipped
	case len(c.Calls) == 0:
		return ""
	}
	last := c.Calls[len(c.Calls)-1]
	if last.Status == 0 {
		return ": " + printable(last.Failure)
	}
	return printable(fmt.Sprintf(": %d, %s", last.Status, last.Effect))
}

// Summary is what a report comes to, on one line.
func (r *Report) Summary() string {
	skipped := 0
	for _, c := range r.Cases {
		if c.Result == resultSkipped {
			skipped++
		}
	}
	parts := []string{spelling.Count(r.Errors, "error"), spelling.Count(r.Warnings, "warning")}
	if r.Notes > 0 {
		parts = append(parts, spelling.Count(r.Notes, "note"))
	}
	made := spelling.Count(len(r.Cases)-skipped, "case") + ": " + strings.Join(parts, ", ")
	if skipped > 0 {
		made += fmt.Sprintf("; %s left out", spelling.Count(skipped, "case"))
	}
	return made
}
