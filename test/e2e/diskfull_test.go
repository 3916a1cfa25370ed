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

// ownDisk starts a server on a small disk of its own, in a mount namespace: it
// needs root, or a kernel that lets others make namespaces.
func ownDisk(t *testing.T, w where) disk {
	t.Helper()
	dir := filepath.Join(w.dir, "disk")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	namespaces := []string{"unshare", "--mount"}
	if os.Getuid() != 0 {
		namespaces = append(namespaces, "--map-root-user")
	}
	inside := func(args ...string) *exec.Cmd {
		cmd := w.command(context.Background())
		cmd.Args = slices.Concat(namespaces, []string{"sh", "-ec", `mount -t tmpfs -o size=24m none "$1"; shift; exec "$@"`, "sh", dir}, args)
		cmd.Path, cmd.Err = exec.LookPath("unshare")
		return cmd
	}
	if out, err := inside("true").CombinedOutput(); err != nil {
		t.Skipf("a disk of its own cannot be had here: %v %s", err, out)
	}
	s := start(t, inside(binary, "serve", "--database", filepath.Join(dir, "orderhook.db")))
	filler := filepath.Join(fmt.Sprintf("/proc/%d/root", s.cmd.Process.Pid), dir, "filler")
	fill := func() {
		if err := os.WriteFile(filler, make([]byte, 24<<20), 0o600); !errors.Is(err, syscall.ENOSPC) {
			t.Fatalf("the disk does not become full: %v", err)
		}
	}
	free := func() {
		if err := os.Remove(filler); err != nil {
			t.Fatal(err)
		}
	}
	return disk{s, fill, free, nil}
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
