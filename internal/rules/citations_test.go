package rules

import (
	"io/fs"
	"os"
	"path"
	"regexp"
	"strings"
	"testing"
)

// A citation names a document of this project by its path from the root, and a
// section by its anchor. Whoever follows it must get there: no document that is stored
// elsewhere, no title that was renamed since, no number of a list that is gone.

var (
	// document is the name of a Markdown document, with an anchor or without.
	document = regexp.MustCompile(`(://\S*)?([\w.-]+/)*[\w-]+\.md\b(#[\w-]*)?(\.\w+)?`)
	// byTitle is a section that is cited by its title, which nothing can follow.
	byTitle  = regexp.MustCompile(`\.md(?:'s)?,?\s*(?://\s*)?["“(]+["“]?\w`)
	textFile = regexp.MustCompile(`\b[\w-]+\.txt\b`)
	numbered = regexp.MustCompile(`\b[Cc]ase [A-Z][0-9]+\b`)
)

// A finding is a place and what is wrong with it.
type finding struct{ file, what string }

// citations looks through the files of a project for citations that lead nowhere.
func citations(project fs.FS) (found []finding, err error) {
	names, err := fileNames(project)
	if err != nil {
		return nil, err
	}
	documents := map[string]page{}
	for name := range names {
		if path.Ext(name) == ".md" {
			text, err := fs.ReadFile(project, name)
			if err != nil {
				return nil, err
			}
			documents[name] = readPage(string(text))
		}
	}
	for name := range names {
		if !cites(name) {
			continue
		}
		text, err := fs.ReadFile(project, name)
		if err != nil {
			return nil, err
		}
		for _, what := range citationsOf(name, string(text), names, documents) {
			found = append(found, finding{name, what})
		}
	}
	return found, nil
}

// citationsOf says what is wrong with the citations of one file.
func citationsOf(name, text string, names map[string]bool, documents map[string]page) (wrong []string) {
	if path.Ext(name) == ".md" {
		wrong = documents[name].brokenLinks(name, names, documents)
		text = outsideLinks(text)
	}
	if path.Ext(name) == ".go" {
		comments := commentsOf(text)
		for _, cited := range textFile.FindAllString(comments, -1) {
			if !hasBase(names, cited) {
				wrong = append(wrong, cited+" is no file of this project: cite a section of docs/contract.md")
			}
		}
		for _, cited := range numbered.FindAllString(comments, -1) {
			wrong = append(wrong, cited+" is a number in no list of this project: cite a section of docs/contract.md")
		}
	}
	for _, m := range document.FindAllStringSubmatch(text, -1) {
		if m[1] != "" || m[4] != "" { // of another site, or a file of another kind
			continue
		}
		cited, anchor, _ := strings.Cut(m[0], "#")
		at := cited
		if strings.HasPrefix(cited, "../") || path.Ext(name) == ".md" && !names[cited] { // from where it stands
			at = path.Join(path.Dir(name), cited)
		}
		switch {
		case !names[at]:
			wrong = append(wrong, cited+" is no document of this project")
		case m[3] != "" && !documents[at].anchors[anchor]:
			wrong = append(wrong, cited+" has no section #"+anchor)
		}
	}
	for _, cited := range byTitle.FindAllString(text, -1) {
		wrong = append(wrong, cited+"…: a section is cited by its anchor, as docs/contract.md#patches")
	}
	return wrong
}

func TestCitationsLeadSomewhere(t *testing.T) {
	found, err := citations(os.DirFS("../.."))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range found {
		t.Errorf("%s: %s", f.file, f.what)
	}
}
