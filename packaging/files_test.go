package packaging

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestEveryVariableIsDocumented: a variable that orderhook does not know would change nothing,
// and nobody would be told.
func TestEveryVariableIsDocumented(t *testing.T) {
	known := string(contentOf(t, root+"/docs/operating.md"))
	name := regexp.MustCompile(`ORDERHOOK_[A-Z_]+`)
	count := 0
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(path) == ".go" || path == "check" { // these tell the tests something
			return err
		}
		for _, found := range name.FindAllString(string(contentOf(t, path)), -1) {
			count++
			if !strings.Contains(known, "`"+found+"`") {
				t.Errorf("%s has %s, which docs/operating.md does not know", path, found)
			}
		}
		return nil
	})
	if err != nil || count < 10 {
		t.Errorf("%d variables were found: %v", count, err)
	}
}

// newest is the newest version of the changelog.
func newest(t *testing.T) string {
	t.Helper()
	m := regexp.MustCompile(`(?m)^## \[([0-9.]+)\] - [0-9]{4}-[0-9]{2}-[0-9]{2}$`).FindSubmatch(contentOf(t, filepath.Join(root, "CHANGELOG.md")))
	if m == nil {
		t.Fatal("CHANGELOG.md has no version")
	}
	return string(m[1])
}

func TestTheChartIsOfTheNewestVersion(t *testing.T) {
	text := string(contentOf(t, "helm/orderhook/Chart.yaml"))
	for _, line := range []string{"version: ", "appVersion: "} {
		if !strings.Contains(text, "\n"+line+newest(t)+"\n") {
			t.Errorf("Chart.yaml has no %q of version %s", line, newest(t))
		}
	}
}

func TestTheScriptsOfThePackageAreShell(t *testing.T) {
	for _, script := range []string{"postinst", "prerm", "postrm"} {
		output(t, "debian", "sh", "-n", script)
	}
	output(t, ".", "bash", "-n", "release")
}

// here skips a test of a program that this machine has not. Where CI=true it fails.
func here(t *testing.T, program string) {
	t.Helper()
	if _, err := exec.LookPath(program); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
}

// TestTheUnitIsGood as systemd sees it, and open to nothing that it does not need: its own
// measure of that is at most 1.5 of 10.
func TestTheUnitIsGood(t *testing.T) {
	here(t, "systemd-analyze")
	unit := string(contentOf(t, "systemd/orderhook.service"))
	program := filepath.Join(t.TempDir(), "orderhook")
	path := filepath.Join(t.TempDir(), "orderhook.service")
	if err := os.WriteFile(program, []byte("#!/bin/sh\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(strings.Replace(unit, "/usr/bin/orderhook", program, 1)), 0o644); err != nil {
		t.Fatal(err)
	}
	verify := exec.Command("systemd-analyze", "verify", "--man=no", "--recursive-errors=no", path)
	if out, err := verify.CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("systemd-analyze verify: %v: %s", err, out)
	}
	security := exec.Command("systemd-analyze", "security", "--offline=yes", "--no-pager", "--threshold=15", path)
	if out, err := security.CombinedOutput(); err != nil {
		t.Errorf("systemd-analyze security: %v: %s", err, out)
	}
}
