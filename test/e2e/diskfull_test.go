package e2e

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
)

// disk is what a server's database is on.
type disk struct {
	*server
	fill, free func()
	restart    func() *server // nil: the disk goes with the process
}

// TestADiskThatIsFull: publishing is refused, nothing acknowledged is lost, not
// even if the process is killed then, and it goes on by itself when there is
// room again.
func TestADiskThatIsFull(t *testing.T) {
	for name, newDisk := range map[string]func(*testing.T, where) disk{
		"no space left":          ownDisk,
		"files may grow no more": limitedFiles,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDisk(t, newWhere(t, "ORDERHOOK_API_KEY="+crashKey))
			o := newOutage(t, d.server)
			o.publishUntil(t, http.StatusAccepted)
			d.fill()
			refused := o.refused(t)
			d.free()
			o.recovered(t, refused)
			if d.restart == nil {
				return
			}
			d.fill()
			refused = o.refused(t)
			_ = d.cmd.Process.Kill()
			<-d.ended
			o.server = d.restart()
			o.recovered(t, refused)
		})
	}
}

// ownDisk starts a server on a small disk, which can become full.
func ownDisk(t *testing.T, w where) disk {
	t.Helper()
	for _, namespaces := range [][]string{{"--mount"}, {"--user", "--map-root-user", "--mount"}} {
		if inside := mounted(t, w, namespaces); inside != nil {
			s := start(t, inside(binary, "serve", "--database", filepath.Join(mountPoint(w), "orderhook.db")))
			return filledUp(t, s, filepath.Join(fmt.Sprintf("/proc/%d/root", s.cmd.Process.Pid), mountPoint(w)))
		}
	}
	if size := sharedMemory(t); size > 0 && size <= smallDisk {
		dir, err := os.MkdirTemp("/dev/shm", "orderhook-e2e-")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = os.RemoveAll(dir) })
		return filledUp(t, w.serve(t, "--database", filepath.Join(dir, "orderhook.db")), dir)
	}
	lacking(t, "small disk to fill: that takes root, or a kernel that lets others make namespaces, or a /dev/shm of at most %d bytes", smallDisk)
	return disk{}
}

// smallDisk is the size of a disk that a test may fill.
const smallDisk = 128 << 20

func mountPoint(w where) string { return filepath.Join(w.dir, "disk") }

// mounted returns what runs a command with a memory disk of its own on the mount
// point, in namespaces; nil where the kernel does not let us.
func mounted(t *testing.T, w where, namespaces []string) func(args ...string) *exec.Cmd {
	t.Helper()
	if err := os.MkdirAll(mountPoint(w), 0o700); err != nil {
		t.Fatal(err)
	}
	inside := func(args ...string) *exec.Cmd {
		cmd := w.command(context.Background())
		script := []string{"sh", "-ec", `mount -t tmpfs -o size=24m none "$1"; shift; exec "$@"`, "sh", mountPoint(w)}
		cmd.Args = slices.Concat([]string{"unshare"}, namespaces, script, args)
		cmd.Path, cmd.Err = exec.LookPath("unshare")
		return cmd
	}
	if out, err := inside("true").CombinedOutput(); err != nil {
		t.Logf("no disk by unshare %v: %v %s", namespaces, err, out)
		return nil
	}
	return inside
}

// sharedMemory is the size of /dev/shm, which containers have small and to
// themselves; 0 where there is none.
func sharedMemory(t *testing.T) int64 {
	var fs syscall.Statfs_t
	if err := syscall.Statfs("/dev/shm", &fs); err != nil {
		t.Log("no disk in /dev/shm: ", err)
		return 0
	}
	return int64(fs.Blocks) * fs.Bsize
}

// filledUp is the disk of a server that can be filled through a folder on it.
func filledUp(t *testing.T, s *server, dir string) disk {
	filler := filepath.Join(dir, "filler")
	fill := func() {
		t.Helper()
		if err := os.WriteFile(filler, make([]byte, smallDisk), 0o600); !errors.Is(err, syscall.ENOSPC) {
			t.Fatalf("the disk does not become full: %v", err)
		}
	}
	free := func() {
		t.Helper()
		if err := os.Remove(filler); err != nil {
			t.Fatal(err)
		}
	}
	return disk{s, fill, free, nil}
}

// lacking skips a test that this machine has not what it takes for. In CI it
// fails instead: what CI does not run is not tested at all.
func lacking(t *testing.T, format string, args ...any) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatalf("CI has no "+format, args...)
	}
	t.Skipf("there is no "+format, args...)
}

// limitedFiles starts a server whose files cannot grow for a time, which needs
// no rights.
func limitedFiles(t *testing.T, w where) disk {
	t.Helper()
	s := w.serve(t)
	limit := func(bytes string) {
		t.Helper()
		cmd := exec.Command("prlimit", "--pid", fmt.Sprint(s.cmd.Process.Pid), "--fsize="+bytes+":")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("prlimit: %v %s", err, out)
		}
	}
	fill := func() { limit(fmt.Sprint(largest(t, w.dir))) }
	return disk{s, fill, func() { limit("unlimited") }, func() *server { return w.serve(t) }}
}

// largest is the size of the largest file in a folder.
func largest(t *testing.T, dir string) (size int64) {
	t.Helper()
	err := filepath.WalkDir(dir, func(_ string, e fs.DirEntry, err error) error {
		if info, infoErr := e.Info(); infoErr == nil {
			size = max(size, info.Size())
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return size
}
