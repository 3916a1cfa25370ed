package e2e

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"
)

// untilReaderIsGone runs a command whose output and log are read until a line that begins with
// some text, and by nobody from then on. It returns that line, and what the command ends with.
func (w where) untilReaderIsGone(t *testing.T, begin string, args ...string) (line string, process *os.Process, ended <-chan int) {
	t.Helper()
	cmd := w.command(context.Background(), args...)
	out, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stdout, cmd.Stderr = write, write
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	_ = write.Close()
	code, gone := make(chan int, 1), make(chan struct{})
	go func() { _ = cmd.Wait(); code <- cmd.ProcessState.ExitCode(); close(gone) }()
	t.Cleanup(func() { _ = cmd.Process.Kill(); <-gone })
	_ = out.SetReadDeadline(time.Now().Add(patience))
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if strings.HasPrefix(lines.Text(), begin) {
			_ = out.Close()
			return lines.Text(), cmd.Process, code
		}
	}
	t.Fatalf("orderhook %v prints no line that begins with %q", args, begin)
	return "", nil, nil
}

// endsWith waits for the end of a process.
func endsWith(t *testing.T, ended <-chan int, want int) {
	t.Helper()
	select {
	case code := <-ended:
		if code != want {
			t.Errorf("it ends with %d, want %d", code, want)
		}
	case <-time.After(patience):
		t.Error("it does not end")
	}
}

// Who exports into a pipe is told that the reader is gone, however little there is to read.
func TestAnExportWhoseReaderIsGone(t *testing.T) {
	t.Parallel()
	w, s := withOrders(t, 3)
	s.stop(t)
	for kind := range strings.FieldsSeq("orders history attempts events") {
		out, write, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		_ = out.Close()
		cmd := w.command(t.Context(), "export", kind, "-")
		var said strings.Builder
		cmd.Stdout, cmd.Stderr = write, &said
		err = cmd.Run()
		_ = write.Close()
		if code := cmd.ProcessState.ExitCode(); code != 141 || !strings.Contains(said.String(), "not all of it was written") {
			t.Errorf("export %s - ends with %d, %v: %s", kind, code, err, &said)
		}
	}
}

// A log is read by a program that may be started again. That must not end the server.
func TestAServerOutlivesTheReaderOfItsLog(t *testing.T) {
	t.Parallel()
	line, process, ended := newWhere(t).untilReaderIsGone(t, "listening on ", "serve", "--log-level", "debug")
	url := strings.TrimPrefix(line, "listening on ")
	for range 5 { // each of which is logged
		answer, err := http.Get(fmt.Sprintf("%s/api/orders", url))
		if err != nil {
			t.Fatal(err)
		}
		_ = answer.Body.Close()
	}
	if err := process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	endsWith(t, ended, 0)
}

// Other commands end, and leave nothing behind.
func TestADemoEndsWithItsReader(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	_, _, ended := newWhere(t, "TMPDIR="+folder).untilReaderIsGone(t, "", "demo")
	endsWith(t, ended, 0)
	if left, err := os.ReadDir(folder); err != nil || len(left) > 0 {
		t.Errorf("it leaves %v, %v", left, err)
	}
}
