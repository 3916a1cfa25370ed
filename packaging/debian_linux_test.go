package packaging

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

const config = "/etc/orderhook/orderhook.json"

// installed is a machine with the package, that was installed as docs/installing.md#debian
// says, and a server that runs. It returns the first key.
func installed(t *testing.T) (*machine, string) {
	t.Helper()
	pkg := each(t, published(t), "*_"+runtime.GOARCH+".deb")[0]
	m := newMachine(t)
	m.put(t, pkg, "/root/orderhook.deb")
	m.run(t, "dpkg", "-i", "/root/orderhook.deb")
	m.run(t, "runuser", "-u", "orderhook", "--", "orderhook", "migrate", "--config", config)
	key := strings.TrimSpace(m.run(t, "runuser", "-u", "orderhook", "--", "orderhook", "keys", "create", "--role", "admin", "--config", config))
	m.run(t, "systemctl", "enable", "--now", "orderhook")
	m.await(t, "orderhook", "healthcheck")
	return m, key
}

// TestThePackageIsInstalled into a machine that runs systemd, serves there as its unit says,
// is started again after a SIGKILL, is updated, removed and purged. Of what was stored
// nothing goes.
func TestThePackageIsInstalled(t *testing.T) {
	m, key := installed(t)
	call := func(method, path, body string) string {
		t.Helper()
		return m.run(t, "curl", "--silent", "--show-error", "--fail-with-body", "--request", method, "--header", "Authorization: Bearer "+key,
			"--data", body, "http://127.0.0.1:8080"+path)
	}
	call("PUT", "/api/settings", `{"orderTypes":[{"name":"Online","orderStatuses":[{"name":"New"}]}]}`)
	call("POST", "/api/orders", `{"id":"ORD-1"}`)
	if log := m.log(); !strings.Contains(log, "orderhook serves") || strings.Contains(log, "ohk_") || strings.Contains(log, "level=WARN") {
		t.Errorf("a key is in the log, or there are warnings: %s", log)
	}
	if modes := m.run(t, "stat", "--format", "%n %U %a", config, "/var/lib/orderhook", "/var/lib/orderhook/orderhook.db"); modes != config+" orderhook 600\n/var/lib/orderhook orderhook 700\n/var/lib/orderhook/orderhook.db orderhook 600\n" {
		t.Errorf("others can read: %s", modes)
	}

	pid := m.run(t, "systemctl", "show", "--property", "MainPID", "--value", "orderhook")
	status := m.run(t, "cat", "/proc/"+strings.TrimSpace(pid)+"/status")
	for _, line := range []string{"CapEff:\t0000000000000000", "CapBnd:\t0000000000000000", "NoNewPrivs:\t1", "Seccomp:\t2"} {
		if !strings.Contains(status, line) {
			t.Errorf("under its unit the server does not have %q", line)
		}
	}
	m.run(t, "systemctl", "kill", "--signal", "KILL", "orderhook")
	m.await(t, "sh", "-c", "test $(systemctl show --property MainPID --value orderhook) -ne "+strings.TrimSpace(pid)+" && orderhook healthcheck")
	call("GET", "/api/orders/ORD-1", "")

	m.run(t, "sh", "-c", `echo '{"listen":"127.0.0.1:8081","database":"/var/lib/orderhook/orderhook.db"}' >`+config)
	m.run(t, "dpkg", "-i", "/root/orderhook.deb") // an update, as far as dpkg knows
	m.await(t, "orderhook", "healthcheck", "--config", config)
	if text := m.run(t, "cat", config); !strings.Contains(text, "8081") {
		t.Errorf("an update changes the config file: %s", text)
	}

	m.run(t, "dpkg", "-r", "orderhook")
	if out, err := m.try("systemctl", "is-active", "orderhook"); err == nil {
		t.Errorf("the server runs without its program: %s", out)
	}
	m.run(t, "test", "-e", config)
	said := m.run(t, "dpkg", "-P", "orderhook")
	if _, err := m.try("test", "-e", config); err == nil {
		t.Error("the config file stays after purge")
	}
	if !strings.Contains(said, "/var/lib/orderhook, with the database and its key, stays") {
		t.Errorf("purge says %q", said)
	}
	m.run(t, "test", "-s", "/var/lib/orderhook/orderhook.db")
	if _, err := os.Stat(filepath.Join("/var/lib", "orderhook")); err == nil {
		t.Error("the test has changed this machine")
	}
}
