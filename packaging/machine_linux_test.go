package packaging

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// patience bounds each wait; a busy machine needs some of it.
const patience = 2 * time.Minute

// A machine is a copy of this one, with an init of its own, that sees no network but
// loopback: what is installed there is on a layer over this machine's files, which goes with
// the test.
type machine struct{ init *exec.Cmd }

// boot makes the folder of a machine its root, and starts systemd there.
const boot = `
set -e
cd "$1"
mount --make-rprivate /
mount -t tmpfs layer layer
mkdir layer/over layer/work
mount -t overlay overlay -o lowerdir=/,upperdir=layer/over,workdir=layer/work root
mount -t proc proc root/proc
mount -t sysfs -o ro sysfs root/sys
mount -t cgroup2 none root/sys/fs/cgroup
mount -t tmpfs tmpfs root/run
mount -t tmpfs tmpfs root/tmp
mount -t tmpfs tmpfs root/dev
for device in null zero full random urandom tty; do touch root/dev/$device; mount --bind /dev/$device root/dev/$device; done
mkdir root/dev/shm root/dev/pts
mount -t devpts -o newinstance,ptmxmode=0666 devpts root/dev/pts
ln -s pts/ptmx root/dev/ptmx
ip link set lo up
cd root
mkdir -p old
pivot_root . old
umount -l /old
exec /usr/bin/env -i container=orderhook PATH=/usr/sbin:/usr/bin:/sbin:/bin /lib/systemd/systemd --system --unit=basic.target --log-target=null
`

func newMachine(t *testing.T) *machine {
	t.Helper()
	if os.Getuid() != 0 {
		t.Fatal("a machine of its own takes root")
	}
	dir := t.TempDir()
	for _, name := range []string{"layer", "root"} {
		if err := os.Mkdir(filepath.Join(dir, name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	m := &machine{init: exec.Command("bash", "-c", boot, "boot", dir)}
	m.init.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS | syscall.CLONE_NEWNET | syscall.CLONE_NEWPID |
		syscall.CLONE_NEWUTS | syscall.CLONE_NEWIPC | syscall.CLONE_NEWCGROUP, Pdeathsig: syscall.SIGKILL}
	var said strings.Builder
	m.init.Stdout, m.init.Stderr = &said, &said
	if err := m.init.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = m.init.Process.Kill(); _ = m.init.Wait() })
	for end := time.Now().Add(patience); ; time.Sleep(100 * time.Millisecond) {
		out, err := m.try("systemctl", "is-system-running", "--wait")
		if err == nil || strings.Contains(out, "degraded") {
			return m
		}
		if time.Now().After(end) {
			t.Fatalf("systemd does not run: %v: %s%s", err, out, &said)
		}
	}
}

// command is one that runs in the machine.
func (m *machine) command(ctx context.Context, args ...string) *exec.Cmd {
	enter := []string{"-t", strconv.Itoa(m.init.Process.Pid), "-m", "-n", "-p", "-u", "-i", "-C", "/usr/bin/env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "DEBIAN_FRONTEND=noninteractive"}
	return exec.CommandContext(ctx, "nsenter", append(enter, args...)...)
}

// try runs a command in the machine and returns what it prints.
func (m *machine) try(args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	out, err := m.command(ctx, args...).CombinedOutput()
	return string(out), err
}

// run is try for what has to succeed.
func (m *machine) run(t *testing.T, args ...string) string {
	t.Helper()
	out, err := m.try(args...)
	if err != nil {
		t.Fatalf("%v: %v: %s%s", args, err, out, m.log())
	}
	return out
}

// log is what the server in the machine and its init have said.
func (m *machine) log() string {
	out, _ := m.try("journalctl", "--no-pager", "--lines", "100")
	return out
}

// await runs a command until it succeeds.
func (m *machine) await(t *testing.T, args ...string) string {
	t.Helper()
	for end := time.Now().Add(patience); ; time.Sleep(100 * time.Millisecond) {
		out, err := m.try(args...)
		if err == nil {
			return out
		}
		if time.Now().After(end) {
			t.Fatalf("%v: %v: %s%s", args, err, out, m.log())
		}
	}
}

// put copies a file into the machine.
func (m *machine) put(t *testing.T, from, to string) {
	t.Helper()
	in, err := os.Open(from)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	cmd := m.command(t.Context(), "sh", "-c", `cat >"$1"`, "put", to)
	cmd.Stdin = in
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %v: %s", cmd, err, out)
	}
}
