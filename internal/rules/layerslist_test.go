package rules

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// listedPackage is a line of ARCHITECTURE.md#packages that begins a package.
var listedPackage = regexp.MustCompile(`(?m)^    (\S+) `)

// misplaced compares the list of packages in ARCHITECTURE.md with layers. In the list,
// examples stand together.
func misplaced(document string) (wrong []string) {
	_, rest, _ := strings.Cut(document, "\n## Packages\n")
	list, _, _ := strings.Cut(rest, "\n    internal/rules ") // what follows are tests
	there, last := map[string]bool{}, 0
	for _, m := range listedPackage.FindAllStringSubmatch(list, -1) {
		there[m[1]] = true
		row := slices.IndexFunc(layers, func(l []string) bool { return slices.Contains(l, m[1]) })
		switch {
		case m[1] == "examples":
		case row < 0:
			wrong = append(wrong, m[1]+" is in no layer")
		case row < last:
			wrong = append(wrong, m[1]+" stands below a package that the layers have below it")
		}
		last = max(last, row)
	}
	for _, l := range layers {
		for _, p := range l {
			if !there[p] && !strings.HasPrefix(p, "examples/") && p != "internal/checkup/checkuptest" {
				wrong = append(wrong, p+" is not in the list")
			}
		}
	}
	return append(wrong, unparted(list)...)
}

// unparted returns the packages of the list before which a blank line lacks, or is too many:
// there is one between two layers.
func unparted(list string) (wrong []string) {
	before, blank := 0, false
	for _, line := range strings.Split(list, "\n") {
		m := listedPackage.FindStringSubmatch(line)
		if m == nil {
			blank = blank || line == ""
			continue
		}
		row, _ := layerOf(m[1])
		if m[1] == "examples" {
			row = 0
		}
		if (row != before) != blank && m[1] != "cmd/orderhook" {
			wrong = append(wrong, "a blank line before "+m[1]+" lacks, or is too many")
		}
		before, blank = row, false
	}
	return wrong
}

// TestTheListOfPackagesIsThatOfTheLayers: ARCHITECTURE.md says that imports point down its list.
func TestTheListOfPackagesIsThatOfTheLayers(t *testing.T) {
	text, err := os.ReadFile(root + "/ARCHITECTURE.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, what := range misplaced(string(text)) {
		t.Errorf("ARCHITECTURE.md#packages: %s", what)
	}
}
