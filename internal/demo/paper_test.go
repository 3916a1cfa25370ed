package demo

import (
	"bytes"
	"errors"
	"os"
	"strings"
	"testing"
)

func TestALineIsCutAtTheWidthColoursNotCounted(t *testing.T) {
	for _, colour := range []bool{false, true} {
		var b bytes.Buffer
		p := &paper{w: &b, colour: colour}
		p.line(piece{strings.Repeat("é", 90), bold}, piece{strings.Repeat("x", 20), red}, piece{"never seen", dim})
		text := b.String()
		for _, code := range []string{"\x1b[1m", "\x1b[31m", "\x1b[0m"} {
			if strings.Contains(text, code) != colour {
				t.Errorf("colour %v: %q", colour, text)
			}
			text = strings.ReplaceAll(text, code, "")
		}
		if want := strings.Repeat("é", 90) + "xxxxxxxxx…\n"; text != want {
			t.Errorf("%q, want %q", text, want)
		}
	}
}

func TestColoursNeedATerminal(t *testing.T) {
	f, err := os.CreateTemp(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if newPaper(f).colour || newPaper(&bytes.Buffer{}).colour {
		t.Error("coloured where there is no terminal")
	}
}

type broken struct{}

var errBroken = errors.New("nobody reads")

func (broken) Write([]byte) (int, error) { return 0, errBroken }

func TestAReaderThatWentAwayIsRemembered(t *testing.T) {
	p := newPaper(broken{})
	p.print("one")
	p.print("two")
	if !errors.Is(p.err, errBroken) {
		t.Error(p.err)
	}
}
