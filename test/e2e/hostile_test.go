package e2e

import (
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"
)

// hostility is how an endpoint answers, and what its attempts then fail with.
type hostility struct {
	answer func(net.Conn)
	error  string
	status any // of the attempt; nil: none
}

func hostilities(privateURL string) map[string]hostility {
	const lasting = "timed out after 400ms"
	return map[string]hostility{
		"10 MB":                {says("HTTP/1.1 200 OK\r\nContent-Length: 10000000\r\n\r\n" + strings.Repeat("a", 10_000_000)), "response larger than 5 MiB", 200.0},
		"headers without end":  {endless("HTTP/1.1 200 OK\r\n", "A: b\r\n"), "response headers over 64 KiB", nil},
		"a header without end": {endless("HTTP/1.1 200 OK\r\nA: ", "b"), "response headers over 64 KiB", nil},
		"headers that stop":    {stalls("HTTP/1.1 200 OK\r\nA: b\r\n"), lasting, nil},
		"a body without end":   {endless("HTTP/1.1 200 OK\r\n\r\n", strings.Repeat("a", 1000)), "response larger than 5 MiB", 200.0},
		"a body that stops":    {stalls("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{"), lasting, nil},
		"1 byte per second":    {trickles("HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n"), lasting, nil},
		"reset at once":        {resets(""), "connection reset", nil},
		"reset in the body":    {resets("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{"), "connection ", nil},
		"too short":            {says("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{}"), "connection closed before the whole answer came", 200.0},
		"length is no number":  {says("HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n{}"), "invalid HTTP response", nil},
		"two lengths":          {says("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n{}"), "invalid HTTP response", nil},
		"a redirect, private":  {says("HTTP/1.1 302 Found\r\nLocation: " + privateURL + "\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"), "answered 302 Found", 302.0},
		"a redirect, metadata": {says("HTTP/1.1 307 X\r\nLocation: http://169.254.169.254/\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"), "answered 307 Temporary Redirect", 307.0},
		"no HTTP":              {says("SSH-2.0-OpenSSH_9.6\r\n\r\n"), "invalid HTTP response", nil},
		"nothing":              {says(""), "connection closed without an answer", nil},
		"203":                  {says("HTTP/1.1 203 X\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"), "answered 203 Non-Authoritative Information", 203.0},
	}
}

// TestHostileEndpoints has each endpoint be hostile at the first two attempts
// at an event and good at the third.
func TestHostileEndpoints(t *testing.T) {
	t.Parallel()
	s := newWhere(t).serve(t)
	healthy, private := newReceiver(t, nil), newReceiver(t, nil)
	beside := s.subscribe(t, s.newKey, healthy.URL, `"eventTypes":["*"]`)
	t.Run("all", func(t *testing.T) {
		for name, h := range hostilities(private.URL) {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				h.meet(t, s, healthy, strings.NewReplacer(" ", "_", ",", "").Replace(name))
			})
		}
	})
	s.awaitDeliveries(t, s.newKey, beside)
	if failed := s.attempts(t, s.newKey, beside, "failed"); len(failed)+healthy.repeats() > 0 {
		t.Errorf("the healthy endpoint has %d failed attempts and got %d events twice", len(failed), healthy.repeats())
	}
	if got, _ := private.all(); len(got) > 0 {
		t.Errorf("a redirect was followed: %s", got[0].body)
	}
}

// meet sends events to a hostile endpoint; its name is their type.
func (h hostility) meet(t *testing.T, s *server, healthy *receiver, name string) {
	timeout, again := "PT20S", `"PT0.1S","PT0.2S","PT0.2S"`
	if strings.HasPrefix(h.error, "timed out") { // which a good answer on a busy machine may be as well, now and then
		timeout, again = "PT0.4S", `"PT0.1S"`+strings.Repeat(`,"PT0.2S"`, 19)
	}
	good := newReceiver(t, nil)
	url := listenHostile(t, h.answer, good)
	e := s.subscribe(t, s.newKey, url, fmt.Sprintf(`"eventTypes":[%q],"timeout":%q,"retrySchedule":[%s]`, name, timeout, again))
	ids := []string{name + "-1", name + "-2"}
	for _, id := range ids {
		s.mustPublish(t, s.newKey, name, id, map[string]int{"n": 1})
	}
	healthy.awaitAll(t, ids)
	good.awaitAll(t, ids)
	s.awaitDeliveries(t, s.newKey, e)
	for _, d := range s.deliveries(t, s.newKey, e, "succeeded") {
		h.check(t, items(s.expect(t, 200, "GET", "/api/attempts?deliveryId="+fmt.Sprint(d["id"]), s.newKey, "")))
	}
	if n := len(s.deliveries(t, s.newKey, e, "succeeded")); n != len(ids) {
		t.Errorf("%d deliveries succeeded, want %d", n, len(ids))
	}
}

// check sees that a delivery's attempts failed twice and then succeeded.
func (h hostility) check(t *testing.T, attempts []map[string]any) {
	t.Helper()
	slices.Reverse(attempts) // the oldest first
	if len(attempts) < 3 {
		t.Fatalf("%d attempts, want 3: %v", len(attempts), attempts)
	}
	for i, a := range attempts[:2] {
		if a["outcome"] != "failed" || a["number"] != float64(i+1) || !strings.HasPrefix(fmt.Sprint(a["error"]), h.error) || h.status != nil && a["status"] != h.status {
			t.Errorf("attempt %d: number %v, %v, status %v, error %q; want status %v, error %q", i+1, a["number"], a["outcome"], a["status"], a["error"], h.status, h.error)
		}
	}
	if last := attempts[len(attempts)-1]; last["outcome"] != "succeeded" {
		t.Errorf("the last attempt: %v", last)
	}
}
