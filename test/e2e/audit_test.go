package e2e

import (
	"fmt"
	"math/rand/v2"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// auditEntry is an entry of the audit log, as far as these tests look at it.
type auditEntry struct {
	action, kind, target, via, command, request string
	version                                     int // that it made, of settings
}

// audit returns the whole log, the newest first.
func (s *server) audit(t *testing.T, key string) (all []auditEntry) {
	t.Helper()
	s.eachItem(t, "/api/audit", key, func(item map[string]any) {
		actor, target, detail := item["actor"].(map[string]any), item["target"].(map[string]any), item["detail"].(map[string]any)
		text := func(v any) string { s, _ := v.(string); return s }
		version, _ := detail["toVersion"].(float64)
		all = append(all, auditEntry{text(item["action"]), text(target["kind"]), text(target["id"]), text(actor["via"]), text(actor["command"]), text(item["requestId"]), int(version)})
	})
	return all
}

// eachItem follows a list to its end.
func (s *server) eachItem(t *testing.T, path, key string, each func(item map[string]any)) {
	t.Helper()
	for cursor := ""; ; {
		page := s.expect(t, 200, "GET", path+"?limit=200&cursor="+url.QueryEscape(cursor), key, "").body
		for _, item := range page["items"].([]any) {
			each(item.(map[string]any))
		}
		next, more := page["nextCursor"].(string)
		if cursor = next; !more {
			return
		}
	}
}

// TestCommandsAreInTheAuditLog as what the command line did, beside what the API did.
func TestCommandsAreInTheAuditLog(t *testing.T) {
	t.Parallel()
	w := newWhere(t)
	file := w.file(t, "settings.json", `{"markets":[{"marketId":"NOR"}]}`)
	s := w.serve(t, "--settings", file)
	w.succeeds(t, "keys", "create", "--role", "reader", "--name", "till")
	id := strings.Fields(strings.Split(w.succeeds(t, "keys", "list"), "\n")[1])[0]
	w.succeeds(t, "keys", "revoke", id)
	w.refuses(t, "no key", "keys", "revoke", id)
	w.succeeds(t, "settings", "apply", file) // changes nothing
	w.file(t, "settings.json", `{"markets":[{"marketId":"SWE"}]}`)
	w.succeeds(t, "settings", "apply", file)
	all := s.audit(t, s.newKey)
	var got []string
	for _, e := range all {
		got = append(got, fmt.Sprint(e.via, " ", e.command, ": ", e.action, " ", e.version))
		if e.kind == "" || e.target == "" || e.request != "" {
			t.Errorf("the entry %+v", e)
		}
	}
	want := []string{"cli settings apply: put-settings 2", "cli keys revoke: delete-key 0", "cli keys create: create-key 0", "cli serve: create-key 0", "cli serve --settings: put-settings 1"}
	if !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	if all[1].target != id || all[2].target != id {
		t.Errorf("the key is %s: %v", id, all)
	}
	s.stop(t)
}

// TestKilledAtAnyMomentEachChangeHasItsEntry kills the server while settings are
// stored and keys are made: each version and each key that there is has one entry of
// the audit log, each entry is of one that there is, and what was answered is there.
func TestKilledAtAnyMomentEachChangeHasItsEntry(t *testing.T) {
	t.Parallel()
	const kills = 5
	w := newWhere(t, "ORDERHOOK_API_KEY="+crashKey)
	first := w.serve(t)
	var now atomic.Pointer[server]
	now.Store(first)
	var over atomic.Bool
	var all sync.WaitGroup
	var mu sync.Mutex
	var answered []string // ids of requests
	cut := 0
	write := func(name, method, path string, body func(n int) string) {
		for n := 0; !over.Load(); n++ {
			id := fmt.Sprint(name, "-", n)
			a := now.Load().callWith(method, path, crashKey, body(n), "X-Request-Id", id)
			mu.Lock()
			if a.err != nil {
				cut++
			} else if a.status/100 == 2 {
				answered = append(answered, id)
			}
			mu.Unlock()
			if a.err != nil { // nobody listens
				time.Sleep(5 * time.Millisecond)
			}
		}
	}
	for i := range 3 {
		all.Go(func() {
			write(fmt.Sprint("settings-", i), "PUT", "/api/settings", func(n int) string { return fmt.Sprintf(`{"markets":[{"marketId":"m%d-%d"}]}`, i, n) })
		})
		all.Go(func() {
			write(fmt.Sprint("key-", i), "POST", "/api/keys", func(n int) string { return `{"role":"reader"}` })
		})
	}
	done := func() int {
		mu.Lock()
		defer mu.Unlock()
		return len(answered)
	}
	s := first
	for range kills {
		before := done()
		until(t, "an answer of the server that runs", func() bool { return done() > before })
		time.Sleep(time.Duration(30+rand.IntN(200)) * time.Millisecond) // the moment is the point of it
		_ = s.cmd.Process.Kill()
		<-s.ended
		s = w.serve(t)
		now.Store(s)
	}
	over.Store(true)
	all.Wait()
	if cut == 0 || len(answered) == 0 {
		t.Fatalf("%d calls were cut off, %d answered: the test proves nothing", cut, len(answered))
	}

	entries := map[string]int{} // by what they are of
	requests := map[string]bool{}
	for _, e := range s.audit(t, crashKey) {
		requests[e.request] = true
		entries[e.kind+" "+e.target]++
	}
	changes := 0
	has := func(change string) {
		if changes++; entries[change] != 1 {
			t.Errorf("%s has %d entries", change, entries[change])
		}
	}
	s.eachItem(t, "/api/settings/history", crashKey, func(item map[string]any) { has(fmt.Sprint("settings ", item["version"])) })
	s.eachItem(t, "/api/keys", crashKey, func(item map[string]any) { has(fmt.Sprint("key ", item["id"])) })
	if changes != len(entries) {
		t.Errorf("%d entries of %d changes", len(entries), changes)
	}
	for _, id := range answered {
		if !requests[id] {
			t.Errorf("the request %s was answered, and has no entry", id)
		}
	}
	t.Logf("%d changes, %d calls cut off", changes, cut)
	s.stop(t)
}
