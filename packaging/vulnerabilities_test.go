package packaging

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// database writes one of vulnerabilities that has one entry: a symbol of a package, in all
// versions of its module.
func database(t *testing.T, module, pkg, symbol string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"index/db.json":      `{"modified":"2026-01-02T03:04:05Z"}`,
		"index/modules.json": `[{"path":"` + module + `","vulns":[{"id":"GO-2026-0001","modified":"2026-01-02T03:04:05Z"}]}]`,
		"ID/GO-2026-0001.json": `{"schema_version":"1.3.1","id":"GO-2026-0001","modified":"2026-01-02T03:04:05Z","published":"2026-01-02T03:04:05Z",
			"summary":"made up by a test","database_specific":{"url":"https://example.com/GO-2026-0001"},"affected":[{"package":{"name":"` + module + `","ecosystem":"Go"},"ranges":[{"type":"SEMVER","events":[{"introduced":"0"}]}],
			"ecosystem_specific":{"imports":[{"path":"` + pkg + `","symbols":["` + symbol + `"]}]}}]}`,
	} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return "file://" + dir
}

// TestAKnownVulnerabilityFails where the product calls what has it, and nothing fails where it
// does not, or where nobody can be asked.
func TestAKnownVulnerabilityFails(t *testing.T) {
	published(t) // it takes a minute
	const module = "github.com/alecthomas/kong"
	for name, c := range map[string]struct {
		db   string
		code int
		says string
	}{
		"called":     {database(t, module, module, "Must"), 3, "GO-2026-0001"},
		"not called": {database(t, module, module, "Nobody"), 0, "No vulnerabilities found"},
		// Its proxy cannot be reached, and so neither can the database.
		"offline": {"https://vuln.go.dev", 0, "not checked for known vulnerabilities"},
	} {
		cmd := exec.Command("../scripts/vulnerabilities")
		cmd.Env = append(os.Environ(), "GOVULNDB="+c.db, "HTTPS_PROXY=http://127.0.0.1:1")
		out, _ := cmd.CombinedOutput()
		if cmd.ProcessState.ExitCode() != c.code || !strings.Contains(string(out), c.says) {
			t.Errorf("%s: code %d: %s", name, cmd.ProcessState.ExitCode(), out)
		}
	}
}
