package e2e

import (
	"bytes"
	"cmp"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// patience bounds every wait; no test needs a fraction of it.
const patience = 30 * time.Second

// commandTime bounds a command, which may copy a whole database and check the copy.
const commandTime = 4 * patience

// where is the folder and the environment that a command runs in.
type where struct {
	dir    string
	env    []string
	binary string // "": that of the tests
}

func newWhere(t *testing.T, env ...string) where {
	t.Helper()
	return where{dir: t.TempDir(), env: env}
}

// with is the same folder with more variables.
func (w where) with(env ...string) where {
	w.env = append(w.env[:len(w.env):len(w.env)], env...)
	return w
}

func (w where) file(t *testing.T, name, text string) string {
	t.Helper()
	if err := os.WriteFile(filepath.Join(w.dir, name), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func (w where) has(name string) bool {
	_, err := os.Stat(filepath.Join(w.dir, name))
	return err == nil
}

// command has nothing of this process's environment but what programs need, and
// no server of the tests takes the port of another.
func (w where) command(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, cmp.Or(w.binary, binary), args...)
	cmd.Dir = w.dir
	cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + w.dir, "ORDERHOOK_LISTEN=127.0.0.1:0"}, w.env...)
	return cmd
}

// result is what a command that ended left.
type result struct {
	code        int
	out, errOut string
}

func (w where) run(t *testing.T, args ...string) result {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), commandTime)
	defer cancel()
	cmd := w.command(ctx, args...)
	var out, errOut bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errOut
	err := cmd.Run()
	if ctx.Err() != nil {
		t.Fatalf("orderhook %v did not end; it said %s%s", args, &out, &errOut)
	}
	if cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return result{cmd.ProcessState.ExitCode(), out.String(), errOut.String()}
}

// succeeds runs a command that must succeed and returns what it printed.
func (w where) succeeds(t *testing.T, args ...string) string {
	t.Helper()
	r := w.run(t, args...)
	if r.code != 0 {
		t.Fatalf("orderhook %v: code %d, %s%s", args, r.code, r.out, r.errOut)
	}
	return r.out
}

// refuses runs a command that must end with code 2 and one line that holds want.
func (w where) refuses(t *testing.T, want string, args ...string) result {
	t.Helper()
	r := w.run(t, args...)
	lines := strings.Split(strings.TrimSuffix(r.errOut, "\n"), "\n")
	if r.code != 2 || len(lines) != 1 || !strings.HasPrefix(lines[0], "orderhook: ") || !strings.Contains(lines[0], want) {
		t.Errorf("orderhook %v: code %d, stderr %q; want code 2 and one line with %q", args, r.code, r.errOut, want)
	}
	return r
}
