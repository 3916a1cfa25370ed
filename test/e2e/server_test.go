package e2e

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

// server is a running `orderhook serve`.
type server struct {
	url, newKey string
	out         string // what it printed until it listened
	client      *http.Client

	cmd    *exec.Cmd
	errOut *bytes.Buffer
	ended  chan struct{}
}

// callTime bounds a call of the API, which may wait 55 s for its run, and longer for a turn on a
// busy machine.
const callTime = 4 * patience

// serve starts a server on a free port and returns once it listens.
func (w where) serve(t *testing.T, args ...string) *server {
	t.Helper()
	return start(t, w.command(context.Background(), append([]string{"serve"}, args...)...))
}

// start is serve for a command that becomes a server.
func start(t *testing.T, cmd *exec.Cmd) *server {
	t.Helper()
	s := &server{cmd: cmd, errOut: &bytes.Buffer{}, ended: make(chan struct{}), client: &http.Client{Timeout: callTime}}
	cmd.Stderr = s.errOut
	out, w2, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stdout = w2
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	_ = w2.Close()
	go func() { _ = cmd.Wait(); close(s.ended) }()
	t.Cleanup(func() { _ = cmd.Process.Kill(); <-s.ended; _ = out.Close() })
	s.awaitListening(t, out)
	return s
}

func (s *server) awaitListening(t *testing.T, out *os.File) {
	t.Helper()
	_ = out.SetReadDeadline(time.Now().Add(patience))
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		s.out += lines.Text() + "\n"
		if _, key, ok := strings.Cut(lines.Text(), "API key (admin, shown this once): "); ok {
			s.newKey = key
		}
		if url, ok := strings.CutPrefix(lines.Text(), "listening on "); ok {
			s.url = url
			return
		}
	}
	_ = s.cmd.Process.Kill()
	<-s.ended
	t.Fatalf("the server does not listen: %s%s", s.out, s.errOut)
}

func (s *server) signal(t *testing.T, sig os.Signal) {
	t.Helper()
	if err := s.cmd.Process.Signal(sig); err != nil {
		t.Fatal(err)
	}
}

func (s *server) hasEnded() bool {
	select {
	case <-s.ended:
		return true
	default:
		return false
	}
}

// code waits for the server's end and returns its exit code.
func (s *server) code(t *testing.T) int {
	t.Helper()
	select {
	case <-s.ended:
		return s.cmd.ProcessState.ExitCode()
	case <-time.After(patience):
		t.Fatal("the server does not end")
		return -1
	}
}

// stop ends the server as an operator does, and sees that it ends well.
func (s *server) stop(t *testing.T) {
	t.Helper()
	s.signal(t, syscall.SIGTERM)
	if code := s.code(t); code != 0 {
		t.Errorf("code %d after SIGTERM: %s", code, s.errOut)
	}
}

// awaitClosed returns once the server accepts no more.
func (s *server) awaitClosed(t *testing.T) {
	t.Helper()
	address := strings.TrimPrefix(s.url, "http://")
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); {
		conn, err := net.Dial("tcp", address)
		if errors.Is(err, syscall.ECONNREFUSED) {
			return
		}
		if err == nil {
			_ = conn.Close()
		}
	}
	t.Fatal("the server goes on accepting")
}

// answer is what a call to the API got.
type answer struct {
	status int
	text   string
	body   map[string]any // nil where it is no JSON object
	err    error
}

func (s *server) call(method, path, key, body string) answer {
	return s.callWith(method, path, key, body)
}

// callWith makes a call with more headers, in pairs of name and value.
func (s *server) callWith(method, path, key, body string, headers ...string) answer {
	req, err := http.NewRequest(method, s.url+path, strings.NewReader(body))
	if err != nil {
		return answer{err: err}
	}
	req.Header.Set("Content-Type", "application/json")
	if key != "" {
		req.Header.Set("Authorization", "Bearer "+key)
	}
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := s.client.Do(req)
	if err != nil {
		return answer{err: err}
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	a := answer{status: resp.StatusCode, text: string(text), err: err}
	_ = json.Unmarshal(text, &a.body)
	return a
}

// expect makes a call that must get a status.
func (s *server) expect(t *testing.T, status int, method, path, key, body string) answer {
	t.Helper()
	a := s.call(method, path, key, body)
	if a.err != nil || a.status != status {
		t.Fatalf("%s %s: %d %s %v, want %d", method, path, a.status, a.text, a.err, status)
	}
	return a
}
