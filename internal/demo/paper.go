package demo

import (
	"fmt"
	"io"
	"os"
	"strings"
	"unicode/utf8"
)

// width is how many columns the demo takes at most. Longer values are cut, so that a line
// of the demo is a line of the terminal.
const width = 100

// The ways to write a text on a terminal (ECMA-48, SGR).
const (
	plain  = ""
	bold   = "1"
	dim    = "2"
	red    = "31"
	green  = "32"
	yellow = "33"
	cyan   = "36"
)

// paper is what the demo writes on. Its first error is remembered, and ends nothing:
// the demo goes on without a reader. One goroutine writes on it. Run returns the error at
// the end.
type paper struct {
	w      io.Writer
	colour bool
	err    error
}

// newPaper writes in colours on a terminal, unless NO_COLOR says that nobody wants them.
func newPaper(w io.Writer) *paper {
	return &paper{w: w, colour: os.Getenv("NO_COLOR") == "" && isTerminal(w)}
}

// isTerminal reports whether somebody looks at it, and not a file or another program.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// piece is a text in one colour.
type piece struct{ text, style string }

// line writes one line of pieces, cut at the width. The escapes of colours take no
// columns, so the text is cut before they are added.
func (p *paper) line(pieces ...piece) {
	left, out := width, strings.Builder{}
	for _, piece := range pieces {
		text := cut(piece.text, left)
		left -= utf8.RuneCountInString(text)
		if p.colour && piece.style != plain && text != "" {
			text = "\x1b[" + piece.style + "m" + text + "\x1b[0m"
		}
		out.WriteString(text)
	}
	p.write(strings.TrimRight(out.String(), " "))
}

// print writes a line that is never cut, such as a command to copy.
func (p *paper) print(format string, args ...any) { p.write(fmt.Sprintf(format, args...)) }

// write writes a line.
func (p *paper) write(line string) {
	if _, err := io.WriteString(p.w, line+"\n"); err != nil && p.err == nil {
		p.err = err
	}
}

// cut shortens a text to so many characters, the last of which says that there were more.
func cut(text string, most int) string {
	runes := []rune(text)
	switch {
	case len(runes) <= most:
		return text
	case most <= 0:
		return ""
	}
	return string(runes[:most-1]) + "…"
}

// pad fills a text up to n columns. A longer text stays as it is.
func pad(text string, n int) string {
	return text + strings.Repeat(" ", max(0, n-utf8.RuneCountInString(text)))
}
