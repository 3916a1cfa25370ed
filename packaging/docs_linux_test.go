package packaging

import (
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// written returns the lines of the block of a page that begins with a text, without comments.
func written(t *testing.T, page, begins string) (lines []string) {
	t.Helper()
	_, rest, found := strings.Cut(string(contentOf(t, filepath.Join(root, page))), "```sh\n"+begins)
	block, _, ends := strings.Cut(rest, "\n```\n")
	if !found || !ends {
		t.Fatalf("%s has no block that begins with %q", page, begins)
	}
	for line := range strings.Lines(begins + block) {
		line, _, _ = strings.Cut(strings.TrimSpace(line), "   #")
		lines = append(lines, line)
	}
	return lines
}

// follow runs lines of a page in a folder of the machine, where somebody is root already. It
// returns what the last line printed.
func (m *machine) follow(t *testing.T, dir string, lines ...string) (out string) {
	t.Helper()
	for _, line := range lines {
		line = strings.ReplaceAll(line, "sudo -u orderhook ", "runuser -u orderhook -- ")
		out = m.run(t, "sh", "-ec", `cd "$1"; eval "$2"`, "follow", dir, strings.ReplaceAll(line, "sudo ", ""))
	}
	return out
}

// TestTheArchiveIsInstalledAsItIsWritten: each line of the page about archives, and of that about
// the package from its second on, in a machine that runs systemd.
func TestTheArchiveIsInstalledAsItIsWritten(t *testing.T) {
	dir := published(t)
	archive := own(t)
	unpack := written(t, "docs/installing.md", "make release VERSION=v0.1.0")
	install := written(t, "docs/installing.md", "useradd ")
	begin := written(t, "docs/installing.md", "sudo dpkg -i ")
	m := newMachine(t)
	m.run(t, "mkdir", "/root/dist")
	m.put(t, archive, "/root/dist/"+filepath.Base(archive))
	m.put(t, filepath.Join(dir, "SHA256SUMS"), "/root/dist/SHA256SUMS")
	// The page names the version, and the platform, of an example.
	named := strings.NewReplacer("orderhook_0.1.0_linux_amd64", strings.TrimSuffix(filepath.Base(archive), ".tar.gz"))
	folder := strings.TrimSuffix("/root/dist/"+filepath.Base(archive), ".tar.gz")
	for _, line := range unpack[2:] { // those before make it
		switch in := "/root/dist"; {
		case strings.HasPrefix(line, "cd "):
			if named.Replace(line) != "cd "+filepath.Base(folder) {
				t.Errorf("the page goes to another folder: %s", line)
			}
		case strings.HasPrefix(line, "./"):
			m.follow(t, folder, line)
		default:
			m.follow(t, in, named.Replace(line))
		}
	}
	m.follow(t, folder, install...)
	m.follow(t, "/root", begin[1])
	if key := m.follow(t, "/root", begin[2]); !strings.HasPrefix(key, "ohk_") {
		t.Errorf("the page's third line prints %q", key)
	}
	m.follow(t, "/root", begin[3])
	m.await(t, "orderhook", "healthcheck")
	m.follow(t, "/root", begin[4])
	m.follow(t, "/root", "systemctl reload orderhook")
	if log := m.log(); !strings.Contains(log, "orderhook serves") || strings.Contains(log, "level=WARN") {
		t.Errorf("the log has %s", log)
	}
}

// TestCommandsOfThePackageAsRoot leave nothing that the service cannot open, and the lines of the
// page about a service do what they say.
func TestCommandsOfThePackageAsRoot(t *testing.T) {
	each(t, published(t), "*_"+runtime.GOARCH+".deb")
	m, _ := installed(t)
	m.follow(t, "/root", written(t, "docs/operating.md", "sudo -u orderhook orderhook keys list ")...)
	m.run(t, "systemctl", "stop", "orderhook")
	for _, args := range [][]string{
		{"backup", "/root/copy.db", "--with-key"}, {"restore", "/root/copy.db"}, {"keys", "rotate-encryption"},
		{"keys", "create", "--role", "reader"}, {"migrate"}, {"check"},
	} {
		m.run(t, append(append([]string{"orderhook"}, args...), "--config", config)...)
		if others := m.run(t, "find", "/var/lib/orderhook", "!", "-user", "orderhook"); others != "" {
			t.Errorf("behind %v these are not the service's: %s", args, others)
		}
	}
	m.run(t, "systemctl", "start", "orderhook")
	m.await(t, "orderhook", "healthcheck")
}
