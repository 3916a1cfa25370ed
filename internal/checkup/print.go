package checkup

import (
	"fmt"
	"io"
	"strings"
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
	parts := []string{counted(r.Errors, "error"), counted(r.Warnings, "warning")}
	if r.Notes > 0 {
		parts = append(parts, counted(r.Notes, "note"))
	}
	made := counted(len(r.Cases)-skipped, "case") + ": " + strings.Join(parts, ", ")
	if skipped > 0 {
		made += fmt.Sprintf("; %s left out", counted(skipped, "case"))
	}
	return made
}

// counted is "1 error" or "3 errors".
func counted(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
