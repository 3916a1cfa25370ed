package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/orderhook/orderhook/internal/listen"
)

// ran runs a command in a folder of its own, and returns all that it said.
func ran(t *testing.T, args ...string) (code int, said string) {
	t.Helper()
	t.Chdir(t.TempDir())
	var out bytes.Buffer
	code = run(t.Context(), args, &out, &out)
	return code, out.String()
}

// TestWhatIsRefusedBeforeAnythingIsMade, with exit code 2, without a secret, and with no file left.
func TestWhatIsRefusedBeforeAnythingIsMade(t *testing.T) {
	for _, c := range []struct {
		want string
		args []string
	}{
		{"rateLimit: must be a number", []string{"keys", "create", "--name", "a", "--role", "admin", "--rate-limit", "NaN"}},
		{"rateLimit: must be a number", []string{"keys", "create", "--name", "a", "--role", "admin", "--rate-limit", "1_0"}},
		{"rateLimit: must be a number", []string{"keys", "create", "--name", "a", "--role", "admin", "--rate-limit", "0x10"}},
		{"rateLimit: must", []string{"keys", "create", "--name", "a", "--role", "admin", "--rate-limit", "1e400"}},
		{"--user-agent", []string{"serve", "--listen", "127.0.0.1:0", "--user-agent", "bad\nagent"}},
		{"two slashes", []string{"serve", "--listen", "127.0.0.1:0", "--database", "postgres:/u:SECRETPW@h/x"}},
		{"two slashes", []string{"keys", "list", "--database", "postgresql:u:SECRETPW@h/x"}},
		{"two slashes", []string{"serve", "--listen", "127.0.0.1:0", "--database", "host=h user=u password=SECRETPW dbname=x"}},
		{"two slashes", []string{"migrate", "--from", "sqlite://a.db", "--to", "host=h password=SECRETPW"}},
		{"two slashes", []string{"export", "orders", "-", "--database", "postgres:/u:SECRETPW@h/x"}},
	} {
		code, said := ran(t, c.args...)
		if code != exitUserError || !strings.Contains(said, c.want) || strings.Contains(said, "SECRETPW") {
			t.Errorf("%q ends with %d: %s", c.args, code, said)
		}
		if left, err := os.ReadDir("."); err != nil || len(left) > 0 {
			t.Errorf("%q leaves %v, %v", c.args, left, err)
		}
	}
}

// TestNoSecretOfTheReceiversURLIsShown, neither to people nor to programs.
func TestNoSecretOfTheReceiversURLIsShown(t *testing.T) {
	gone := httptest.NewServer(nil)
	gone.Close()
	for _, asJSON := range []bool{false, true} {
		var out bytes.Buffer
		to := &localReceiver{url: strings.Replace(gone.URL, "//", "//user:sekret1@", 1) + "/x?token=sekret2", client: newLocalClient(time.Minute)}
		w := &listenLines{session: &session{out: &out}, ctx: t.Context(), to: to, json: asJSON, enough: func() {}}
		w.Event(listen.Event{Type: "OrderCreated", EventID: "evt_1"})
		if said := out.String(); strings.Contains(said, "sekret") || !strings.Contains(said, "token=***") || !strings.Contains(said, "refused") {
			t.Errorf("it says %s", said)
		}
	}
}

// TestAnEventIsHandedOnAsByAServer, with its User-Agent.
func TestAnEventIsHandedOnAsByAServer(t *testing.T) {
	var agent string
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { agent = r.UserAgent() }))
	defer s.Close()
	r := &localReceiver{url: s.URL, client: newLocalClient(time.Minute)}
	if _, err := r.post(t.Context(), listen.Event{EventID: "evt_1"}); err != nil || agent != "OmniumOms/"+versionText() {
		t.Errorf("%v, by %q", err, agent)
	}
}

func TestHowManyEventsCameMeanwhile(t *testing.T) {
	for _, c := range []struct {
		events int
		more   bool
		want   string
	}{{1, false, "; 1 event came meanwhile\n"}, {2, false, "; 2 events came meanwhile\n"}, {1, true, "; 1 or more events came meanwhile\n"}} {
		var out bytes.Buffer
		w := &listenLines{session: &session{out: &out}}
		if w.Connected(time.Second, c.events, c.more); !strings.HasSuffix(out.String(), c.want) {
			t.Errorf("it says %s, not %s", out.String(), c.want)
		}
	}
}

// TestARerunThatIsStopped says whether the endpoint may have got a call.
func TestARerunThatIsStopped(t *testing.T) {
	ctx, stop := context.WithCancelCause(t.Context())
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // until then net/http does not see the caller hang up
		stop(signalError{syscall.SIGINT})
		<-r.Context().Done()
	}))
	defer s.Close()
	dir := t.TempDir()
	call := map[string]any{"format": 1, "id": "att_1", "kind": "event", "event": map[string]any{}, "eventType": "OrderCreated", "timeoutMs": 30000,
		"request": map[string]any{"method": "POST", "headers": map[string]any{}, "body": map[string]any{}}, "answer": map[string]any{"status": 204, "durationMs": 1}}
	text, err := json.Marshal(call)
	if err = errors.Join(err, os.WriteFile(filepath.Join(dir, "a.json"), text, 0o600)); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if code := run(ctx, []string{"ci", "run", dir, "--against", s.URL}, &out, &out); code != 130 || !strings.Contains(out.String(), "1 call had begun, which the endpoint may have got") {
		t.Errorf("it ends with %d: %s", code, out.String())
	}
}
