package rules

import (
	"fmt"
	"path"
	"regexp"
	"strings"
	"unicode"
)

var (
	heading = regexp.MustCompile(`^#{1,6} +(.*?) *#*$`)
	link    = regexp.MustCompile(`\]\(([^()\s]+)\)`)
)

// page is what a Markdown document has of headings and links. What stands in a block
// of code is neither.
type page struct {
	anchors map[string]bool
	links   []string
}

func readPage(text string) page {
	p, again := page{anchors: map[string]bool{}}, map[string]int{}
	for _, line := range strings.Split(outsideBlocks(text), "\n") {
		if m := heading.FindStringSubmatch(line); m != nil {
			anchor := anchorOf(m[1])
			if n := again[anchor]; n > 0 {
				p.anchors[fmt.Sprintf("%s-%d", anchor, n)] = true
			}
			again[anchor]++
			p.anchors[anchor] = true
		}
		for _, m := range link.FindAllStringSubmatch(line, -1) {
			p.links = append(p.links, m[1])
		}
	}
	return p
}

// anchorOf is the anchor that a heading has where documents are shown: letters, digits,
// hyphens and underscores, in lower case, with hyphens in place of blanks.
func anchorOf(title string) string {
	title = regexp.MustCompile(`\[([^\]]*)\]\([^)]*\)`).ReplaceAllString(title, "$1")
	return strings.Map(func(r rune) rune {
		switch {
		case r == ' ':
			return '-'
		case r == '-', r == '_', unicode.IsLetter(r), unicode.IsDigit(r):
			return unicode.ToLower(r)
		}
		return -1
	}, title)
}

// outsideBlocks is a document without its fenced blocks of code.
func outsideBlocks(text string) string {
	var out []string
	fenced := false
	for _, line := range strings.Split(text, "\n") {
		if strings.HasPrefix(strings.TrimSpace(line), "```") {
			fenced = !fenced
		} else if !fenced {
			out = append(out, line)
		}
	}
	return strings.Join(out, "\n")
}

// outsideLinks is a document without its blocks of code and the targets of its links,
// which brokenLinks looks at.
func outsideLinks(text string) string {
	return link.ReplaceAllString(outsideBlocks(text), "]")
}

// brokenLinks says which links of a document lead nowhere in this project.
func (p page) brokenLinks(name string, names map[string]bool, documents map[string]page) (wrong []string) {
	for _, target := range p.links {
		if strings.Contains(target, ":") { // another site
			continue
		}
		file, anchor, anchored := strings.Cut(target, "#")
		at := name
		if file != "" {
			at = path.Join(path.Dir(name), file)
		}
		switch {
		case !names[at] && !hasFolder(names, at):
			wrong = append(wrong, "the link "+target+" leads to no file")
		case anchored && !documents[at].anchors[anchor]:
			wrong = append(wrong, "the link "+target+" leads to no section of "+at)
		}
	}
	return wrong
}
