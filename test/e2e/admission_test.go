package e2e

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// hold begins an upload and leaves it open.
func (s *server) hold(t *testing.T, key string) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	_, err = fmt.Fprintf(conn, "POST /api/orders HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Length: 1000\r\n\r\n{", key)
	if err != nil {
		t.Fatal(err)
	}
	return conn
}

// until waits for what gives no signal.
func until(t *testing.T, what string, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !done(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal(what, "does not come about")
		}
	}
}

// TestALimitThatIsUsedUp has one key use up what its tenant may have: the flags
// are heeded, another tenant notices nothing, and an operator can take the key
// away.
func TestALimitThatIsUsedUp(t *testing.T) {
	w := newWhere(t, "ORDERHOOK_API_KEY=admin-key-of-mine", "ORDERHOOK_MAX_ENDPOINTS=9/1")
	w.file(t, "orderhook.json", `{"maxRequests": "40/20", "maxSettingsBytes": "1KiB", "maxOrderBytes": "2KiB"}`)
	s := w.serve(t)
	attacker := strings.TrimSpace(w.succeeds(t, "keys", "create", "--role", "publisher", "--name", "attacker"))
	other := strings.TrimSpace(w.succeeds(t, "keys", "create", "--role", "reader", "--tenant", "acme"))
	var refused answer
	until(t, "the limit", func() bool { // one more each time: a call may have taken the place of an upload
		s.hold(t, attacker)
		refused = s.call("GET", "/api/orders", "admin-key-of-mine", "")
		return refused.status == http.StatusTooManyRequests
	})
	if !strings.Contains(refused.text, "your tenant may have 20 (--max-requests)") {
		t.Errorf("it is refused with %s", refused.text)
	}
	s.expect(t, http.StatusOK, "GET", "/api/orders", other, "")
	s.expect(t, http.StatusOK, "GET", "/healthz", "", "")
	s.expect(t, http.StatusOK, "GET", "/readyz", "", "")
	me := s.expect(t, http.StatusOK, "GET", "/api/me", attacker, "")
	w.succeeds(t, "keys", "revoke", fmt.Sprint(me.body["id"]))
	s.expect(t, http.StatusUnauthorized, "GET", "/api/me", attacker, "")
	admin := s.expect(t, http.StatusOK, "GET", "/api/me", "admin-key-of-mine", "")
	w.refuses(t, "last of an admin", "keys", "revoke", fmt.Sprint(admin.body["id"]))
	s.expect(t, http.StatusOK, "GET", "/api/me", "admin-key-of-mine", "")

	s = w.with("ORDERHOOK_DATABASE=other.db").serve(t)
	for _, c := range []struct {
		method, path, body string
		status             int
		words              string
	}{
		{"PUT", "/api/settings", `{"note":"` + strings.Repeat("x", 1024) + `"}`, http.StatusRequestEntityTooLarge, "larger than 1024 bytes (--max-settings-bytes)"},
		{"POST", "/api/orders", `{"note":"` + strings.Repeat("x", 2048) + `"}`, http.StatusRequestEntityTooLarge, "larger than 2048 bytes"},
		{"POST", "/api/endpoints", `{"url":"https://a.example","eventTypes":["*"]}`, http.StatusCreated, ""},
		{"POST", "/api/endpoints", `{"url":"https://a.example","eventTypes":["*"]}`, http.StatusUnprocessableEntity, "--max-endpoints"},
	} {
		if a := s.expect(t, c.status, c.method, c.path, "admin-key-of-mine", c.body); !strings.Contains(a.text, c.words) {
			t.Errorf("%s %s: %s", c.method, c.path, a.text)
		}
	}
}

// TestStoppingUnderLoad: hundreds of uploads that never end, callers who wait and
// one who reads nothing keep no server from ending within its grace. The callers
// are told that their runs go on.
func TestStoppingUnderLoad(t *testing.T) {
	const grace, late = 4 * time.Second, 3 * time.Second
	endpoint := newSlow(t)
	s := newWhere(t).serve(t, "--grace", grace.String())
	s.expect(t, http.StatusOK, "PUT", "/api/settings", s.newKey, workflow(endpoint.server.URL))
	const waiting, uploads = 40, 200
	answers := make(chan answer, waiting)
	for i := range waiting {
		go func() {
			answers <- s.call("POST", "/api/orders", s.newKey, fmt.Sprintf(`{"id": "W%d", "orderType": "Online"}`, i))
		}()
	}
	for range waiting {
		<-endpoint.called
	}
	for range uploads {
		s.hold(t, s.newKey)
	}
	silent := s.hold(t, s.newKey)
	if _, err := io.WriteString(silent, strings.Repeat(" ", 999)); err != nil {
		t.Fatal(err)
	}
	s.signal(t, syscall.SIGTERM)
	began := time.Now()
	for range waiting {
		if a := <-answers; a.status != http.StatusAccepted || a.body["runId"] == nil {
			t.Errorf("a caller got %d %s %v", a.status, a.text, a.err)
		}
	}
	if code := s.code(t); code != 0 {
		t.Errorf("code %d: %s", code, s.errOut)
	}
	if took := time.Since(began); took > grace+late {
		t.Errorf("it took %v to stop, with a grace of %v", took, grace)
	}
}

func TestALowLimitOfOpenFiles(t *testing.T) {
	w := newWhere(t, "ORDERHOOK_DATABASE=orderhook.db")
	for limit, want := range map[string]bool{"400": true, "4500": false} {
		cmd := exec.Command("sh", "-c", "ulimit -n "+limit+" && exec \"$0\" serve", binary)
		cmd.Dir, cmd.Env = w.dir, w.command(t.Context()).Env
		s := start(t, cmd)
		s.stop(t)
		log := s.errOut.String()
		if got := strings.Contains(log, "limit of open files is low"); got != want || want && !strings.Contains(log, "limit=400 needed=4224") {
			t.Errorf("with %s the log says %s", limit, log)
		}
	}
}

func TestFilesThatOthersCanOpen(t *testing.T) {
	w := newWhere(t)
	files := map[string]string{"orderhook.json": `{"logFormat": "text"}`, "settings.json": "{}", "api.txt": "admin-key-of-mine", "enc.txt": "encryption-key-of-32-characters."}
	for name, text := range files {
		w.file(t, name, text)
	}
	const warning = "others can open a file that may hold secrets"
	args := []string{"--settings", "settings.json", "--api-key-file", "api.txt", "--encryption-key-file", "enc.txt"}
	s := w.serve(t, args...)
	s.stop(t)
	if log := s.errOut.String(); strings.Contains(log, warning) {
		t.Errorf("the log says %s", log)
	}
	files["orderhook.db"] = ""
	for name := range files {
		path := filepath.Join(w.dir, name)
		if err := os.Chmod(path, 0o640); err != nil {
			t.Fatal(err)
		}
		s := w.serve(t, args...)
		s.stop(t)
		log := s.errOut.String()
		want := map[bool]int{true: 2, false: 1}[name == "orderhook.db"] // SQLite gives the journal the mode of the database
		if strings.Count(log, warning) != want || !strings.Contains(log, " file="+name+" mode=0640") {
			t.Errorf("with %s open the log says %s", name, log)
		}
		if err := os.Chmod(path, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}
