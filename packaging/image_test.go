package packaging

import (
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestTheImageIsBuiltOfWhatItCopies: the Dockerfile takes the folders that the program is made of,
// which the ignore file lets through, and a Go of the version that go.mod asks for.
func TestTheImageIsBuiltOfWhatItCopies(t *testing.T) {
	text := string(contentOf(t, "docker/Dockerfile"))
	first, _, _ := strings.Cut(text, "\nFROM scratch\n")
	var taken []string
	for line := range strings.Lines(first) {
		if words := strings.Fields(line); len(words) > 2 && words[0] == "COPY" {
			taken = append(taken, words[1:len(words)-1]...)
		}
	}
	ignore := strings.Fields(string(contentOf(t, "docker/Dockerfile.dockerignore")))
	for _, one := range taken {
		if !slices.Contains(ignore, "!"+one) {
			t.Errorf("the Dockerfile copies %s, which its ignore file keeps away", one)
		}
	}
	cmd := exec.Command("go", "list", "-deps", "-f", `{{with .Module}}{{if .Main}}{{$.ImportPath}}{{end}}{{end}}`, "./cmd/orderhook")
	cmd.Dir = root
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	packages := strings.Fields(string(out))
	for _, pkg := range packages {
		folder, _, _ := strings.Cut(strings.TrimPrefix(pkg, "github.com/orderhook/orderhook/"), "/")
		if !slices.Contains(taken, folder) {
			t.Errorf("the program needs %s, which the Dockerfile does not copy", pkg)
		}
	}
	if len(packages) < 20 {
		t.Errorf("the program is made of %v", packages)
	}
	version := regexp.MustCompile(`(?m)^go ([0-9]+\.[0-9]+)`).FindStringSubmatch(string(contentOf(t, root+"/go.mod")))
	if version == nil || !strings.Contains(text, " golang:"+version[1]+" AS build\n") {
		t.Errorf("the image is built with another Go than %v", version)
	}
	// The program has its version by the same flags as in packaging/release.
	for _, flag := range []string{"-trimpath", "-X main.release=", "-X main.commit=", "CGO_ENABLED=0"} {
		if !strings.Contains(first, flag) {
			t.Errorf("the image is built without %s", flag)
		}
	}
}
