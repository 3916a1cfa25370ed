package e2e

import (
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"
)

func TestAKeyMadeBesideTheServer(t *testing.T) {
	t.Parallel()
	w := newWhere(t)
	s := w.serve(t)
	key := strings.TrimSpace(w.succeeds(t, "keys", "create", "--tenant", "acme", "--role", "Publisher", "--name", "shop"))
	if strings.ContainsAny(key, " \n") || !strings.HasPrefix(key, "ohk_") {
		t.Errorf("keys create prints more than the key: %q", key)
	}
	me := s.expect(t, http.StatusOK, "GET", "/api/me", key, "").body
	if me["tenant"] != "acme" || me["role"] != "publisher" {
		t.Errorf("the key is %v", me)
	}
	id := listed(t, w.succeeds(t, "keys", "list", "--tenant", "acme"), "acme", "publisher", "shop")
	w.refuses(t, "no key", "keys", "revoke", id)
	w.succeeds(t, "keys", "revoke", id, "--tenant", "acme")
	if out := w.succeeds(t, "keys", "list", "--tenant", "acme"); strings.Count(out, "\n") != 1 {
		t.Errorf("a tenant without keys: %s", out)
	}
	if r := w.refuses(t, `there is no tenant "acne"`, "keys", "list", "--tenant", "acne"); r.out != "" {
		t.Errorf("a tenant that is not there has a list: %s", r.out)
	}
	s.expect(t, http.StatusUnauthorized, "GET", "/api/me", key, "")
	s.stop(t)
}

// listed finds the one key in a list and returns its id.
func listed(t *testing.T, list string, want ...string) (id string) {
	t.Helper()
	lines := strings.Split(strings.TrimSpace(list), "\n")
	fields := strings.Fields(lines[len(lines)-1])
	if len(lines) != 2 || len(fields) < 9 || strings.Join(fields[1:4], " ") != strings.Join(want, " ") {
		t.Fatalf("keys list prints %q", list)
	}
	return fields[0]
}

func TestServeMakesAKeyOnce(t *testing.T) {
	t.Parallel()
	w := newWhere(t)
	first := w.serve(t)
	me := first.expect(t, http.StatusOK, "GET", "/api/me", first.newKey, "").body
	if me["tenant"] != "default" || me["role"] != "admin" {
		t.Errorf("the key is %v", me)
	}
	first.expect(t, http.StatusUnauthorized, "GET", "/api/me", "", "")
	first.stop(t)
	second := w.serve(t)
	if second.newKey != "" || strings.Contains(second.out, "ohk_") {
		t.Errorf("the second start prints a key: %s", second.out)
	}
	second.expect(t, http.StatusOK, "GET", "/api/me", first.newKey, "")
}

func TestTheKeyOfTheFlag(t *testing.T) {
	t.Parallel()
	w := newWhere(t)
	for range 2 {
		s := w.with("ORDERHOOK_API_KEY=admin-key-of-mine").serve(t)
		if s.newKey != "" {
			t.Errorf("serve makes a key beside the given one: %s", s.out)
		}
		s.expect(t, http.StatusOK, "GET", "/api/me", "admin-key-of-mine", "")
		s.stop(t)
	}
	listed(t, strings.ReplaceAll(w.succeeds(t, "keys", "list"), "serve --api-key", "given"), "default", "admin", "given")
	other := strings.TrimSpace(w.succeeds(t, "keys", "create", "--tenant", "acme", "--role", "reader"))
	w.refuses(t, "of tenant acme and role reader", "serve", "--api-key", other)
}

// TestAKeyThatCannotBePrinted is named in the error: nobody has it, so it is to be revoked.
func TestAKeyThatCannotBePrinted(t *testing.T) {
	t.Parallel()
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skip("no /dev/full here")
	}
	defer full.Close()
	w := newWhere(t)
	cmd := w.command(t.Context(), "keys", "create", "--role", "reader")
	var said strings.Builder
	cmd.Stdout, cmd.Stderr = full, &said
	_ = cmd.Run() // its code is looked at below
	id := regexp.MustCompile(`key_[0-9A-Za-z]+`).FindString(said.String())
	if cmd.ProcessState.ExitCode() == 0 || id == "" {
		t.Fatalf("code %d, %s", cmd.ProcessState.ExitCode(), &said)
	}
	w.succeeds(t, "keys", "revoke", id)
}
